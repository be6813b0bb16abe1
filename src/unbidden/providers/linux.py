"""Linux: what sshd, sudo, su, login and PAM's modules (Duo, one-time codes, locks) write to syslog or to systemd's journal.

Source: RFC 3164 and RFC 5424, systemd's documentation (journal fields, export as JSON), and for the wording the projects that `unix.wording.yml` names.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any, TypeVar

from unbidden.engine import Structure
from unbidden.providers import Event, Patience, Record, Shape, Sight, said_sql, wording

TITLE = "Linux (syslog, journal)"

_Value = TypeVar("_Value")


def _all(names: str, value: _Value) -> dict[str, _Value]:
    """Each of the names with the same value."""
    return dict.fromkeys(names.split(), value)


# A line of a file of syslog (`header` is set), or a row of a table of such lines, as Sentinel's `Syslog`.
_SYSLOG: Structure = _all("header timestamp host process pid message SyslogMessage", "VARCHAR")
_JOURNAL: Structure = _all("__REALTIME_TIMESTAMP __CURSOR _HOSTNAME SYSLOG_IDENTIFIER _COMM _PID SYSLOG_PID _TRANSPORT MESSAGE", "VARCHAR")

# Programs whose lines are known when nothing else says that a row is one of syslog.
_PROGRAMS = ("sshd", "sudo", "su", "login", "systemd-logind", "pam_", "CRON", "gdm-", "polkitd")

_SYSLOG_AT = "utc(timestamp)"
_JOURNAL_AT = "epoch_utc(try_cast(__REALTIME_TIMESTAMP AS DOUBLE) / 1000000)"
_REPEATED = r"'message repeated ([0-9]{1,4}) times: \[ ?(.*?) ?\]$'"
_ADDRESS = r"'[0-9]{1,3}([.][0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%.*)?'"


# A line has no id of its own: one that two collectors kept, as text and in the journal, is one event, whatever fractions of a second each keeps. Only an
# id that is no cursor of the journal's own making is one. A message that rsyslog counted instead of repeating happened as often as it says.
# Of a program's name only the first word tells the service: sshd-session is a part of sshd, and a module stands in parentheses behind it.
def _events(*, at: str, host: str, program: str, pid: str, message: str, own_id: str) -> str:
    """The SELECT of a shape whose columns these are."""
    return rf"""
WITH line AS (
  SELECT source, {at} AS happened, known({host}) AS host, coalesce({program}, '') AS program, known({pid}) AS pid, rtrim(coalesce({message}, '')) AS message,
    {own_id} AS own_id, coalesce(nullif(regexp_extract({message}, {_REPEATED}, 2), ''), {message}, '') AS text,
    coalesce(try_cast(nullif(regexp_extract({message}, {_REPEATED}, 1), '') AS INTEGER), 1) AS copies
  FROM raw WHERE {at} IS NOT NULL
), told AS (
  SELECT *, {said_sql(wording("unix"), "text", "program")} AS said FROM line
), stepped AS (
  SELECT *, coalesce(own_id, md5(concat_ws('|', host, epoch_us(date_trunc('second', happened)), program, pid, message))) AS name,
    CAST(unnest(range(if(said IS NULL, 1, greatest(1, least(100, copies * coalesce(try_cast(said.times AS INTEGER), 1)))))) AS INTEGER) AS step
  FROM told
)
SELECT source, step, happened AS occurred_at, host AS tenant, name || if(step = 0, '', '|' || step) AS event_id, coalesce(said.kind, 'other') AS kind,
  said.factor AS factor, said.outcome AS outcome, coalesce(said.certainty, 'explicit') AS certainty, coalesce(said.login, said.actor) AS login,
  if(regexp_full_match(said.ip, {_ADDRESS}), bare_ip(said.ip), NULL) AS ip, if(said.kind = 'answer', 'login', NULL) AS intent,
  concat_ws(' ', nullif(program, ''), said.name) AS code, nullif(left(text, 300), '') AS detail,
  if(said IS NULL, NULL, nullif(regexp_extract(program, '^[A-Za-z_]+'), '')) AS app
