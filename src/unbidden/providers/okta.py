"""Okta System Log, Identity Engine and Classic.

Source: Okta's System Log API reference, its event-type catalogue (release 2026.08) and its own detection queries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import LiteralString

from unbidden.engine import Structure
from unbidden.providers import Patience, Record, Shape, Sight
from unbidden.rendering.okta import REPERTOIRE, carries, render

__all__ = ("PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render")

TITLE = "Okta System Log"

_PERSON: Structure = {"id": "VARCHAR", "type": "VARCHAR", "alternateId": "VARCHAR", "displayName": "VARCHAR"}

_CLIENT: Structure = {
    "ipAddress": "VARCHAR", "userAgent": {"rawUserAgent": "VARCHAR", "os": "VARCHAR", "browser": "VARCHAR"},
    "geographicalContext": {"city": "VARCHAR", "state": "VARCHAR", "country": "VARCHAR", "geolocation": {"lat": "VARCHAR", "lon": "VARCHAR"}},
}  # fmt: skip
_SECURITY: Structure = {"asNumber": "VARCHAR", "asOrg": "VARCHAR", "isProxy": "VARCHAR", "risk": {"level": "VARCHAR"}}
_DEBUG: Structure = dict.fromkeys(
    (
        "authnRequestId", "factor", "factorIntent", "requestUri", "pushOnlyResponseType", "pushWithNumberChallengeResponseType",
        "authenticatorMethodChallengeTime", "risk", "logOnlySecurityData", "threatSuspected", "threatDetections", "tunnels", "proxyType", "phoneNumber",
        "suspiciousActivityEventIp", "suspiciousActivityEventCountry", "suspiciousActivityEventState", "suspiciousActivityEventCity",
        "suspiciousActivityEventLatitude", "suspiciousActivityEventLongitude", "suspiciousActivityBrowser", "suspiciousActivityOs",
    ),
    "VARCHAR",
)  # fmt: skip

STRUCTURE: Structure = {
    "uuid": "VARCHAR", "published": "VARCHAR", "eventType": "VARCHAR", "EventResult": "VARCHAR", "actor": _PERSON,
    "client": _CLIENT,
    "device": {"id": "VARCHAR", "managed": "VARCHAR"}, "authenticationContext": {"externalSessionId": "VARCHAR"},
    "outcome": {"result": "VARCHAR", "reason": "VARCHAR"},
    "securityContext": _SECURITY,
    "debugContext": {"debugData": _DEBUG},
    "target": [{**_PERSON, "detailEntry": {"methodTypeUsed": "VARCHAR", "methodUsedVerifiedProperties": "VARCHAR"}}],
}  # fmt: skip

# Columns of Sentinel's OktaV2_CL, whose EventResult is Microsoft's word and stands back behind Okta's own.
_ALIASES = {
    "eventoriginaltype": ("eventType",), "timegenerated": ("published",), "eventoriginaluid": ("uuid",),
    "actorusername": ("actor", "alternateId"), "actoruserid": ("actor", "id"), "actorusertype": ("actor", "type"),
    "actorsessionid": ("authenticationContext", "externalSessionId"), "originaloutcomeresult": ("outcome", "result"),
    "eventoriginalresultdetails": ("outcome", "reason"), "originaltarget": ("target",),
    "debugdata": ("debugContext", "debugData"), "srcipaddr": ("client", "ipAddress"),
    "httpuseragent": ("client", "userAgent", "rawUserAgent"), "srcdvcos": ("client", "userAgent", "os"),
    "srcgeocity": ("client", "geographicalContext", "city"), "srcgeoregion": ("client", "geographicalContext", "state"),
    "srcgeocountry": ("client", "geographicalContext", "country"),
    "srcgeolatitude": ("client", "geographicalContext", "geolocation", "lat"), "srcgeolongitude": ("client", "geographicalContext", "geolocation", "lon"),
}  # fmt: skip

# What a send means: event type, factor, why.
_SENDS: tuple[tuple[str, str, str | None], ...] = (
    ("system.push.send_factor_verify_push", "push", None),
    ("device.custom_push.send_notification", "push", None),
    ("system.sms.send_factor_verify_message", "sms", None),
    ("system.sms.send_phone_verification_message", "sms", "enrolment"),
    ("system.sms.send_okta_push_verify_message", "sms", "enrolment"),
    ("system.sms.send_password_reset_message", "sms", "recovery"),
    ("system.sms.send_account_unlock_message", "sms", "recovery"),
    ("system.voice.send_mfa_challenge_call", "call", None),
    ("system.voice.send_phone_verification_call", "call", "enrolment"),
    ("system.voice.send_password_reset_call", "call", "recovery"),
    ("system.voice.send_account_unlock_call", "call", "recovery"),
    ("system.email.send_factor_verify_message", "email", None),
    ("system.email.password_reset.sent_message", "email", "recovery"),
    ("system.email.account_unlock.sent_message", "email", "recovery"),
)

# debugData.factor in our words.
_FACTORS = {
    "OKTA_VERIFY_PUSH": "push", "CUSTOM_APP_PUSH": "push", "SMS_FACTOR": "sms", "CALL_FACTOR": "call", "EMAIL_FACTOR": "email",
    "OKTA_SOFT_TOKEN": "totp", "SOFT_TOKEN": "totp", "YUBIKEY_OTP_FACTOR": "token", "SECURID_FACTOR": "token",
    "SIGNED_NONCE": "passkey", "FIDO_WEBAUTHN": "passkey", "PASSWORD_AS_FACTOR": "password", "DUO_SECURITY": "external",
}  # fmt: skip

# Event types that mean one thing whatever their details: kind, outcome when they succeed.
_PLAIN: dict[str, tuple[str, str]] = {
    "user.session.start": ("password", "success"),
    **{f"user.authentication.auth_via_{way}": ("password", "success") for way in ("AD_agent", "IDP", "LDAP_agent", "radius", "social", "richclient")},
    "user.authentication.verify": ("session", "success"),
    "user.authentication.sso": ("session", "success"),
    "user.session.end": ("session", "ended"),
    "user.session.clear": ("session", "ended"),
    "user.authentication.universal_logout": ("session", "ended"),
    "user.account.report_suspicious_activity_by_enduser": ("report", "success"),
    "user.account.lock": ("lockout", "locked"),
    "user.account.lock.limit": ("lockout", "locked"),
    "system.operation.rate_limit.violation": ("lockout", "limited"),
    "security.threat.detected": ("risk", "success"),
    "security.breached_credential.detected": ("risk", "success"),
    "user.risk.detect": ("risk", "success"),
    "user.risk.change": ("risk", "success"),
    "user.mfa.factor.activate": ("factor", "added"),
    "device.enrollment.create": ("factor", "added"),
    "user.mfa.factor.update": ("factor", "changed"),
    "user.mfa.factor.unsuspend": ("factor", "changed"),
    "user.mfa.factor.deactivate": ("factor", "removed"),
    "user.mfa.factor.suspend": ("factor", "removed"),
    "user.mfa.factor.reset_all": ("factor", "reset"),
    "user.mfa.attempt_bypass": ("factor", "bypassed"),
    "user.account.reset_password": ("recovery", "success"),
    "user.account.update_password": ("recovery", "success"),
    "user.account.use_token": ("recovery", "success"),
    "user.account.unlock": ("recovery", "success"),
    "user.account.unlock_token": ("recovery", "success"),
    "user.account.privilege.grant": ("policy", "granted"),
}


def _table(entries: Iterable[tuple[str | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


_MEANINGS = _table(
    [(name, "prompt", None, factor, why) for name, factor, why in _SENDS] + [(name, kind, outcome, None, None) for name, (kind, outcome) in _PLAIN.items()]
)
_NAMED = _table(_FACTORS.items())

MINE: LiteralString = "eventType IS NOT NULL AND utc(published) IS NOT NULL"


# `flat` takes single values out of the nested row before anything is joined (nested columns are dear to move), `judged` decides
# what the row is, the last SELECT names columns.
def _events(rows: str) -> str:
    return f"""
