"""Health: what is noticed when a source goes blind, by the clock and the history that the test gives."""

from __future__ import annotations

import json
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.live.rig import NOW, SETTINGS, SOC, Rig, names, okta, working_hours
from unbidden import content
from unbidden.alerts.letter import Letter
from unbidden.alerts.message import message_of
from unbidden.alerts.syslog import cef
from unbidden.doors.counts import Count
from unbidden.fetching.feed import State
from unbidden.intake import Lot
from unbidden.lake import Lake, LakeError
from unbidden.live.alarms import Alarms, document_of
from unbidden.live.habits import Habits, Rhythm
from unbidden.live.health import Alarm, Reading, source_health
from unbidden.live.keeper import Tally
from unbidden.live.parts import threads_health
from unbidden.settings import HealthSettings, Settings

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
GOLDEN = resources.files("unbidden.providers").joinpath("privacyidea.golden.yml")
FRIDAY_NIGHT = NOW - timedelta(days=2, hours=14)


def rhythm(times: list[datetime]) -> Rhythm:
    found = Rhythm(28)
    for at in times:
        found.came(at)
    return found


def kept(times: list[datetime], source: str = "idp", **changes: Any) -> list[Lot]:
    return [Lot(source, (okta(at, number, **changes),), at, "okta") for number, at in enumerate(times)]


@pytest.mark.parametrize(
    ("now", "is_late"),
    [
        (NOW - DAY, False),
        (NOW, False),
        (NOW + HOUR, False),
        (NOW + 8 * HOUR, True),
    ],
)
def test_a_weekend_is_no_silence_and_a_working_day_is(now: datetime, is_late: bool) -> None:
    silence = rhythm(working_hours(28, 10 * MINUTE, NOW)).silence(now)
    assert silence is not None
    assert (silence > 3) is is_late


def test_a_source_that_never_sleeps_is_missed_within_minutes() -> None:
    found = rhythm([NOW - number * MINUTE for number in range(28 * 24 * 60, 0, -1)])
    assert (found.silence(NOW + MINUTE) or 0) < 3 < (found.silence(NOW + 5 * MINUTE) or 0)


def test_when_rows_are_expected_is_when_the_silence_becomes_an_alarm() -> None:
    found = rhythm(working_hours(28, 10 * MINUTE, NOW))
    at = found.expected_by(NOW, 3)
    assert at is not None
    assert found.silence(at) == pytest.approx(3, rel=0.1)
    assert NOW < at < NOW + 8 * HOUR


def test_one_outage_does_not_make_the_next_one_usual() -> None:
    steady = [NOW - number * 5 * MINUTE for number in range(28 * 288, 0, -1)]
    holed = [at for at in steady if not NOW - 5 * DAY <= at <= NOW - 4 * DAY]
    assert (rhythm(holed).silence(NOW + 2 * HOUR) or 0) > 3


def test_a_habit_takes_eight_days() -> None:
    assert rhythm(working_hours(7, 10 * MINUTE, NOW)).silence(NOW) is None
    assert rhythm(working_hours(12, 10 * MINUTE, NOW)).silence(NOW) is not None


def test_a_silent_source_is_alerted_once_and_taken_back_when_rows_come_again(rig: Rig) -> None:
    rig.keep([*kept(working_hours(21, 30 * MINUTE, FRIDAY_NIGHT)), Lot("other", (okta(NOW, 90_000),), NOW, "okta")])
    rig.start().look()
    assert names(rig.source().findings) == []
    assert rig.outbox() == []
    for _ in range(16):
        rig.look(30 * MINUTE)
    assert names(rig.source().findings) == ["silent"]
    assert rig.source().level == rig.watch.health_now().level == "problem"
    assert rig.outbox() == ["alert opened medium Source idp pending"]
    [alarm] = rig.desk.incidents(is_health=True)
    assert alarm.document["steps"]
    assert (rig.desk.incidents(), rig.desk.open_count()) == ([], 0)
    parcel = rig.desk.claim("soc", "me", rig.now)
    assert parcel is not None
    assert rig.desk.mark_sent(parcel, "me", rig.now)
    rig.take([okta(rig.now, 99_999)])
    rig.look(MINUTE)
    assert names(rig.source().findings) == []
    assert rig.outbox() == ["alert opened medium Source idp sent", "note withdrawn medium Source idp pending"]
    [over] = rig.desk.incidents(withdrawn=True, is_health=True)
    assert over.withdrawn_reason == "rows come again"


