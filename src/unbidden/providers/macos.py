"""macOS: the unified log as `log show --style ndjson` or `--style json` writes it, as far as it tells of authentication.

Source: Apple's manual page log(1) for the form and the fields; for the wording `macos.wording.yml` and `unix.wording.yml`, which say what is unverified.
"""

from __future__ import annotations

from typing import Any, TypeVar

from unbidden.engine import Structure
from unbidden.providers import Event, Patience, Record, Shape, Sight, said_sql, wording

TITLE = "macOS unified log"

_Value = TypeVar("_Value")


def _all(names: str, value: _Value) -> dict[str, _Value]:
    """Each of the names with the same value."""
    return dict.fromkeys(names.split(), value)


_ENTRY: Structure = _all("timestamp machTimestamp eventMessage processImagePath process processID subsystem category userID traceID eventType", "VARCHAR")

_ADDRESS = r"'[0-9]{1,3}([.][0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%.*)?'"

# An entry has no id, and names no computer: the ticks since the start, the time and the words tell entries apart. The id of a user of one Mac is another
# person's on the next, so only names are people.
_EVENTS = rf"""
WITH line AS (
  SELECT source, utc(timestamp) AS happened, coalesce(eventMessage, '') AS text,
    coalesce(known(process), regexp_extract(processImagePath, '[^/]+$'), '') AS program, machTimestamp AS tick, known(subsystem) AS subsystem
  FROM raw WHERE utc(timestamp) IS NOT NULL
), told AS (
  SELECT *, {said_sql((*wording("macos"), *wording("unix")), "text", "program")} AS said FROM line
), stepped AS (
  SELECT *, concat_ws('|', coalesce(known(tick), '0'), epoch_us(happened), left(md5(program || '|' || text), 12)) AS name,
    CAST(unnest(range(if(said IS NULL, 1, greatest(1, least(100, coalesce(try_cast(said.times AS INTEGER), 1)))))) AS INTEGER) AS step
  FROM told
)
SELECT source, step, happened AS occurred_at, name || if(step = 0, '', '|' || step) AS event_id, coalesce(said.kind, 'other') AS kind, said.factor AS factor,
  said.outcome AS outcome, coalesce(said.certainty, 'explicit') AS certainty, known(coalesce(said.login, said.actor)) AS login,
  if(regexp_full_match(said.ip, {_ADDRESS}), bare_ip(said.ip), NULL) AS ip, if(said.kind = 'answer', 'login', NULL) AS intent,
  concat_ws(' ', nullif(program, ''), coalesce(said.name, subsystem)) AS code, nullif(left(text, 300), '') AS detail,
  if(said IS NULL, NULL, nullif(regexp_extract(program, '^[A-Za-z_]+'), '')) AS app
FROM stepped
"""


def _marks(record: Record) -> bool:
    return "eventMessage" in record and "timestamp" in record and ("machTimestamp" in record or "processImagePath" in record)


SHAPES = (
    Shape(
        "unified", _ENTRY, "utc(timestamp) IS NOT NULL", _EVENTS, _marks, "a readable time",
        whole="eventMessage IS NOT NULL AND timestamp IS NOT NULL AND (machTimestamp IS NOT NULL OR processImagePath IS NOT NULL)",
    ),
)  # fmt: skip

PATIENCE = {"push": Patience(60, "a push through Duo (pam_duo) can be answered for about a minute, as with Duo elsewhere: unverified")}

SIGHT = {
    "explicit_prompt": Sight(False, "passwords and rights are asked for on the screen; a second factor is seen only where PAM asks for it, when it ends"),
    "explicit_deny": Sight(False, "pam_duo writes a refusal like a wrong passcode, so it is failed; Duo's own log can tell"),
    "explicit_timeout": Sight(False, "an ignored push is failed like a refused one"),
    "explicit_report": Sight(False, "a push that was reported as fraud is failed here"),
    "answerer_place": Sight(False, "nothing is known of the phone"),
    "number_match": Sight(False, "a verified push reads like any other"),
    "vendor_risk": Sight(False, "there is no verdict"),
    "factor_changes": Sight(False, "fingers, cards and accounts are changed without a known sentence; names are hidden unless a profile shows them"),
}

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE = (
    ("answer", "push", "approved"), ("answer", "push", "failed"), ("password", "password", "failure"), ("password", "password", "success"),
    ("session", None, "success"), ("session", None, "failure"), ("lockout", None, "locked"),
)  # fmt: skip
# Path of the program and message of an event: kind, outcome.
_SENTENCES = {
    ("answer", "approved"): ("/usr/sbin/sshd", "Successful Duo login for '{login}' from {ip}"),
    ("answer", "failed"): ("/usr/sbin/sshd", "Failed Duo login for '{login}' from {ip}"),
    ("password", "failure"): (
        "/usr/libexec/opendirectoryd",
        "Authentication failed for {login} (00000000-0000-0000-0000-000000000000): ODErrorCredentialsInvalid",
    ),
    ("password", "success"): ("/usr/libexec/opendirectoryd", "Authentication succeeded for {login} (00000000-0000-0000-0000-000000000000)"),
    ("session", "success"): (
        "/System/Library/CoreServices/RemoteManagement/screensharingd.bundle/Contents/MacOS/screensharingd",
        "Authentication: SUCCEEDED :: User Name: {login} :: Viewer Address: {ip} :: Type: DH",
    ),
    ("session", "failure"): ("/usr/sbin/sshd", "Connection closed by authenticating user {login} {ip} port 50022 [preauth]"),
    ("lockout", "locked"): (
        "/usr/libexec/opendirectoryd",
        "Authentication failed for {login} (00000000-0000-0000-0000-000000000000): ODErrorCredentialsAccountTemporarilyLocked",
    ),
}


def carries(event: Event) -> frozenset[str]:
    """The columns of an entry; what opendirectoryd says names no address."""
    return frozenset(
        {"occurred_at", "login", "kind", "factor", "outcome", "intent"} | ({"ip"} if "{ip}" in _SENTENCES[event["kind"], event["outcome"]][1] else set())
    )


def render(event: Event) -> list[dict[str, Any]]:
    """One line of `log show --style ndjson`; `event_id` takes the place of its ticks."""
    path, message = _SENTENCES[event["kind"], event["outcome"]]
    return [{
        "timestamp": f"{event['occurred_at']:%Y-%m-%d %H:%M:%S.%f}+0000", "machTimestamp": event["event_id"], "timezoneName": "", "messageType": "Default",
        "eventType": "logEvent", "source": None, "formatString": "%s", "userID": 0, "activityIdentifier": 0, "subsystem": "", "category": "", "threadID": 4711,
        "senderImageUUID": "00000000-0000-0000-0000-000000000000", "processImagePath": path, "senderImagePath": path, "processID": 312,
        "bootUUID": "00000000-0000-0000-0000-000000000000", "traceID": 5176331239428, "parentActivityIdentifier": 0,
        "eventMessage": message.format(login=event.get("login"), ip=event.get("ip") or "192.0.2.1"),
    }]  # fmt: skip
