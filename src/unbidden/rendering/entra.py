"""Microsoft Entra ID, written: rows of Microsoft Graph (beta) out of events, the inverse of `providers.entra`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from unbidden.providers import Event

_TEXT = {
    "approved": "MFA successfully completed", "denied": "MFA denied; user declined the authentication", "reported": "SuspiciousActivityReported",
    "unanswered": "MFA denied; user did not respond to mobile app notification", "wrong_number": "MFA denied; user did not select the correct number",
    "wrong_code": "MFA denied; user entered incorrect code", "blocked": "MFA denied; user is blocked", "failed": "",
}  # fmt: skip
_NO_CODE = "MFA denied; user never entered the verification code"
_UNANSWERED = {"sms": _NO_CODE, "totp": _NO_CODE, "call": "MFA denied; phone call went to voicemail"}
# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE = (
    *(("answer", factor, outcome) for factor in ("push", "number_push") for outcome in ("approved", "denied", "reported", "unanswered", "blocked")),
    *(("answer", factor, outcome) for factor in ("sms", "totp") for outcome in ("approved", "wrong_code", "unanswered")),
    ("answer", "call", "approved"), ("answer", "call", "unanswered"), ("answer", "push", "failed"),
    ("answer", "number_push", "wrong_number"), ("answer", "passkey", "approved"),
    ("password", "password", "success"), ("password", "password", "failure"), ("session", None, "success"), ("session", None, "failure"),
    ("lockout", None, "locked"), ("report", None, "success"), ("risk", None, "success"), ("recovery", None, "success"),
    ("factor", None, "added"), ("factor", None, "changed"), ("factor", None, "removed"), ("factor", None, "bypassed"),
    *(("policy", None, outcome) for outcome in ("changed", "granted", "weakened", "consented")), ("device", None, "added"), ("device", None, "removed"),
)  # fmt: skip

_AUDITED = ("factor", "recovery", "policy", "device")
_ALWAYS = frozenset({"occurred_at", "login", "user_id", "kind", "outcome", "ip", "agent"})
_PLACED = _ALWAYS | {"country", "region", "city", "lat", "lon", "risk"}
_SIGNED = _PLACED | {"tenant", "session_id", "app", "asn", "client", "device", "is_managed"}


def carries(event: Event) -> frozenset[str]:
    """What a row of this kind can hold. A step is named after its flow and its row after the request: each names the other's id only."""
    kind = event["kind"]
    if kind in _AUDITED:
        return _ALWAYS | {"flow_id"} | ({"actor"} if kind == "factor" else set())
    if kind in ("risk", "report"):
        return _PLACED | {"flow_id", "request_id"}
    phone = {"answer_device"} if event.get("factor") in ("push", "number_push", "totp") and kind == "answer" else set()
    step = {"factor", "intent", "request_id"} | phone if kind == "answer" else {"factor", "request_id"} if kind == "password" else {"flow_id"}
    return _SIGNED | step | ({"is_proxy"} if event.get("is_proxy") else set())


def render(event: Event) -> list[dict[str, Any]]:
    """One row of Graph: a beta signIn, a directoryAudit or a riskDetection.

    The request id becomes the row's id and the flow id its correlationId; `event_id` stands for either that is missing.
    """
    kind = event["kind"]
    return [_audit(event) if kind in _AUDITED else _detection(event) if kind in ("risk", "report") else _sign_in(event)]


_METHOD_OF = {
    "push": "Mobile app notification", "number_push": "Mobile app notification", "sms": "Text message", "call": "Phone call",
    "totp": "OATH verification code", "passkey": "Passkey (device-bound)",
}  # fmt: skip
_NUMBER = {"approved": "numberMatchCorrectNumberEntered", "wrong_number": "numberMatchIncorrectNumberEntered"}
_STATUS = {
    ("session", "success"): (0, "Other."), ("session", "failure"): (53003, "Blocked by Conditional Access."),
    ("lockout", "locked"): (50053, "The account is locked."),
    ("password", "success"): (50074, "Strong Authentication is required."), ("password", "failure"): (50126, "Invalid username or password."),
    ("answer", "denied"): (500121, "Authentication failed during strong authentication request."),
}  # fmt: skip
_ACTIVITY_OF = {
    ("factor", "added"): "User registered security info", ("factor", "changed"): "User changed default security info",
    ("factor", "removed"): "User deleted security info", ("factor", "bypassed"): "Add bypassed user", ("recovery", "success"): "Reset password (self-service)",
    ("policy", "changed"): "Update conditional access policy", ("policy", "granted"): "Add member to role",
    ("policy", "weakened"): "Delete conditional access policy", ("policy", "consented"): "Consent to application",
    ("device", "added"): "Register device", ("device", "removed"): "Delete device",
}  # fmt: skip