def test_a_server_that_starts_again_goes_on_with_the_alarm(rig: Rig) -> None:
    rig.keep(kept(working_hours(21, 30 * MINUTE, FRIDAY_NIGHT)))
    rig.start().look()
    rig.look(9 * HOUR)
    before = rig.outbox()
    assert before == ["alert opened high Source idp pending"]
    rig.stop()
    rig.start().look()
    rig.look(MINUTE)
    assert names(rig.source().findings) == ["silent"]
    assert rig.outbox() == before


def test_what_a_stopped_server_missed_is_no_silence(rig: Rig) -> None:
    rig.keep(kept(working_hours(21, 30 * MINUTE, FRIDAY_NIGHT)))
    rig.now = NOW + 2 * DAY
    rig.start().look()
    rig.look(MINUTE)
    assert rig.outbox() == []


def test_all_sources_of_a_provider_silent_is_more_severe(rig: Rig) -> None:
    times = working_hours(21, 30 * MINUTE, FRIDAY_NIGHT)
    rig.keep([*kept(times), *kept(times, "other")])
    rig.start().look()
    rig.look(9 * HOUR)
    assert rig.outbox() == ["alert opened high Source idp pending", "alert opened high Source other pending"]


def test_in_a_replay_silence_by_the_clock_means_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, settings=Settings.model_validate({**SETTINGS, "judge": {"clock": "events"}}))
    rig.keep(kept(working_hours(21, 30 * MINUTE, FRIDAY_NIGHT)))
    rig.start().look()
    rig.look(30 * DAY)
    assert rig.outbox() == []
    rig.stop()


def test_a_source_that_never_came_is_a_warning(rig: Rig) -> None:
    rig.start().look()
    assert names(rig.source().findings, "warning") == ["never"]
    assert rig.outbox() == []


def shown(number: int, at: datetime) -> str:
    """Every tenth push is refused."""
    return okta(at, number, outcome="denied" if number % 10 == 0 else "approved")


@cache
def _golden_rows() -> list[dict[str, Any]]:
    [case] = [case for case in content.loads(GOLDEN.read_text("utf-8"))["cases"] if "one refusal makes two rows" in case["name"]]
    return list(case["rows"])


def golden(number: int, at: datetime) -> list[str]:
    """A refused push of the golden rows of privacyIDEA: sent, refused on the phone, refused for the client."""
    user = f"user{number % 60}"
    same = {"timestamp": at.isoformat(), "transaction_id": f"{number:020}", "attempt_id": f"a{number}", "username": user, "uid": user, "serial": f"PIPU{user}"}
    return [json.dumps({**row, **same, "id": number * 10 + place}) for place, row in enumerate(_golden_rows())]


def test_a_reworded_line_is_noticed_though_the_source_goes_on(rig: Rig) -> None:
    times = working_hours(16, 30 * MINUTE, NOW)
    rig.keep([Lot("idp", tuple(golden(number, at)), at, "privacyidea") for number, at in enumerate(times, 1)])
    rig.start().look()
    assert rig.source().silent == ()
    for number in range(1000, 1080, 10):
        rig.now += 60 * MINUTE
        rows = [row for each in range(10) for row in golden(number + each, rig.now)]
        rig.take([row.replace("DECLINED", "TURNED_DOWN") for row in rows], provider="privacyidea")
        rig.look()
    assert rig.source().silent == ("answer push denied",)
    assert names(rig.source().findings) == ["not_shown"]
    assert rig.outbox() == ["alert opened medium Log privacyidea corp: answer push denied pending"]
    rig.stop()
    rig.start().look()
    assert rig.outbox() == ["alert opened medium Log privacyidea corp: answer push denied pending"]
    rig.take(golden(2000, rig.now), provider="privacyidea")
    rig.look()
    assert rig.source().silent == ()
    assert rig.outbox() == ["alert opened medium Log privacyidea corp: answer push denied replaced"]


