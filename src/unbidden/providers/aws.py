"""AWS CloudTrail: console sign-ins, IAM Identity Center, STS sessions with MFA, changes of MFA devices, rights and password rules.

Source: the CloudTrail User Guide (console sign-in events, record contents), the IAM Identity Center guide (sign-in events, user names
in them) and the columns of Sentinel's AWSCloudTrail table. What comes from memory says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import LiteralString

from unbidden.engine import Structure
from unbidden.providers import Patience, Record, Shape, Sight
from unbidden.rendering.aws import REPERTOIRE, carries, render

__all__ = ("PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render")

TITLE = "AWS CloudTrail"


def _texts(names: str) -> dict[str, str]:
    """Each of the names as a text column."""
    return dict.fromkeys(names.split(), "VARCHAR")


_IDENTITY: Structure = {
    **_texts("type principalId arn accountId accessKeyId userName invokedBy"), "onBehalfOf": {"userId": "VARCHAR"},
    "sessionContext": {"attributes": {"mfaAuthenticated": "VARCHAR"}, "sourceIdentity": "VARCHAR"},
}  # fmt: skip
_REQUEST: Structure = _texts("userName userId serialNumber roleArn policyArn groupName")
_RESPONSE: Structure = _texts("ConsoleLogin CheckMfa SwitchRole PasswordUpdated PasswordRecoveryRequested PasswordRecoveryCompleted")
_ADDED: Structure = _texts("MFAUsed MFAIdentifier MfaType UserName AuthWorkflowID CredentialType")
_SERVICE: Structure = _texts("CredentialVerification UserAuthentication CredentialChallenge")
_PARTS: Structure = {"requestParameters": _REQUEST, "responseElements": _RESPONSE, "additionalEventData": _ADDED, "serviceEventDetails": _SERVICE}
STRUCTURE: Structure = {
    **_texts("eventVersion eventTime eventSource eventName sourceIPAddress userAgent errorCode errorMessage eventID requestID recipientAccountId"),
    "userIdentity": _IDENTITY, **_PARTS,
}  # fmt: skip
# Columns of Sentinel's AWSCloudTrail table that are other words.
_ALIASES = {
    "timegenerated": ("eventTime",), "awseventid": ("eventID",), "awsrequestid": ("requestID",),
    "sessionmfaauthenticated": ("userIdentity", "sessionContext", "attributes", "mfaAuthenticated"),
}  # fmt: skip

# Services whose events may concern signing in. Event names are not unique over services.
_SERVICES = "('signin', 'iam', 'sts', 'sso', 'sso-directory', 'identitystore')"

# What a person is asked for at IAM Identity Center (CredentialType) in our words. A smart card is a certificate on a token.
_CREDENTIALS = {
    "PASSWORD": "password", "TOTP": "totp", "RESYNC_TOTP": "totp", "WEBAUTHN": "passkey", "EMAIL_OTP": "email", "SMARTCARD": "token",
}  # fmt: skip


def _all(names: str, kind: str, outcome: str, factor: str | None = None) -> dict[str, tuple[str, str, str | None]]:
    return dict.fromkeys(names.split(), (kind, outcome, factor))


# Events that mean one thing: kind, outcome when they succeed, factor. A virtual device that is made is not yet anybody's, and one that is deleted is
# nobody's any more: EnableMFADevice and DeactivateMFADevice are what adds and removes. An access key is a way in that asks for no MFA: a right.
# The events of sso and sso-directory come from memory, unverified.
_PLAIN = {
    **_all("EnableMFADevice", "factor", "added"), **_all("DeactivateMFADevice", "factor", "removed"),
    **_all("CreateVirtualMFADevice DeleteVirtualMFADevice ResyncMFADevice", "factor", "changed"),
    **_all("CompleteVirtualMfaDeviceRegistration", "factor", "added", "totp"), **_all("CompleteWebAuthnDeviceRegistration", "factor", "added", "passkey"),
    **_all("DeleteMfaDeviceForUser", "factor", "removed"), **_all("UpdateMfaDeviceForUser", "factor", "changed"),
    **_all("ChangePassword CreateLoginProfile UpdateLoginProfile UpdatePassword PasswordUpdated PasswordRecoveryCompleted", "recovery", "success"),
    **_all("AttachUserPolicy AttachGroupPolicy AttachRolePolicy PutUserPolicy PutGroupPolicy PutRolePolicy AddUserToGroup", "policy", "granted"),
    **_all("CreateAccessKey CreateAccountAssignment CreateGroupMembership AddMemberToGroup AttachManagedPolicyToPermissionSet", "policy", "granted"),
    **_all("DetachUserPolicy DetachGroupPolicy DetachRolePolicy DeleteUserPolicy DeleteGroupPolicy DeleteRolePolicy", "policy", "changed"),
    **_all("RemoveUserFromGroup UpdateAssumeRolePolicy UpdateAccountPasswordPolicy PutMfaDeviceManagementForDirectory", "policy", "changed"),
    **_all("CreateSAMLProvider UpdateSAMLProvider DeleteSAMLProvider CreateOpenIDConnectProvider", "policy", "changed"),
    **_all("DeleteAccountPasswordPolicy", "policy", "weakened"),
    **_all("AssumeRoleWithSAML SwitchRole UserAuthentication Authenticate Federate", "session", "success"), **_all("Logout", "session", "ended"),
}  # fmt: skip


def _table(entries: Iterable[tuple[str | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


MINE: LiteralString = "eventName IS NOT NULL AND eventSource IS NOT NULL AND utc(eventTime) IS NOT NULL"
_ROOT = "coalesce(known(userIdentity.arn), 'arn:aws:iam::' || known(userIdentity.accountId) || ':root')"
_SESSION_NAME = "nullif(regexp_extract(userIdentity.arn, ':(assumed-role/[^/]+|federated-user)/(.+)$', 2), '')"

# Who called. A role's session bears the name that who made it chose: a person's only where a directory chose it or where it is an address.
# What a wrong user name was is hidden by AWS. Who signs in at Identity Center is named once in each sign-in, else known by the directory's id;
# names from a directory may stand as `domain/name`.
_CALLER = rf"""CASE userIdentity.type
      WHEN 'IAMUser' THEN coalesce(nullif(known(userIdentity.userName), 'HIDDEN_DUE_TO_SECURITY_REASONS'),
        nullif(regexp_extract(userIdentity.arn, ':user/(.*/)?([^/]+)$', 2), ''))
      WHEN 'Root' THEN {_ROOT}
      WHEN 'AssumedRole' THEN coalesce(known(userIdentity.sessionContext.sourceIdentity),
        if(eventName = 'ConsoleLogin' OR contains(userIdentity.arn, '/AWSReservedSSO_') OR contains({_SESSION_NAME}, '@'), {_SESSION_NAME}, NULL))
      WHEN 'FederatedUser' THEN {_SESSION_NAME}
      WHEN 'SAMLUser' THEN known(userIdentity.userName)
      WHEN 'IdentityCenterUser' THEN {{0}} WHEN 'Unknown' THEN {{0}} END""".replace(
    "{0}", r"regexp_replace(known(additionalEventData.UserName), '^([^/@\\]+)/([^/@]+)$', '\1\\\2')"
)

# `flat` takes single values out, `typed` and `judged` decide what the row is. A code or key that was right is a step of its own behind the session.
# An access key works day and night without anybody: a session of STS is somebody's only with MFA behind it.
# The console says that MFA was used in a sign-in that failed, not whether the password or the code was wrong.
_MEANING = f"""
, flat AS (
  SELECT source, known(eventID) AS id, eventTime, utc(eventTime) AS occurred_at, eventName AS called, split_part(eventSource, '.', 1) AS service,
    known(errorCode) AS error_code, known(errorMessage) AS error, userIdentity.type AS caller_type, {_CALLER} AS caller,
    coalesce(known(userIdentity.onBehalfOf.userId), if(userIdentity.type IN ('IAMUser', 'Root'), known(userIdentity.principalId), NULL)) AS caller_id,
    coalesce(known(userIdentity.arn), known(userIdentity.principalId), known(userIdentity.invokedBy)) AS caller_arn,
    if(requestParameters.userName = 'AWS ROOT USER', {_ROOT}, known(requestParameters.userName)) AS target, known(requestParameters.userId) AS target_id,
    coalesce(userIdentity.type IN ('AWSService', 'AWSAccount'), false) OR coalesce(userIdentity.invokedBy <> 'signin.amazonaws.com', false) AS is_service,
    lower(additionalEventData.MFAUsed) = 'yes' AS is_mfa, tristate(userIdentity.sessionContext.attributes.mfaAuthenticated) AS is_mfa_session,
    known(additionalEventData.MFAIdentifier) AS identifier, known(requestParameters.serialNumber) AS serial,
    known(additionalEventData.CredentialType) AS credential, known(additionalEventData.MfaType) AS mfa_type, known(requestParameters.roleArn) AS role,
    nullif(concat_ws(' ', known(requestParameters.policyArn), known(requestParameters.groupName), known(requestParameters.userName)), '') AS given,
    coalesce(responseElements.ConsoleLogin, responseElements.CheckMfa, responseElements.SwitchRole, responseElements.PasswordUpdated,
      responseElements.PasswordRecoveryRequested, responseElements.PasswordRecoveryCompleted, serviceEventDetails.CredentialVerification,
      serviceEventDetails.UserAuthentication, serviceEventDetails.CredentialChallenge) AS result,
    coalesce(known(recipientAccountId), known(userIdentity.accountId)) AS tenant, known(additionalEventData.AuthWorkflowID) AS flow_id,
    known(requestID) AS request_id, if(starts_with(userIdentity.accessKeyId, 'ASIA'), userIdentity.accessKeyId, NULL) AS session_id,
    if(regexp_full_match(sourceIPAddress, '[0-9a-fA-F:.]+'), bare_ip(sourceIPAddress), NULL) AS ip,
    if(regexp_matches(userAgent, '\\.amazonaws\\.com$|^(AWS Internal|Coral/Netty)'), NULL, known(userAgent)) AS agent
  FROM trail WHERE {MINE}
), typed AS (
  SELECT f.*, plain.kind AS plain_kind, plain.outcome AS plain_outcome, plain.factor AS plain_factor, asked.named AS asked_for,
    coalesce(identifier, serial) AS device, result = 'Failure' OR error_code IS NOT NULL OR error IS NOT NULL AS has_failed_,
    CASE WHEN device IS NULL THEN NULL WHEN contains(device, ':u2f/') THEN 'passkey' WHEN contains(device, ':mfa/') THEN 'totp' ELSE 'token' END AS held,
    CASE WHEN service NOT IN {_SERVICES} THEN 'other'
      WHEN called = 'ConsoleLogin' THEN 'console'
      WHEN called = 'CredentialVerification' AND asked_for IS NOT NULL THEN 'verification'
      WHEN called = 'CredentialChallenge' AND asked_for = 'email' THEN 'challenge'
      WHEN called IN ('AssumeRole', 'GetSessionToken') AND NOT is_service AND contains(error, 'MultiFactorAuthentication failed') THEN 'code'
      WHEN called IN ('AssumeRole', 'GetSessionToken') AND NOT is_service AND caller IS NOT NULL AND (serial IS NOT NULL OR is_mfa_session) THEN 'token'
      WHEN plain_kind = 'session' AND is_service THEN 'other'
      ELSE coalesce(plain_kind, 'other') END AS what
  FROM flat f LEFT JOIN (VALUES {_table((name, *meaning) for name, meaning in _PLAIN.items())}) plain(name, kind, outcome, factor) ON plain.name = f.called
    LEFT JOIN (VALUES {_table(_CREDENTIALS.items())}) asked(name, named) ON asked.name = f.credential
), judged AS (
  SELECT * EXCLUDE (has_failed_), coalesce(has_failed_, false) AS has_failed, CASE what
      WHEN 'console' THEN CASE WHEN NOT coalesce(has_failed_, false) THEN 'session' WHEN is_mfa THEN 'answer'
        WHEN caller_type IN ('IAMUser', 'Root') THEN 'password' ELSE 'session' END
      WHEN 'verification' THEN if(asked_for = 'password', 'password', 'answer')
      WHEN 'challenge' THEN 'prompt' WHEN 'code' THEN 'answer' WHEN 'token' THEN 'session' ELSE what END AS kind_,
    unnest(if(NOT coalesce(has_failed_, false) AND ((what = 'console' AND is_mfa) OR (what = 'token' AND serial IS NOT NULL)), [0, 1], [0])) AS step
  FROM typed
), told AS (
  SELECT *, if(step = 1, 'answer', kind_) AS kind,
    CASE WHEN step = 1 THEN 'approved' WHEN kind_ = 'other' THEN NULL WHEN kind_ = 'prompt' THEN if(has_failed, 'failed', 'sent')
      WHEN kind_ = 'answer' THEN CASE WHEN what = 'console' THEN 'failed' WHEN NOT has_failed THEN 'approved'
        WHEN asked_for IN ('totp', 'email') OR contains(error, 'one time pass code') THEN 'wrong_code' ELSE 'failed' END
      WHEN has_failed THEN 'failure' ELSE coalesce(plain_outcome, 'success') END AS outcome,
    kind_ IN ('factor', 'recovery') AND coalesce(target, target_id) IS NOT NULL
      AND if(target IS NULL, target_id IS DISTINCT FROM caller_id, lower(target) IS DISTINCT FROM lower(caller)) AS is_for_another
  FROM judged
)
SELECT source, step, occurred_at, coalesce(id, md5(concat_ws('|', eventTime, called, service, caller_arn, caller, ip, request_id, flow_id, result)))
    || if(step = 1, '|mfa', '') AS event_id,
  kind, outcome, tenant, CASE WHEN is_for_another THEN target WHEN is_service THEN NULL ELSE caller END AS login,
  CASE WHEN is_for_another THEN target_id WHEN is_service THEN NULL ELSE caller_id END AS user_id,
  if(is_for_another, coalesce(if(is_service, NULL, caller), caller_arn), NULL) AS actor,
  CASE kind WHEN 'password' THEN 'password' WHEN 'prompt' THEN asked_for WHEN 'answer' THEN coalesce(asked_for, held, 'totp')
    WHEN 'factor' THEN coalesce(plain_factor, held) END AS factor,
  if(kind = 'answer' AND outcome = 'failed', 'ambiguous', 'explicit') AS certainty,
  concat_ws(' ', called, credential, coalesce(result, error_code)) AS code, coalesce(error, mfa_type, if(kind = 'policy', given, NULL)) AS detail,
  request_id, flow_id, session_id, CASE WHEN called = 'ConsoleLogin' THEN 'AWS Console' WHEN kind = 'session' AND service = 'sts' THEN role
    WHEN flow_id IS NOT NULL THEN 'AWS access portal' END AS app,
  if(kind IN ('prompt', 'answer'), 'login', NULL) AS intent, ip, agent, if(kind IN ('answer', 'factor'), device, NULL) AS answer_device,
  if(kind = 'answer', factor = 'passkey', NULL) AS is_resistant
