"""privacyIDEA: the authentication log (3.14 and later) and the classic audit log.

Source: privacyIDEA's documentation and source (authentication log, push token, audit modules) and the rows of a recorded 3.14 server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from unbidden.engine import Structure
from unbidden.providers import Event, Patience, Record, Shape, Sight

TITLE = "privacyIDEA"

_Value = TypeVar("_Value")


def _all(names: str, value: _Value) -> dict[str, _Value]:
    """Each of the names with the same value."""
    return dict.fromkeys(names.split(), value)


_LOG: Structure = _all(
    "id timestamp event_type username uid realm resolver source_ip client_label client_label_source endpoint serial transaction_id attempt_id reasons",
    "VARCHAR",
)  # fmt: skip
_AUDIT: Structure = _all(
    "number date timestamp startdate action success authentication serial token_type user realm administrator action_detail info privacyidea_server client"
    " user_agent user_agent_version", "VARCHAR",
)  # fmt: skip
# The order of a CSV file of `GET /audit/<file>.csv`, which has no header: that of `audit_entry_to_dict` in sqlaudit.py, seen alike on a 3.14 server.
_COLUMNS = tuple(_all(
    "number date sig_check missing_line action authentication success serial token_type container_serial container_type user realm resolver administrator"
    " action_detail info privacyidea_server policies client user_agent user_agent_version log_level clearance_level startdate duration thread_id", None,
))  # fmt: skip

# Before there were `authentication`, user agents and containers, and in eduMFA, which split off then (its server's name is in the same place); and
# before there were containers (that order is unverified).
_COLUMNS_22 = tuple(column for column in _COLUMNS if not column.startswith(("authentication", "container", "user_agent")))
_COLUMNS_25 = tuple(column for column in _COLUMNS if not column.startswith("container"))

# What an event type means: kind, outcome. The details of a failed answer are in its reasons.
_TYPES: dict[str, tuple[str, str | None]] = {
    "CHALLENGE_TRIGGERED": ("prompt", "sent"), "CHALLENGE_TRIGGER_FAIL": ("prompt", "failed"),
    "CHALLENGE_ANSWERED_OUT_OF_BAND": ("answer", "approved"), "CHALLENGE_CONTINUED": ("answer", "approved"), "CHALLENGE_DECLINED": ("answer", "denied"),
    "CHALLENGE_DECLINED_UNKNOWN_TRIGGER": ("answer", "reported"), "CHALLENGE_CANCELLED": ("answer", "cancelled"),
    **_all("CHALLENGE_ANSWERED_FAIL MFA_FAIL TOKEN_ONLY_FAIL", ("answer", None)), **_all("PIN_FAIL PASSWORD_FAIL USER_UNKNOWN", ("password", "failure")),
    "LOGIN_SUCCESS": ("session", "success"),
    **_all("NO_TOKEN NO_USABLE_TOKEN INVALID_TOKEN_TYPE NOT_AUTHORIZED UNKNOWN_FAIL_REASON", ("session", "failure")),
    "USER_LOCKED": ("lockout", "locked"), **_all("IP_BLOCKED ACCESS_DENIED", ("lockout", "limited")), "DEVICE_TOKEN_REUSED": ("risk", "success"),
}  # fmt: skip

# `token_type` in our words, and the beginnings of serial numbers: each token class's own prefix.
_TOKENS = {
    "push": "push", "sms": "sms", "email": "email", **_all("totp hotp daypassword", "totp"), **_all("webauthn passkey u2f", "passkey"),
    **_all("yubikey yubico vasco ocra tan", "token"),
}  # fmt: skip
_PREFIXES = {
    "PIPU": "push", "PISM": "sms", "PIEM": "email", **_all("TOTP OATH", "totp"), **_all("WAN PIPK U2F", "passkey"), **_all("UB VASC OCRA PITN", "token"),
}  # fmt: skip

# What the word after /token/ means for the token. `reset` is the failure counter's.
_TOKEN_ACTIONS = {
    **_all("init assign", "added"), **_all("unassign disable revoke lost", "removed"), **_all("enable reset set setpin setrandompin", "changed"),
}  # fmt: skip


def _table(entries: Iterable[tuple[str | None, ...]]) -> str:
    return ", ".join("(" + ", ".join("NULL" if cell is None else f"'{cell}'" for cell in entry) + ")" for entry in entries)


# A challenge of several tokens names them all, separated by commas; a push among them is what disturbs.
_BY_SERIAL = " ".join(f"WHEN contains(',' || serial, ',{prefix}') THEN '{factor}'" for prefix, factor in _PREFIXES.items())
_CODED = "('sms', 'email', 'totp', 'token')"

# A challenge that was triggered with a PIN or password proves it (step 1); a sign-in that a code or key completed proves the answer (step 1).
# The end of a push is told twice, by the phone (/ttype) and by the client that asks how it went: the addresses are of two sides.
# Who asks is mostly a plug-in on a server, the same for everybody: an application. Only a browser's label is the person's own.
# A failed answer that names no challenge, or one that the server does not hold, is a replay or a late one and ends none; a wrong code without a
# challenge was typed, whatever the token: nobody was asked.
_LOG_SQL = f"""
WITH bare AS (
  SELECT raw.*, utc(timestamp) AS happened, known(transaction_id) AS challenge, starts_with(endpoint, '/ttype/') AS is_phone,
    CASE WHEN starts_with(endpoint, '/ttype/push') THEN 'push' {_BY_SERIAL} ELSE 'unknown' END AS named, types.kind AS plain, types.outcome AS ends,
    contains(reasons, 'WRONG_OTP') OR contains(reasons, 'CHALLENGE_WRONG_RESPONSE') OR event_type = 'TOKEN_ONLY_FAIL' AS is_wrong,
    coalesce(starts_with(client_label, 'Mozilla/') AND client_label_source IS DISTINCT FROM 'client_id', false) AS is_browser
  FROM raw LEFT JOIN (VALUES {_table((name, *meaning) for name, meaning in _TYPES.items())}) types(name, kind, outcome) ON types.name = raw.event_type
  WHERE utc(timestamp) IS NOT NULL AND event_type IS NOT NULL
), typed AS (
  SELECT *, if(plain = 'answer' AND challenge IS NULL AND named IN ('push', 'unknown'), 'totp', named) AS factor_,
    CASE WHEN event_type = 'CHALLENGE_ANSWERED_FAIL' AND (challenge IS NULL OR contains(reasons, 'CHALLENGE_UNKNOWN_TRANSACTION')) THEN ('other', NULL)
      WHEN contains(reasons, 'TOKEN_FAILCOUNT_EXCEEDED') AND plain = 'session' THEN ('lockout', 'locked')
      WHEN contains(reasons, 'AUTH_MAX_FAIL') AND plain = 'session' THEN ('lockout', 'limited')
      WHEN plain = 'answer' AND ends IS NULL THEN ('answer', CASE WHEN contains(reasons, 'CHALLENGE_EXPIRED') THEN 'unanswered'
        WHEN is_wrong AND (named IN {_CODED} OR challenge IS NULL) THEN 'wrong_code' ELSE 'failed' END)
      ELSE (coalesce(plain, 'other'), ends) END AS meaning,
    CASE WHEN event_type = 'CHALLENGE_TRIGGERED' AND endpoint <> '/validate/triggerchallenge' THEN 'password'
      WHEN event_type = 'MFA_FAIL' AND is_wrong THEN 'password'
      WHEN event_type = 'LOGIN_SUCCESS' AND named NOT IN ('push', 'unknown') THEN 'answer' END AS proved
  FROM bare
), stepped AS (
  SELECT *, unnest(if(proved IS NULL, [0], [0, 1])) AS step FROM typed
)
SELECT source, step, happened AS occurred_at, known(realm) AS tenant, if(step = 1, proved, meaning[1]) AS kind,
  coalesce(id || '|log|' || epoch_us(happened), md5(concat_ws('|', timestamp, event_type, username, transaction_id, endpoint))) ||
    if(step = 1, '|' || proved, '') AS event_id,
  CASE WHEN step = 0 THEN meaning[2] WHEN proved = 'password' THEN 'success' ELSE 'approved' END AS outcome,
  if(kind IN ('prompt', 'answer'), factor_, if(kind = 'password' AND event_type <> 'USER_UNKNOWN', 'password', NULL)) AS factor,
  CASE WHEN step = 1 THEN 'inferred' WHEN meaning = ('answer', 'failed') THEN 'ambiguous' ELSE 'explicit' END AS certainty,
  known(username) AS login, if(known(uid) IS NULL, NULL, concat_ws('/', known(resolver), known(uid))) AS user_id,
  concat_ws(' ', endpoint, event_type) AS code, nullif(trim(regexp_replace(reasons, '[^A-Z_]+', ' ', 'g')), '') AS detail,
  if(event_type = 'CHALLENGE_CONTINUED', NULL, challenge) AS prompt_key, if(kind = 'answer', prompt_key, NULL) AS request_id, known(attempt_id) AS flow_id,
  if(kind IN ('prompt', 'answer'), 'login', NULL) AS intent,
  if(is_phone, NULL, bare_ip(source_ip)) AS ip, if(is_phone, bare_ip(source_ip), NULL) AS answer_ip,
  if(is_phone OR NOT is_browser, NULL, known(client_label)) AS agent,
  if(is_phone OR is_browser, NULL, if(client_label_source = 'client_id', known(client_label), split_part(known(client_label), '/', 1))) AS app,
  known(serial) AS answer_device, if(kind = 'answer', factor_ = 'passkey', NULL) AS is_resistant, if(kind = 'risk', 'high', NULL) AS risk
