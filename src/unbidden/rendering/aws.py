"""AWS CloudTrail, written: records out of events, the inverse of `providers.aws`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

from typing import Any

from unbidden.providers import Event

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE: tuple[tuple[str, str | None, str | None], ...] = (
    ("prompt", "email", "sent"), ("answer", "email", "approved"), ("answer", "email", "wrong_code"),
    *(("answer", factor, "approved") for factor in ("totp", "passkey", "token")), ("answer", "totp", "wrong_code"),
    *(("answer", factor, "failed") for factor in ("totp", "passkey", "token")),
    ("password", "password", "success"), ("password", "password", "failure"),
    ("session", None, "success"), ("session", None, "failure"), ("session", None, "ended"),
    *(("factor", factor, outcome) for factor in ("totp", "passkey", "token") for outcome in ("added", "changed", "removed")),
    ("recovery", None, "success"), ("policy", None, "changed"), ("policy", None, "weakened"), ("policy", None, "granted"),
)  # fmt: skip
_ROW = frozenset({"occurred_at", "kind", "factor", "outcome", "tenant", "login", "user_id", "ip", "agent"})

# What Identity Center asks for; the console says only that MFA was used and with which device.
_CREDENTIAL_OF = {"password": "PASSWORD", "totp": "TOTP", "passkey": "WEBAUTHN", "email": "EMAIL_OTP", "token": "SMARTCARD"}
_SERIAL_OF = {"totp": "arn:aws:iam::111122223333:mfa/phone", "passkey": "arn:aws:iam::111122223333:u2f/user/key", "token": "GAHT12345678"}
_CALL_OF = {
    ("factor", "added"): "EnableMFADevice", ("factor", "changed"): "ResyncMFADevice", ("factor", "removed"): "DeactivateMFADevice",
    ("recovery", "success"): "UpdateLoginProfile", ("policy", "changed"): "UpdateAccountPasswordPolicy",
    ("policy", "weakened"): "DeleteAccountPasswordPolicy", ("policy", "granted"): "AttachUserPolicy",
}  # fmt: skip


def _is_directory(event: Event) -> bool:
    """The event is one of Identity Center's: all that it asks for, but for what only the console tells."""
    kind, outcome = event["kind"], event["outcome"]
    return bool(kind == "prompt" or (kind == "password" and outcome == "success") or (kind == "answer" and outcome != "failed"))


def carries(event: Event) -> frozenset[str]:
    """The columns of a sign-in at Identity Center, of one at the console, or of a call of IAM."""
    kind = event["kind"]
    if _is_directory(event):
        return _ROW | {"flow_id"} | (frozenset({"intent"}) if kind in ("prompt", "answer") else frozenset())
    if kind == "answer":
        return _ROW | {"intent"}
    if kind == "factor":
        return (_ROW - {"user_id"} if event.get("actor") else _ROW) | {"request_id", "actor"}
    return _ROW | ({"request_id"} if kind in ("recovery", "policy") else frozenset())


def render(event: Event) -> list[dict[str, Any]]:
    """One CloudTrail record; `event_id` becomes its eventID."""
    name, login, actor = event["event_id"], event.get("login"), event.get("actor")
    record = {
        "eventVersion": "1.08", "userIdentity": _identity(event), "eventTime": f"{event['occurred_at']:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "signin.amazonaws.com", "awsRegion": "us-east-1", "sourceIPAddress": event.get("ip"), "userAgent": event.get("agent"),
        "requestParameters": None, "responseElements": None, "eventID": name, "readOnly": False, "eventType": "AwsConsoleSignIn",
        "managementEvent": True, "recipientAccountId": event.get("tenant"),
    }  # fmt: skip
    if _is_directory(event):
        return [record | _directory(event)]
    call = _CALL_OF.get((event["kind"], str(event["outcome"])))
    if call is None:
        return [record | _console(event)]
    asked = {"userName": login, "serialNumber": _SERIAL_OF.get(event.get("factor") or ""), "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    given = {} if call.endswith("PasswordPolicy") else {key: value for key, value in asked.items() if value and (key != "policyArn" or "Policy" in call)}
    call_of = {"eventName": call, "eventSource": "iam.amazonaws.com", "eventType": "AwsApiCall", "requestID": event.get("request_id")}
    return [record | call_of | {"requestParameters": given or None, "userIdentity": _identity({**event, "login": actor or login})}]


def _identity(event: Event) -> dict[str, Any]:
    """Who called: a user of the directory, or one of IAM."""
    account = event.get("tenant")
    if _is_directory(event):
        arn = f"arn:aws:identitystore::{account}:identitystore/d-9067642ac7"
        return {"type": "IdentityCenterUser", "accountId": account, "onBehalfOf": {"userId": event.get("user_id"), "identityStoreArn": arn}}
    login = event.get("login")
    arn = f"arn:aws:iam::{account}:user/{login}"
    return {"type": "IAMUser", "principalId": event.get("user_id"), "arn": arn, "accountId": account, "accessKeyId": "", "userName": login}


def _directory(event: Event) -> dict[str, Any]:
    is_asked, is_right = event["kind"] == "prompt", event["outcome"] in ("approved", "success")
    name = "CredentialChallenge" if is_asked else "CredentialVerification"
    added = {"AuthWorkflowID": event.get("flow_id"), "UserName": event.get("login"), "CredentialType": _CREDENTIAL_OF[str(event["factor"])]}
    return {
        "eventName": name, "eventType": "AwsServiceEvent", "additionalEventData": added,
        "serviceEventDetails": {name: "Success" if is_asked or is_right else "Failure"},
    }  # fmt: skip


def _console(event: Event) -> dict[str, Any]:
    kind, outcome = event["kind"], event["outcome"]
    if kind == "session" and outcome != "success":
        error = {"errorCode": "AccessDenied", "errorMessage": "Access denied"} if outcome == "failure" else {}
        name, source = ("AssumeRoleWithSAML", "sts") if outcome == "failure" else ("Logout", "sso")
        return {"eventName": name, "eventSource": f"{source}.amazonaws.com", "eventType": "AwsApiCall", **error}
    is_mfa, has_failed = kind == "answer", kind != "session"
    device = {"MFAIdentifier": _SERIAL_OF[str(event["factor"])]} if is_mfa else {}
    return {
        "eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Failure" if has_failed else "Success"},
        "additionalEventData": {"MobileVersion": "No", "MFAUsed": "Yes" if is_mfa else "No", **device},
        **({"errorMessage": "Failed authentication"} if has_failed else {}),
    }  # fmt: skip
