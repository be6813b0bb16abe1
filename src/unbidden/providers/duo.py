"""Cisco Duo: authentication (v2, v1), telephony, administrator and activity logs, Trust Monitor.

Source: Duo's Admin API reference (log endpoints), duo_log_sync and the Sentinel connector. What comes from memory says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import LiteralString, TypeAlias, TypeVar

from unbidden.engine import Structure
from unbidden.providers import Path, Patience, Record, Shape, Sight
from unbidden.rendering.duo import REPERTOIRE, carries, render

TITLE = "Cisco Duo"
__all__ = ["PATIENCE", "REPERTOIRE", "SHAPES", "SIGHT", "TITLE", "carries", "render"]

_Meaning: TypeAlias = tuple[str, str | None, str | None]
_Value = TypeVar("_Value")


def _all(names: str, value: _Value) -> dict[str, _Value]:
    """Each of the names with the same value."""
    return dict.fromkeys(names.split(), value)


_PLACE: Structure = _all("city state country", "VARCHAR")
_WHEN: Structure = _all("timestamp isotimestamp TimeGenerated host", "VARCHAR")
_NAMED: Structure = _all("key name", "VARCHAR")
_PARTY: Structure = _all("key name type details", "VARCHAR")
_DEVICE: Structure = {**_all("ip epkey browser os os_version", "VARCHAR"), "location": _PLACE}

# Version 2, and what version 1 calls otherwise: username, ip, location, integration, device, new_enrollment and a status inside access_device.
_AUTHENTICATION: Structure = {
    **_WHEN, **_all("txid event_type result reason factor email trusted_endpoint_status", "VARCHAR"), "user": _NAMED, "application": _NAMED,
    **_all("username ip integration device new_enrollment", "VARCHAR"), "location": _PLACE,
    "access_device": {**_DEVICE, **_all("hostname trusted_endpoint_status", "VARCHAR")}, "auth_device": {**_NAMED, "ip": "VARCHAR", "location": _PLACE},
    "adaptive_trust_assessments": {"more_secure_auth": _all("trust_level detected_attack_detectors", "VARCHAR"), "remember_me": {"trust_level": "VARCHAR"}},
}  # fmt: skip
_TELEPHONY: Structure = {**_WHEN, **_all("ts telephony_id txid type context phone", "VARCHAR")}
_ADMINISTRATOR: Structure = {**_WHEN, **_all("username action object description", "VARCHAR")}
_ACTIVITY: Structure = {
    **_all("ts TimeGenerated host activity_id action", "VARCHAR"), "actor": _PARTY, "target": _PARTY, "application": _NAMED, "outcome": {"result": "VARCHAR"},
    "access_device": _DEVICE,
}  # fmt: skip
_TRUST_MONITOR: Structure = {
    **_all("sekey type surfaced_timestamp TimeGenerated host explanations priority_event low_risk_ip bypass_status_enabled", "VARCHAR"),
    "enabled_by": _NAMED, "enabled_for": _NAMED,
    "surfaced_auth": {"txid": "VARCHAR", "email": "VARCHAR", "user": _NAMED, "application": _NAMED, "access_device": _DEVICE},
}  # fmt: skip

# `factor` in our words; v1 and the administrator log write the same as English text. A plain passcode may come from any source of codes.
_FACTORS = {
    "duo_push": "push", "push": "push", "verified_duo_push": "number_push", "bypass_code": "bypass", "u2f_token": "passkey",
    **_all("phone_call phone", "call"), **_all("sms_passcode sms sms_refresh", "sms"), **_all("passcode duo_mobile_passcode", "totp"),
    **_all("yubikey_passcode yubikey_code hardware_token digipass_go_7_token", "token"), **_all("remembered_device trusted_network", "remembered"),
}  # fmt: skip

# `reason` of an attempt: its fate. The verification codes are not in Duo's list that we have; correct was seen in logs, the others are unverified.
_FATES = {
    **_all("user_approved valid_passcode verification_code_correct", "approved"), "user_mistake": "denied", "user_cancelled": "cancelled",
    "user_marked_fraud": "reported", **_all("no_response no_keys_pressed call_timed_out", "unanswered"), "invalid_passcode": "wrong_code",
    "verification_code_incorrect": "wrong_number", "verification_code_missing": "failed",
    **_all(
        "locked_out user_disabled anomalous_push anonymous_ip denied_by_policy denied_network deny_unenrolled_user location_restricted factor_restricted"
        " platform_restricted version_restricted software_restricted rooted_device no_screen_lock no_disk_encryption touchid_disabled touch_id_disabled"
        " out_of_date endpoint_is_not_trusted endpoint_is_not_in_management_system endpoint_failed_google_verification invalid_device"
        " could_not_determine_if_endpoint_was_trusted no_activated_duo_mobile_account no_duo_certificate_present user_not_in_permitted_group"
        " invalid_management_certificate_collection_state user_provided_invalid_certificate no_web_referer_match no_referring_hostname_provided"
        " invalid_referring_hostname_provided", "blocked",
    ),
}  # fmt: skip

# `reason` of a sign-in that was let through without asking anyone.
_UNASKED = _all("remembered_device trusted_network trusted_location allow_unenrolled_user_on_trusted_network", "remembered")
_UNASKED |= _all("allow_unenrolled_user allowed_by_policy bypass_user", "bypass")

# What an action of the administrator or activity log means: kind, outcome, factor.
_ACTIONS: dict[str, _Meaning] = {
    **_all("phone_create phone_associate", ("factor", "added", None)), **_all("phone_delete phone_disassociate", ("factor", "removed", None)),
    **_all("phone_update phone_activation_code_regenerated regen_mobile", ("factor", "changed", None)), "deregister_devices": ("factor", "reset", None),
    "hardtoken_create": ("factor", "added", "token"), **_all("hardtoken_update hardtoken_resync", ("factor", "changed", "token")),
    "hardtoken_delete": ("factor", "removed", "token"), **_all("webauthncredential_create u2ftoken_create", ("factor", "added", "passkey")),
    **_all("webauthncredential_delete u2ftoken_delete", ("factor", "removed", "passkey")), "webauthncredential_rename": ("factor", "changed", "passkey"),
    "o2fa_user_provisioned": ("factor", "added", "totp"), "o2fa_user_reenrolled": ("factor", "changed", "totp"),
    "o2fa_user_deprovisioned": ("factor", "removed", "totp"), "bypass_create": ("factor", "bypassed", "bypass"),
    "bypass_delete": ("factor", "removed", "bypass"), **_all("admin_reset_password admin_send_reset_password_email", ("recovery", "success", None)),
    "admin_activate_duo_push": ("factor", "added", "push"), "admin_reactivates_duo_push": ("factor", "changed", "push"),
    "admin_login": ("session", "success", None), "admin_login_error": ("password", "failure", None), "admin_2fa_error": ("answer", None, None),
    **_all("admin_lockout user_adminapi_lockout user_not_enrolled_lockout", ("lockout", "locked", None)), "admin_create": ("policy", "granted", None),
    **_all(
        "admin_update admin_delete policy_create policy_update policy_delete integration_create integration_update integration_delete"
        " integration_policy_assign integration_policy_unassign integration_group_policy_add integration_group_policy_remove group_create group_update"
        " group_delete customer_update admin_factor_restrictions admin_factor_restrictions_update update_admin_factor_restrictions updated_risk_profile",
        ("policy", "changed", None),
    ),
}  # fmt: skip


def _table(entries: Iterable[tuple[str | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


_FACTOR_TABLE = f"(VALUES {_table(_FACTORS.items())}) factors(name, named)"
_ACTION_TABLE = f"(VALUES {_table((name, *meaning) for name, meaning in _ACTIONS.items())}) actions(name, does, ends, uses)"


def _fact(text: str, name: str) -> str:
    """SQL for a string inside JSON text, which may be damaged or cut off."""
    return rf"""nullif(regexp_extract({text}, '"{name}"\s*:\s*"([^"]*)"', 1), '')"""


def _requester(ip: str, place: str, device: str) -> str:
    """SQL for the requester's columns."""
    return f"""bare_ip({ip}) AS ip, known({place}.country) AS country, known({place}.state) AS region, known({place}.city) AS city,
  client_of(known({device}.browser), known(concat_ws(' ', known({device}.os), known({device}.os_version)))) AS client"""


