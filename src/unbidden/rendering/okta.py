"""Okta, written: LogEvents of the System Log API out of events, the inverse of `providers.okta`.

It stands apart because one file would be too long; the provider hands these names on as its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from unbidden.providers import Event

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE = (
    *(("prompt", factor, "sent") for factor in ("push", "sms", "call", "email")),
    *(("answer", factor, outcome) for factor in ("push", "number_push") for outcome in ("approved", "denied", "unanswered", "failed")),
    *(("answer", factor, outcome) for factor in ("sms", "call", "email", "totp") for outcome in ("approved", "wrong_code", "unanswered")),
    ("answer", "number_push", "wrong_number"), ("answer", "passkey", "approved"),
    ("password", "password", "success"), ("password", "password", "failure"), ("session", None, "success"), ("session", None, "ended"),
    ("factor", None, "added"), ("factor", None, "removed"), ("factor", None, "reset"), ("recovery", None, "success"),
    ("report", None, "success"), ("policy", None, "changed"), ("policy", None, "granted"), ("lockout", None, "locked"), ("risk", None, "success"),
    ("device", None, "added"), ("device", None, "removed"), ("policy", None, "weakened"), ("policy", None, "consented"),
)  # fmt: skip

_ALWAYS = frozenset({"occurred_at", "login", "user_id", "kind", "outcome", "flow_id", "session_id", "app", "risk"})
_REQUESTER = frozenset({"ip", "country", "region", "city", "lat", "lon", "asn", "org", "agent", "client", "device", "is_managed", "is_proxy"})
_REPORTED = frozenset({"ip", "country", "region", "city", "lat", "lon", "client"})
_PHONE = frozenset({"answer_ip", "answer_country", "answer_city"})
_PHONED = ("sms", "call")


def carries(event: Event) -> frozenset[str]:
    """What a LogEvent of this kind can hold: a row that the phone sent has the phone's side only."""
    kind = event["kind"]
    challenge = frozenset({"factor", "intent"}) if kind in ("prompt", "answer") else frozenset({"factor"}) if kind == "password" else frozenset[str]()
    if kind == "answer" and event.get("answer_ip") and event["factor"] in ("push", "number_push"):
        return _ALWAYS | challenge | _PHONE
    admin = frozenset({"actor"}) if kind == "factor" else frozenset({"answer_device"}) if kind == "prompt" and event["factor"] in _PHONED else frozenset[str]()
    return _ALWAYS | challenge | admin | (_REPORTED if kind == "report" else _REQUESTER)


_TYPE_OF = {
    ("session", "success"): "user.authentication.sso", ("session", "ended"): "user.session.end",
    ("factor", "added"): "user.mfa.factor.activate", ("factor", "removed"): "user.mfa.factor.deactivate", ("factor", "reset"): "user.mfa.factor.reset_all",
    ("recovery", "success"): "user.account.reset_password", ("report", "success"): "user.account.report_suspicious_activity_by_enduser",
    ("policy", "changed"): "policy.rule.update", ("policy", "granted"): "user.account.privilege.grant", ("lockout", "locked"): "user.account.lock",
    ("risk", "success"): "user.risk.detect", ("device", "added"): "device.enrollment.create", ("device", "removed"): "device.user.remove",
    ("policy", "weakened"): "system.mfa.factor.deactivate", ("policy", "consented"): "app.oauth2.consent.grant",
}  # fmt: skip
_SEND_OF = {
    "push": "system.push.send_factor_verify_push", "number_push": "system.push.send_factor_verify_push",
    "sms": "system.sms.send_factor_verify_message", "call": "system.voice.send_mfa_challenge_call", "email": "system.email.send_factor_verify_message",
}  # fmt: skip
_RESET_OF = {
    "sms": "system.sms.send_password_reset_message", "call": "system.voice.send_password_reset_call", "email": "system.email.password_reset.sent_message",
}  # fmt: skip
_FACTOR_OF = {
    "push": "OKTA_VERIFY_PUSH", "number_push": "OKTA_VERIFY_PUSH", "sms": "SMS_FACTOR", "call": "CALL_FACTOR", "email": "EMAIL_FACTOR",
    "totp": "OKTA_SOFT_TOKEN", "passkey": "SIGNED_NONCE", "password": "PASSWORD_AS_FACTOR",
}  # fmt: skip
_RESULT_OF = {"approved": "SUCCESS", "success": "SUCCESS", "sent": "SUCCESS", "unanswered": "ABANDONED"}
_INTENT_OF = {"login": "LOGIN", "recovery": "CREDENTIAL_RECOVERY", "enrolment": "CREDENTIAL_ENROLLMENT"}