def _audit(event: Event) -> dict[str, Any]:
    """A directoryAudit; an administrator who acted is its initiator."""
    at, actor = _time(event["occurred_at"]), event.get("actor")
    person = {"id": event.get("user_id"), "displayName": event.get("login"), "userPrincipalName": event.get("login")}
    who = {"id": f"id-{actor}", "displayName": actor, "userPrincipalName": actor} if actor else person
    name = _ACTIVITY_OF[event["kind"], event["outcome"]]
    return {
        "id": event["event_id"], "category": "Policy" if event["kind"] == "policy" else "UserManagement", "correlationId": event.get("flow_id"),
        "result": "success", "resultReason": "", "activityDisplayName": name, "activityDateTime": at, "loggedByService": "Authentication Methods",
        "operationType": "Update", "userAgent": event.get("agent"),
        "initiatedBy": {"user": {**who, "ipAddress": event.get("ip"), "userType": None}, "app": None},
        "targetResources": [{**person, "type": "User", "groupType": None, "modifiedProperties": []}], "additionalDetails": [],
    }  # fmt: skip


def _place(event: Event) -> dict[str, Any]:
    return {"city": event.get("city"), "state": event.get("region"), "countryOrRegion": event.get("country"),
            "geoCoordinates": {"altitude": None, "latitude": event.get("lat"), "longitude": event.get("lon")}}  # fmt: skip


def _detection(event: Event) -> dict[str, Any]:
    at = _time(event["occurred_at"])
    return {
        "id": event["event_id"], "requestId": event.get("request_id"), "correlationId": event.get("flow_id"), "riskState": "atRisk", "riskDetail": "none",
        "riskEventType": "userReportedSuspiciousActivity" if event["kind"] == "report" else "unfamiliarFeatures", "riskLevel": event.get("risk", "high"),
        "source": "IdentityProtection", "detectionTimingType": "offline" if event["kind"] == "report" else "realtime", "activity": "signin",
        "tokenIssuerType": "AzureAD", "ipAddress": event.get("ip"), "location": _place(event), "activityDateTime": at, "detectedDateTime": at,
        "lastUpdatedDateTime": at, "userId": event.get("user_id"), "userDisplayName": event.get("login"), "userPrincipalName": event.get("login"),
        "additionalInfo": '[{"Key":"userAgent","Value":"' + event["agent"] + '"}]' if event.get("agent") else "[]",
    }  # fmt: skip


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def _said(event: Event) -> str:
    text = _TEXT[str(event["outcome"])]
    return _UNANSWERED.get(str(event.get("factor")), text) if event["outcome"] == "unanswered" else text


def _steps(event: Event) -> list[dict[str, Any]]:
    """The steps of a row; a first factor that is not the event itself is satisfied by an earlier claim."""
    kind, outcome, factor = event["kind"], event.get("outcome"), event.get("factor")
    claim = ("Previously satisfied", True, "First factor requirement satisfied by claim in the token", "Primary authentication")
    steps: list[tuple[str, bool, str, str]] = [claim] if kind == "session" or (kind == "answer" and factor != "passkey") else []
    if kind == "password":
        text = "Correct password" if outcome == "success" else "Invalid username or password or Invalid on-premise username or password."
        steps.append(("Password", outcome == "success", text, "Primary authentication"))
    elif kind == "answer":
        requirement = "Primary authentication" if factor == "passkey" else "Multifactor authentication"
        steps.append((_METHOD_OF[str(factor)], outcome == "approved", _said(event), requirement))
    return [
        {"authenticationStepDateTime": _time(event["occurred_at"]), "authenticationMethod": method, "authenticationMethodDetail": "", "succeeded": succeeded,
         "authenticationStepResultDetail": text, "authenticationStepRequirement": requirement, "StatusSequence": 0, "RequestSequence": number}
        for number, (method, succeeded, text, requirement) in enumerate(steps)
    ]  # fmt: skip