_AT = "coalesce(utc(isotimestamp), epoch_utc(timestamp), utc(timestamp))"
# A telephone number as the API writes it elsewhere; every other name as it stands.
_PHONE = "if(regexp_full_match({0}, '[+(]?[0-9][0-9() .-]{{6,}}'), translate({0}, ' ()-.', ''), {0})"

# What a policy that lets people in unasked says of itself; the console's words, from memory, unverified.
_WEAKER = "'(?i)(without|bypass|skip)[ _]?(2fa|mfa)|allow[ _]without'"

# A row is one whole attempt. One that was refused before a factor was chosen asked nobody: it is a failed session, not a blocked challenge.
# One that met a locked account also proves the lock (step 1). A code from a text message is an attempt apart from the one that asked for the message
# (whether they share a txid is unverified), so it names no challenge: time finds the message that it answers.
_ATTEMPT_SQL = f"""
WITH flat AS (
  SELECT source, {_AT} AS happened, utc(TimeGenerated) AS seen_at, known(host) AS tenant, known(txid) AS txid, result, reason, lower(result) AS how,
    coalesce(event_type = 'enrollment', tristate(new_enrollment), false) AS is_enrolment, replace(lower(reason), ' ', '_') AS why,
    replace(lower(factor), ' ', '_') AS way, coalesce(known(user.name), known(username)) AS login, known(user.key) AS user_id, known(email) AS email,
    coalesce(known(application.name), known(integration)) AS app,
    {_requester("coalesce(access_device.ip, raw.ip)", "coalesce(access_device.location, raw.location)", "access_device")},
    coalesce(known(access_device.epkey), known(access_device.hostname)) AS endpoint, coalesce(known(auth_device.name), known(raw.device)) AS phone,
    coalesce(trusted_endpoint_status, access_device.trusted_endpoint_status) AS trust, bare_ip(auth_device.ip) AS answer_ip,
    known(auth_device.location.country) AS answer_country, known(auth_device.location.city) AS answer_city, known(auth_device.key) AS phone_key,
    adaptive_trust_assessments.more_secure_auth.trust_level AS level, adaptive_trust_assessments.remember_me.trust_level AS remembered_level,
    length(adaptive_trust_assessments.more_secure_auth.detected_attack_detectors) > 4 AS is_detected
  FROM raw WHERE {_AT} IS NOT NULL
), typed AS (
  SELECT flat.*, fates.fate, unasked.instead, CASE WHEN factors.named IS NOT NULL THEN factors.named
      WHEN contains(way, 'webauthn') OR contains(way, 'passkey') OR contains(way, 'security_key') OR contains(way, 'platform') THEN 'passkey'
      ELSE 'unknown' END AS named
  FROM flat LEFT JOIN {_FACTOR_TABLE} ON factors.name = flat.way
    LEFT JOIN (VALUES {_table(_FATES.items())}) fates(name, fate) ON fates.name = flat.why
    LEFT JOIN (VALUES {_table(_UNASKED.items())}) unasked(name, instead) ON unasked.name = flat.why
), judged AS (
  SELECT *, CASE WHEN is_enrolment THEN 'factor' WHEN way = 'sms_refresh' THEN 'prompt'
      WHEN how = 'success' AND (instead IS NOT NULL OR named IN ('remembered', 'bypass') OR (named = 'unknown' AND fate IS NULL)) THEN 'session'
      WHEN how <> 'success' AND named = 'unknown' AND fate = 'blocked' THEN 'session' ELSE 'answer' END AS kind_,
    CASE WHEN how = 'success' THEN 'approved' WHEN how = 'fraud' THEN 'reported' WHEN how = 'error' THEN 'failed'
      WHEN fate = 'wrong_code' AND named = 'number_push' THEN 'failed' ELSE coalesce(nullif(fate, 'approved'), 'failed') END AS fate_,
    unnest(if(why = 'locked_out' AND NOT is_enrolment, [0, 1], [0])) AS step
  FROM typed
)
SELECT source, step, happened AS occurred_at, seen_at, tenant, if(step = 1, 'lockout', kind_) AS kind, login, user_id, email, app,
  if(step = 0 AND kind_ = 'answer' AND named = 'sms', NULL, txid) AS prompt_key, txid AS request_id,
  coalesce(txid || '|' || if(is_enrolment, 'enrollment', 'authentication') || '|' || CAST(floor(epoch(happened)) AS BIGINT),
    md5(concat_ws('|', epoch_us(happened), login, way, how, why, ip, phone, app))) || if(step = 1, '|locked', '') AS event_id,
  CASE WHEN step = 1 OR kind_ = 'factor' THEN NULL WHEN kind_ = 'session' THEN coalesce(instead, nullif(named, 'unknown')) ELSE named END AS factor,
  CASE WHEN step = 1 THEN 'locked' WHEN kind_ = 'session' THEN if(how = 'success', 'success', 'failure')
    WHEN kind_ = 'factor' THEN if(how = 'success', 'added', 'failure')
    WHEN kind_ = 'prompt' THEN CASE WHEN fate = 'blocked' THEN 'blocked' WHEN how = 'error' THEN 'failed' ELSE 'sent' END ELSE fate_ END AS outcome,
  if(step = 0 AND kind_ = 'answer' AND (fate_ = 'failed' OR (how = 'success' AND fate IS NULL AND why IS NOT NULL)), 'ambiguous', 'explicit') AS certainty,
  concat_ws(' ', if(is_enrolment, 'enrollment', 'authentication'), result, reason, way) AS code, reason AS detail, ip, country, region, city, client,
  endpoint AS device, CASE trust WHEN 'trusted' THEN true WHEN 'not trusted' THEN false END AS is_managed, if(why = 'anonymous_ip', true, NULL) AS is_proxy,
  if(step = 0 AND kind_ IN ('answer', 'prompt'), 'login', NULL) AS intent, answer_ip, answer_country, answer_city,
  coalesce(phone_key, {_PHONE.format("phone")}) AS answer_device,
  if(step = 0 AND kind_ = 'answer' AND named IN ('push', 'number_push'), named = 'number_push', NULL) AS has_number,
  if(step = 0 AND kind_ = 'answer', named = 'passkey', NULL) AS is_resistant,
  CASE WHEN level = 'LOW' OR remembered_level = 'LOW' OR is_detected THEN 'high' WHEN level = 'MEDIUM' THEN 'medium'
    WHEN level IN ('NORMAL', 'HIGH') THEN 'low' END AS risk
FROM judged
"""

