"""No column is forgotten: each that can hold a provider's text held a hostile one in some run, or says here why it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hostile.conftest import Case

# Whatever no honest value holds.
SIGN = re.compile("[<>=@|{}\\\\\"'`\x00-\x1f\x9b\u200b\u202e\u0430\u0301\U000e0041]|\\[x\\]|A{50}|www\\.evil|javascript:")
OURS = "a word of ours, chosen by the line"
NO_TEXT = "made of an address or a hash"
EXCEPT = {
    "event": {
        "provider": OURS, "kind": OURS, "factor": OURS, "outcome": OURS, "certainty": OURS, "intent": OURS, "risk": OURS,
    },
    "prompt": {
        "prompt_id": NO_TEXT, "provider": OURS, "fate": OURS, "certainty": OURS, "factor": OURS, "intent": OURS, "risk": OURS,
    },
    "moment": {
        "prompt_id": NO_TEXT, "provider": OURS, "certainty": OURS, "factor": OURS, "intent": OURS, "risk": OURS, "phase": OURS,
        "fate_so_far": OURS, "source_kind": OURS, "group_kind": OURS,
        "tool": "the name of a tool that we know, out of our own list",
        "trust_note": "a note of the defenders' own list of trusted addresses",
    },
}  # fmt: skip
# By the path in the document; what is below a name goes with it.
EXCEPT_DOCUMENT = {
    "id": NO_TEXT, "campaign": NO_TEXT, "stage": OURS, "severity": OURS, "providers": OURS, "factors": OURS, "attack": OURS, "blind_spots": OURS,
    "steps": OURS, "evidence": OURS, "signals.detection": OURS, "signals.group": OURS, "timeline.kind": OURS, "timeline.fate": OURS,
    "timeline.factor": OURS, "timeline.text": OURS, "first_at": OURS, "last_at": OURS, "detected_at": OURS, "approved_at": OURS, "signals.at": OURS,
    "timeline.at": OURS, "timeline.fate_at": OURS, "time_zone": "a name of the IANA list, refused otherwise",
}  # fmt: skip


@pytest.mark.parametrize("table", EXCEPT)
def test_every_column_of_text_was_hostile_somewhere(table: str, cases: dict[str, Case]) -> None:
    columns: set[str] = set()
    hostile: set[str] = set()
    for case in cases.values():
        con = case.run.con
        named = con.execute(f"DESCRIBE FROM {table}").fetchall()
        texts = [str(row[0]) for row in named if str(row[1]).startswith("VARCHAR")]
        columns |= set(texts)
        listed = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in texts)
        for row in con.execute(f"SELECT {listed} FROM {table}").fetchall():
            hostile |= {name for name, value in zip(texts, row, strict=True) if value is not None and SIGN.search(value)}
    assert sorted(columns - hostile - set(EXCEPT[table])) == []
    assert sorted(hostile & set(EXCEPT[table])) == []


def test_every_text_of_the_document_was_hostile_somewhere(cases: dict[str, Case]) -> None:
    there: set[str] = set()
    hostile: set[str] = set()
    for case in cases.values():
        for incident in case.incidents:
            for path, text in texts_of(incident):
                there.add(path)
                if SIGN.search(text):
                    hostile.add(path)
    excused = {path for path in there if any(path == name or path.startswith(f"{name}.") for name in EXCEPT_DOCUMENT)}
    assert sorted(there - hostile - excused) == []
    assert {name for name in EXCEPT_DOCUMENT if not any(path == name or path.startswith(f"{name}.") for path in there)} == set()


def texts_of(told: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """Every text of an object with its path; members of lists have no number, and numbers behind a signal no name."""
    match told:
        case str():
            yield above, told
        case dict():
            for name, one in told.items():
                yield from texts_of(one, above if above.endswith("numbers") else f"{above}.{name}".lstrip("."))
        case list():
            for one in told:
                yield from texts_of(one, above)
