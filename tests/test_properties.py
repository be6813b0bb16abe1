"""The promises of the line: the same events give the same incidents, in whatever order, pieces, copies and company they come."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from unbidden import engine, line
from unbidden.ingest import read
from unbidden.providers import registry
from unbidden.result import document
from unbidden.simulate import write

FEW = settings(
    max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


@cache
def rows() -> tuple[str, ...]:
    """Every native row of a small company that is attacked, one a line, of three providers."""
    with TemporaryDirectory() as folder:
        write(Path(folder), people=70, days=9, seed=2, faults=False)
        lines = [text for file in sorted(Path(folder).glob("okta/*.jsonl")) for text in file.read_text("utf-8").splitlines()]
        for file in (*sorted(Path(folder).glob("entra/*.json")), *sorted(Path(folder).glob("duo/*.json"))):
            page = json.loads(file.read_text("utf-8"))
            found = page["value"] if "value" in page else next(part for part in page["response"].values() if isinstance(part, list))
            lines += [json.dumps(row, ensure_ascii=False) for row in found]
    return tuple(lines)


def scanned(files: list[list[str]], **options: Any) -> tuple[line.Run, dict[str, Any]]:
    """The line over files with these lines."""
    with TemporaryDirectory() as folder:
        for number, lines in enumerate(files):
            (Path(folder) / f"{number}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        run = line.run([folder], line.Options(**options))
        return run, document(run)


TABLES = (
    "event",
    "prompt",
    "success",
    "habit",
    "familiar",
    "outage",
    "source_touch",
    "moment",
    "aftermath",
    "signal",
    "standing",
    "course",
    "incident",
    "campaign",
)
# Where a row was read is no part of what it says.
PLACE = {"event": "EXCLUDE (source)"}


def tables(run: line.Run) -> dict[str, list[engine.Row]]:
    """Every table of the line with all its columns, to the last bit of every number."""
    return {name: engine.rows(run.con, f"SELECT * {PLACE.get(name, '')} FROM {name} ORDER BY ALL") for name in TABLES}


@cache
def plain() -> tuple[line.Run, dict[str, Any]]:
    return scanned([list(rows())])


def plainly() -> dict[str, Any]:
    return plain()[1]


def test_the_small_company_is_attacked() -> None:
    assert sum(incident["severity"] != "low" for incident in plainly()["incidents"]) >= 5
    assert plainly()["unread"] == []


@FEW
@given(seed=st.integers(0, 10**6), files=st.integers(1, 6), copies=st.floats(0, 0.3))
def test_order_pieces_and_copies_change_nothing(seed: int, files: int, copies: float) -> None:
    rng = random.Random(seed)
    lines = [*rows(), *rng.sample(rows(), int(copies * len(rows())))]
    rng.shuffle(lines)
    cuts = sorted(rng.sample(range(1, len(lines)), files - 1))
    parts = [lines[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    run, found = scanned(parts)
    assert found["incidents"] == plainly()["incidents"]
    mine, plainest = tables(run), tables(plain()[0])
    assert [name for name in TABLES if mine[name] != plainest[name]] == []


@pytest.mark.parametrize("parts", [2, 5])
def test_working_through_the_people_in_parts_changes_nothing(parts: int) -> None:
    assert scanned([list(rows())], parts=parts)[1]["incidents"] == plainly()["incidents"]


def test_reading_row_by_row_changes_nothing() -> None:
    assert scanned([list(rows())], bulk=False)[1]["incidents"] == plainly()["incidents"]


@FEW
@given(seed=st.integers(0, 10**6))
def test_another_person_changes_nothing(seed: int) -> None:
    """Somebody with a name and networks of their own is asked again and again; nobody else's incidents move.

    They never get in: people who do are part of the crowd by which an outage is told, and that is meant to touch others.
    """
    rng = random.Random(seed)
    start = datetime(2026, 3, 4, 8, tzinfo=UTC).replace(tzinfo=None)
    extra = []
    for number in range(30):
        at = start + timedelta(minutes=rng.randrange(4000))
        who = {"login": "newcomer@elsewhere.example", "user_id": "00unew", "ip": "192.0.2.200"}
        base = {**who, "occurred_at": at, "flow_id": f"n{number}", "factor": "push", "intent": "login"}
        extra += registry()["okta"].render({**base, "event_id": f"{seed}-{number}-a", "kind": "prompt", "outcome": "sent"})
        outcome = rng.choice(["denied", "failed"])
        answer = {"event_id": f"{seed}-{number}-b", "occurred_at": at + timedelta(seconds=9), "kind": "answer", "outcome": outcome}
        extra += registry()["okta"].render({**base, **answer})
    found = scanned([[*rows(), *(json.dumps(row) for row in extra)]])[1]["incidents"]
    assert [incident for incident in found if incident["user"] != "newcomer@elsewhere.example"] == plainly()["incidents"]


@FEW
@given(hours=st.integers(30, 200), later=st.integers(1, 90))
def test_a_later_as_of_unfires_nothing_and_only_fills_what_was_pending(hours: int, later: int) -> None:
    early = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hours)
    before, after = (scanned([list(rows())], as_of=as_of)[0].con for as_of in (early, early + timedelta(hours=later)))
    signals = "SELECT detection, person, prompt_id, phase, fired_at, weight, numbers FROM signal ORDER BY ALL"
    assert set(engine.rows(before, signals)) <= set(engine.rows(after, signals))
    fates = "SELECT prompt_id, fate, fate_at FROM prompt WHERE fate <> 'pending' ORDER BY ALL"
    assert set(engine.rows(before, fates)) <= set(engine.rows(after, fates))


PLACES = ("city", "lat", "lon", "country", "region", "asn", "org", "answer_city", "answer_lat", "answer_lon", "answer_country")
CLIENTS = ("client", "agent", "device", "is_managed")


@pytest.mark.parametrize("unsaid", [PLACES, (*PLACES, *CLIENTS)], ids=["no place", "no place and no client"])
def test_a_log_that_says_little_still_tells_its_attacks(unsaid: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("\n".join(rows()), "utf-8")
    con = engine.connect()
    read(con, [str(tmp_path)])
    con.execute(f"UPDATE event SET {', '.join(f'{column} = NULL' for column in unsaid)}")
    found = [incident for incident in document(line.judge(con))["incidents"] if incident["severity"] != "low"]
    full = {incident["user"] for incident in plainly()["incidents"] if incident["severity"] != "low"}
    assert len(full & {incident["user"] for incident in found}) >= 0.8 * len(full)
    assert all(incident["prompts"]["sent"] for incident in found)
    unknown = "is_known_place IS NULL OR has_history IS NULL OR is_outage IS NULL OR is_superseded IS NULL"
    assert engine.one(con, f"SELECT count(*) FROM moment WHERE {unknown}") == 0