# A document of the Elastic integration, whose default is to drop the vendor's own row: person, time and browser stand beside what was the row.
_ELASTIC: Structure = {
    "@timestamp": "VARCHAR", "user": _all("id name email", "VARCHAR"), "user_agent": {"name": "VARCHAR", "os": _all("name version", "VARCHAR")},
    "cisco_duo": {"auth": _AUTHENTICATION},
}  # fmt: skip
_ELASTIC_SQL = _ATTEMPT_SQL.replace("FROM raw WHERE", """FROM (
    SELECT * EXCLUDE (moment, who, agent) REPLACE (moment AS isotimestamp, {key: who.id, name: who.name} AS "user", coalesce(email, who.email) AS email,
      struct_update(access_device, browser := agent.name, os := agent.os.name, os_version := agent.os.version) AS access_device)
    FROM (SELECT source, "@timestamp" AS moment, "user" AS who, user_agent AS agent, unnest(cisco_duo.auth) FROM raw)
  ) raw WHERE""")  # fmt: skip

_TEL_AT = f"coalesce(utc(ts), {_AT})"
# `administrator login` and `verify` (the customer's own Verify API calls) are no sign-in of a user.
_TELEPHONY_SQL = f"""
SELECT source, 0 AS step, coalesce(known(telephony_id), md5(concat_ws('|', epoch_us({_TEL_AT}), type, context, phone, txid))) AS event_id,
  {_TEL_AT} AS occurred_at, utc(TimeGenerated) AS seen_at, known(host) AS tenant, if(lower(type) = 'sms', 'sms', 'call') AS factor,
  CASE lower(context) WHEN 'authentication' THEN 'login' WHEN 'enrollment' THEN 'enrolment' END AS intent, if(intent IS NULL, 'other', 'prompt') AS kind,
  if(intent IS NULL, NULL, 'sent') AS outcome, 'explicit' AS certainty, concat_ws(' ', 'telephony', type, context) AS code,
  known(txid) AS prompt_key, prompt_key AS request_id, {_PHONE.format("phone")} AS answer_device
FROM raw WHERE {_TEL_AT} IS NOT NULL
"""