FROM stepped
"""

# What a row without `authentication` says when it asked: the default texts, which a policy may replace.
_ASKING = r"'(?i)^please confirm|^(please )?enter (the )?otp'"
_AUDIT_AT = "coalesce(utc(date), utc(timestamp))"
# `success` = 1 says that a request was valid, not that anybody signed in. Only an answer whose detail names its status is one: an empty detail may be
# an enrolment, a wrong number or, before 3.14, anything. The client's row of a refused push repeats the phone's. The row of a send does not name its
# transaction: a challenge has no id here, an answer's transaction (else its row) is its flow, and they are joined by person and time. The authentication
# log of the same server names the transaction as the request of its answers: so the two logs' accounts of one challenge find each other.
# A request that waited for the phone (push_wait) has the words of a wrong code, DECLINED, or those of a code that was right, and was asked when it began.
# Of a browser this log keeps the first word only, which is the same for all.
_AUDIT_SQL = rf"""
WITH bare AS (
  SELECT raw.*, {_AUDIT_AT} AS happened, contains(action, ' /ttype/') AS is_phone, known(administrator) AS admin,
    coalesce(number || '|audit|' || epoch_us({_AUDIT_AT}),
      md5(concat_ws('|', epoch_us({_AUDIT_AT}), action, client, serial, user, action_detail, info))) AS name,
    nullif(regexp_extract(action_detail, 'transaction_id: ?(\d+)', 1), '') AS flow, regexp_extract(action_detail, 'status: ?(\w+)', 1) AS status,
    regexp_extract(action, '^(POST|PUT) /token/([a-z]+)', 2) AS verb, coalesce(tokens.named, CASE {_BY_SERIAL} END, 'unknown') AS named,
    regexp_full_match(action, '(POST|GET) /(validate/(check|radiuscheck|samlcheck)|auth)') AS is_check,
    contains(action, '/validate/triggerchallenge') AS is_trigger, known(authentication) IS NULL AS is_old, coalesce(user_agent = 'Mozilla', false) AS is_browser
  FROM raw LEFT JOIN (VALUES {_table(_TOKENS.items())}) tokens(name, named) ON tokens.name = lower(raw.token_type)
  WHERE {_AUDIT_AT} IS NOT NULL AND action IS NOT NULL
), typed AS (
  SELECT *, CASE
      WHEN (starts_with(action, 'POST /ttype/') AND status IN ('accept', 'declined', 'cancelled')) OR authentication = 'DECLINED' THEN ('answer',
        CASE WHEN contains(action_detail, 'unknown_trigger') THEN 'reported' WHEN status = 'cancelled' THEN 'cancelled' WHEN status = 'accept' THEN 'approved'
          ELSE 'denied' END)
      WHEN (is_check OR is_trigger) AND authentication = 'CHALLENGE' THEN ('prompt', 'sent')
      WHEN is_old AND ((is_trigger AND tristate(success)) OR (is_check AND regexp_matches(info, {_ASKING}))) THEN ('prompt', 'sent')
      WHEN is_check AND (authentication = 'ACCEPT' OR (is_old AND tristate(success))) THEN ('session', 'success')
      WHEN is_check AND status <> '' THEN ('session', 'failure')
      WHEN is_check AND info ILIKE '%failcounter exceeded%' THEN ('lockout', 'locked')
      WHEN is_check AND (info LIKE 'wrong otp pin%' OR info LIKE 'ERR904%' OR info ILIKE '%wrong credentials%') THEN ('password', 'failure')
      WHEN is_check AND (info LIKE 'wrong otp value%' OR info LIKE '%did not match the challenge%')
        THEN ('answer', if(named IN {_CODED}, 'wrong_code', 'failed'))
      WHEN is_check THEN (if(action = 'POST /auth', 'password', 'session'), 'failure')
      WHEN actions.outcome IS NOT NULL THEN ('factor', if(tristate(success), actions.outcome, 'failure'))
      WHEN regexp_full_match(action, 'DELETE /token/(<serial>|[A-Z0-9]+)') THEN ('factor', if(tristate(success), 'removed', 'failure'))
      WHEN regexp_matches(action, '^(POST|PUT|PATCH|DELETE) /(policy|system|conditionalaccess/polic)')
        THEN ('policy', if(tristate(success), 'changed', 'failure'))
      WHEN starts_with(action, 'POST /conditionalaccess/lock/user') THEN ('lockout', 'locked')
      WHEN starts_with(action, 'POST /recover') THEN ('recovery', if(tristate(success), 'success', 'failure'))
      ELSE ('other', NULL) END AS meaning
  FROM bare LEFT JOIN (VALUES {_table(_TOKEN_ACTIONS.items())}) actions(name, outcome) ON actions.name = bare.verb
), proved AS (
  SELECT *, CASE WHEN meaning[1] = 'prompt' AND is_check THEN 'password'
      WHEN meaning = ('session', 'success') AND named <> 'unknown' THEN 'answer' END AS proved
  FROM typed
), stepped AS (
  SELECT *, unnest(if(proved IS NULL, [0], [0, 1])) AS step FROM proved
)
SELECT source, step, happened AS occurred_at, known(realm) AS tenant, if(step = 1, proved, meaning[1]) AS kind,
  name || if(step = 1, '|' || proved, '') AS event_id, if(kind = 'other', NULL, coalesce(flow, name)) AS request_id,
  if(kind = 'answer' AND is_check AND named = 'push' AND (info LIKE 'wrong otp value%' OR info LIKE 'matching 1 token%' OR authentication = 'DECLINED'),
    utc(startdate), NULL) AS asked_at,
  CASE WHEN step = 0 THEN meaning[2] WHEN proved = 'password' THEN 'success' ELSE 'approved' END AS outcome,
  CASE WHEN kind IN ('prompt', 'answer') THEN named WHEN kind = 'password' AND info LIKE 'ERR904%' THEN NULL WHEN kind = 'password' THEN 'password'
    WHEN kind = 'factor' THEN nullif(named, 'unknown') END AS factor,
  CASE WHEN step = 1 OR (kind = 'prompt' AND is_old) THEN 'inferred' WHEN meaning = ('answer', 'failed') THEN 'ambiguous' ELSE 'explicit' END AS certainty,
  if(kind = 'policy', admin, coalesce(known(user), if(action = 'POST /auth', admin, NULL))) AS login, if(kind IN ('factor', 'lockout'), admin, NULL) AS actor,
  concat_ws(' ', action, known(authentication), nullif(status, '')) AS code, known(info) AS detail,
  if(kind = 'answer', coalesce(flow, name), flow) AS flow_id,
  if(kind IN ('prompt', 'answer'), 'login', NULL) AS intent, if(is_phone, NULL, bare_ip(client)) AS ip, if(is_phone, bare_ip(client), NULL) AS answer_ip,
  if(is_phone OR NOT is_browser, NULL, nullif(concat_ws('/', user_agent, known(user_agent_version)), 'Mozilla/5.0')) AS agent,
  if(is_phone OR is_browser, NULL, known(user_agent)) AS app, known(serial) AS answer_device,
  if(kind = 'prompt' AND named = 'push' AND contains(info, 'Please press'), true, NULL) AS has_number,
  if(kind = 'answer', named = 'passkey', NULL) AS is_resistant
