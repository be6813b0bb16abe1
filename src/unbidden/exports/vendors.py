"""Vendors: the logs of the providers that SIEMs have tables for.

Sources: Okta's event-type catalogue (release 2026.08) and System Log reference; Microsoft's reference of `SigninLogs`, `AuditLogs` and
`AADUserRiskEvents` and its list of sign-in error codes; Duo's Admin API reference of the authentication log (v2); the schema of the Office 365
Management Activity API. Names of Elastic's and Splunk's own are those of their integrations; the ones marked unverified were not seen in a sample.
"""

from __future__ import annotations

from unbidden.exports.rows import Log, Vendor, begins, equal, holds, names, row

_MFA = equal("type", "user.authentication.auth_via_mfa")
_PUSH = equal("factor", "OKTA_VERIFY_PUSH")

_OKTA = Log(
    "okta",
    {"sigma": "okta/okta", "kql": "OktaV2_CL", "spl": 'sourcetype="OktaIM2:log"', "esql": "logs-okta.system-*"},
    {
        "person": names("actor.alternateId", "ActorUsername", "actor.alternateId", "okta.actor.alternate_id"),
        "source": names("client.ipAddress", "SrcIpAddr", "client.ipAddress", "okta.client.ip"),
        "type": names("eventType", "EventOriginalType", "eventType", "okta.event_type"),
        "result": names("outcome.result", "OriginalOutcomeResult", "outcome.result", "okta.outcome.result"),
        "reason": names("outcome.reason", "EventOriginalResultDetails", "outcome.reason", "okta.outcome.reason"),
        "factor": names("debugContext.debugData.factor", "DebugData.factor", "debugContext.debugData.factor", "okta.debug_context.debug_data.factor"),
        # ES|QL cannot look into a flattened field, and Elastic keeps the answer of a push nowhere else (unverified).
        "push": names("debugContext.debugData.pushOnlyResponseType", "DebugData.pushOnlyResponseType", "debugContext.debugData.pushOnlyResponseType"),
        "number": names(
            "debugContext.debugData.pushWithNumberChallengeResponseType", "DebugData.pushWithNumberChallengeResponseType",
            "debugContext.debugData.pushWithNumberChallengeResponseType",
        ),
        "risk": names("debugContext.debugData.risk", "DebugData.risk", "debugContext.debugData.risk"),
        "risk_level": names("", "", "", "okta.debug_context.debug_data.risk_level"),
        "threats": names("debugContext.debugData.threatDetections", "DebugData.threatDetections", "debugContext.debugData.threatDetections"),
    },
)  # fmt: skip

OKTA = Vendor(
    "okta",
    "Okta System Log",
    {"okta": _OKTA},
    {
        "denied": (
            row("okta", _MFA, equal("push", "OV_RESPONSE_DENY")), row("okta", begins("type", "user.mfa.okta_verify.deny_push")),
            row("okta", _MFA, _PUSH, equal("result", "FAILURE"), equal("reason", "INVALID_CREDENTIALS"), only=frozenset({"esql"})),
        ),
        "wrong_number": (row("okta", _MFA, equal("number", "OV_WITH_CHALLENGE_RESPONSE_INVALID")),),
        "report_filed": (row("okta", equal("type", "user.account.report_suspicious_activity_by_enduser")),),
        "unanswered": (row("okta", _MFA, equal("result", "ABANDONED")),),
        "approved": (row("okta", _MFA, equal("result", "SUCCESS"), equal("factor", "OKTA_VERIFY_PUSH", "SMS_FACTOR", "CALL_FACTOR", "EMAIL_FACTOR")),),
        "sent": (
            row("okta", equal(
                "type", "system.push.send_factor_verify_push", "system.sms.send_factor_verify_message", "system.voice.send_mfa_challenge_call",
                "system.email.send_factor_verify_message",
            )),
        ),
        "telephony_sent": (
            row("okta", equal(
                "type", "system.sms.send_factor_verify_message", "system.voice.send_mfa_challenge_call", "system.sms.send_password_reset_message",
                "system.voice.send_password_reset_call", "system.email.password_reset.sent_message", "system.sms.send_account_unlock_message",
                "system.voice.send_account_unlock_call", "system.email.account_unlock.sent_message",
            )),
        ),
        "factor_changed": (
            row("okta", equal(
                "type", "user.mfa.factor.activate", "user.mfa.factor.update", "user.mfa.factor.deactivate", "user.mfa.factor.reset_all",
                "device.enrollment.create",
            )),
        ),
        "risk_high": (
            row("okta", equal("type", "security.threat.detected", "user.risk.detect"), holds("threats", '"HIGH"')),
            row("okta", equal("type", "security.threat.detected", "user.risk.detect"), holds("risk", "level=HIGH")),
            row("okta", equal("type", "security.threat.detected", "user.risk.detect"), equal("risk_level", "HIGH")),
        ),
        "sign_in_risk_high": (row("okta", _MFA, holds("risk", "level=HIGH")), row("okta", _MFA, equal("risk_level", "HIGH"))),
    },
    {
        "unanswered": "Okta logs an ignored prompt only where its MFA abandonment feature is on, and as UNANSWERED also where the person got in another way, "
        "which is left out here; everywhere else unbidden infers it from a send without an answer.",
        "sent": "A push to several phones of one person is one row for each, and is counted so.",
        "cancelled": "Okta logs no cancelled prompt.",
        "reported": "Okta has no report as the answer of a prompt; what people report by mail is an event of its own.",
        "failed": "Failures that Okta does not explain are left out.",
        "report_filed": "The address is that of the report, not of the attacker.",
        "factor_changed": "The actor is taken for the person: what the help desk does counts for the help desk.",
        "risk_high": "Where Okta itself is the actor, the person is among the targets, and this text names the actor.",
    },
)  # fmt: skip