_ADMIN_SQL = rf"""
WITH bare AS (
  SELECT raw.*, {_AT} AS happened, {_fact("description", "status")} AS status, {_fact("description", "_status")} AS group_status,
    {_fact("description", "email")} AS mail, {_fact("description", "error")} AS error, {_fact("description", "ip_address")} AS address,
    {_fact("description", "factor")} AS way, coalesce({_fact("description", "number")}, {_fact("description", "device")}) AS number,
    action IN ('admin_login', 'admin_login_error', 'admin_2fa_error', 'admin_lockout') AS is_console, starts_with(action, 'o2fa_') AS is_offline
  FROM raw WHERE {_AT} IS NOT NULL
), typed AS (
  SELECT bare.*, factors.named, actions.uses AS plain_factor, CASE
      WHEN action IN ('user_update', 'user_create') AND status = 'Bypass' THEN ('factor', 'bypassed')
      WHEN action = 'user_update' AND status IN ('Disabled', 'Locked Out', 'Locked out') THEN ('lockout', 'locked')
      WHEN action = 'user_update' AND contains(description, '"phones"')
        THEN ('factor', if(regexp_matches(description, '"phones"\s*:\s*("\s*"|null|\[\s*\])'), 'removed', 'changed'))
      WHEN action IN ('policy_create', 'policy_update') AND regexp_matches(description, {_WEAKER}) THEN ('policy', 'weakened')
      WHEN action = 'admin_2fa_error' THEN ('answer', CASE WHEN error ILIKE '%fraud%' THEN 'reported' WHEN error ILIKE '%denied%' THEN 'denied'
        WHEN error ILIKE '%timed out%' OR error ILIKE '%no response%' THEN 'unanswered' WHEN error ILIKE '%passcode%' THEN 'wrong_code' ELSE 'failed' END)
      WHEN actions.does IS NOT NULL THEN (actions.does, actions.ends) ELSE ('other', NULL) END AS meaning,
    unnest(CASE WHEN action = 'admin_login' AND factors.named IS NOT NULL THEN [0, 1] ELSE [0] END) AS step
  FROM bare LEFT JOIN {_ACTION_TABLE} ON actions.name = bare.action LEFT JOIN {_FACTOR_TABLE} ON factors.name = replace(lower(bare.way), ' ', '_')
)
SELECT source, step, happened AS occurred_at, utc(TimeGenerated) AS seen_at, known(host) AS tenant,
  md5(concat_ws('|', epoch_us(happened), username, action, object, replace(description, ' ', ''))) || if(step = 1, '|factor', '') AS event_id,
  if(step = 1, 'answer', meaning[1]) AS kind, if(step = 1, 'approved', meaning[2]) AS outcome,
  CASE WHEN meaning[1] = 'answer' OR step = 1 THEN coalesce(named, 'unknown') WHEN meaning[2] = 'bypassed' THEN 'bypass'
    ELSE plain_factor END AS factor,
  if(meaning[2] = 'failed', 'ambiguous', 'explicit') AS certainty, concat_ws(' ', 'administrator', action, status, group_status) AS code, error AS detail,
  CASE WHEN action = 'admin_lockout' THEN coalesce(mail, known(object), known(username)) WHEN is_console THEN coalesce(known(username), mail)
    WHEN meaning[1] = 'policy' OR is_offline THEN known(username) WHEN starts_with(action, 'admin_') THEN coalesce(known(object), known(username))
    WHEN starts_with(action, 'user_') OR (meaning[1] <> 'other' AND NOT regexp_matches(action, '^(phone_|hardtoken_|regen_)')) THEN known(object) END AS login,
  if(is_console, mail, NULL) AS email, if(starts_with(action, 'bypass_'), {_fact("description", "user_id")}, NULL) AS user_id,
  if(meaning[1] IN ('factor', 'lockout', 'recovery') AND NOT is_console AND NOT is_offline, known(username), NULL) AS actor,
  if(is_console, 'Duo Admin Panel', if(is_offline, known(object), NULL)) AS app, bare_ip(address) AS ip,
  if(meaning[1] = 'answer' OR step = 1, 'login', NULL) AS intent,
  CASE WHEN starts_with(action, 'phone_') THEN {_PHONE.format("coalesce(number, object)")} WHEN is_console THEN {_PHONE.format("number")} END AS answer_device
FROM typed
"""

