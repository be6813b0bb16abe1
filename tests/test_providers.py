"""Every provider, found by name: its golden rows, and `EVENTS` against `render`."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from unbidden import engine, ingest
from unbidden.providers import SIGHTS, registry

FOLDER = resources.files("unbidden.providers")
CASES = [
    pytest.param(name, case, id=f"{name}: {case['name']}")
    for name in registry()
    for case in yaml.safe_load(FOLDER.joinpath(f"{name}.golden.yml").read_text("utf-8"))["cases"]
]
# Facts about the reading, not about what was read.
NOT_COMPARED = {"source", "provider"}


def read_back(folder: Path, text: str, provider: str | None = None, suffix: str = "json") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events (NULLs left out) and unread rows of a file with this text."""
    file = folder / f"input.{suffix}"
    file.write_text(text, "utf-8")
    con = engine.connect()
    ingest.read(con, [str(file)], provider=provider)
    events = engine.records(con, "SELECT * FROM event ORDER BY occurred_at, event_id")
    return [{k: v for k, v in event.items() if v is not None} for event in events], engine.records(con, "SELECT * FROM unread ORDER BY line")


def plain(value: object) -> object:
    return engine.iso(value) if isinstance(value, datetime) else value


def text_of(case: dict[str, Any]) -> str:
    return case["text"] if "text" in case else "\n".join(json.dumps(row, ensure_ascii=False) for row in case["rows"])


@pytest.mark.parametrize(("name", "case"), CASES)
def test_golden_rows_give_exactly_these_events(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    events, unread = read_back(tmp_path, text_of(case))
    assert {event["provider"] for event in events} <= {name}
    got = [{key: plain(value) for key, value in event.items() if key not in NOT_COMPARED} for event in events]
    assert got == case["events"]
    assert [row["why"] for row in unread] == case.get("unread", [])
    assert case["source"], "every golden case says where its rows come from"


@pytest.mark.parametrize("name", registry())
def test_golden_file_covers_the_traps(name: str) -> None:
    cases = yaml.safe_load(FOLDER.joinpath(f"{name}.golden.yml").read_text("utf-8"))["cases"]
    shown = {tag for case in cases for tag in case.get("shows", [])}
    assert {"unknown type", "missing field", "duplicate", "out of order", "non-ascii"} <= shown


@pytest.mark.parametrize("name", registry())
def test_provider_declares_what_it_can_see(name: str) -> None:
    provider = registry()[name]
    assert set(provider.SIGHT) == set(SIGHTS)
    assert all(patience.source for patience in provider.PATIENCE.values())


@pytest.mark.parametrize("name", registry())
def test_what_a_shape_tells_of_a_row_is_no_name_of_the_row(name: str) -> None:
    for shape in registry()[name].SHAPES:
        assert (shape.tells is None) == (not shape.told)
        assert set(shape.told).isdisjoint({*shape.structure, "source", "_source", "_line"})


def generated(name: str, number: int, rng: random.Random) -> dict[str, Any]:
    """A random event out of what the provider can express."""
    provider = registry()[name]
    kind, factor, outcome = rng.choice(list(provider.REPERTOIRE))
    person = rng.choice(["ana", "bô", "cyril", "dana.ito", "еlena"])
    full: dict[str, Any] = {
        "event_id": f"{number:08x}-1111-4111-8111-{rng.getrandbits(48):012x}",
        "occurred_at": datetime(2026, 3, 1) + timedelta(seconds=rng.randrange(86400 * 30)),
        "kind": kind, "factor": factor, "outcome": outcome, "login": f"{person}@example.com", "user_id": f"00u{person}", "tenant": "corp",
        "ip": f"198.51.100.{rng.randrange(1, 255)}", "country": rng.choice(["US", "DE", "KR", "NG"]), "region": "Region", "city": rng.choice(["Köln", "Lagos"]),
        "lat": 6.5, "lon": 3.25, "asn": 64500, "org": "Example Net", "agent": "Mozilla/5.0 (X11) Chrome/144.0", "client": "CHROME on Windows 10",
        "app": "Corp VPN", "flow_id": f"flow-{number}", "session_id": f"ses-{number}", "request_id": f"{number:08x}-2222-4222-8222-{number:012x}",
        "prompt_key": f"{number:020d}", "device": "dev-1", "is_managed": True, "is_proxy": rng.random() < 0.5, "risk": rng.choice(["low", "medium", "high"]),
        "answer_ip": "203.0.113.9" if rng.random() < 0.5 else None, "answer_country": "US", "answer_city": "Ann Arbor", "answer_device": "DP1",
        "intent": "login" if kind in ("prompt", "answer") else None, "actor": "help@example.com" if kind == "factor" and rng.random() < 0.5 else None,
    }  # fmt: skip
    some = {key: value for key, value in full.items() if value is not None}
    return {key: value for key, value in some.items() if key in provider.carries(some) | {"event_id"}}


@pytest.mark.parametrize("name", registry())
def test_reading_what_was_rendered_gives_the_event_back(name: str, tmp_path: Path) -> None:
    rng = random.Random(7)
    provider = registry()[name]
    events = [generated(name, number, rng) for number in range(1200)]
    records = [record for event in events for record in provider.render(event)]
    read, unread = read_back(tmp_path, "\n".join(json.dumps(record, ensure_ascii=False) for record in records), suffix="jsonl")
    assert unread == []
    by_id = {(event["event_id"].split(":")[1].split("|")[0], event["kind"]): event for event in read}
    for event in events:
        back = by_id[event["event_id"], event["kind"]]
        carried = provider.carries(event)
        assert {key: back.get(key) for key in carried if back.get(key) is not None} == {key: event[key] for key in carried if key in event}, event