def test_an_outcome_that_is_rare_or_of_one_day_is_not_missed(rig: Rig) -> None:
    times = working_hours(16, 30 * MINUTE, NOW)
    one_day = [Lot("idp", (okta(at, 50_000 + number, outcome="denied"),), at, "okta") for number, at in enumerate(times[:40])]
    rig.keep([*kept(times), *one_day])
    rig.start().look()
    for step in range(5):
        rig.take([okta(rig.now, 60_000 + step * 20 + number) for number in range(20)])
        rig.look(MINUTE)
    assert rig.source().silent == ()
    assert rig.source().never == ("okta prompt sent", "okta report success")


def test_rows_that_cannot_be_read_are_noticed(rig: Rig) -> None:
    rig.start().look()
    rig.take([okta(NOW, number) for number in range(30)])
    rig.look(MINUTE)
    assert names(rig.source().findings, "warning") == []
    rig.take(['{"hello": 1}'] * 10)
    rig.look(MINUTE)
    assert names(rig.source().findings, "warning") == ["unread"]
    assert rig.source().unread_share == pytest.approx(0.25)
    rig.take(['{"hello": 1}'] * 60)
    rig.look(MINUTE)
    assert names(rig.source().findings) == ["unread"]


def test_losses_and_a_sender_that_went_away_are_told(rig: Rig) -> None:
    rig.counts.lose("idp", NOW, "the connection broke", refused=3, dropped=2)
    rig.start().look()
    assert (rig.source().refused, rig.source().dropped) == (3, 2)
    assert names(rig.source().findings, "warning") == ["never", "dropped", "door"]


def test_what_fetching_says_is_told_with_what_to_do() -> None:
    def found(**state: Any) -> list[tuple[str, str]]:
        reading = Reading("idp", NOW, Tally(), Count(), rhythm([NOW]), {}, state=State(**state))
        return [(finding.name, finding.level) for finding in source_health(reading, HealthSettings()).findings if finding.level != "fine" and finding.todo]

    assert found() == []
    assert found(key_trouble="401", failures=5) == [("key", "problem")]
    assert found(failures=1, last_error="time-out") == [("fetching", "warning")]
    assert found(failures=3, last_error="time-out") == [("fetching", "problem")]
    assert found(troubles={"audit": "403"}) == [("stream", "warning")]
    assert found(notes=deque([(NOW, "audit", "rows were gone"), (NOW - DAY, "audit", "long ago")])) == [("note", "warning")]