# An action may be a name or an object with a name, an address the text or an object.
_ACTIVITY_SQL = f"""
WITH bare AS (
  SELECT * REPLACE (if(starts_with(action, '{{'), try(action->>'$.name'), action) AS action), access_device.ip AS ip, access_device.location AS place,
    actor.type = 'user' AS is_own, target.type IN ('user', 'user_bypass') AS is_target, upper(outcome.result) IN ('FAILURE', 'FAILED') AS has_failed
  FROM raw WHERE utc(ts) IS NOT NULL
), typed AS (
  SELECT bare.*, coalesce(does, 'other') AS kind, ends, uses, does = 'policy' OR starts_with(action, 'admin_') AS is_console
  FROM bare LEFT JOIN {_ACTION_TABLE} ON actions.name = bare.action
)
SELECT source, 0 AS step, utc(ts) AS occurred_at, utc(TimeGenerated) AS seen_at, known(host) AS tenant, kind,
  coalesce(known(activity_id), md5(concat_ws('|', ts, action, actor.key, target.key))) AS event_id,
  CASE WHEN kind = 'answer' THEN 'failed' WHEN has_failed AND kind <> 'other' THEN 'failure'
    WHEN action IN ('policy_create', 'policy_update') AND regexp_matches(target.details, {_WEAKER}) THEN 'weakened' ELSE ends END AS outcome,
  if(kind = 'answer', 'unknown', uses) AS factor, if(kind = 'answer', 'ambiguous', 'explicit') AS certainty, if(kind = 'answer', 'login', NULL) AS intent,
  concat_ws(' ', 'activity', action, outcome.result) AS code,
  CASE WHEN is_console THEN known(actor.name) WHEN is_target THEN known(target.name) ELSE if(is_own, known(actor.name), NULL) END AS login,
  CASE WHEN is_console THEN known(actor.key) WHEN is_target THEN known(target.key) ELSE if(is_own, known(actor.key), NULL) END AS user_id,
  if(NOT is_own AND NOT is_console AND kind IN ('factor', 'lockout', 'recovery'), known(actor.name), NULL) AS actor,
  if(is_console, {_fact("actor.details", "email")}, NULL) AS email, coalesce(known(application.name), if(is_console, 'Duo Admin Panel', NULL)) AS app,
  {_requester("if(starts_with(ip, '{'), try(ip->>'$.address'), ip)", "place", "access_device")}, known(access_device.epkey) AS device,
  if(kind = 'factor' AND NOT is_target, known(target.key), NULL) AS answer_device
FROM typed
"""

