"""OCSF events of any producer: Authentication, Account Change, Entity Management and Detection Finding, versions 1.0.0-rc.2 to 1.8, Security Lake too.

Source: the ocsf/ocsf-schema and ocsf/examples repositories. OCSF has no value for denied, ignored or reported: producers put that into words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import LiteralString

from unbidden.engine import Structure
from unbidden.providers import Patience, Record, Shape, Sight
from unbidden.rendering.ocsf import REPERTOIRE, carries, render

__all__ = ("PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render")

TITLE = "OCSF"

# The words of status_detail, status_code, metadata.event_code and api.operation that say more than success or failure. The first of the four that has
# such a word decides; case and separators do not matter. A row: kind, outcome, factor; our own words and those that a vendor documents; words that nobody
# documents, unverified. Words that a wrong password or a firewall could earn too (denied, rejected, blocked, failed) are left out: the status says as much.
WORDS: tuple[tuple[str, str | None, str | None, str, str], ...] = (
    ("prompt", "sent", None, "prompt_sent challenge challenge_sent pending CredentialChallenge", "push_sent mfa_challenge mfa_initiated"),
    ("prompt", "sent", "push", "system.push.send_factor_verify_push gd_send_pn PUSH_CONFIRMATION_WAITING", "push_notification_sent"),
    ("prompt", "sent", "sms", "system.sms.send_factor_verify_message gd_send_sms", "sms_sent"),
    ("prompt", "sent", "call", "system.voice.send_mfa_challenge_call gd_send_voice", "call_placed"),
    ("prompt", "sent", "email", "system.email.send_factor_verify_message gd_send_email", "email_sent"),
    ("prompt", "failed", None, "delivery_failed", "push_failed"),
    ("answer", "approved", None, """approved user_approved valid_passcode OV_RESPONSE_APPROVE gd_auth_succeed MFA_successfully_completed
        MFA_completed_in_Azure_AD MFA_requirement_successfully_completed""", "user_accepted push_approved"),
    ("answer", "denied", None, """denied_by_user user_mistake OV_RESPONSE_DENY user.mfa.okta_verify.deny_push declined rejected_by_user gd_auth_rejected
        user.mfa.okta_verify.deny_push_upgrade_needed PUSH_CONFIRMATION_REJECTED MFA_denied_user_declined_the_authentication""",
        "user_declined user_denied user_rejected push_denied"),
    ("answer", "reported", None, "reported fraud_reported fraud user_marked_fraud SuspiciousActivityReported MFA_denied_Fraud_Code_Entered", "reported_fraud"),
    ("answer", "unanswered", None, """unanswered timed_out abandoned_other_method no_response no_keys_pressed call_timed_out abandoned
        PUSH_CONFIRMATION_TIMED_OUT MFA_denied_user_did_not_respond_to_mobile_app_notification MFA_denied_user_never_entered_the_verification_code
        MFA_denied_unable_to_reach_the_user's_phone MFA_denied_phone_call_went_to_voicemail
        MFA_denied_user_hung_up_the_phone_call_without_succeeding_the_authentication""", "timeout timedout user_timeout push_timeout"),
    ("answer", "wrong_number", None, "wrong_number OV_WITH_CHALLENGE_RESPONSE_INVALID MFA_denied_user_did_not_select_the_correct_number", "number_mismatch"),
    ("answer", "wrong_code", None, """wrong_code invalid_passcode gd_auth_failed MFA_denied_user_entered_incorrect_code MFA_denied_user_entered_incorrect_PIN
        MFA_denied_invalid_mobile_app_verification_code MFA_denied_verification_code_already_used_once""", "invalid_code invalid_otp"),
    ("answer", "cancelled", None, "cancelled cancelled_at_login user_cancelled", "canceled user_canceled"),
    ("answer", "blocked", None, """blocked_by_policy denied_by_policy denied_network anomalous_push anonymous_ip deny_unenrolled_user location_restricted
        factor_restricted platform_restricted version_restricted software_restricted endpoint_is_not_trusted user_disabled MFA_denied_user_is_blocked""", ""),
    ("answer", "failed", None, "failed_unspecified 500121 AuthenticationFailedSasError", ""),
    ("lockout", "locked", None, "locked_out 50053 IdsLocked", "account_locked"),
    ("lockout", "limited", None, "rate_limited gd_otp_rate_limit_exceed MFA_denied_entered_incorrect_code_too_many_times", "too_many_attempts"),
    ("session", "success", "remembered", """satisfied_without_prompt remembered_device trusted_network trusted_location allowed_by_policy
        MFA_requirement_satisfied_by_claim_in_the_token""", "mfa_remembered"),
    ("session", "success", "bypass", "bypassed bypass_user user.mfa.attempt_bypass", ""),
    ("report", "success", None, "user.account.report_suspicious_activity_by_enduser userReportedSuspiciousActivity", ""),
    # Okta's first factor; it is no sign-in yet. The second spelling is that of ocsf/examples.
    ("password", "success", None, """user.session.start user.sesion.start user.authentication.auth_via_AD_agent user.authentication.auth_via_IDP
        user.authentication.auth_via_LDAP_agent user.authentication.auth_via_radius user.authentication.auth_via_social
        user.authentication.auth_via_richclient""", ""),
    ("password", "failure", None, "50126 InvalidUserNameOrPassword 50034 50055 50057", "bad_password invalid_password"),
    ("factor", "added", None, "EnableMFADevice user.mfa.factor.activate User_registered_security_info", ""),
    ("factor", "removed", None, "DeactivateMFADevice DeleteVirtualMFADevice user.mfa.factor.deactivate User_deleted_security_info", ""),
    ("factor", "reset", None, "user.mfa.factor.reset_all", ""),
    ("device", "added", None, "device.enrollment.create device.user.add Register_device Add_registered_owner_to_device", ""),
    ("policy", "consented", None, "Consent_to_application app.oauth2.consent.grant", ""),
    ("policy", "weakened", None, "Delete_conditional_access_policy system.mfa.factor.deactivate", ""),
    # Entra's interrupts: the sign-in goes on in a later row.
    ("other", None, None, "50058 50072 50074 50076 50079 50097 50125 50140 50158 50199", ""),
)  # fmt: skip

# auth_factors[].factor_type_id. A question that only the person can answer is a second password.
_FACTOR_IDS = {
    "1": "sms", "2": "password", "3": "call", "4": "passkey", "5": "push", "6": "token", "7": "totp", "8": "email", "9": "passkey", "10": "passkey",
    "11": "password",
}  # fmt: skip
# auth_factors[].factor_type (and CloudTrail's CredentialType): captions of the ids, Duo's and AWS's words, and our own.
_FACTOR_NAMES = {
    "sms": "sms", "security_question": "password", "phone_call": "call", "call": "call", "biometric": "passkey", "push_notification": "push", "push": "push",
    "duo_push": "push", "verified_duo_push": "number_push", "number_push": "number_push", "hardware_token": "token", "token": "token", "otp": "totp",
    "totp": "totp", "email": "email", "email_otp": "email", "u2f": "passkey", "webauthn": "passkey", "passkey": "passkey", "password": "password",
    "bypass_code": "bypass", "bypass": "bypass", "remembered_device": "remembered", "remembered": "remembered", "external_idp": "external",
    "external": "external",
}  # fmt: skip
# Factors that cannot be phished: U2F and WebAuthn.
_RESISTANT = "chosen.factor_type_id IN ('9', '10') OR lower(chosen.factor_type) IN ('u2f', 'webauthn', 'passkey')"
_CLASSES = {
    "authentication": 3002, "account change": 3001, "entity management": 3004, "user access management": 3005, "group management": 3006,
    "detection finding": 2004,
}  # fmt: skip

# Account Change, User Access Management, Group Management: class and activity, kind, outcome.
_CHANGES = (
    ("3001/3", "recovery", "success"), ("3001/4", "recovery", "success"), ("3001/7", "policy", "granted"), ("3001/8", "policy", "changed"),
    ("3001/9", "lockout", "locked"), ("3001/10", "factor", "added"), ("3001/11", "factor", "removed"), ("3001/12", "recovery", "success"),
    ("3005/1", "policy", "granted"), ("3005/2", "policy", "changed"), ("3005/3", "policy", "granted"), ("3005/4", "policy", "changed"),
    ("3006/1", "policy", "granted"), ("3006/2", "policy", "changed"), ("3006/3", "policy", "changed"), ("3006/4", "policy", "changed"),
)  # fmt: skip

_USER: Structure = {"name": "VARCHAR", "uid": "VARCHAR", "email_addr": "VARCHAR", "risk_level": "VARCHAR", "risk_level_id": "VARCHAR"}
_PLACE: Structure = {
    "city": "VARCHAR", "country": "VARCHAR", "region": "VARCHAR", "lat": "VARCHAR", "long": "VARCHAR", "coordinates": "VARCHAR", "isp": "VARCHAR",
}  # fmt: skip
_ENDPOINT: Structure = {"ip": "VARCHAR", "location": _PLACE, "autonomous_system": {"number": "VARCHAR", "name": "VARCHAR"}, "isp": "VARCHAR"}

STRUCTURE: Structure = {
    "class_uid": "VARCHAR", "class_name": "VARCHAR", "category_uid": "VARCHAR", "type_uid": "VARCHAR", "activity_id": "VARCHAR",
    "time": "VARCHAR", "time_dt": "VARCHAR", "status_id": "VARCHAR", "status": "VARCHAR", "status_code": "VARCHAR", "status_detail": "VARCHAR",
    "message": "VARCHAR", "severity_id": "VARCHAR", "is_mfa": "VARCHAR", "auth_protocol_id": "VARCHAR", "auth_protocol": "VARCHAR",
    "logon_type_id": "VARCHAR", "logon_type": "VARCHAR", "verdict_id": "VARCHAR", "risk_level": "VARCHAR", "risk_level_id": "VARCHAR",
    "metadata": {
        "uid": "VARCHAR", "original_event_uid": "VARCHAR", "correlation_uid": "VARCHAR", "tenant_uid": "VARCHAR",
        "logged_time": "VARCHAR", "logged_time_dt": "VARCHAR",
        "event_code": "VARCHAR", "version": "VARCHAR", "product": {"name": "VARCHAR"},
    },
    "user": _USER, "actor": {"user": _USER, "session": {"uid": "VARCHAR"}}, "session": {"uid": "VARCHAR", "is_mfa": "VARCHAR"}, "service": {"name": "VARCHAR"},
    "dst_endpoint": {"svc_name": "VARCHAR", "hostname": "VARCHAR"}, "src_endpoint": _ENDPOINT, "http_request": {"user_agent": "VARCHAR", "uid": "VARCHAR"},
    "device": {
        "uid": "VARCHAR", "is_managed": "VARCHAR", "is_compliant": "VARCHAR", "is_trusted": "VARCHAR", "ip": "VARCHAR", "location": _PLACE,
        "org": {"name": "VARCHAR"},
    },
    "api": {"operation": "VARCHAR", "request": {"uid": "VARCHAR"}}, "entity": {"type": "VARCHAR"},
    "auth_factors": [{
        "factor_type_id": "VARCHAR", "factor_type": "VARCHAR", "phone_number": "VARCHAR", "device": {"uid": "VARCHAR", "ip": "VARCHAR", "location": _PLACE},
    }],
    "unmapped": "VARCHAR",
    "finding_info": {"uid": "VARCHAR", "title": "VARCHAR"},
    "evidences": [{"user": _USER, "actor": {"user": _USER}, "src_endpoint": _ENDPOINT, "http_request": {"user_agent": "VARCHAR"}}],
}  # fmt: skip


def word_of(text: str) -> str:
    """A word as the tables spell it: lower case, parts joined by one underscore. `_word` is the same in SQL."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _word(column: str) -> str:
    return f"trim(regexp_replace(lower({column}), '[^a-z0-9]+', '_', 'g'), '_')"