WITH flat AS (
  SELECT source, nullif(uuid, '') AS uuid, utc(published) AS occurred_at, published, eventType AS type, coalesce(outcome.result, upper(EventResult)) AS result,
    outcome.reason AS reason, CASE WHEN starts_with(eventType, 'system.')
      THEN known(coalesce(debugContext.debugData.phoneNumber, list_filter(target, lambda t: t.type = 'MobilePhone')[1].alternateId)) END AS phone,
    actor.type AS actor_type, known(actor.alternateId) AS actor_login, known(actor.id) AS actor_id,
    list_filter(target, lambda t: t.type = 'User')[1] AS someone,
    list_filter(target, lambda t: t.type = 'AppInstance')[1].displayName AS app,
    list_filter(target, lambda t: t.type = 'AuthenticatorEnrollment')[1].detailEntry.methodUsedVerifiedProperties AS properties,
    bare_ip(client.ipAddress) AS ip, known(client.geographicalContext.country) AS country, known(client.geographicalContext.state) AS region,
    known(client.geographicalContext.city) AS city, try_cast(client.geographicalContext.geolocation.lat AS DOUBLE) AS lat,
    try_cast(client.geographicalContext.geolocation.lon AS DOUBLE) AS lon, nullif(client.userAgent.rawUserAgent, '') AS agent,
    client_of(known(client.userAgent.browser), known(client.userAgent.os)) AS client, known(device.id) AS device, tristate(device.managed) AS is_managed,
    known(authenticationContext.externalSessionId) AS session_id, try_cast(securityContext.asNumber AS DOUBLE) AS asn, known(securityContext.asOrg) AS org,
    debugContext.debugData.proxyType IS NOT NULL OR coalesce(regexp_matches(debugContext.debugData.tunnels, '"anonymous": ?true'), false) AS is_tunnel,
    tristate(securityContext.isProxy) AS is_listed, lower(securityContext.risk.level) AS risk_level, known(debugContext.debugData.authnRequestId) AS flow_id,
    debugContext.debugData.factor AS factor_word, debugContext.debugData.factorIntent AS intent_word, debugContext.debugData.requestUri AS uri,
    debugContext.debugData.pushOnlyResponseType AS push_response, debugContext.debugData.pushWithNumberChallengeResponseType AS number_response,
    debugContext.debugData.authenticatorMethodChallengeTime AS challenge_time,
    coalesce(debugContext.debugData.risk, debugContext.debugData.logOnlySecurityData) AS risk_text, debugContext.debugData.threatSuspected AS threat,
    regexp_extract(debugContext.debugData.threatDetections, 'HIGH|MEDIUM|LOW') AS detection,
    client_of(known(debugContext.debugData.suspiciousActivityBrowser), known(debugContext.debugData.suspiciousActivityOs)) AS reported_client,
    known(debugContext.debugData.suspiciousActivityEventState) AS reported_region,
    try_cast(debugContext.debugData.suspiciousActivityEventLatitude AS DOUBLE) AS reported_lat,
    try_cast(debugContext.debugData.suspiciousActivityEventLongitude AS DOUBLE) AS reported_lon,
    known(debugContext.debugData.suspiciousActivityEventIp) AS reported_ip, known(debugContext.debugData.suspiciousActivityEventCountry) AS reported_country,
    known(debugContext.debugData.suspiciousActivityEventCity) AS reported_city
  FROM {rows} WHERE {MINE}
), typed AS (
  SELECT f.*, factors.named, m.sent, m.why, m.plain_outcome, known(f.someone.alternateId) AS target_login, known(f.someone.id) AS target_id,
    type = 'user.authentication.auth_via_mfa' AS is_mfa,
    starts_with(type, 'user.mfa.okta_verify.deny_push') AS is_classic_deny,
    CASE WHEN type = 'user.authentication.auth_via_mfa' THEN if(factor_word = 'PASSWORD_AS_FACTOR', 'password', 'answer')
      WHEN starts_with(type, 'user.mfa.okta_verify.deny_push') THEN 'answer'
      WHEN starts_with(type, 'user.session.') AND reason = 'LOCKED_OUT' THEN 'lockout'
      WHEN m.plain_kind IS NOT NULL THEN m.plain_kind
      WHEN starts_with(type, 'policy.lifecycle.') OR starts_with(type, 'policy.rule.') OR starts_with(type, 'zone.')
        OR starts_with(type, 'security.authenticator.lifecycle.') OR starts_with(type, 'system.mfa.factor.') THEN 'policy'
      ELSE 'other' END AS kind
  FROM flat f LEFT JOIN (VALUES {_MEANINGS}) m(name, plain_kind, plain_outcome, sent, why) ON m.name = f.type
    LEFT JOIN (VALUES {_NAMED}) factors(name, named) ON factors.name = f.factor_word
), judged AS (
  SELECT *, CASE WHEN is_classic_deny THEN 'push' WHEN sent IS NOT NULL THEN sent WHEN is_mfa THEN
      CASE WHEN named = 'push' AND number_response IS NOT NULL AND NOT ends_with(number_response, 'NOT_APPLICABLE') THEN 'number_push'
        WHEN contains(properties, 'PHISHING_RESISTANT') THEN 'passkey'
        ELSE coalesce(named, 'unknown') END END AS factor,
    CASE kind
      WHEN 'other' THEN NULL
      WHEN 'prompt' THEN CASE result WHEN 'SUCCESS' THEN 'sent' WHEN 'DENY' THEN 'blocked' ELSE 'failed' END
      WHEN 'password' THEN if(result = 'SUCCESS', 'success', 'failure')
      WHEN 'lockout' THEN if(plain_outcome = 'limited', 'limited', 'locked')
      WHEN 'policy' THEN if(type = 'user.account.privilege.grant', 'granted', 'changed')
      WHEN 'answer' THEN CASE
        WHEN is_classic_deny THEN 'denied'
        WHEN result = 'SUCCESS' THEN 'approved'
        WHEN result IN ('ABANDONED', 'UNANSWERED') THEN 'unanswered'
        WHEN result IN ('DENY', 'RATE_LIMIT') OR reason IN ('LOCKED_OUT', 'FastPass declined phishing attempt') THEN 'blocked'
        WHEN ends_with(number_response, 'RESPONSE_INVALID') THEN 'wrong_number'
        WHEN push_response = 'OV_RESPONSE_DENY' THEN 'denied'
        WHEN named IN ('sms', 'call', 'email', 'totp', 'token') AND (reason = 'INVALID_CREDENTIALS' OR reason IS NULL AND result = 'FAILURE') THEN 'wrong_code'
        ELSE 'failed' END
      ELSE if(coalesce(result, 'SUCCESS') IN ('SUCCESS', 'ALLOW', 'DENY', 'CHALLENGE', 'RATE_LIMIT'), plain_outcome, 'failure') END AS outcome,
    is_mfa AND uri LIKE '%/factors/%/transactions/%/verify' AS is_phone, kind = 'report' AS is_report,
    (is_mfa AND uri LIKE '%/factors/%/transactions/%/verify') OR kind = 'report' AS is_not_requester
  FROM typed
)
SELECT coalesce(uuid, md5(concat_ws('|', published, type, actor_login, ip, flow_id, factor_word, result))) AS event_id,
  occurred_at, 0 AS step, source, if(kind = 'answer' AND challenge_time IS NOT NULL, utc(challenge_time), NULL) AS asked_at,
  if(kind = 'policy', actor_login, coalesce(target_login, if(actor_type = 'User', actor_login, NULL))) AS login,
  if(kind = 'policy', actor_id, coalesce(target_id, if(actor_type = 'User', actor_id, NULL))) AS user_id,
  if(kind <> 'policy' AND target_login IS DISTINCT FROM actor_login AND target_login IS NOT NULL, actor_login, NULL) AS actor,
  kind, factor, outcome, if((kind = 'answer' AND outcome = 'failed') OR (is_mfa AND result = 'UNANSWERED'), 'ambiguous', 'explicit') AS certainty,
  concat_ws(' ', type, result, reason) AS code,
  if(is_mfa, coalesce(if(factor = 'number_push', number_response, NULL), push_response), NULL) AS detail,
  flow_id, session_id, known(app) AS app,
  if(kind IN ('prompt', 'answer'), CASE WHEN why IS NOT NULL THEN why WHEN intent_word = 'CREDENTIAL_RECOVERY' THEN 'recovery'
    WHEN intent_word = 'CREDENTIAL_ENROLLMENT' THEN 'enrolment' ELSE 'login' END, NULL) AS intent,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN bare_ip(reported_ip) ELSE ip END AS ip,
  if(is_not_requester, NULL, try_cast(asn AS BIGINT)) AS asn, if(is_not_requester, NULL, org) AS org,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN reported_country ELSE country END AS country,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN reported_region ELSE region END AS region,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN reported_city ELSE city END AS city,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN reported_lat ELSE lat END AS lat,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN reported_lon ELSE lon END AS lon, if(is_not_requester, NULL, agent) AS agent,
  CASE WHEN is_phone THEN NULL WHEN is_report THEN reported_client ELSE client END AS client, if(is_not_requester, NULL, device) AS device,
  if(is_not_requester, NULL, is_managed) AS is_managed, if(is_not_requester, NULL, is_listed OR is_tunnel) AS is_proxy,
  if(is_phone, device, phone) AS answer_device,
  if(is_phone, ip, NULL) AS answer_ip, if(is_phone, country, NULL) AS answer_country, if(is_phone, city, NULL) AS answer_city,
  if(is_phone, lat, NULL) AS answer_lat, if(is_phone, lon, NULL) AS answer_lon,
  if(kind = 'answer', factor = 'number_push', NULL) AS has_number, if(kind = 'answer', factor = 'passkey', NULL) AS is_resistant,
  coalesce(nullif(lower(regexp_extract(risk_text, 'level"?[=:] ?"?(LOW|MEDIUM|HIGH)', 1)), ''), risk_level, nullif(lower(detection), ''),
    if(tristate(threat), 'medium', NULL)) AS risk