_SURFACED_AT = "coalesce(epoch_utc(try_cast(surfaced_timestamp AS DOUBLE) / 1000), utc(surfaced_timestamp))"
_TRUST_SQL = rf"""
SELECT source, 0 AS step, coalesce(known(sekey), md5(concat_ws('|', surfaced_timestamp, type, surfaced_auth.txid, enabled_for.key))) AS event_id,
  coalesce(if(type = 'bypass_status', epoch_utc(try_cast(bypass_status_enabled AS DOUBLE) / 1000), NULL), {_SURFACED_AT}) AS occurred_at,
  coalesce(utc(TimeGenerated), if(type = 'bypass_status', {_SURFACED_AT}, NULL)) AS seen_at, known(host) AS tenant,
  if(type = 'bypass_status', 'factor', 'risk') AS kind, if(type = 'bypass_status', 'bypassed', 'success') AS outcome,
  if(type = 'bypass_status', 'bypass', NULL) AS factor, 'explicit' AS certainty, concat_ws(' ', 'trust_monitor', type) AS code,
  nullif(array_to_string(regexp_extract_all(explanations, '"type"\s*:\s*"([^"]*)"', 1), ' '), '') AS detail,
  if(type = 'bypass_status', known(enabled_for.name), known(surfaced_auth.user.name)) AS login,
  if(type = 'bypass_status', known(enabled_for.key), known(surfaced_auth.user.key)) AS user_id, known(surfaced_auth.email) AS email,
  if(type = 'bypass_status', known(enabled_by.name), NULL) AS actor, known(surfaced_auth.txid) AS prompt_key,
  known(surfaced_auth.application.name) AS app, {_requester("side.ip", "side.location", "side")}, known(side.epkey) AS device,
  CASE WHEN type = 'bypass_status' THEN NULL WHEN tristate(priority_event) THEN 'high' WHEN tristate(low_risk_ip) THEN 'low' ELSE 'medium' END AS risk
FROM (SELECT raw.*, surfaced_auth.access_device AS side FROM raw) WHERE {_SURFACED_AT} IS NOT NULL
"""