def _table(entries: Iterable[tuple[str | int | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


_MEANINGS = _table(sorted({(word_of(word), kind, outcome, factor) for kind, outcome, factor, *words in WORDS for word in " ".join(words).split()}, key=str))
_NAMED = _table(_FACTOR_NAMES.items())
_NUMBERED = _table(_FACTOR_IDS.items())


def _when(number: str, text: str) -> str:
    """SQL for a time: OCSF counts milliseconds, but producers write seconds, microseconds or ISO text too; the size tells them apart."""
    n = f"try_cast({number} AS DOUBLE)"
    seconds = f"CASE WHEN {n} < 1e11 THEN {n} WHEN {n} < 1e14 THEN {n} / 1e3 WHEN {n} < 1e17 THEN {n} / 1e6 WHEN {n} < 1e20 THEN {n} / 1e9 END"
    return f"coalesce(epoch_utc(CASE WHEN {n} > 0 THEN {seconds} END), utc({text}), utc({number}))"


def _coordinate(place: str, name: str, index: int) -> str:
    """SQL for a latitude or longitude; before 1.2 a place had one list with the longitude first."""
    return f"coalesce(try_cast({place}.{name} AS DOUBLE), try_cast(try(json_extract_string({place}.coordinates, '$[{index}]')) AS DOUBLE))"


_CLASS = (
    "coalesce(try_cast(class_uid AS BIGINT), CASE lower(coalesce(class_uid, class_name)) "
    + " ".join(f"WHEN '{name}' THEN {number}" for name, number in _CLASSES.items())
    + " END, try_cast(type_uid AS BIGINT) // 100)"
)
_AT = _when('"time"', "time_dt")
MINE: LiteralString = f"coalesce(class_uid, class_name, type_uid) IS NOT NULL AND {_AT} IS NOT NULL"


def _unmapped(name: str) -> str:
    """SQL for a value of `unmapped`, which comes as an object, as a list of pairs, or as the text of a map (`{name=value}`)."""
    return f"""known(regexp_extract(unmapped, '{name}"?\\s*[:=,]\\s*(?:"value"\\s*:\\s*)?"?([A-Za-z0-9_-]+)', 1))"""


def _first_word(column: str) -> str:
    """SQL for what the first of the words that means something says of one column."""
    return "CASE " + " ".join(f"WHEN w{n}.kind IS NOT NULL THEN w{n}.{column}" for n in (1, 2, 3, 4)) + f" END AS word_{column}"


def _is_someone(user: str) -> str:
    return f"coalesce(known({user}.uid), known({user}.name), known({user}.email_addr)) IS NOT NULL"


# `worded` finds what the words mean, `typed` the kind, `judged` the outcome; the last SELECT only names columns.
_EVENTS = f"""
WITH bare AS (
  SELECT raw.*, {_CLASS} AS class, {_AT} AS at_, coalesce(try_cast(activity_id AS BIGINT), try_cast(type_uid AS BIGINT) % 100) AS activity,
    CASE WHEN status_id IN ('1', '2') THEN status_id WHEN lower(status) IN ('success', 'succeeded') THEN '1'
      WHEN lower(status) IN ('failure', 'failed') THEN '2' END AS verdict,
    CASE WHEN {_is_someone('raw."user"')} THEN raw."user" WHEN {_is_someone("evidences[1].user")} THEN evidences[1].user
      WHEN {_is_someone("evidences[1].actor.user")} THEN evidences[1].actor.user ELSE actor.user END AS subject,
    coalesce(list_filter(auth_factors, lambda f: f.factor_type_id IS DISTINCT FROM '11' AND lower(f.factor_type) IS DISTINCT FROM 'password')[1],
      auth_factors[1]) AS chosen,
    CASE WHEN src_endpoint.ip IS NOT NULL THEN src_endpoint WHEN evidences[1].src_endpoint IS NOT NULL THEN evidences[1].src_endpoint
      WHEN device.ip IS NOT NULL THEN {{'ip': device.ip, 'location': device.location, 'autonomous_system': {{'number': NULL, 'name': device.org.name}},
        'isp': NULL}} ELSE src_endpoint END AS origin,
    {_word("status_detail")} AS detail_word, {_word("status_code")} AS code_word, {_word("metadata.event_code")} AS event_word,
    {_word("coalesce(api.operation, finding_info.title)")} AS operation_word
  FROM raw WHERE {MINE}
), worded AS (
  SELECT bare.*, {_first_word("kind")},
    {_first_word("outcome")}, {_first_word("factor")},
    coalesce(named.factor, numbered.factor) AS listed_factor,
    a.kind AS account_kind, a.outcome AS account_outcome
  FROM bare LEFT JOIN (VALUES {_MEANINGS}) w1(word, kind, outcome, factor) ON w1.word = detail_word
    LEFT JOIN (VALUES {_MEANINGS}) w2(word, kind, outcome, factor) ON w2.word = code_word
    LEFT JOIN (VALUES {_MEANINGS}) w3(word, kind, outcome, factor) ON w3.word = event_word
    LEFT JOIN (VALUES {_MEANINGS}) w4(word, kind, outcome, factor) ON w4.word = operation_word
    LEFT JOIN (VALUES {_NAMED}) named(name, factor)
      ON named.name = {_word(f"coalesce(chosen.factor_type, {_unmapped('CredentialType')})")}
    LEFT JOIN (VALUES {_NUMBERED}) numbered(id, factor) ON numbered.id = chosen.factor_type_id
    LEFT JOIN (VALUES {_table(_CHANGES)}) a(change, kind, outcome) ON a.change = class || '/' || bare.activity
), typed AS (
  SELECT *, coalesce(if(word_kind = 'session', word_factor, NULL), listed_factor, word_factor, if(chosen IS NOT NULL, 'unknown', NULL)) AS factor_,
    CASE class
      WHEN 3002 THEN CASE WHEN activity = 2 THEN 'session' WHEN activity IN (3, 4, 5) OR word_kind IN ('device', 'policy') THEN 'other'
        WHEN word_kind = 'prompt' AND listed_factor IN ('password', 'remembered', 'bypass') THEN 'other'
        WHEN word_kind IS NOT NULL AND (word_kind <> 'answer' OR listed_factor IS DISTINCT FROM 'password') THEN word_kind
        WHEN activity = 6 THEN if(auth_protocol_id = '2' OR lower(auth_protocol) = 'kerberos' OR listed_factor = 'password', 'other', 'prompt')
        WHEN verdict IS NULL THEN 'other'
        WHEN listed_factor = 'password' THEN 'password' WHEN listed_factor IN ('remembered', 'bypass') THEN 'session'
        WHEN coalesce(chosen.factor_type_id, chosen.factor_type, listed_factor) IS NOT NULL OR tristate(coalesce(is_mfa, "session".is_mfa)) THEN 'answer'
        -- Machines, batches and services sign in to systems too, and changing to another account is no way in of that account's owner.
        WHEN activity = 1 AND NOT coalesce(logon_type_id IN ('1', '4', '5') OR lower(logon_type) IN ('system', 'batch', 'os service'), false) THEN 'session'
        ELSE 'other' END
      WHEN 3001 THEN if(word_kind IN ('factor', 'report', 'device', 'policy'), word_kind, coalesce(account_kind, 'other'))
      WHEN 3005 THEN if(word_kind = 'policy', word_kind, coalesce(account_kind, 'other'))
      WHEN 3006 THEN coalesce(account_kind, 'other')
      WHEN 3004 THEN CASE WHEN word_kind IN ('device', 'policy') THEN word_kind WHEN activity IN (0, 2) THEN 'other'
        WHEN contains(lower(entity.type), 'policy') THEN 'policy'
        WHEN contains(lower(entity.type), 'device') AND activity IN (1, 4) THEN 'device' ELSE 'other' END
      WHEN 2004 THEN CASE WHEN lower(metadata.product.name) = 'unbidden' OR activity = 3 OR status_id IN ('3', '4', '5', '6')
          OR verdict_id IN ('1', '3', '5', '6', '10') THEN 'other'
        WHEN word_kind = 'report' THEN 'report' ELSE 'risk' END
      ELSE 'other' END AS kind,
    coalesce(risk_level, subject.risk_level) AS level, coalesce(risk_level_id, subject.risk_level_id) AS level_id
  FROM worded
), judged AS (
  SELECT *, class = 3002 AND word_kind IS NOT NULL AND kind <> 'other' AS is_said,
    CASE WHEN kind = 'other' THEN NULL
      WHEN class = 2004 THEN 'success'
      WHEN class = 3002 THEN CASE WHEN activity = 2 THEN 'ended'
        -- Okta says that a push was approved although the number was wrong and the sign-in failed.
        WHEN verdict = '2' AND word_outcome = 'approved' THEN 'failed' WHEN verdict = '2' AND word_outcome = 'success' AND kind <> 'report' THEN 'failure'
        WHEN word_kind IS NOT NULL THEN word_outcome
        WHEN kind = 'prompt' THEN if(verdict = '2', 'failed', 'sent')
        WHEN kind = 'answer' THEN if(verdict = '1', 'approved', 'failed')
        ELSE if(verdict = '1', 'success', 'failure') END
      WHEN kind = 'lockout' THEN account_outcome
      WHEN verdict = '2' THEN 'failure'
      WHEN kind = word_kind THEN word_outcome
      WHEN kind = 'device' THEN if(activity = 4, 'removed', 'added')
      ELSE coalesce(account_outcome, 'changed') END AS outcome_,
    if(kind = 'policy' AND {_is_someone("actor.user")}, actor.user, subject) AS who
  FROM typed
), named AS (
  SELECT *, coalesce(known(who.name), if(who.uid IS NULL OR who.uid = actor.user.uid, known(actor.user.name), NULL)) AS name_, known(who.email_addr) AS email_
  FROM judged
)
SELECT coalesce(known(metadata.uid) || if(class = 2004, '|2004', ''),
    known(metadata.original_event_uid) || '|' || coalesce(class, 0) || '|' || coalesce(activity, 0),
    known(finding_info.uid) || '|' || coalesce(activity, 0) || '|' || CAST(at_ AS VARCHAR),
    md5(concat_ws('|', at_, class, activity, name_, who.uid, origin.ip, status_code, status_detail, session.uid, metadata.event_code))) AS event_id,
  at_ AS occurred_at, {_when("metadata.logged_time", "metadata.logged_time_dt")} AS seen_at, 0 AS step, source,
  known(metadata.tenant_uid) AS tenant,
  if(name_ IS NULL OR (contains(name_, ' ') AND email_ IS NOT NULL), email_, name_) AS login,
  if(name_ IS NULL OR contains(name_, ' ') OR lower(name_) = lower(email_), NULL, email_) AS email,
  known(who.uid) AS user_id,
  if(class = 3001 AND kind <> 'policy' AND actor.user.uid IS DISTINCT FROM who.uid, coalesce(known(actor.user.name), known(actor.user.email_addr)), NULL)
    AS actor,
  kind, outcome_ AS outcome,
  CASE WHEN kind IN ('answer', 'prompt') THEN coalesce(factor_, 'unknown') WHEN kind = 'password' THEN 'password'
    WHEN kind IN ('session', 'factor') THEN factor_ END AS factor,
  CASE WHEN kind = 'answer' AND outcome_ = 'failed' THEN 'ambiguous'
    WHEN NOT is_said AND (kind = 'prompt' OR (kind = 'answer' AND listed_factor IS NULL)) THEN 'inferred' ELSE 'explicit' END AS certainty,
  concat_ws(' ', known(metadata.product.name), coalesce(CAST(class AS VARCHAR), class_name) || '/' || coalesce(activity, 0),
    coalesce(known(status_code), known(metadata.event_code))) AS code,
  coalesce(known(status_detail), known(finding_info.title), known(message)) AS detail,
  known(coalesce(http_request.uid, api.request.uid)) AS request_id,
  known(coalesce(metadata.correlation_uid, {_unmapped("AuthWorkflowID")})) AS flow_id,
  known(coalesce("session".uid, actor.session.uid)) AS session_id,
  coalesce(known(service.name), CASE WHEN contains(dst_endpoint.svc_name, '://') THEN split_part(dst_endpoint.svc_name, '/', 3)
    WHEN NOT starts_with(dst_endpoint.svc_name, '/') THEN known(dst_endpoint.svc_name) END, known(dst_endpoint.hostname)) AS app,
  if(kind IN ('prompt', 'answer'), 'login', NULL) AS intent,
  bare_ip(origin.ip) AS ip, try_cast(origin.autonomous_system.number AS BIGINT) AS asn,
  coalesce(known(origin.autonomous_system.name), known(origin.isp), known(origin.location.isp)) AS org,
  known(origin.location.country) AS country, known(origin.location.region) AS region, known(origin.location.city) AS city,
  {_coordinate("origin.location", "lat", 1)} AS lat, {_coordinate("origin.location", "long", 0)} AS lon,
  known(coalesce(http_request.user_agent, evidences[1].http_request.user_agent)) AS agent, known(device.uid) AS device,
  coalesce(tristate(device.is_managed), tristate(device.is_compliant), tristate(device.is_trusted)) AS is_managed,
  bare_ip(chosen.device.ip) AS answer_ip, known(chosen.device.location.country) AS answer_country, known(chosen.device.location.city) AS answer_city,
  {_coordinate("chosen.device.location", "lat", 1)} AS answer_lat, {_coordinate("chosen.device.location", "long", 0)} AS answer_lon,
  coalesce(known(chosen.device.uid), known(chosen.phone_number)) AS answer_device,
  if(kind = 'answer' AND ({_RESISTANT}), true, NULL) AS is_resistant,
  CASE WHEN level_id IN ('0', '1') OR lower(level) IN ('info', 'low') THEN 'low' WHEN level_id = '2' OR lower(level) = 'medium' THEN 'medium'
    WHEN level_id IN ('3', '4') OR lower(level) IN ('high', 'critical') THEN 'high'
    WHEN kind <> 'risk' THEN NULL WHEN severity_id IN ('1', '2') THEN 'low' WHEN severity_id = '3' THEN 'medium'
    WHEN severity_id IN ('4', '5', '6') THEN 'high' END AS risk
FROM named
"""


def _marks(record: Record) -> bool:
    metadata = record.get("metadata")
    is_described = isinstance(metadata, Mapping) and bool(metadata.get("version") or metadata.get("product"))
    is_classed = bool(record.get("class_uid") or record.get("type_uid") or (record.get("class_name") and is_described))
    has_parts = is_described or bool(record.get("category_uid") and (record.get("activity_id") or record.get("type_uid")))
    return is_classed and has_parts and ("time" in record or "time_dt" in record)


SHAPES = (Shape(name="event", structure=STRUCTURE, mine=MINE, events=_EVENTS, marks=_marks, needs="a class and a readable time"),)

_LIFE = Patience(300, "OCSF carries other vendors' challenges: the longest lifetime that one of them documents, unverified for a given producer")
PATIENCE = dict.fromkeys(("push", "number_push", "sms", "call", "email", "unknown"), _LIFE)

SIGHT = {
    "explicit_prompt": Sight(True, "when the producer maps sends, as Preauth or with a word for it; many do not"),
    "explicit_deny": Sight(True, "when the producer says so in status_detail or status_code: OCSF itself knows success and failure only"),
    "explicit_timeout": Sight(True, "when the producer says so in status_detail or status_code"),
    "explicit_report": Sight(True, "when the producer says so in a word"),
    "answerer_place": Sight(True, "when the producer fills auth_factors[].device"),
    "number_match": Sight(False, "OCSF has no field for it; only a producer's word can tell a wrong number"),
    "vendor_risk": Sight(True, "user.risk_level, and detection findings of the producer"),
    "factor_changes": Sight(True, "Account Change has an activity for a factor enabled and one for a factor disabled"),
}
