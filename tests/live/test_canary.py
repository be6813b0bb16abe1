"""The canary: it is found by the whole line, nobody hears of it, and everybody hears when it is not found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.rig import NOW, SETTINGS, Rig, names
from unbidden import engine
from unbidden.live.canary import SOURCE, TENANT
from unbidden.live.judge import Judge, Verdict
from unbidden.providers import registry
from unbidden.settings import Settings

MINUTE = timedelta(minutes=1)
PERSON = "unbidden-canary@invalid"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    found = Rig(tmp_path, settings=Settings.model_validate({**SETTINGS, "canary": {"enabled": True}}))
    yield found.start()
    found.stop()


def rows(rig: Rig, sql: str) -> list[tuple[object, ...]]:
    with engine.plain() as con:
        for table in ("raw", "event"):
            rig.lake.view(con, table)
        return engine.rows(con, sql)


def bombing(login: str, **changes: Any) -> list[str]:
    """Refused pushes of privacyIDEA, as the canary's are, of somebody else."""
    found = []
    for number in range(6):
        same = {"login": login, "user_id": login, "factor": "push", "prompt_key": f"k{login}{number}", "flow_id": f"k{login}{number}", "ip": "192.0.2.66",
                "agent": "unbidden-canary/1", "tenant": "corp", "intent": "login", **changes}  # fmt: skip
        for name, kind, outcome in (("sent", "prompt", "sent"), ("answer", "answer", "reported")):
            at = (NOW - timedelta(minutes=4) + number * timedelta(seconds=20)).replace(tzinfo=None)
            more = {"answer_ip": "192.0.2.77"} if kind == "answer" else {}
            event = {**same, **more, "event_id": f"{login}-{number}-{name}", "occurred_at": at, "kind": kind, "outcome": outcome}
            found += [json.dumps(row) for row in registry()["privacyidea"].render(event)]
    return found


def test_it_goes_the_whole_way_and_nobody_hears_of_it(rig: Rig) -> None:
    rig.look()
    assert rig.canary.awaited_since == NOW
    rig.judge()
    assert (rig.canary.found_at, rig.canary.severity) == (NOW, "high")
    health = rig.look(MINUTE)
    assert rig.part("canary").level == "fine"
    assert (rig.desk.incidents(withdrawn=True), rig.desk.outbox(), rig.desk.open_count()) == ([], [], 0)
    assert [source.name for source in health.sources] == ["idp", "other"]
    assert rows(rig, f"SELECT count(*) FILTER (WHERE source = '{SOURCE}'), count(*) FROM raw") == [(12, 12)]
    assert rows(rig, f"SELECT count(*) FILTER (WHERE tenant = '{TENANT}') = count(*), count(DISTINCT login) FROM event") == [(True, 1)]


def test_it_comes_again_and_again_without_piling_up(rig: Rig) -> None:
    counts = []
    for _ in range(3):
        rig.look()
        rig.judge()
        assert rig.canary.found_at == rig.now
        counts.append(engine.one(rig.core.con, "SELECT count(*) FROM main.event"))
        rig.now += timedelta(seconds=3600)
    assert rig.canary.run == 3
    assert len(set(counts)) == 1
    rig.stop()
    rig.start()
    assert engine.one(rig.core.con, "SELECT count(*) FROM main.event") == 0
    rig.look()
    rig.judge()
    assert rig.canary.found_at == rig.now


def test_its_absence_is_an_alarm_once_until_it_is_found_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    is_blind = True
    tick = rig.core.judge.tick

    def blind(_self: Judge, as_of: datetime, most: int = 1000, *, at_leisure: int | None = None) -> Verdict:
        verdict = tick(as_of, most, at_leisure=at_leisure)
        return Verdict(verdict.as_of, verdict.judged) if is_blind else verdict

    monkeypatch.setattr(Judge, "tick", blind)
    rig.look()
    rig.judge()
    rig.look(4 * MINUTE)
    assert rig.outbox() == []
    rig.look(2 * MINUTE)
    assert names(rig.part("canary").findings) == ["missing"]
    for _ in range(4):
        rig.look(60 * MINUTE)
        rig.judge()
    assert rig.outbox() == ["alert opened high Canary pending"]
    is_blind = False
    rig.look(60 * MINUTE)
    rig.judge()
    rig.look(MINUTE)
    assert rig.part("canary").level == "fine"
    assert rig.outbox() == ["alert opened high Canary replaced"]


def test_a_server_that_starts_again_does_not_alert_of_it_anew(rig: Rig) -> None:
    rig.look()
    rig.look(6 * MINUTE)
    before = rig.outbox()
    assert before == ["alert opened high Canary pending"]
    rig.stop()
    rig.start()
    rig.look(MINUTE)
    rig.look(MINUTE)
    assert rig.outbox() == before
    rig.judge()
    rig.look(MINUTE)
    assert rig.outbox() == ["alert opened high Canary replaced"]


def test_a_weak_verdict_is_no_finding(rig: Rig) -> None:
    rig.look()
    document = {"user": PERSON, "severity": "low", "signals": [{"events": [f"privacyidea:{TENANT}-{rig.canary.name}-1-0-sent|log|1"]}]}
    assert rig.canary.is_mine(document)
    rig.canary.found([document], rig.now)
    assert rig.canary.is_missing(rig.now + 6 * MINUTE)


def test_whoever_takes_its_name_is_alerted_all_the_same(rig: Rig) -> None:
    rig.look()
    rig.take(bombing(PERSON), source="idp", provider="privacyidea", is_judged=True)
    assert [found.document["user"] for found in rig.desk.incidents()] == [PERSON]
    assert [row.severity for row in rig.desk.outbox()] == ["high"]


def test_it_counts_in_no_crowd_and_no_campaign(rig: Rig) -> None:
    rig.look()
    rig.take(bombing("real@example.com"), source="idp", provider="privacyidea", is_judged=True)
    con = rig.core.con
    for table in ("trace_touch", "trace_spurn", "trace_start", "trace_end", "trace_habit", "stranger", "strange"):
        assert engine.rows(con, f"SELECT DISTINCT person FROM main.{table} WHERE person <> 'real@example.com'") == [], table
    assert rig.canary.found_at == rig.now
    [incident] = rig.desk.incidents()
    assert incident.document["campaign"] is None


def test_it_waits_for_a_judgement_that_stays_behind(tmp_path: Path) -> None:
    rig = Rig(tmp_path, settings=Settings.model_validate({**SETTINGS, "canary": {"enabled": True}})).start()
    rig.canary.behind = rig.core.lag = timedelta(minutes=10)
    rig.look()
    rig.judge()
    assert rig.canary.found_at == NOW
    rig.stop()


def test_where_the_clock_follows_the_events_it_is_off(tmp_path: Path) -> None:
    rig = Rig(tmp_path, settings=Settings.model_validate({**SETTINGS, "canary": {"enabled": True}, "judge": {"clock": "events"}})).start()
    rig.look()
    assert rig.core.intake.waiting == 0
    assert rig.part("canary").findings[0].name == "off"
    assert rig.part("canary").level == "fine"
    rig.stop()