_SIGN_IN = Log(
    "signin",
    {
        "sigma": "azure/signinlogs", "kql": "SigninLogs", "spl": 'sourcetype="azure:monitor:aad" category="SignInLogs"', "esql": "logs-azure.signinlogs-*",
    },
    {
        "person": names("UserPrincipalName", "UserPrincipalName", "properties.userPrincipalName", "azure.signinlogs.properties.user_principal_name"),
        "source": names("IPAddress", "IPAddress", "properties.ipAddress", "source.ip"),
        "code": names("ResultType", "ResultType", "properties.status.errorCode", "azure.signinlogs.result_type"),
        # Elastic's name of the text is unverified.
        "text": names("Status", "Status", "properties.status.additionalDetails", "azure.signinlogs.properties.status.additional_details"),
        "risk": names("RiskLevelDuringSignIn", "RiskLevelDuringSignIn", "properties.riskLevelDuringSignIn",
                      "azure.signinlogs.properties.risk_level_during_signin"),
        "required": names("AuthenticationRequirement", "AuthenticationRequirement", "properties.authenticationRequirement",
                          "azure.signinlogs.properties.authentication_requirement"),
    },
)  # fmt: skip
_AUDIT = Log(
    "audit",
    {"sigma": "azure/auditlogs", "kql": "AuditLogs", "spl": 'sourcetype="azure:monitor:aad" category="AuditLogs"', "esql": "logs-azure.auditlogs-*"},
    {
        # How Sigma backends and Elastic name the first target is unverified.
        "person": names("TargetResources.userPrincipalName", "TargetResources[0].userPrincipalName", "properties.targetResources{}.userPrincipalName",
                        "azure.auditlogs.properties.target_resources.0.user_principal_name"),
        "source": names("InitiatedBy.user.ipAddress", "InitiatedBy.user.ipAddress", "properties.initiatedBy.user.ipAddress",
                        "azure.auditlogs.properties.initiated_by.user.ipAddress"),
        "activity": names("OperationName", "OperationName", "operationName", "azure.auditlogs.operation_name"),
        "outcome": names("Result", "Result", "properties.result", "azure.auditlogs.properties.result"),
    },
)  # fmt: skip
_RISK = Log(
    "risk",
    {"sigma": "azure/riskdetection", "kql": "AADUserRiskEvents", "spl": 'sourcetype="azure:monitor:aad" category="UserRiskEvents"',
     "esql": "logs-azure.identity_protection-*"},
    {
        "person": names("userPrincipalName", "UserPrincipalName", "properties.userPrincipalName", "azure.identityprotection.properties.user_principal_name"),
        "source": names("ipAddress", "IpAddress", "properties.ipAddress", "azure.identityprotection.properties.ip_address"),
        "kind": names("riskEventType", "RiskEventType", "properties.riskEventType", "azure.identityprotection.properties.risk_event_type"),
        "level": names("riskLevel", "RiskLevel", "properties.riskLevel", "azure.identityprotection.properties.risk_level"),
    },
)  # fmt: skip
_FAILED = equal("code", "500121")