_SURE = {
    "authentication": "lower(result) IN ('success', 'denied', 'failure', 'fraud', 'error')", "activity": "activity_id IS NOT NULL AND action IS NOT NULL",
    "elastic": "cisco_duo.auth.result IS NOT NULL", "telephony": "phone IS NOT NULL AND context IS NOT NULL",
    "administrator": "username IS NOT NULL AND action IS NOT NULL",
}  # fmt: skip


def _marks_attempt(record: Record) -> bool:
    has_ended = str(record.get("result")).lower() in ("success", "denied", "failure", "fraud", "error")
    return has_ended and "factor" in record and ("user" in record or {"username", "integration"} <= record.keys())


def _marks_elastic(record: Record) -> bool:
    attempt = (record.get("cisco_duo") or {}).get("auth") or {}
    return "result" in attempt and "factor" in attempt and "@timestamp" in record


def _marks_administrator(record: Record) -> bool:
    is_dated = "isotimestamp" in record or {"timestamp", "object", "description"} <= record.keys()
    return is_dated and "username" in record and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", str(record.get("action"))) is not None


def _shape(name: str, structure: Structure, happened: LiteralString, events: LiteralString, marks: Callable[[Record], bool], **aliases: Path) -> Shape:
    return Shape(name, structure, f"{happened} IS NOT NULL", events, marks, "a readable time", aliases, whole=_SURE.get(name, "true"))


SHAPES = (
    _shape("authentication", _AUTHENTICATION, _AT, _ATTEMPT_SQL, _marks_attempt),
    _shape("elastic", _ELASTIC, """utc("@timestamp")""", _ELASTIC_SQL, _marks_elastic),
    _shape(
        "telephony", _TELEPHONY, _TEL_AT, _TELEPHONY_SQL,
        lambda row: bool(row.get("phone") and row.get("context")) and str(row.get("type")).lower() in ("sms", "phone"),
    ),
    _shape("administrator", _ADMINISTRATOR, _AT, _ADMIN_SQL, _marks_administrator),
    _shape(
        "activity", _ACTIVITY, "utc(ts)", _ACTIVITY_SQL, lambda row: bool(row.get("activity_id") and row.get("action")) and "actor" in row and "ts" in row,
        actionname=("action",), accessdeviceipaddress=("access_device", "ip"),
    ),
    _shape(
        "trust_monitor", _TRUST_MONITOR, _SURFACED_AT, _TRUST_SQL,
        lambda row: bool(row.get("sekey")) and "surfaced_timestamp" in row and row.get("type") in ("auth", "bypass_status", "device_registration"),
    ),
)  # fmt: skip

PATIENCE = {
    **_all("push number_push", Patience(60, "a push can be answered for 60 seconds: seen in a push's own expiry time, unverified in Duo's documentation")),
    "call": Patience(60, "a call rings and waits for a key for about a minute: unverified"),
    "sms": Patience(600, "codes stay valid until used unless the customer sets a life; ten minutes is a guess, unverified"),
}

SIGHT = {
    "explicit_prompt": Sight(False, "a row is written when an attempt ends, so a prompt is known only by its answer; only SMS and calls have a telephony row"),
    "explicit_deny": Sight(True, "a tap on Deny is a row of its own reason, user_mistake"),
    "explicit_timeout": Sight(True, "an ignored push or call is a row of its own reason"),
    "explicit_report": Sight(True, "a request marked as fraud is a row of its own result"),
    "answerer_place": Sight(True, "the phone's address and place are in the row beside the requester's, except for calls and codes"),
    "number_match": Sight(True, "a verified push has its own factor name; how a wrong number is worded is unverified, so one may show as failed"),
    "vendor_risk": Sight(True, "trust assessments are in the row with risk-based authentication; Trust Monitor is a log of its own"),
    "factor_changes": Sight(True, "enrolments are in the authentication log; other changes only in the administrator or activity log, which must be read too"),
}