def _number(event: Event, evaluation: str) -> list[dict[str, str]]:
    """What the Authenticator app's policies came to: how the number was answered, if one was asked for."""
    if event.get("factor") != "number_push":
        return []
    status = _NUMBER.get(str(event.get("outcome")), "numberMatchDeny")
    return [{"policyName": "Number matching", "adminConfiguration": "enabled", "authenticationEvaluation": evaluation, "status": status}]


def _sign_in(event: Event) -> dict[str, Any]:
    """A signIn of the beta API with all its usual fields."""
    kind, outcome, (browser, _, system) = event["kind"], str(event.get("outcome")), (event.get("client") or "").partition(" on ")
    code, reason = _STATUS.get((kind, outcome), _STATUS["session", "success"] if outcome == "approved" else _STATUS["answer", "denied"])
    result, risk = "success" if code == 0 else "failure", event.get("risk", "none")
    phone = {"deviceId": event.get("answer_device"), "operatingSystem": "Ios 19.1", "clientApp": "microsoftAuthenticator", "appVersion": "6.8.40"}
    policy = {"id": "8b1d0c5e-0000-4000-8000-000000000001", "displayName": "Require MFA", "enforcedGrantControls": ["Mfa"], "enforcedSessionControls": [],
              "result": result, "conditionsSatisfied": "application,users", "conditionsNotSatisfied": "none"}  # fmt: skip
    return {
        "id": event.get("request_id") or event["event_id"], "createdDateTime": _time(event["occurred_at"]),
        "correlationId": event.get("flow_id") or event["event_id"], "originalRequestId": "",
        "userDisplayName": event.get("login"), "userPrincipalName": event.get("login"), "userId": event.get("user_id"), "userType": "member",
        "appId": "4765445b-32c6-49b0-83e6-1d93765276ca", "appDisplayName": event.get("app"), "resourceDisplayName": "", "resourceTenantId": event.get("tenant"),
        "homeTenantId": event.get("tenant"), "ipAddress": event.get("ip"), "autonomousSystemNumber": event.get("asn"), "location": _place(event),
        "clientAppUsed": "Browser", "userAgent": event.get("agent"), "isInteractive": True, "signInEventTypes": ["interactiveUser"],
        "sessionId": event.get("session_id"), "uniqueTokenIdentifier": "", "incomingTokenType": "none", "tokenIssuerType": "AzureAD", "tokenIssuerName": "",
        "crossTenantAccessType": "none", "authenticationProtocol": "none", "originalTransferMethod": "none", "processingTimeInMilliseconds": 200,
        "conditionalAccessStatus": result, "appliedConditionalAccessPolicies": [policy], "authenticationRequirement": "multiFactorAuthentication",
        "authenticationRequirementPolicies": [{"requirementProvider": "multiConditionalAccess", "detail": "Conditional Access"}],
        "status": {"errorCode": code, "failureReason": reason, "additionalDetails": _said(event) if kind == "answer" else None},
        "deviceDetail": {"deviceId": event.get("device", ""), "displayName": "", "operatingSystem": system, "browser": browser,
                         "isCompliant": event.get("is_managed"), "isManaged": event.get("is_managed"), "trustType": ""},
        "authenticationDetails": _steps(event), "authenticationMethodsUsed": [], "authenticationAppPolicyEvaluationDetails": _number(event, result),
        "authenticationAppDeviceDetails": phone if event.get("factor") in ("push", "number_push", "totp") else None, "networkLocationDetails": [],
        "authenticationProcessingDetails": [{"key": "Login Hint Present", "value": "True"}], "isThroughGlobalSecureAccess": False,
        "riskLevelDuringSignIn": risk, "riskLevelAggregated": risk, "riskState": "none" if risk == "none" else "atRisk", "riskDetail": "none",
        "riskEventTypes_v2": ["anonymizedIPAddress"] if event.get("is_proxy") else [], "flaggedForReview": False,
    }  # fmt: skip