FROM told
"""

# A document of the Elastic integration: what a call was given and what came of it stand in `flattened` as CloudTrail spells them.
# (`source_`: `source` is our number of the input; spelling takes both for one word.)
_ELASTIC: Structure = {
    "@timestamp": "VARCHAR", "event": _texts("id action provider outcome"), "user": _texts("id name"), "source_": _texts("ip address"),
    "user_agent": {"original": "VARCHAR"},
    "aws": {"cloudtrail": {
        **_texts("error_code error_message request_id recipient_account_id event_version"),
        "user_identity": {
            **_texts("type arn access_key_id invoked_by"), "session_context": _texts("mfa_authenticated"), "on_behalf_of": _texts("user_id"),
        },
        "flattened": {"request_parameters": _REQUEST, "response_elements": _RESPONSE, "additional_eventdata": _ADDED, "service_event_details": _SERVICE},
    }},
}  # fmt: skip
_ELASTIC_MINE: LiteralString = """event.action IS NOT NULL AND event.provider IS NOT NULL AND utc("@timestamp") IS NOT NULL"""
_FROM_ELASTIC = """SELECT source, "@timestamp" AS eventTime, event.id AS eventID, event.action AS eventName, event.provider AS eventSource,
    coalesce(source_.ip, source_.address) AS sourceIPAddress, agent.original AS userAgent, trail.error_code AS errorCode, trail.error_message AS errorMessage,
    trail.request_id AS requestID, trail.recipient_account_id AS recipientAccountId, trail.flattened.request_parameters AS requestParameters,
    trail.flattened.response_elements AS responseElements, trail.flattened.additional_eventdata AS additionalEventData,
    trail.flattened.service_event_details AS serviceEventDetails, {
      'type': trail.user_identity.type, 'principalId': who.id, 'arn': trail.user_identity.arn, 'accountId': trail.recipient_account_id,
      'accessKeyId': trail.user_identity.access_key_id, 'userName': who.name, 'invokedBy': trail.user_identity.invoked_by,
      'onBehalfOf': {'userId': trail.user_identity.on_behalf_of.user_id},
      'sessionContext': {'attributes': {'mfaAuthenticated': trail.user_identity.session_context.mfa_authenticated}, 'sourceIdentity': NULL}
    } AS userIdentity
  FROM (SELECT "@timestamp", event, "user" AS who, user_agent AS agent, source, source_, aws.cloudtrail AS trail FROM raw)"""


def _marks(record: Record) -> bool:
    is_ours = ".amazonaws." in str(record.get("eventSource")) and bool(record.get("eventName")) and "eventTime" in record
    return is_ours and (isinstance(record.get("userIdentity"), Mapping) or "eventVersion" in record)


def _marks_elastic(record: Record) -> bool:
    event, aws = record.get("event"), record.get("aws")
    trail = aws.get("cloudtrail") if isinstance(aws, Mapping) else None
    is_call = isinstance(event, Mapping) and ".amazonaws." in str(event.get("provider")) and bool(event.get("action"))
    return is_call and isinstance(trail, Mapping) and "@timestamp" in record


_NEEDS = "an eventName, an eventSource and a readable time"
_WHOLE: LiteralString = "contains(eventSource, '.amazonaws.') AND (eventVersion IS NOT NULL OR userIdentity.type IS NOT NULL)"
SHAPES = (
    Shape("record", STRUCTURE, MINE, f"WITH trail AS (FROM raw) {_MEANING}", _marks, _NEEDS, _ALIASES, whole=_WHOLE),
    Shape("elastic", _ELASTIC, _ELASTIC_MINE, f"WITH trail AS ({_FROM_ELASTIC}) {_MEANING}", _marks_elastic, _NEEDS),
)

# Codes and keys are typed or touched in the sign-in itself. Only a mailed code is sent to somebody.
PATIENCE = {"email": Patience(600, "how long a mailed code of IAM Identity Center is valid: a guess, unverified")}

SIGHT = {
    "explicit_prompt": Sight(False, "AWS sends no push: codes and keys are asked for in the sign-in, and only a mailed code of Identity Center is sent"),
    "explicit_deny": Sight(False, "there is nothing to deny: a code is typed or not"),
    "explicit_timeout": Sight(False, "a sign-in that stops at the code leaves no row of the console, and a challenge without an end at Identity Center"),
    "explicit_report": Sight(False, "nobody can report a sign-in"),
    "answerer_place": Sight(False, "nothing is said of the phone"),
    "number_match": Sight(False, "there is no number matching"),
    "vendor_risk": Sight(False, "CloudTrail has no verdict; GuardDuty is a log of its own"),
    "factor_changes": Sight(True, "IAM's MFA devices have rows, with who did it; those of Identity Center too (their names are unverified)"),
}
