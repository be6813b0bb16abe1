"""A bombing in the words of every provider, with hostile texts in every field that may hold any text.

Which fields these are is found out by trying: a field is free where another text in it changes neither what the row is, nor whom it is about, nor when.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.hostile.strings import STRINGS, poison
from unbidden import engine, ingest
from unbidden.people import Listed
from unbidden.providers import registry

Event = dict[str, Any]
Row = dict[str, Any]
Leaf = tuple[str | int, ...]

START = datetime(2026, 3, 9, 2, 0)
HOME = {"ip": "10.20.30.40", "asn": 64500, "org": "Home Net", "country": "US", "region": "Michigan", "city": "Ann Arbor", "lat": 42.28, "lon": -83.74,
        "agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/144.0", "client": "CHROME on Windows 10", "device": "laptop-1", "is_managed": True}  # fmt: skip
STRANGER = {"ip": "203.0.113.77", "asn": 64505, "org": "Strange Net", "country": "NG", "region": "Lagos State", "city": "Lagos", "lat": 6.45, "lon": 3.39,
            "agent": "Mozilla/5.0 (X11; Linux) Firefox/147.0", "client": "FIREFOX on Linux", "device": "strange-1", "is_managed": False}  # fmt: skip
PHONE = {"answer_country": "US", "answer_city": "Detroit", "answer_device": "DPX1"}
# What comes after an approval, as far as a log has rows for it.
AFTER = (
    ("session", None, "success"), ("factor", "push", "added"), ("factor", None, "added"), ("factor", "totp", "added"), ("device", None, "added"),
    ("recovery", None, "success"), ("policy", None, "granted"), ("policy", None, "weakened"), ("policy", None, "consented"), ("policy", None, "mail_rule"),
    ("risk", None, "success"), ("report", None, "success"), ("lockout", None, "locked"), ("factor", None, "bypassed"),
)  # fmt: skip
# What stands for an answer where a log cannot tell it: the first that it has.
ASKED = [("prompt", factor, "sent") for factor in ("push", "number_push", "sms", "email")]
REFUSED = [
    ("answer", factor, outcome) for outcome in ("denied", "failed", "unanswered", "wrong_code") for factor in ("push", "number_push", "email", "unknown")
]
APPROVED = [("answer", factor, "approved") for factor in ("push", "number_push", "email")]
# These logs have no prompts: the prompts of the same people are in another's.
BESIDE = {"windows": "okta", "tickets": "privacyidea"}
# Logs of lines of text: a name is one word in it, an address must be one.
LINES = ("linux", "macos")
# What a field may not change where it is only a text.
_KEPT = ("kind", "factor", "outcome", "certainty", "occurred_at", "asked_at", "login", "user_id", "email", "ip", "answer_ip", "intent", "risk", "lat", "lon",
         "asn", "has_number", "is_proxy", "is_managed", "is_resistant")  # fmt: skip

LOGINS = (
    '"><img src=x onerror=alert(1)>@example.com',
    '=hyperlink("http://evil.example","x")@example.com',
    "<!channel><@u123>[x](http://evil.example)@example.com",
    "\u202emoc.live@ana\x1b[2j\r\nbcc:a@example.com",
    "</script><script>alert(1)</script>@example.com",
)
# Lines of text name a person by one word.
WORDS = ("<script>alert(1)</script>", "=1+1|cmd", "[x](evil.example)", "{{7*7}}@everyone", "<svg/onload=alert(1)>")


# The last of the people is asked from what is no address at all.
NO_ADDRESS = '"><img src=x onerror=alert(1)>[x](http://evil.example)'
# What a record is known by may be any text, too.
ID = '"><img src=x onerror=alert(1)>=1+1'
# A file that nobody can read, under a name that somebody else chose.
FILE = "=1+1 \x1b[2J\u202e<img src=x onerror=alert(1)>.jsonl"


def logins_of(provider: str) -> Sequence[str]:
    """The names of the people who are bombed."""
    return WORDS if provider in LINES else LOGINS


def listed(provider: str) -> list[Listed]:
    """The list of people: departments are hostile too."""
    texts = list(STRINGS.values())
    return [
        Listed(login.strip().lower(), department=texts[number * 5 % len(texts)], is_privileged=number == 1, time_zone="Europe/Berlin" if number % 2 else None)
        for number, login in enumerate(logins_of(provider))
    ]


def write(provider: str, folder: Path) -> Path:
    """Write the logs of a provider, and of the one beside it, into a folder, and give it back."""
    for name in filter(None, (provider, BESIDE.get(provider))):
        free = free_leaves(name, folder)
        rows = [spoilt(row, free[kind], f"{name} {event['login']}") for event in events_of(name, logins_of(provider)) for kind, row in told(name, event)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    junk = [{"eventType": text, "published": text} for text in STRINGS.values()]
    (folder / FILE).write_text("".join(json.dumps(row) + "\n" for row in junk), "utf-8")
    return folder


def events_of(provider: str, logins: Sequence[str]) -> Iterator[Event]:
    """Ordinary days, then a bombing at night, an approval and what follows it, for each of the people."""
    can = list(registry()[provider].REPERTOIRE)
    asked, refused, approved = (_first(can, wanted) for wanted in (ASKED, REFUSED, APPROVED))
    for number, login in enumerate(logins):
        is_trial, is_last = len(logins) == 1, number + 1 == len(logins) > 1 and provider not in LINES
        ids = (f"{provider}-{number}-{count}{'' if is_trial else ID}" for count in range(1000))
        start = START + timedelta(minutes=47 * number)
        stranger = {**STRANGER, "ip": NO_ADDRESS if is_last else f"203.0.113.{77 + number}"}
        home = {**HOME, "ip": f"home {NO_ADDRESS}"} if is_last else HOME
        for day in range(8, 1, -1):
            yield from _challenge(ids, login, start + timedelta(hours=7) - timedelta(days=day), home, (asked, approved))
        for prompt in range(24):
            yield from _challenge(ids, login, start + timedelta(seconds=40 * prompt), stranger, (asked, refused))
        yield from _challenge(ids, login, start + timedelta(seconds=1000), stranger, (asked, approved))
        yield from _challenge(ids, login, start + timedelta(seconds=1500), home, (asked, approved))
        for seconds, deed in enumerate([("risk", None, "success"), ("report", None, "success")], 500):
            if deed in can:
                yield _event(next(ids), login, start + timedelta(seconds=seconds), stranger, deed, f"flow-{login}-early")
        for after, (kind, factor, outcome) in enumerate(wanted for wanted in AFTER if wanted in can):
            at = start + timedelta(seconds=1060 + 40 * after)
            yield _event(next(ids), login, at, stranger, (kind, factor, outcome), f"flow-{login}-after")
        if ("password", "password", "failure") in can:
            yield _event(next(ids), login, start - timedelta(seconds=30), stranger, ("password", "password", "failure"), f"flow-{login}-0")


def _first(can: Sequence[tuple[str, str | None, str | None]], wanted: Sequence[tuple[str, str, str]]) -> tuple[str, str, str] | None:
    return next((one for one in wanted if one in can), None)


def _challenge(ids: Iterator[str], login: str, at: datetime, place: Mapping[str, Any], deeds: Sequence[tuple[str, str, str] | None]) -> Iterator[Event]:
    """A prompt and its answer, as far as the log has rows for them."""
    asked, answered = deeds
    flow = f"flow-{login}-{at:%d%H%M%S}"
    if asked and (answered is None or asked[1] == answered[1]):
        yield _event(next(ids), login, at, place, asked, flow)
    if answered:
        yield _event(next(ids), login, at + timedelta(seconds=20), place, answered, flow)


def _event(key: str, login: str, at: datetime, place: Mapping[str, Any], deed: tuple[str, str | None, str | None], flow: str) -> Event:
    kind, factor, outcome = deed
    whole = {
        "event_id": key, "occurred_at": at, "login": login, "user_id": f"id-{login}", "tenant": "corp", "kind": kind, "factor": factor, "outcome": outcome,
        "app": "Corp VPN" if kind != "session" else "Payroll", "flow_id": flow, "session_id": f"session-{flow}", "request_id": f"request-{flow}",
        "prompt_key": f"key-{flow}", "intent": "login" if kind in ("prompt", "answer") else None, "risk": None if place["city"] == HOME["city"] else "high",
        "actor": f"{login} helper" if kind == "factor" and factor else None, "subject": "Strange prompts", "is_proxy": place["city"] != HOME["city"],
        **place, **(PHONE if kind == "answer" else {}), **({"answer_ip": NO_ADDRESS} if kind == "answer" and place["ip"] == NO_ADDRESS else {}),
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None or name in ("factor", "outcome")}


def told(provider: str, event: Event) -> Iterator[tuple[tuple[Any, ...], Row]]:
    """The rows of an event, each with what tells kinds of rows apart."""
    carried = registry()[provider].carries(event) | {"event_id", "subject"}
    kept = {name: value for name, value in event.items() if name in carried}
    for number, row in enumerate(registry()[provider].render({"login": event["login"], "factor": None, **kept})):
        yield (event["kind"], event["factor"], event["outcome"], "risk" in kept, number), json.loads(json.dumps(row, default=str))


def spoilt(row: Row, free: Sequence[Leaf], salt: str) -> Row:
    """The row with hostile texts in its free fields."""
    row = copy.deepcopy(row)
    if "txid" in row:
        row["email"] = f"mail.{row['user']['name']}"
    for leaf, value in leaves(row):
        if leaf in free and isinstance(value, str):
            _put(row, leaf, poison(value, salt))
    return row


def free_leaves(provider: str, folder: Path) -> dict[tuple[Any, ...], list[Leaf]]:
    """By kind of row, the places of the texts that may be any, all of them at once."""
    samples: dict[tuple[Any, ...], tuple[Event, Row]] = {}
    for event in events_of(provider, ["ana@example.com"]):
        for kind, row in told(provider, event):
            samples.setdefault(kind, (event, row))
    free: dict[tuple[Any, ...], list[Leaf]] = {kind: [] for kind in samples}
    tries = {kind: [[leaf] for leaf, value in leaves(row) if isinstance(value, str)] for kind, (_, row) in samples.items()}
    for kind, kept in _harmless(provider, folder, samples, tries).items():
        free[kind] = [leaf for [leaf] in kept]
    # Of two fields each of which may be any, one may have to stay: the first that does harm beside those before it does.
    while True:
        tries = {kind: [some[: count + 1] for count in range(len(some))] for kind, some in free.items()}
        kept_of = _harmless(provider, folder, samples, tries)
        first = {kind: next((count for count, tried in enumerate(tries[kind]) if tried not in kept_of[kind]), None) for kind in free}
        if not any(count is not None for count in first.values()):
            return free
        for kind, count in first.items():
            if count is not None:
                del free[kind][count]


def _harmless(
    provider: str, folder: Path, samples: Mapping[tuple[Any, ...], tuple[Event, Row]], tries: Mapping[tuple[Any, ...], list[list[Leaf]]]
) -> dict[tuple[Any, ...], list[list[Leaf]]]:
    """Those of the choices of fields in which other texts change nothing that counts."""
    trials = [(kind, some, f"probe{number:06d}") for number, (kind, some) in enumerate((kind, some) for kind in samples for some in ([], *tries[kind]))]
    rows = [row for kind, some, key in trials for row in _tried(provider, samples[kind][0], kind[-1], some, key)]
    read = _read(provider, folder, rows)
    expected = {kind: _facts(read.get(key, []), key) for kind, some, key in trials if not some}
    assert all(expected.values()), f"{provider}: not every row can be read: {[kind for kind, facts in expected.items() if not facts]}"
    return {kind: [some for one, some, key in trials if some and one == kind and _facts(read.get(key, []), key) == expected[kind]] for kind in samples}


def _tried(provider: str, event: Event, number: int, some: Sequence[Leaf], key: str) -> list[Row]:
    """The rows of an event under another id, with other texts in some of the fields of one of them."""
    rows = [row for _, row in told(provider, {**event, "event_id": key, "request_id": key})]
    for leaf in some:
        _put(rows[number], leaf, "Some (other) text/1.0")
    return rows


def _read(provider: str, folder: Path, rows: list[Row]) -> dict[str, list[Event]]:
    """The events of some rows by the key in their id."""
    file = folder / "probe.jsonl.tmp"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    con = engine.connect()
    ingest.read(con, [str(file)], provider=provider)
    file.unlink()
    found: dict[str, list[Event]] = {}
    for event in engine.records(con, "SELECT * FROM event ORDER BY event_id"):
        key = next((part for part in str(event["event_id"]).replace("|", ":").split(":") if part.startswith("probe")), "")
        found.setdefault(key[:11], []).append(event)
    return found


def _facts(events: Sequence[Event], key: str) -> list[tuple[str, ...]]:
    """What has to stay as it is: the values that count, and which others there are at all."""
    return sorted(tuple(str(event[name]).replace(key, "") if name in _KEPT else str(event[name] is None) for name in sorted(event)) for event in events)


def _put(row: Any, leaf: Leaf, value: str) -> None:
    for part in leaf[:-1]:
        row = row[part]
    row[leaf[-1]] = value


def leaves(value: Any, above: Leaf = ()) -> Iterator[tuple[Leaf, Any]]:
    """Every value that is no object and no list, with its place."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*above, key))
    else:
        yield above, value