ENTRA = Vendor(
    "entra",
    "Microsoft Entra ID",
    {"signin": _SIGN_IN, "audit": _AUDIT, "risk": _RISK},
    {
        "denied": (row("signin", _FAILED, holds("text", "user declined the authentication")),),
        "wrong_number": (row("signin", _FAILED, holds("text", "did not select the correct number")),),
        "reported": (row("signin", _FAILED, holds("text", "SuspiciousActivityReported", "Fraud Code Entered")),),
        "report_filed": (row("risk", equal("kind", "userReportedSuspiciousActivity")),),
        "unanswered": (
            row("signin", _FAILED, holds(
                "text", "did not respond to mobile app notification", "never entered the verification code", "unable to reach the user's phone",
                "phone call went to voicemail", "hung up the phone call",
            )),
        ),
        "approved": (
            row("signin", equal("code", "0"), holds(
                "text", "MFA successfully completed", "MFA completed in Azure AD", "MFA requirement successfully completed",
            )),
        ),
        "factor_changed": (
            row("audit", equal(
                "activity", "User registered security info", "User deleted security info", "User changed default security info",
                "Admin registered security info", "Admin deleted security info", "Disable Strong Authentication.",
            )),
        ),
        "risk_high": (row("risk", equal("level", "high")),),
        "sign_in_risk_high": (row("signin", equal("required", "multiFactorAuthentication"), equal("risk", "high")),),
    },
    {
        "unanswered": "One row of Entra can hold several prompts as steps; this counts rows, and a row that is written again is counted again.",
        "denied": "One row of Entra can hold several prompts as steps; this counts rows, and a row that is written again is counted again.",
        "cancelled": "Entra logs no cancelled prompt.",
        "failed": "Rows that give the error without its text are left out.",
        "factor_changed": "Only the first target of the change is looked at.",
    },
)  # fmt: skip

_DUO = Log(
    "duo",
    {"sigma": "cisco/duo", "kql": "CiscoDuo_CL", "spl": 'sourcetype="cisco:duo:authentication*"', "esql": "logs-cisco_duo.auth-*"},
    {
        "person": names("user.name", "user_name_s", "user.name", "user.name"),
        "source": names("access_device.ip", "access_device_ip_s", "access_device.ip", "cisco_duo.auth.access_device.ip"),
        "result": names("result", "result_s", "result", "cisco_duo.auth.result"),
        "reason": names("reason", "reason_s", "reason", "cisco_duo.auth.reason"),
        "factor": names("factor", "factor_s", "factor", "cisco_duo.auth.factor"),
    },
)
DUO = Vendor(
    "duo",
    "Cisco Duo",
    {"duo": _DUO},
    {
        "denied": (row("duo", equal("result", "denied"), equal("reason", "user_mistake")),),
        "cancelled": (row("duo", equal("result", "denied"), equal("reason", "user_cancelled")),),
        "reported": (row("duo", equal("result", "fraud")),),
        "unanswered": (row("duo", equal("result", "denied"), equal("reason", "no_response", "no_keys_pressed", "call_timed_out")),),
        "approved": (row("duo", equal("result", "success"), equal("reason", "user_approved")),),
    },
    {
        "unanswered": "Duo writes a row when the prompt has ended, so a window is measured between ends.",
        "wrong_number": "How Duo writes a wrong code of a verified push is not known; it is left out.",
        "failed": "Prompts that Duo's own policy ended are left out.",
    },
)

_M365 = Log(
    "m365",
    {"sigma": "m365/audit", "kql": "CloudAppEvents", "spl": 'sourcetype="o365:management:activity"', "esql": "logs-o365.audit-*"},
    {
        "person": names("UserId", "RawEventData.UserId", "UserId", "o365.audit.UserId"),
        "source": names("ClientIP", "RawEventData.ClientIP", "ClientIP", "o365.audit.ClientIP"),
        "operation": names("Operation", "RawEventData.Operation", "Operation", "o365.audit.Operation"),
        "code": names("ErrorNumber", "RawEventData.ErrorNumber", "ErrorNumber", "o365.audit.ErrorNumber"),
    },
)
M365 = Vendor(
    "m365",
    "Microsoft 365 unified audit log",
    {"m365": _M365},
    {"failed": (row("m365", equal("operation", "UserLoginFailed"), equal("code", "500121")),)},
    {
        "failed": "Microsoft's audit log gives one error for refused, ignored and mistyped; all are counted. It comes an hour or more late.",
        "unanswered": "An ignored prompt cannot be told from a refused one.",
    },
)

VENDORS: tuple[Vendor, ...] = (OKTA, ENTRA, DUO, M365)