FROM judged
"""


def _marks(record: Record) -> bool:
    return "." in str(record.get("eventType") or "") and "published" in record and ("actor" in record or "outcome" in record)


def _paths(structure: Structure, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, part in structure.items():
        yield (*above, key)
        if isinstance(part, Mapping):
            yield from _paths(part, (*above, key))


# A document of the Elastic integration: its own snake_case below `okta`, the address under `ip`, all of debugData once more under `flattened`.
_ELASTIC: Structure = {
    **STRUCTURE, "client": {**_CLIENT, "ip": "VARCHAR"}, "debugContext": {"debugData": {**_DEBUG, "flattened": "VARCHAR"}},
    "securityContext": {**_SECURITY, "as": {"number": "VARCHAR", "organization": {"name": "VARCHAR"}}},
}  # fmt: skip
_AS_OKTA: LiteralString = f"""SELECT * REPLACE (
    struct_update(client, ipAddress := coalesce(client.ipAddress, client.ip)) AS client,
    struct_update(securityContext, asNumber := coalesce(securityContext.asNumber, securityContext."as".number),
      asOrg := coalesce(securityContext.asOrg, securityContext."as".organization.name)) AS securityContext,
    {{'debugData': from_json(coalesce(if(json_valid(debugContext.debugData.flattened), debugContext.debugData.flattened, NULL),
      to_json(debugContext.debugData)::VARCHAR), '{json.dumps(_DEBUG)}')}} AS debugContext)
  FROM raw"""

_NEEDS = "an eventType and a readable published time"
SHAPES = (
    Shape("system_log", STRUCTURE, MINE, _events("raw"), _marks, _NEEDS, _ALIASES),
    Shape("elastic", _ELASTIC, MINE, _events(f"({_AS_OKTA})"), _marks, _NEEDS,
          {"timestamp": ("published",), **{"okta" + "".join(path).lower(): path for path in _paths(_ELASTIC)}}),
)  # fmt: skip

PATIENCE = {
    **dict.fromkeys(("push", "number_push"), Patience(300, "push lifetime of 5 minutes: from memory, unverified")),
    **dict.fromkeys(("sms", "call", "email"), Patience(300, "code lifetime of 5 minutes: Okta's factor documentation, default")),
}

SIGHT = {
    "explicit_prompt": Sight(True, "every push, SMS, call and mail that is sent has a row; event hooks never deliver it"),
    "explicit_deny": Sight(True, "a denied push is named in the row's response type"),
    "explicit_timeout": Sight(False, "an ignored push usually leaves no row: unanswered is inferred from the send"),
    "explicit_report": Sight(True, "a person's report of suspicious activity has a row"),
    "answerer_place": Sight(False, "no field names the phone; its address is known only when the phone itself completes the challenge"),
    "number_match": Sight(True, "the number challenge's result is in the row"),
    "vendor_risk": Sight(True, "sign-in risk and behaviours are in the row when the org has them"),
    "factor_changes": Sight(True, "enrolment, removal and reset have rows"),
}