FROM stepped
"""


def _marks_syslog(record: Record) -> bool:
    """A line that was recognised as syslog, a row of a table of such lines, or one with their parts whose program is a known one."""
    is_known = "header" in record or str(record.get("process")).startswith(_PROGRAMS)
    return "timestamp" in record and ("SyslogMessage" in record or (is_known and isinstance(record.get("message"), str)))


def _marks_journal(record: Record) -> bool:
    return "MESSAGE" in record and str(record.get("__REALTIME_TIMESTAMP")).isdigit()


SHAPES = (
    Shape(
        "syslog", _SYSLOG, f"{_SYSLOG_AT} IS NOT NULL",
        _events(at=_SYSLOG_AT, host="host", program="process", pid="pid", message="coalesce(message, SyslogMessage)", own_id="CAST(NULL AS VARCHAR)"),
        _marks_syslog, "a readable time",
        {"timegenerated": ("timestamp",), "eventtime": ("timestamp",), "hostname": ("host",), "computer": ("host",), "processname": ("process",),
         "processid": ("pid",)},
    ),
    Shape(
        "journal", _JOURNAL, f"{_JOURNAL_AT} IS NOT NULL",
        _events(
            at=_JOURNAL_AT, host="_HOSTNAME", program="coalesce(known(SYSLOG_IDENTIFIER), _COMM)", message="MESSAGE",
            pid="coalesce(known(SYSLOG_PID), if(_TRANSPORT = 'syslog', NULL, _PID))", own_id="if(starts_with(__CURSOR, 's='), NULL, known(__CURSOR))",
        ),
        _marks_journal, "a readable time", whole="MESSAGE IS NOT NULL AND NOT starts_with(MESSAGE, '{') AND __REALTIME_TIMESTAMP IS NOT NULL",
    ),
)  # fmt: skip

PATIENCE = {"push": Patience(60, "a push through Duo can be answered for about a minute, as with Duo elsewhere: unverified")}

SIGHT = {
    "explicit_prompt": Sight(False, "a challenge has a line when it ends; lines without a zone are read as UTC, those without a year by what else is dated"),
    "explicit_deny": Sight(False, "pam_duo writes a refusal like a wrong passcode, so it is failed; Duo's own log can tell"),
    "explicit_timeout": Sight(False, "only outside sshd, and only when Duo gives no answer at all; an ignored push is failed otherwise"),
    "explicit_report": Sight(False, "a push that was reported as fraud is failed here"),
    "answerer_place": Sight(False, "nothing is known of the phone"),
    "number_match": Sight(False, "a verified push reads like any other"),
    "vendor_risk": Sight(False, "there is no verdict"),
    "factor_changes": Sight(False, "who sets up a one-time code or a key writes a file, and no line"),
}

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE = (
    ("answer", "push", "approved"), ("answer", "push", "failed"), ("answer", "push", "unanswered"), ("answer", "totp", "approved"),
    ("answer", "totp", "wrong_code"), ("password", "password", "failure"), ("password", None, "success"), ("session", None, "success"),
    ("session", None, "failure"), ("session", "bypass", "success"), ("lockout", None, "locked"), ("lockout", None, "limited"),
)  # fmt: skip
# Program and message of an event: kind, factor, outcome.
_SENTENCES = {
    ("answer", "push", "approved"): ("sshd", "Successful Duo login for '{login}' from {ip}"),
    ("answer", "push", "failed"): ("sshd", "Failed Duo login for '{login}' from {ip}"),
    ("answer", "push", "unanswered"): ("sudo", "Failed Duo login for '{login}' from {ip}: Authentication timed out"),
    ("answer", "totp", "approved"): ("sshd(pam_google_authenticator)", "Accepted google_authenticator for {login}"),
    ("answer", "totp", "wrong_code"): ("sshd(pam_google_authenticator)", "Invalid verification code for {login}"),
    ("password", "password", "failure"): ("sshd", "Failed password for {login} from {ip} port 50022 ssh2"),
    ("password", None, "success"): ("sshd", "Partial publickey for {login} from {ip} port 50022 ssh2: ED25519 SHA256:0"),
    ("session", None, "success"): ("sshd", "Accepted keyboard-interactive/pam for {login} from {ip} port 50022 ssh2"),
    ("session", None, "failure"): ("sshd", "Connection closed by authenticating user {login} {ip} port 50022 [preauth]"),
    ("session", "bypass", "success"): ("sshd", "Skipped Duo login for '{login}' from {ip}: bypass"),
    ("lockout", None, "locked"): ("sshd", "pam_faillock(sshd:auth): Consecutive login failures for user {login} account temporarily locked"),
    ("lockout", None, "limited"): ("sshd", "error: maximum authentication attempts exceeded for {login} from {ip} port 50022 ssh2 [preauth]"),
}


def _sentence(event: Event) -> tuple[str, str]:
    return _SENTENCES[event["kind"], event.get("factor"), event["outcome"]]


def carries(event: Event) -> frozenset[str]:
    """The columns of a line; one-time codes and locks name no address."""
    return frozenset({"occurred_at", "tenant", "login", "kind", "factor", "outcome", "intent"} | ({"ip"} if "{ip}" in _sentence(event)[1] else set()))


def render(event: Event) -> list[dict[str, Any]]:
    """One row of the journal as `journalctl -o json` writes it; `event_id` becomes its cursor."""
    program, message = _sentence(event)
    at = event["occurred_at"].replace(tzinfo=UTC)
    return [{
        "__CURSOR": event["event_id"], "__REALTIME_TIMESTAMP": str(int(at.timestamp()) * 1_000_000 + at.microsecond), "__MONOTONIC_TIMESTAMP": "81000000",
        "_BOOT_ID": "5b2e6f6c0a0e4b1f8f6d1c1e7a0f4d11", "_TRANSPORT": "syslog", "PRIORITY": "6", "SYSLOG_FACILITY": "10", "SYSLOG_IDENTIFIER": program,
        "SYSLOG_PID": "4242", "_PID": "4242", "_UID": "0", "_COMM": "sshd", "_SYSTEMD_UNIT": "ssh.service", "_HOSTNAME": event.get("tenant"),
        "MESSAGE": message.format(login=event.get("login"), ip=event.get("ip") or "192.0.2.1"),
    }]  # fmt: skip
