"""OCSF, written: events of version 1.8 out of events, the inverse of `providers.ocsf`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from unbidden.providers import Event

_FATES = ("approved", "denied", "reported", "unanswered", "wrong_number", "cancelled", "blocked", "failed")
# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE: tuple[tuple[str, str | None, str | None], ...] = (
    *(("prompt", factor, "sent") for factor in ("push", "number_push", "sms", "call", "email")),
    *(("answer", factor, outcome) for factor in ("push", "number_push") for outcome in _FATES),
    *(("answer", factor, outcome) for factor in ("sms", "call", "email", "totp") for outcome in ("approved", "wrong_code", "unanswered", "failed")),
    ("answer", "passkey", "approved"), ("answer", "token", "approved"), ("answer", "unknown", "failed"),
    ("password", "password", "success"), ("password", "password", "failure"),
    ("session", None, "success"), ("session", None, "failure"), ("session", None, "ended"),
    ("session", "remembered", "success"), ("session", "bypass", "success"),
    ("factor", None, "added"), ("factor", None, "removed"), ("recovery", None, "success"), ("lockout", None, "locked"), ("risk", None, "success"),
    ("policy", None, "changed"), ("device", None, "added"), ("device", None, "removed"),
)  # fmt: skip

_ALWAYS = frozenset({"occurred_at", "login", "user_id", "tenant", "kind", "outcome", "ip", "country", "region", "city", "lat", "lon", "asn", "org", "agent"})
_LOGON = frozenset({"factor", "intent", "flow_id", "session_id", "request_id", "app", "device", "is_managed", "risk"})
_PHONE = frozenset({"answer_ip", "answer_country", "answer_city", "answer_device"})


def carries(event: Event) -> frozenset[str]:
    """What an event of this kind can hold: the phone stands in the factor, so only challenges have one."""
    kind = event["kind"]
    if kind in ("prompt", "answer"):
        return _ALWAYS | _LOGON | _PHONE
    if kind in ("password", "session"):
        return _ALWAYS | _LOGON
    return _ALWAYS | {"factor": frozenset({"actor"}), "recovery": frozenset({"actor"}), "risk": frozenset({"risk"})}.get(kind, frozenset[str]())


_FACTOR_OF = {
    "push": (5, "Push Notification"), "sms": (1, "SMS"), "call": (3, "Phone Call"), "email": (8, "Email"), "totp": (7, "OTP"), "token": (6, "Hardware Token"),
    "passkey": (10, "WebAuthn"), "password": (11, "Password"), "unknown": (0, "Unknown"),
}  # fmt: skip
_WORD_OF = {
    "cancelled": "cancelled_at_login", "denied": "denied_by_user", "reported": "fraud_reported", "unanswered": "timed_out", "blocked": "blocked_by_policy",
    "failed": "failed_unspecified", "sent": "prompt_sent",
}  # fmt: skip
_ACTIVITY_OF = {("factor", "added"): 10, ("factor", "removed"): 11, ("recovery", "success"): 4, ("lockout", "locked"): 9}
_ENTITY_ACTIVITY_OF = {("device", "added"): 1, ("device", "removed"): 4, ("policy", "changed"): 3}
_ENTITY_OF = {"policy": {"type": "Policy", "name": "Sign-in policy", "uid": "pol-1"}, "device": {"type": "Device", "name": "laptop", "uid": "dev-1"}}


def render(event: Event) -> list[dict[str, Any]]:
    """One event of OCSF 1.8; `event_id` becomes metadata.uid."""
    kind, outcome = event["kind"], str(event["outcome"])
    class_uid = {"risk": 2004, "policy": 3004, "device": 3004}.get(kind, 3001 if (kind, outcome) in _ACTIVITY_OF else 3002)
    activities = _ACTIVITY_OF | _ENTITY_ACTIVITY_OF
    activity = {"prompt": 6, "risk": 1}.get(kind, activities.get((kind, outcome), 2 if outcome == "ended" else 1))
    at = _milliseconds(event["occurred_at"])
    login = str(event.get("login"))
    user = {"name": login, "uid": event.get("user_id"), "email_addr": login if login.isascii() else None, "type_id": 1, "type": "User"}
    actor = {"name": event["actor"], "uid": f"uid-{event['actor']}", "type_id": 2, "type": "Admin"} if event.get("actor") else user
    seen = {"src_endpoint": _endpoint(event), "http_request": _filled({"user_agent": event.get("agent"), "uid": event.get("request_id")})}
    has_failed = kind in ("answer", "password", "session") and outcome not in ("approved", "success", "ended")
    return [_filled({
        "class_uid": class_uid, "category_uid": class_uid // 1000, "activity_id": activity, "type_uid": class_uid * 100 + activity,
        "severity_id": 3 if has_failed else 1, "time": at, "time_dt": event["occurred_at"].strftime("%Y-%m-%dT%H:%M:%SZ"), "timezone_offset": 0,
        "message": f"{kind} {outcome}",
        "metadata": _filled({
            "version": "1.8.0", "product": {"name": "Example Identity", "vendor_name": "Example"}, "uid": event["event_id"], "log_name": "sign-ins",
            "correlation_uid": event.get("flow_id"), "tenant_uid": event.get("tenant"), "logged_time": at + 2000, "profiles": ["cloud", "datetime", "host"],
        }),
        "cloud": {"provider": "Example", "region": "eu-1"}, "actor": {"user": _filled(actor)},
        **(_finding(event, user, seen) if class_uid == 2004 else {"status_id": 2 if has_failed else 1, **seen}),
        **(_logon(event, user) if class_uid == 3002 else {"user": _filled(user)} if class_uid == 3001 else {}),
        "entity": _ENTITY_OF.get(kind),
    })]  # fmt: skip


def _endpoint(event: Event) -> dict[str, Any]:
    place = {"city": event.get("city"), "country": event.get("country"), "region": event.get("region"), "lat": event.get("lat"), "long": event.get("lon")}
    network = {"number": event.get("asn"), "name": event.get("org")}
    return _filled({"ip": event.get("ip"), "location": _filled(place), "autonomous_system": _filled(network)})


def _logon(event: Event, user: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that only Authentication has; the fate stands in status_detail in our own word."""
    kind, factor, outcome = event["kind"], event.get("factor"), str(event.get("outcome"))
    word = {"remembered": "satisfied_without_prompt", "bypass": "bypassed"}.get(str(factor)) if kind == "session" else _WORD_OF.get(outcome, outcome)
    number, name = _FACTOR_OF.get(str(factor), (99, str(factor)))
    phone = _filled({
        "uid": event.get("answer_device"), "ip": event.get("answer_ip"), "type_id": 5, "type": "Mobile",
        "location": _filled({"city": event.get("answer_city"), "country": event.get("answer_country")}),
    })  # fmt: skip
    challenge = _filled({"factor_type_id": number, "factor_type": name, "provider": "Example Authenticator", "device": phone if kind != "password" else None})
    device = {"uid": event.get("device"), "type_id": 3, "type": "Laptop", "is_managed": event.get("is_managed")}
    return {
        "is_mfa": kind in ("prompt", "answer"), "auth_protocol_id": 5, "auth_protocol": "SAML", "logon_type_id": 99, "logon_type": "web",
        "user": _filled({**user, "risk_level": str(event["risk"]).title() if event.get("risk") else None}),
        "service": {"name": event["app"]} if event.get("app") else {"name": "unknown"}, "session": _filled({"uid": event.get("session_id")}),
        "status_detail": word if kind in ("prompt", "answer", "session") else None,
        "auth_factors": [challenge] if kind in ("prompt", "answer", "password") else None, "device": _filled(device) if event.get("device") else None,
    }  # fmt: skip


def _finding(event: Event, user: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Detection Finding: whom it is about stands in the evidence."""
    return {
        "status_id": 1, "finding_info": {"uid": f"finding-{event['event_id']}", "title": "Unfamiliar sign-in"}, "is_alert": True,
        "evidences": [{"user": _filled(user), **seen}], "risk_level": str(event["risk"]).title() if event.get("risk") else None,
    }  # fmt: skip


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None and value != {}}


def _milliseconds(at: datetime) -> int:
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
