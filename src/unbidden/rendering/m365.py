"""Microsoft 365 unified audit log, written: records of the Management API out of events, the inverse of `providers.m365`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from unbidden.providers import Event

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE: tuple[tuple[str, str | None, str | None], ...] = (
    ("answer", "unknown", "approved"), ("answer", "unknown", "failed"), ("password", "password", "failure"), ("password", "password", "success"),
    ("session", None, "success"), ("session", None, "failure"), ("session", None, "ended"), ("lockout", None, "locked"),
    ("factor", None, "added"), ("factor", None, "changed"), ("factor", None, "removed"), ("recovery", None, "success"),
    ("report", None, "success"), ("risk", None, "success"),
    *(("policy", None, outcome) for outcome in ("changed", "granted", "weakened", "consented", "mail_rule")), ("device", None, "added"),
    ("device", None, "removed"),
)  # fmt: skip

_CHANGES = ("factor", "recovery", "policy", "device")
_ALWAYS = frozenset({"occurred_at", "login", "kind", "outcome", "tenant", "ip", "flow_id", "request_id"})
_LOGON = frozenset({"user_id", "factor", "intent", "app", "session_id", "agent", "client", "device", "is_managed"})
_DETECTION = frozenset({"user_id", "risk", "country", "region", "city", "lat", "lon"})


def carries(event: Event) -> frozenset[str]:
    """What a record of this kind can hold: sign-ins, directory changes and risk detections have different fields."""
    kind = event["kind"]
    if kind in ("report", "risk"):
        return _ALWAYS | _DETECTION
    if (kind, event["outcome"]) == ("policy", "mail_rule"):
        return _ALWAYS - {"flow_id", "request_id"}
    if kind in _CHANGES:
        return _ALWAYS | (frozenset({"actor"}) if event.get("actor") and kind != "policy" else frozenset[str]())
    return _ALWAYS | ((_LOGON - {"session_id", "agent", "client", "device", "is_managed"}) if (kind, event["outcome"]) == ("password", "success") else _LOGON)


# How a sign-in is told: operation, request type, error number, its name.
_LOGON_OF = {
    ("answer", "approved"): ("UserLoggedIn", "SAS:EndAuth", None, None),
    ("answer", "failed"): ("UserLoginFailed", "SAS:EndAuth", "500121", "AuthenticationFailedSasError"),
    ("password", "failure"): ("UserLoginFailed", "Login:login", "50126", "InvalidUserNameOrPassword"),
    ("session", "success"): ("UserLoggedIn", "OAuth2:Authorize", None, None), ("session", "ended"): ("UserLoggedIn", "OAuth2:Logout", None, None),
    ("session", "failure"): ("UserLoginFailed", "OAuth2:Authorize", "53003", "BlockedByConditionalAccess"),
    ("lockout", "locked"): ("UserLoginFailed", "Login:login", "50053", "IdsLocked"),
}  # fmt: skip
_OPERATION_OF = {
    ("policy", "changed"): "Update conditional access policy.", ("policy", "granted"): "Add member to role.",
    ("policy", "weakened"): "Delete conditional access policy.", ("policy", "consented"): "Consent to application.",
    ("device", "added"): "Register device.", ("device", "removed"): "Delete device.", ("recovery", "success"): "Reset user password.",
}  # fmt: skip
_METHODS = ('[{"MethodType":6,"Default":true}]', '[{"MethodType":6,"Default":false},{"MethodType":7,"Default":true}]')


def render(event: Event) -> list[dict[str, Any]]:
    """One audit record of the Management API; `event_id` becomes the Id."""
    record = {
        "CreationTime": event["occurred_at"].strftime("%Y-%m-%dT%H:%M:%S"), "Id": event["event_id"], "OrganizationId": event.get("tenant"),
        "UserType": 0, "Version": 1, "Workload": "AzureActiveDirectory", "ClientIP": event.get("ip"), "UserId": event.get("login"),
        "UserKey": event.get("user_id"), "ActorContextId": event.get("tenant"), "ActorIpAddress": event.get("ip"),
        "InterSystemsId": event.get("flow_id"), "IntraSystemId": event.get("request_id"), "SupportTicketId": "", "TargetContextId": event.get("tenant"),
    }  # fmt: skip
    if event["kind"] in ("report", "risk"):
        return [record | _detection(event)]
    if (event["kind"], event["outcome"]) == ("policy", "mail_rule"):
        return [record | _rule(event)]
    return [record | (_directory(event) if event["kind"] in _CHANGES else _logon(event))]


def _logon(event: Event) -> dict[str, Any]:
    """The fields of a sign-in; a password that was right is told only by the older kind of record."""
    if (event["kind"], event["outcome"]) == ("password", "success"):
        return {"RecordType": 9, "Operation": "PasswordLogonInitialAuthUsingPassword", "ResultStatus": "success", "AzureActiveDirectoryEventType": 0,
                "ObjectId": event.get("login"), "ApplicationId": event.get("app"), "Client": "Exchange", "LoginStatus": 0}  # fmt: skip
    operation, request_type, number, word = _LOGON_OF[event["kind"], str(event["outcome"])]
    browser, _, os = (event.get("client") or "").partition(" on ")
    extended = {"ResultStatusDetail": "Success", "UserAgent": event.get("agent"), "UserAuthenticationMethod": "1", "RequestType": request_type}
    managed = event.get("is_managed")
    device = {"Id": event.get("device"), "DisplayName": event.get("device"), "OS": os or None, "BrowserType": browser or None,
              "IsCompliantAndManaged": None if managed is None else str(managed), "SessionId": event.get("session_id")}  # fmt: skip
    return {
        "RecordType": 15, "Operation": operation, "ResultStatus": "Success", "ObjectId": event.get("app"), "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": _pairs(extended), "ModifiedProperties": [],
        "Actor": [{"ID": event.get("user_id"), "Type": 0}, {"ID": event.get("login"), "Type": 5}],
        "Target": [{"ID": event.get("app"), "Type": 0}], "ApplicationId": event.get("app"), "DeviceProperties": _pairs(device),
        "ErrorNumber": number or "0", "LogonError": word or "None",
    }  # fmt: skip


def _pairs(properties: Mapping[str, str | None]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in properties.items() if value is not None]


def _directory(event: Event) -> dict[str, Any]:
    """The fields of a change in the directory: who acted stands in UserId, whom it was done to in Target."""
    kind, outcome = event["kind"], str(event["outcome"])
    operation = _OPERATION_OF.get((kind, outcome), "Update user.")
    person, actor = event.get("login"), event.get("actor")
    old, new = {"added": _METHODS, "removed": _METHODS[::-1]}.get(outcome, (_METHODS[0], _METHODS[0].replace("6", "5")))
    method, puid = "StrongAuthenticationMethod", f"1003{crc32(str(actor or person).encode()):08X}AAAA"
    changed = [{"Name": method, "NewValue": new, "OldValue": old}, {"Name": "Included Updated Properties", "NewValue": method, "OldValue": ""}]
    return {
        "RecordType": 8, "ResultStatus": "Success", "Operation": operation,
        "AzureActiveDirectoryEventType": 1, "UserId": actor or person, "UserKey": f"{puid}@example.onmicrosoft.com", "ObjectId": person,
        "ExtendedProperties": _pairs({"additionalDetails": json.dumps({"UserType": "Member"}), "extendedAuditEventCategory": "User"}),
        "ModifiedProperties": changed if kind == "factor" else [],
        "Actor": [{"ID": actor or person, "Type": 5}, {"ID": puid, "Type": 3}],
        "Target": [] if kind == "policy" else [{"ID": "User", "Type": 2}, {"ID": person, "Type": 5}],
    }  # fmt: skip


def _rule(event: Event) -> dict[str, Any]:
    """The fields of an inbox rule, as the administration of a mailbox records it."""
    return {
        "RecordType": 1, "ResultStatus": "True", "Operation": "New-InboxRule", "Workload": "Exchange", "ObjectId": f"{event.get('login')}\\rule",
        "UserKey": f"1003{crc32(str(event.get('login')).encode()):08X}AAAA", "InterSystemsId": None, "IntraSystemId": None,
        "Parameters": _pairs({"Name": "rule", "SubjectContainsWords": "invoice", "MoveToFolder": "RSS Feeds"}),
    }  # fmt: skip


def _detection(event: Event) -> dict[str, Any]:
    """The fields of a risk detection; how its place is spelled is unverified."""
    place = {"city": event.get("city"), "state": event.get("region"), "countryOrRegion": event.get("country"),
             "geoCoordinates": {"latitude": event.get("lat"), "longitude": event.get("lon")}}  # fmt: skip
    return {
        "RecordType": 294, "Operation": "RiskDetection", "ResultStatus": "Success", "Activity": "signin", "DetectionTimingType": "realtime",
        "RiskEventType": "userReportedSuspiciousActivity" if event["kind"] == "report" else "unfamiliarFeatures",
        "RiskLevel": event.get("risk") or "high", "RiskState": "atRisk", "RiskDetail": "none", "IpAddress": event.get("ip"), "Location": place,
        "ActivityDateTime": event["occurred_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "CorrelationId": event.get("flow_id"), "RequestId": event.get("request_id"), "ObjectId": event.get("user_id"),
    }  # fmt: skip
