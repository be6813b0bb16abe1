"""Cisco Duo, written: rows of the authentication and activity logs out of events, the inverse of `providers.duo`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from unbidden.providers import Event

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
_ENDED = ("approved", "denied", "reported", "unanswered", "cancelled")
REPERTOIRE = (
    *(("answer", factor, outcome) for factor in ("push", "number_push") for outcome in (*_ENDED, "blocked", "failed")),
    *(("answer", factor, outcome) for factor in ("sms", "totp", "token") for outcome in ("approved", "wrong_code")), ("factor", "bypass", "bypassed"),
    *(("answer", "call", outcome) for outcome in _ENDED), ("answer", "number_push", "wrong_number"), ("answer", "passkey", "approved"),
    *(("factor", None, outcome) for outcome in ("added", "changed", "removed", "reset")), ("policy", None, "changed"), ("policy", None, "granted"),
    ("policy", None, "weakened"),
    ("session", "remembered", "success"), ("session", "bypass", "success"), ("session", None, "failure"), ("lockout", None, "locked"),
)  # fmt: skip
_ROW = frozenset(["occurred_at", "tenant", "login", "user_id", "kind", "factor", "outcome", "app", "ip", "country", "region", "city", "client", "device"])
_ATTEMPT, _ANSWER = frozenset({"is_managed", "answer_device", "risk"}), frozenset({"answer_ip", "answer_country", "answer_city", "intent"})


def _is_attempt(event: Event) -> bool:
    return event["kind"] in ("answer", "session", "lockout") or (event["outcome"] == "added" and not event.get("actor"))


def carries(event: Event) -> frozenset[str]:
    """The columns of a row of the authentication log, else of the activity log."""
    if _is_attempt(event):
        return _ROW | _ATTEMPT | (_ANSWER if event["kind"] == "answer" else frozenset())
    return _ROW | {"actor"} | (frozenset() if event.get("actor") or event["kind"] == "policy" or event.get("factor") else {"answer_device"})


_FACTOR_OF = {
    "push": "duo_push", "number_push": "verified_duo_push", "call": "phone_call", "sms": "sms_passcode", "totp": "duo_mobile_passcode",
    "token": "hardware_token", "passkey": "WebAuthn Chrome Touch ID", "remembered": "remembered_device",
}  # fmt: skip
# Result and reason of an outcome; of an outcome and a factor where they differ.
_ENDS: dict[object, tuple[str, str | None]] = {
    "approved": ("success", "user_approved"), "success": ("success", "remembered_device"), "added": ("success", None), "denied": ("denied", "user_mistake"),
    "reported": ("fraud", "user_marked_fraud"), "unanswered": ("denied", "no_response"), "cancelled": ("denied", "user_cancelled"),
    "blocked": ("denied", "anomalous_push"), "failed": ("error", "error"), "wrong_code": ("denied", "invalid_passcode"),
    "wrong_number": ("denied", "verification_code_incorrect"), "failure": ("denied", "location_restricted"), "locked": ("denied", "locked_out"),
    ("unanswered", "call"): ("denied", "no_keys_pressed"), ("success", "bypass"): ("success", "bypass_user"),
    **{("approved", factor): ("success", "valid_passcode") for factor in ("sms", "totp", "token")},
}  # fmt: skip
_TRUST_OF = {"high": "LOW", "medium": "MEDIUM", "low": "NORMAL"}
_ACTION_OF = {
    ("factor", "added"): "phone_associate", ("factor", "changed"): "phone_update", ("factor", "removed"): "phone_disassociate",
    ("factor", "reset"): "deregister_devices", ("factor", "bypassed"): "bypass_create", ("policy", "granted"): "admin_create",
}  # fmt: skip


def render(event: Event) -> list[dict[str, Any]]:
    """One row as duo_log_sync writes it, of the authentication log, else of the activity log; `event_id` becomes txid or activity_id."""
    return [_attempt(event) if _is_attempt(event) else _activity(event)]


def _attempt(event: Event) -> dict[str, Any]:
    at, factor, level = event["occurred_at"], event.get("factor"), _TRUST_OF.get(event.get("risk") or "")
    result, reason = _ENDS.get((event["outcome"], factor)) or _ENDS[event["outcome"]]
    trust = {"trust_level": level, "reason": "", "policy_enabled": True, "detected_attack_detectors": None, "features_version": "3.0"}
    return {
        "txid": event["event_id"], "timestamp": int(at.replace(tzinfo=UTC).timestamp()), "isotimestamp": f"{at:%Y-%m-%dT%H:%M:%S.%f}+00:00",
        "event_type": "enrollment" if event["kind"] == "factor" else "authentication", "result": result, "reason": reason,
        "factor": _FACTOR_OF.get(factor or "", "not_available"), "user": {"key": event.get("user_id"), "name": event.get("login"), "groups": ["Everyone"]},
        "email": None, "alias": "unknown", "application": {"key": "DIY231J8BR23QK4UKBY8", "name": event.get("app")},
        "access_device": {
            **_device(event), "ip": event.get("ip"), "hostname": None, "flash_version": None, "java_version": None, "security_agents": "unknown",
            "is_encryption_enabled": "unknown", "is_firewall_enabled": "unknown", "is_password_set": "unknown",
        },
        "auth_device": {
            "ip": event.get("answer_ip"), "key": event.get("answer_device"), "name": "+1 555 010 0100" if event.get("answer_device") else None,
            "location": {"city": event.get("answer_city"), "state": None, "country": event.get("answer_country")},
        },
        "trusted_endpoint_status": {True: "trusted", False: "not trusted", None: "unknown"}[event.get("is_managed")], "ood_software": None,
        "adaptive_trust_assessments": {"more_secure_auth": trust} if level else {}, "eventtype": "authentication", "host": event.get("tenant"),
    }  # fmt: skip


def _activity(event: Event) -> dict[str, Any]:
    is_policy, admin = event["kind"] == "policy", event.get("actor")
    person = {"key": event.get("user_id"), "name": event.get("login"), "type": "admin" if is_policy else "user", "details": '{"status": "Active"}'}
    thing = {
        "key": event.get("answer_device"),
        "name": "+1 555 010 0100",
        "type": "policy" if is_policy else "phone",
        "details": '{"user_bypass": "Allow access without 2FA"}' if event["outcome"] == "weakened" else "{}",
    }
    return {
        "access_device": {**_device(event), "ip": {"address": event.get("ip")}}, "activity_id": event["event_id"],
        "action": {"name": _ACTION_OF.get((event["kind"], event["outcome"]), "policy_update"), "details": None},
        "ts": f"{event['occurred_at']:%Y-%m-%dT%H:%M:%S.%f}+00:00", "akey": "DA0000000000000000KY", "old_target": None, "outcome": {"result": "SUCCESS"},
        "actor": {"key": "DE0000000000000000ED", "name": admin, "type": "admin", "details": "{}"} if admin else person,
        "application": {"key": "DIY231J8BR23QK4UKBY8", "name": event.get("app"), "type": "websdk"},
        "target": person if admin or event.get("factor") else thing, "eventtype": "activity", "host": event.get("tenant"),
    }  # fmt: skip


def _device(event: Event) -> dict[str, Any]:
    browser, _, system = (event.get("client") or "").partition(" on ")
    os, _, version = system.rpartition(" ")
    return {
        "browser": browser or None, "browser_version": "144.0", "os": os or system or None, "os_version": version if os else None, "epkey": event.get("device"),
        "location": {"city": event.get("city"), "state": event.get("region"), "country": event.get("country")},
    }  # fmt: skip