def test_a_lake_that_cannot_be_reached_is_no_end_of_the_watch(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.start().look()

    def away(_lake: Lake) -> dict[str, int]:
        raise LakeError("the disk is full")

    monkeypatch.setattr(Lake, "counted", away)
    rig.look(MINUTE)
    assert [(finding.text, bool(finding.todo)) for finding in rig.part("lake").findings] == [("the disk is full", True)]
    assert not rig.watch.is_ready()
    monkeypatch.undo()
    rig.look(MINUTE)
    assert rig.watch.is_ready()


def test_a_part_that_ended_is_a_problem() -> None:
    thread = threading.Thread(target=lambda: None, name="folder x")
    thread.start()
    thread.join()
    assert [finding.text for finding in threads_health([thread, threading.main_thread()]).findings] == ["the part 'folder x' has ended"]


def test_a_lake_or_desk_that_is_away_is_a_problem_with_something_to_do(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.start().look()
    assert rig.watch.is_ready()
    monkeypatch.setattr(rig.core, "problem", "the desk is away")
    rig.look()
    assert names(rig.part("judge").findings) == ["recording"]
    assert rig.part("judge").findings[0].todo
    assert not rig.watch.is_ready()


def test_a_part_that_does_not_move_is_not_alive(rig: Rig) -> None:
    rig.start().judge()
    rig.core.keeper.step(0)
    rig.look()
    assert rig.watch.is_alive()
    rig.look(HOUR)
    assert not rig.watch.is_alive()
    assert names(rig.part("keeper").findings) == names(rig.part("judge").findings) == ["stuck"]


def test_an_alarm_says_what_and_what_to_do_and_the_end_of_it_says_why(rig: Rig) -> None:
    rig.start()
    alarm = Alarm("Source idp", NOW, "No rows come from idp", ("Since eight no row has come.",), ("Look at the sender.",), "rows come again")
    alarms = Alarms(rig.desk, [SOC])
    alarms.settle([alarm], {"Source idp"}, NOW)
    [row] = rig.desk.outbox()
    said = message_of(row.kind, row.payload, row.id)
    assert said.subject == "MEDIUM: No rows come from idp"
    assert "1. Look at the sender." in said.text()
    line = cef(Letter(row.id, row.kind, row.story, NOW, said, row.payload))
    assert "|alert:opened|unbidden itself does not see everything|6|" in line
    parcel = rig.desk.claim("soc", "me", NOW)
    assert parcel is not None
    rig.desk.mark_sent(parcel, "me", NOW)
    alarms.settle([], {"Source idp"}, NOW)
    note = rig.desk.outbox()[0]
    assert message_of(note.kind, note.payload, note.id).subject == "Over: No rows come from idp (rows come again)"


def test_an_alarm_of_which_nothing_is_known_stays_as_it_is(rig: Rig) -> None:
    rig.start()
    alarm = Alarm("Source idp", NOW, "No rows come from idp", (), (), "rows come again")
    Alarms(rig.desk, [SOC]).settle([alarm], (), NOW)
    Alarms(rig.desk, [SOC]).settle([], (), NOW)
    assert [found.id for found in rig.desk.incidents(is_health=True)] == [document_of(alarm)["id"]]


def test_a_person_who_calls_themselves_a_source_changes_no_alarm(rig: Rig) -> None:
    rig.start()
    Alarms(rig.desk, [SOC]).settle([Alarm("Source idp", NOW, "No rows come", (), (), "rows come again")], (), NOW)
    rig.take([okta(NOW + number * MINUTE, number, login="Source idp", user_id=None, outcome="denied") for number in range(6)], is_judged=True)
    assert len(rig.desk.incidents(is_health=True)) == 1


def test_habits_learnt_from_the_lake_are_those_learnt_while_it_runs(rig: Rig) -> None:
    rig.start()
    running = Habits(28)
    before = Tally()
    for step in range(4):
        rig.now = NOW + step * DAY
        rig.take([shown(step * 20 + number, rig.now + number * timedelta(seconds=1)) for number in range(20)])
        tally = rig.core.reader.tallies["idp"]
        running.show(tally.outcomes - before.outcomes, tally.shown)
        before = Tally(outcomes=tally.outcomes.copy())
    rig.core.reader.flush()
    learnt = Habits(28)
    learnt.learn(rig.lake, rig.now + DAY, "nobody")
    [one], [other] = learnt.logs.items(), running.logs.items()
    assert one[0] == other[0] == ("okta", "")
    assert one[1].total == other[1].total == 80
    assert {key: (found.times, found.rhythm.last_at) for key, found in one[1].showings.items()} == {
        key: (found.times, found.rhythm.last_at) for key, found in other[1].showings.items()
    }
    assert learnt.rhythms["idp"].last_at == NOW.replace(tzinfo=UTC) + 3 * DAY
