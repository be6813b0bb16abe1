"""Okta System Log, Identity Engine and Classic.

Source: Okta's System Log API reference, its event-type catalogue (release 2026.08) and its own detection queries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
        "authenticatorMethodChallengeTime", "risk", "riskLevel", "logOnlySecurityData", "threatSuspected", "threatDetections", "tunnels", "proxyType",
        "phoneNumber",
        "suspiciousActivityEventIp", "suspiciousActivityEventCountry", "suspiciousActivityEventState", "suspiciousActivityEventCity",
        "suspiciousActivityEventLatitude", "suspiciousActivityEventLongitude", "suspiciousActivityBrowser", "suspiciousActivityOs",
    ),
    "VARCHAR",
)  # fmt: skip
_TARGET: Structure = {
    **_PERSON, "detailEntry": {"methodTypeUsed": "VARCHAR", "methodUsedVerifiedProperties": "VARCHAR", "policyType": "VARCHAR"},
    "changeDetails": {"from": "VARCHAR", "to": "VARCHAR"},
}  # fmt: skip

STRUCTURE: Structure = {
    "uuid": "VARCHAR", "published": "VARCHAR", "eventType": "VARCHAR", "EventResult": "VARCHAR", "actor": _PERSON,
    "client": _CLIENT,
    "device": {"id": "VARCHAR", "managed": "VARCHAR"}, "authenticationContext": {"externalSessionId": "VARCHAR"},
    "outcome": {"result": "VARCHAR", "reason": "VARCHAR"},
    "securityContext": _SECURITY,
    "debugContext": {"debugData": _DEBUG},
    "target": [_TARGET],
}  # fmt: skip

# `timestamp` is what the admin console's CSV calls the time; the rest are columns of Sentinel's OktaV2_CL, whose EventResult is Microsoft's
# word and stands back behind Okta's own.
_ALIASES = {
    "timestamp": ("published",),
    "eventoriginaltype": ("eventType",), "timegenerated": ("published",), "eventoriginaluid": ("uuid",),
    "actorusername": ("actor", "alternateId"), "actoruserid": ("actor", "id"), "actorusertype": ("actor", "type"),
    "originalactoralternateid": ("actor", "alternateId"), "originaluserid": ("actor", "id"), "originalusertype": ("actor", "type"),
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

# debugData.factor in our words. A question that only the person can answer is a second password. CUSTOM_APP_PUSH is unverified.
_FACTORS = {
    "OKTA_VERIFY_PUSH": "push", "CUSTOM_APP_PUSH": "push", "SMS_FACTOR": "sms", "CALL_FACTOR": "call", "EMAIL_FACTOR": "email",
    "OKTA_SOFT_TOKEN": "totp", "SOFT_TOKEN": "totp", "YUBIKEY_OTP_FACTOR": "token", "SECURID_FACTOR": "token",
    "SIGNED_NONCE": "passkey", "FIDO_WEBAUTHN": "passkey", "PASSWORD_AS_FACTOR": "password", "SECURITY_QUESTION": "password",
    "DUO_SECURITY": "external",
}  # fmt: skip
# AuthenticatorEnrollment's methodTypeUsed in lower case, values of the API and texts of the console. It speaks only where the factor is
# missing or new: before a correction in 2026 it named the method that was asked for, not the one that was used.
_METHODS = {
    "push": "push", "get a push notification": "push", "sms": "sms", "voice": "call", "email": "email", "totp": "totp", "enter a code": "totp",
    "signed_nonce": "passkey", "use okta fastpass": "passkey", "webauthn": "passkey", "password": "password", "security_question": "password",
    "idp": "external", "duo": "external",
}  # fmt: skip

# Event types that mean one thing whatever their details: kind, outcome when they succeed.
_PLAIN: dict[str, tuple[str, str]] = {
    "user.session.start": ("password", "success"),
    **{f"user.authentication.auth_via_{way}": ("password", "success") for way in ("AD_agent", "IDP", "LDAP_agent", "radius", "social", "richclient")},
    "user.authentication.verify": ("session", "success"),
    "user.authentication.sso": ("session", "success"),
    "user.session.end": ("session", "ended"),
    "user.session.expire": ("session", "ended"),
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
    **dict.fromkeys(("device.enrollment.create", "device.user.add"), ("device", "added")),
    "device.user.remove": ("device", "removed"),
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
    "user.account.unlock_by_admin": ("recovery", "success"),
    "user.account.expire_password": ("recovery", "success"),
    "user.account.privilege.grant": ("policy", "granted"),
    "user.account.privilege.revoke": ("policy", "changed"),
    "system.api_token.create": ("policy", "granted"),
    # An authenticator that nobody of the organisation can use any more.
    **dict.fromkeys(("system.mfa.factor.deactivate", "security.authenticator.lifecycle.deactivate"), ("policy", "weakened")),
    # Consent to an app: the names of both from memory, unverified.
    **dict.fromkeys(("app.oauth2.consent.grant", "app.oauth2.as.consent.grant"), ("policy", "consented")),
    "group.user_membership.add": ("policy", "changed"),
}
# Event types that change the rules of signing in, by how they begin.
_POLICIES = (
    "policy.lifecycle.", "policy.rule.", "zone.", "security.authenticator.lifecycle.", "security.attack_protection.settings.", "system.mfa.factor.",
    "system.idp.lifecycle.",
)  # fmt: skip


def _table(entries: Iterable[tuple[str | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


_MEANINGS = _table(
    [(name, "prompt", None, factor, why) for name, factor, why in _SENDS] + [(name, kind, outcome, None, None) for name, (kind, outcome) in _PLAIN.items()]
)
_NAMED = _table((_FACTORS | _METHODS).items())
_IS_POLICY = " OR ".join(f"starts_with(type, '{beginning}')" for beginning in _POLICIES)

MINE: LiteralString = "eventType IS NOT NULL AND utc(published) IS NOT NULL"


# A rule that asked for two factors and asks for one, or a policy about MFA that is switched off or gone. What kinds of policies are called is unverified;
# their names are the customer's.
_IS_WEAKER = r"""CASE WHEN eventType = 'policy.rule.update' THEN len(list_filter(target, lambda t:
        regexp_matches(t.changeDetails."from", 'factorMode\W+2FA') AND regexp_matches(t.changeDetails."to", 'factorMode\W+1FA'))) > 0
      WHEN regexp_matches(eventType, '^policy\.(lifecycle|rule)\.(deactivate|delete)$') THEN len(list_filter(target, lambda t:
        regexp_matches(concat_ws(' ', t.detailEntry.policyType, t.displayName), '(?i)mfa|multi-?factor'))) > 0 END"""


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
    list_filter(target, lambda t: t.type = 'AuthenticatorEnrollment')[1].detailEntry AS method, {_IS_WEAKER} AS is_weaker,
    bare_ip(client.ipAddress) AS ip, known(client.geographicalContext.country) AS country, known(client.geographicalContext.state) AS region,
    known(client.geographicalContext.city) AS city, try_cast(client.geographicalContext.geolocation.lat AS DOUBLE) AS lat,
    try_cast(client.geographicalContext.geolocation.lon AS DOUBLE) AS lon, nullif(client.userAgent.rawUserAgent, '') AS agent,
    client_of(known(client.userAgent.browser), known(client.userAgent.os)) AS client, known(device.id) AS device, tristate(device.managed) AS is_managed,
    known(authenticationContext.externalSessionId) AS session_id, try_cast(securityContext.asNumber AS DOUBLE) AS asn, known(securityContext.asOrg) AS org,
    known(debugContext.debugData.proxyType) IS NOT NULL OR coalesce(regexp_matches(debugContext.debugData.tunnels, '"anonymous": ?"?true'), false)
      AS is_tunnel,
    tristate(securityContext.isProxy) AS is_listed, lower(securityContext.risk.level) AS risk_level, known(debugContext.debugData.authnRequestId) AS flow_id,
    debugContext.debugData.factor AS factor_word, debugContext.debugData.factorIntent AS intent_word, debugContext.debugData.requestUri AS uri,
    debugContext.debugData.pushOnlyResponseType AS push_response, debugContext.debugData.pushWithNumberChallengeResponseType AS number_response,
    debugContext.debugData.authenticatorMethodChallengeTime AS challenge_time,
    concat_ws(' ', debugContext.debugData.risk, debugContext.debugData.logOnlySecurityData, 'level=' || debugContext.debugData.riskLevel) AS risk_text,
    debugContext.debugData.threatSuspected AS threat, debugContext.debugData.threatDetections AS detections,
    client_of(known(debugContext.debugData.suspiciousActivityBrowser), known(debugContext.debugData.suspiciousActivityOs)) AS reported_client,
    known(debugContext.debugData.suspiciousActivityEventState) AS reported_region,
    try_cast(debugContext.debugData.suspiciousActivityEventLatitude AS DOUBLE) AS reported_lat,
    try_cast(debugContext.debugData.suspiciousActivityEventLongitude AS DOUBLE) AS reported_lon,
    known(debugContext.debugData.suspiciousActivityEventIp) AS reported_ip, known(debugContext.debugData.suspiciousActivityEventCountry) AS reported_country,
    known(debugContext.debugData.suspiciousActivityEventCity) AS reported_city
  FROM {rows} WHERE {MINE}
), meant AS (
  SELECT f.*, coalesce(factors.named, methods.named) AS named, m.plain_kind, m.sent, m.why, m.plain_outcome,
    known(f.someone.alternateId) AS target_login, known(f.someone.id) AS target_id,
    -- OktaV2_CL may write Microsoft's words for what kind of account acted, or none (unverified).
    coalesce(actor_type IN ('User', 'Regular', 'Admin'), actor_login <> 'system@okta.com', false) AS is_person,
    type = 'user.authentication.auth_via_mfa' AS is_mfa,
    starts_with(type, 'user.mfa.okta_verify.deny_push') AS is_classic_deny
  FROM flat f LEFT JOIN (VALUES {_MEANINGS}) m(name, plain_kind, plain_outcome, sent, why) ON m.name = f.type
    LEFT JOIN (VALUES {_NAMED}) factors(name, named) ON factors.name = f.factor_word
    LEFT JOIN (VALUES {_NAMED}) methods(name, named) ON methods.name = lower(f.method.methodTypeUsed)
), typed AS (
  SELECT *, coalesce(result, 'SUCCESS') IN ('SUCCESS', 'ALLOW') AS is_done,
    CASE WHEN plain_kind = 'password' OR (is_mfa AND named = 'password') THEN if(reason = 'LOCKED_OUT' OR result = 'RATE_LIMIT', 'lockout', 'password')
      WHEN is_mfa OR is_classic_deny THEN 'answer'
      WHEN plain_kind IS NOT NULL THEN plain_kind
      WHEN {_IS_POLICY} THEN 'policy'
      ELSE 'other' END AS kind
  FROM meant
), judged AS (
  SELECT *, CASE WHEN is_classic_deny THEN 'push' WHEN sent IS NOT NULL THEN sent WHEN is_mfa AND kind <> 'lockout' THEN
      CASE WHEN named = 'push' AND number_response IS NOT NULL AND NOT ends_with(number_response, 'NOT_APPLICABLE') THEN 'number_push'
        WHEN contains(method.methodUsedVerifiedProperties, 'PHISHING_RESISTANT') THEN 'passkey'
        ELSE coalesce(named, 'unknown') END END AS factor,
    CASE kind
      WHEN 'other' THEN NULL
      WHEN 'prompt' THEN CASE WHEN result IN ('DENY', 'RATE_LIMIT') THEN 'blocked' WHEN result IN ('FAILURE', 'SKIPPED') THEN 'failed' ELSE 'sent' END
      WHEN 'password' THEN if(result = 'SUCCESS', 'success', 'failure')
      WHEN 'lockout' THEN if(plain_outcome = 'limited' OR result = 'RATE_LIMIT', 'limited', 'locked')
      WHEN 'answer' THEN CASE
        WHEN is_classic_deny THEN 'denied'
        WHEN result = 'SUCCESS' THEN 'approved'
        WHEN result IN ('ABANDONED', 'UNANSWERED') THEN 'unanswered'
        WHEN result IN ('DENY', 'RATE_LIMIT') OR reason IN ('LOCKED_OUT', 'FastPass declined phishing attempt') THEN 'blocked'
        WHEN ends_with(number_response, 'RESPONSE_INVALID') THEN 'wrong_number'
        WHEN push_response = 'OV_RESPONSE_DENY' THEN 'denied'
        WHEN named IN ('sms', 'call', 'email', 'totp', 'token') AND (reason = 'INVALID_CREDENTIALS' OR reason IS NULL AND result = 'FAILURE') THEN 'wrong_code'
        ELSE 'failed' END
      ELSE CASE WHEN NOT is_done AND kind NOT IN ('risk', 'report') THEN 'failure' WHEN plain_outcome IS NOT NULL THEN plain_outcome
        WHEN is_weaker THEN 'weakened' ELSE 'changed' END END AS outcome,
    is_mfa AND uri LIKE '%/factors/%/transactions/%/verify' AS is_phone, kind = 'report' AS is_report,
    (is_mfa AND uri LIKE '%/factors/%/transactions/%/verify') OR kind = 'report' AS is_not_requester
  FROM typed
)
SELECT coalesce(uuid, md5(concat_ws('|', published, type, actor_login, ip, flow_id, factor_word, result))) AS event_id,
  occurred_at, 0 AS step, source, if(kind = 'answer' AND challenge_time IS NOT NULL, utc(challenge_time), NULL) AS asked_at,
  CASE WHEN kind <> 'policy' AND target_login IS NOT NULL THEN target_login
    WHEN is_person AND (kind = 'policy' OR target_id IS NULL OR target_id = actor_id) THEN actor_login END AS login,
  CASE WHEN kind <> 'policy' AND target_id IS NOT NULL THEN target_id
    WHEN is_person AND (kind = 'policy' OR target_login IS NULL OR target_login = actor_login) THEN actor_id END AS user_id,
  CASE WHEN kind = 'policy' THEN if(is_person, NULL, actor_login)
    WHEN coalesce(target_id <> actor_id, target_login <> actor_login) THEN actor_login END AS actor,
  kind, factor, outcome, CASE WHEN kind = 'answer' AND (outcome = 'failed' OR result = 'UNANSWERED') THEN 'ambiguous'
    WHEN kind = 'prompt' AND outcome = 'sent' AND coalesce(result, '') NOT IN ('SUCCESS', 'ALLOW') THEN 'inferred' ELSE 'explicit' END AS certainty,
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
  coalesce(nullif(lower(regexp_extract(risk_text, 'level"?[=:] ?"?(LOW|MEDIUM|HIGH)', 1)), ''), risk_level,
    CASE WHEN contains(detections, 'HIGH') THEN 'high' WHEN contains(detections, 'MEDIUM') THEN 'medium' WHEN contains(detections, 'LOW') THEN 'low' END,
    if(tristate(threat), 'medium', NULL)) AS risk
FROM judged
"""