FROM stepped
"""


def _marks_log(record: Record) -> bool:
    return "attempt_id" in record and "endpoint" in record and re.fullmatch(r"[A-Z][A-Z_]+", str(record.get("event_type"))) is not None


def _marks_audit(record: Record) -> bool:
    is_request = re.match(r"(GET|POST|PUT|PATCH|DELETE) /", str(record.get("action"))) is not None
    return is_request and "success" in record and ("privacyidea_server" in record or "action_detail" in record)


SHAPES = (
    Shape(
        "authentication_log", _LOG, "utc(timestamp) IS NOT NULL AND event_type IS NOT NULL", _LOG_SQL, _marks_log, "an event type and a readable time",
    ),
    *(
        Shape(
            f"audit_{len(columns)}", _AUDIT, f"{_AUDIT_AT} IS NOT NULL AND action IS NOT NULL", _AUDIT_SQL, _marks_audit, "an action and a readable date",
            {"id": ("number",)}, columns,
        ) for columns in (_COLUMNS, _COLUMNS_25, _COLUMNS_22)
    ),
)  # fmt: skip

_LIFE = "DefaultChallengeValidityTime, 120 seconds unless PushChallengeValidityTime or a policy says otherwise: privacyIDEA documentation, push token"
PATIENCE = _all("push number_push sms email", Patience(120, _LIFE))

SIGHT = {
    "explicit_prompt": Sight(
        True,
        "every challenge has a row, or one in each of a server's two logs, counted once; the audit log's times are the server's own, read as UTC",
    ),
    "explicit_deny": Sight(True, "a refusal has a row from 3.14 on; before that the audit log writes it like an ignored push"),
    "explicit_timeout": Sight(False, "an ignored push has a row only if the client asks again; mostly nothing came is all that is known"),
    "explicit_report": Sight(True, "'it was not me' is a kind of refusal of its own from 3.14 on, with an app that sends the reason"),
    "answerer_place": Sight(True, "the phone's own row has its address, but no place"),
    "number_match": Sight(False, "a wrong number is a failed answer without a reason"),
    "vendor_risk": Sight(False, "there is no verdict, but for a replayed cookie of a remembered device"),
    "factor_changes": Sight(True, "only the audit log has them; the authentication log does not"),
}

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE = (
    *(("prompt", factor, "sent") for factor in ("push", "sms", "email")),
    *(("answer", "push", outcome) for outcome in ("approved", "denied", "reported", "cancelled", "unanswered", "failed")),
    *(("answer", factor, outcome) for factor in ("sms", "email", "totp") for outcome in ("approved", "wrong_code")), ("answer", "sms", "unanswered"),
    ("password", "password", "failure"), ("session", None, "success"), ("session", None, "failure"), ("lockout", None, "locked"), ("lockout", None, "limited"),
    *(("factor", "push", outcome) for outcome in ("added", "changed", "removed")), ("policy", None, "changed"),
)  # fmt: skip
_BASE = frozenset({"occurred_at", "tenant", "login", "kind", "factor", "outcome"})
_CHALLENGE = frozenset({"prompt_key", "flow_id", "intent"})
_SERIALS = {"push": "PIPU", "sms": "PISM", "email": "PIEM", "totp": "TOTP"}
_BY_PHONE = ("approved", "denied", "reported", "cancelled", "failed")


def _is_phone(event: Event) -> bool:
    return bool(event["kind"] == "answer" and event.get("factor") == "push" and event["outcome"] in _BY_PHONE and event.get("answer_ip"))


def carries(event: Event) -> frozenset[str]:
    """The columns of a row of the authentication log, else (factors, rules) of the audit log."""
    kind, device = event["kind"], str(event.get("answer_device") or "")
    named = frozenset({"answer_device"}) if device.startswith(_SERIALS.get(event.get("factor") or "", "?")) else frozenset[str]()
    if kind == "policy":
        return _BASE | {"ip", "agent"}
    if kind == "factor":
        return _BASE | {"ip", "agent", "actor"} | named
    side = frozenset({"answer_ip"}) if _is_phone(event) else frozenset({"ip", "agent"})
    return _BASE | side | (_CHALLENGE | named if kind in ("prompt", "answer") else {"flow_id"})


_TYPE_OF = {
    ("prompt", "sent"): "CHALLENGE_TRIGGERED", ("answer", "approved"): "LOGIN_SUCCESS", ("answer", "denied"): "CHALLENGE_DECLINED",
    ("answer", "reported"): "CHALLENGE_DECLINED_UNKNOWN_TRIGGER", ("answer", "cancelled"): "CHALLENGE_CANCELLED", ("password", "failure"): "PIN_FAIL",
    ("session", "success"): "LOGIN_SUCCESS", ("session", "failure"): "NO_USABLE_TOKEN", ("lockout", "locked"): "USER_LOCKED",
    ("lockout", "limited"): "IP_BLOCKED",
}  # fmt: skip
_REASON_OF = {
    **_all("denied reported cancelled", "CHALLENGE_DECLINED_ON_DEVICE"), "unanswered": "CHALLENGE_EXPIRED", "wrong_code": "CHALLENGE_WRONG_RESPONSE",
}  # fmt: skip
_ACTION_OF = {"added": "POST /token/init", "changed": "POST /token/enable/<serial>", "removed": "DELETE /token/<serial>"}


def render(event: Event) -> list[dict[str, Any]]:
    """One row of the authentication log, or of the audit log for changes of factors and rules; `event_id` becomes its id or number."""
    return [_audited(event) if event["kind"] in ("factor", "policy") else _logged(event)]


def _logged(event: Event) -> dict[str, Any]:
    kind, outcome, is_phone = event["kind"], event["outcome"], _is_phone(event)
    reason, address = _REASON_OF.get(outcome), event.get("answer_ip") if is_phone else event.get("ip")
    name = _TYPE_OF.get((kind, outcome), "CHALLENGE_ANSWERED_FAIL")
    if name == "LOGIN_SUCCESS" and kind == "answer" and event["factor"] == "push":
        name = "CHALLENGE_ANSWERED_OUT_OF_BAND"
    return {
        "attempt_id": event.get("flow_id"), "client_label": "privacyIDEA-App/4.6 Android/14" if is_phone else event.get("agent"),
        "client_label_source": "user_agent", "conditional_access_outcomes": [], "endpoint": "/ttype/push" if is_phone else "/validate/check",
        "event_type": name, "id": event["event_id"],
        "ip_chain": [{"ip": "192.0.2.10", "source": "REMOTE_ADDR"}, {"effective": True, "ip": address, "source": "CLIENT_PARAM"}],
        "other_info": {"reason_detail": {"reasons": {_serial(event): reason}}} if reason else None, "peer_ip": "192.0.2.10", "realm": event.get("tenant"),
        "reasons": [reason] if reason else [], "resolver": "users", "serial": _serial(event), "source_ip": address, "source_ip_source": "CLIENT_PARAM",
        "timestamp": _iso(event["occurred_at"]) + "+00:00", "transaction_id": event.get("prompt_key"), "user_role": "user", "username": event.get("login"),
        "uid": event.get("user_id") or event.get("login"),
    }  # fmt: skip


def _audited(event: Event) -> dict[str, Any]:
    is_policy, at = event["kind"] == "policy", _iso(event["occurred_at"])
    agent, _, version = (event.get("agent") or "").partition("/")
    return {
        "number": event["event_id"], "date": at, "sig_check": "OK", "missing_line": "OK", "authentication": "", "success": 1,
        "action": "POST /policy/<name>" if is_policy else _ACTION_OF[event["outcome"]], "serial": "" if is_policy else _serial(event) or "",
        "token_type": event.get("factor") or "", "container_serial": "", "container_type": "", "user": "" if is_policy else event.get("login"),
        "realm": event.get("tenant") or "", "resolver": "users", "administrator": event.get("login") if is_policy else event.get("actor") or "",
        "action_detail": "push_number" if is_policy else "", "info": "", "privacyidea_server": "mfa.example.com", "policies": "", "client": event.get("ip"),
        "user_agent": agent, "user_agent_version": version, "log_level": "default", "clearance_level": "default", "startdate": at, "duration": 0.2,
        "thread_id": "140176785401536",
    }  # fmt: skip


def _serial(event: Event) -> str | None:
    """The token's serial number, with the prefix of its class."""
    prefix, device = _SERIALS.get(event.get("factor") or ""), str(event.get("answer_device") or "")
    return device if prefix and device.startswith(prefix) else f"{prefix}000035B1" if prefix else None


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}"