def render(event: Event) -> list[dict[str, Any]]:
    """One LogEvent of the System Log API; `event_id` becomes the uuid, without our prefix.

    A `code` that begins with user.mfa.okta_verify asks for the words of the Classic Engine, which says nothing of how a push was answered and has an
    event type of its own for a refusal.
    """
    kind, outcome = event["kind"], event.get("outcome")
    is_mfa = kind == "answer" or (kind == "password" and event.get("factor"))
    result = _RESULT_OF.get(str(outcome), "FAILURE") if kind in ("answer", "password", "prompt") else "SUCCESS"
    actor = event.get("actor")
    person = {"id": event.get("user_id"), "type": "User", "alternateId": event.get("login"), "displayName": event.get("login")}
    who = {"id": f"00u{actor}", "type": "User", "alternateId": actor, "displayName": actor} if actor else person
    place = {"city": event.get("city"), "state": event.get("region"), "country": event.get("country"), "postalCode": None,
             "geolocation": {"lat": event["lat"], "lon": event["lon"]} if event.get("lat") is not None else None}  # fmt: skip
    browser, _, os = (event.get("client") or "").partition(" on ")
    return [{
        "uuid": event["event_id"], "published": _time(event["occurred_at"]), "eventType": _event_type(event), "version": "0", "severity": "INFO",
        "displayMessage": "", "actor": {**who, "detailEntry": None},
        "client": {"ipAddress": event.get("ip"), "device": "Computer", "zone": "null", "id": None,
                   "userAgent": {"rawUserAgent": event.get("agent"), "os": os or None, "browser": browser or None}, "geographicalContext": place},
        "device": {"id": event["device"], "name": "laptop", "managed": event.get("is_managed")} if event.get("device") else None,
        "authenticationContext": {"authenticationProvider": "FACTOR_PROVIDER" if is_mfa else None, "authenticationStep": 0,
                                  "externalSessionId": event.get("session_id")},
        "outcome": {"result": result, "reason": "INVALID_CREDENTIALS" if result == "FAILURE" else None},
        "securityContext": {"asNumber": event.get("asn"), "asOrg": event.get("org"), "isp": event.get("org"), "domain": None, "isProxy": event.get("is_proxy")},
        "debugContext": {"debugData": _debug(event, bool(is_mfa))},
        "transaction": {"type": "WEB", "id": f"tx-{event['event_id']}", "detail": {}},
        "request": {"ipChain": [{"ip": event.get("ip"), "version": "V4", "source": None, "geographicalContext": place}]},
        "target": [{**person, "detailEntry": None}, *_application(event)],
    }] if event.get("answer_ip") is None else _from_phone(event)  # fmt: skip


def _is_classic(event: Event) -> bool:
    return str(event.get("code") or "").startswith("user.mfa.okta_verify")


def _from_phone(event: Event) -> list[dict[str, Any]]:
    """The row of an answer that the phone itself sent: the client is the phone."""
    moved = {"ip": event["answer_ip"], "country": event.get("answer_country"), "city": event.get("answer_city"), "answer_ip": None}
    kept = ("event_id", "occurred_at", "login", "user_id", "kind", "factor", "outcome", "flow_id", "session_id", "app", "intent", "risk", "code")
    [row] = render({**{key: event.get(key) for key in kept}, **moved})
    row["debugContext"]["debugData"]["requestUri"] = "/api/v1/authn/factors/opf1/transactions/ft1/verify"
    return [row]