def _marks(record: Record) -> bool:
    return "." in str(record.get("eventType") or "") and "published" in record and ("actor" in record or "outcome" in record)


# The admin console's CSV has no list of targets but columns of each, `target0.type` and so on (seen in scripts of others that read it, unverified).
_CONSOLE: Structure = {**STRUCTURE, **dict.fromkeys(("target0", "target1", "target2", "target3"), _TARGET)}
_AS_LISTED = "SELECT * REPLACE ([target0, target1, target2, target3] AS target) FROM raw"

# A document of the Elastic integration: Okta's own fields in snake_case below `okta`, the place beside it, all of debugData once more under `flattened`.
_OKTA: Structure = {
    **STRUCTURE, "client": {**_CLIENT, "ip": "VARCHAR"}, "debugContext": {"debugData": {**_DEBUG, "flattened": "VARCHAR"}},
    "securityContext": {**_SECURITY, "as": {"number": "VARCHAR", "organization": {"name": "VARCHAR"}}},
}  # fmt: skip
_GEO: Structure = {"cityName": "VARCHAR", "regionName": "VARCHAR", "countryName": "VARCHAR", "location": {"lat": "VARCHAR", "lon": "VARCHAR"}}
_ELASTIC: Structure = {"published": "VARCHAR", "okta": _OKTA, "client": {"geo": _GEO}}
_FLATTENED = {f"oktadebugcontextdebugdataflattened{key.lower()}": ("okta", "debugContext", "debugData", key) for key in _DEBUG}
_ELASTIC_MINE: LiteralString = "okta.eventType IS NOT NULL AND utc(published) IS NOT NULL"
_AS_OKTA: LiteralString = f"""SELECT okta.uuid AS uuid, published, okta.eventType AS eventType, NULL AS EventResult, okta.actor AS actor, okta.device AS device,
    okta.authenticationContext AS authenticationContext, okta.outcome AS outcome, okta.target AS target, source,
    {{'ipAddress': coalesce(okta.client.ipAddress, okta.client.ip), 'userAgent': okta.client.userAgent, 'geographicalContext': {{
      'city': client.geo.cityName, 'state': client.geo.regionName, 'country': client.geo.countryName, 'geolocation': client.geo.location}}}} AS client,
    struct_update(okta.securityContext, asNumber := coalesce(okta.securityContext.asNumber, okta.securityContext."as".number),
      asOrg := coalesce(okta.securityContext.asOrg, okta.securityContext."as".organization.name)) AS securityContext,
    {{'debugData': from_json(coalesce(if(json_valid(okta.debugContext.debugData.flattened), okta.debugContext.debugData.flattened, NULL),
      to_json(okta.debugContext.debugData)::VARCHAR), '{json.dumps(_DEBUG)}')}} AS debugContext
  FROM raw"""


def _is_listed(record: Record) -> bool:
    return _marks(record) and any("type" in (record.get(key) or {}) for key in ("target0", "target1"))


def _is_elastic(record: Record) -> bool:
    okta = record.get("okta")
    return isinstance(okta, Mapping) and "." in str(okta.get("eventType") or "") and "published" in record


_NEEDS = "an eventType and a readable published time"
SHAPES = (
    Shape("system_log", STRUCTURE, MINE, _events("raw"), _marks, _NEEDS, _ALIASES),
    Shape("console", _CONSOLE, MINE, _events(f"({_AS_LISTED})"), _is_listed, _NEEDS, {"timestamp": ("published",)}),
    Shape("elastic", _ELASTIC, _ELASTIC_MINE, _events(f"({_AS_OKTA})"), _is_elastic, _NEEDS, {"timestamp": ("published",), **_FLATTENED}),
)

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