def _event_type(event: Event) -> str:
    kind, outcome, factor = event["kind"], event.get("outcome"), event.get("factor")
    if kind == "answer" and outcome == "denied" and _is_classic(event):
        return str(event["code"])
    if kind == "prompt":
        return _RESET_OF[factor] if event.get("intent") == "recovery" and factor in _RESET_OF else _SEND_OF[str(factor)]
    if kind in ("answer", "password"):
        return "user.authentication.auth_via_mfa" if factor else "user.session.start"
    return _TYPE_OF.get((kind, str(outcome)), "user.lifecycle.update")


_BEHAVIOURS = ("New Geo-Location", "New Device", "New IP", "New State", "New Country", "Velocity", "New City")
_NOTHING_NEW = "{" + ", ".join(f"{name}=NEGATIVE" for name in _BEHAVIOURS) + "}"


def _debug(event: Event, is_mfa: bool) -> dict[str, str]:
    """The debugData map: every value a string, absent keys absent."""
    factor, outcome = event.get("factor"), event.get("outcome")
    data: dict[str, str | None] = {
        "requestUri": "/idp/idx/challenge", "authnRequestId": event.get("flow_id"), "threatSuspected": "false", "url": "/idp/idx/challenge?",
        "requestId": f"{event['event_id']}-req", "traceId": f"{event['event_id']}-trace", "deviceFingerprint": "7d3f0c6b2a915e48f0b1c2d3e4f5a697",
        "dtHash": "9b1c6e0f4d2a8375c1e0b7a6d5f4938271605f4e3d2c1b0a9f8e7d6c5b4a3f21", "ja4": "t13d1516h2_8daaf6152771_b186095e22b6",
        "behaviors": _NOTHING_NEW,
        "targetEventHookIds": "", "promptingPolicyTypes": "[OKTA_SIGN_ON, ACCESS]", "userAgentFamily": "CHROME",
        "logOnlySecurityData": '{"risk":{"level":"' + event["risk"].upper() + '"}}' if event.get("risk") else None,
    }  # fmt: skip
    if is_mfa:
        data["factor"] = _FACTOR_OF[str(factor)]
        data["factorIntent"] = _INTENT_OF.get(event.get("intent") or "login", "LOGIN")
    if _is_classic(event):
        return {key: str(value) for key, value in data.items() if value is not None}
    if factor in ("push", "number_push") and event["kind"] == "answer" and outcome != "unanswered":
        data["pushOnlyResponseType"] = {"approved": "OV_RESPONSE_APPROVE", "denied": "OV_RESPONSE_DENY"}.get(str(outcome), "OV_RESPONSE_ERROR")
    if factor in ("push", "number_push") and event["kind"] == "answer":
        number = {"approved": "VALID", "wrong_number": "INVALID"}.get(str(outcome), "ERROR") if factor == "number_push" else "NOT_APPLICABLE"
        data["pushWithNumberChallengeResponseType"] = f"OV_WITH_CHALLENGE_RESPONSE_{number}"
    if event["kind"] == "report":
        browser, _, os = (event.get("client") or "").partition(" on ")
        sides = {"Ip": "ip", "Country": "country", "State": "region", "City": "city", "Latitude": "lat", "Longitude": "lon"}
        data |= {f"suspiciousActivityEvent{word}": event.get(column) for word, column in sides.items()}
        data |= {"suspiciousActivityBrowser": browser or None, "suspiciousActivityOs": os or None}
    if event["kind"] == "prompt" and factor in _PHONED:
        data["phoneNumber"] = event.get("answer_device")
    return {key: str(value) for key, value in data.items() if value is not None}


def _application(event: Event) -> list[dict[str, Any]]:
    return [{"id": "0oa1", "type": "AppInstance", "alternateId": event["app"], "displayName": event["app"], "detailEntry": None}] if event.get("app") else []


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds") + "Z"
