"""The layout of timelines, and the words and times that every door shares."""

from __future__ import annotations

import copy
import io
import json
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from unbidden.report import words
from unbidden.report.drawing import WIDTH
from unbidden.report.page import page
from unbidden.report.terminal import print_result
from unbidden.report.timeline import Room, chart, milestones

Result = dict[str, Any]
FIXTURE = Path(__file__).with_name("result.json")
FLOOD, CALLER, NIGHT = "inc-7c1f0a9e42", "inc-02ab55d001", "inc-90de11aa77"
TEXT, DRAWN = Room(60, 1, 9, 7, 10, 2), Room(WIDTH, 15, 84, 76, 62, 6)


@pytest.fixture
def result() -> Result:
    loaded: Result = json.loads(FIXTURE.read_text("utf-8"))
    return loaded


def incident(result: Result, name: str) -> Result:
    return next(one for one in result["incidents"] if one["id"] == name)


def every_door(result: Result) -> None:
    page(result)
    print_result(result, Console(file=io.StringIO(), width=80))


def moment(at: datetime, **fields: Any) -> Result:
    empty = dict.fromkeys(("fate", "fate_at", "factor", "app", "ip", "country", "city", "answer_country", "known"))
    return {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "kind": "prompt", **empty, "is_part": True, "text": "a push", **fields}


def with_prompts(one: Result, times: list[datetime], fates: list[str]) -> Result:
    """The incident with these prompts instead of its own."""
    changed = copy.deepcopy(one)
    changed["timeline"] = [moment(at, fate=fate, ip=f"203.0.113.{n % 40}") for n, (at, fate) in enumerate(zip(times, fates, strict=True))]
    changed["prompts"] = {"sent": len(times), **{fate: fates.count(fate) for fate in words.FATES}}
    changed |= {
        "first_at": changed["timeline"][0]["at"],
        "last_at": changed["timeline"][-1]["at"],
        "detected_at": None,
        "approved_at": None,
        "stage": "attempted",
    }
    return changed


def test_local_time_comes_with_utc_and_its_day() -> None:
    at = datetime(2026, 3, 5, 16, 31, tzinfo=UTC)
    assert words.instant(at, ZoneInfo("Asia/Tokyo")) == "Fri 6 Mar 2026 01:31:00 JST (Thu 5 Mar 16:31:00 UTC)"
    assert words.instant(at, ZoneInfo("Europe/Berlin")) == "Thu 5 Mar 2026 17:31:00 CET (16:31:00 UTC)"
    assert words.instant(at, ZoneInfo("America/Sao_Paulo")) == "Thu 5 Mar 2026 13:31:00 UTC-03 (16:31:00 UTC)"
    assert words.instant(at, None) == "Thu 5 Mar 2026 16:31:00 UTC"


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "../../etc/passwd", "Europe", "\x00"])
def test_an_unusable_time_zone_leaves_utc(result: Result, zone: str | None) -> None:
    assert words.zone_of({"time_zone": zone}) is None
    result["incidents"][0]["time_zone"] = zone
    every_door(result)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (121, "2 min"), (7080, "118 min"), (7500, "2 h 5 min"), (273600, "3 d 4 h"), (172800, "2 d")]
)
def test_durations_are_said_in_two_units(seconds: int, said: str) -> None:
    assert words.duration(seconds) == said


def test_milestones_say_how_early_the_alert_was(result: Result) -> None:
    said = [stone.text for stone in milestones(incident(result, FLOOD), 14)[0]]
    assert "evidence enough for an alert, 26 min before the approval" in said
    assert said[-1] == "phone number for text messages removed"
    times = [stone.at for stone in milestones(incident(result, FLOOD), 14)[0]]
    assert times == sorted(times)


def fates_at(rng: random.Random, number: int) -> list[str]:
    return [rng.choice(["denied", "unanswered", "cancelled"]) for _ in range(number)]


@pytest.mark.parametrize("seed", range(6))
def test_any_attack_fits_its_room_and_loses_no_prompt(result: Result, seed: int) -> None:
    rng = random.Random(seed)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    number, span = rng.choice([1, 2, 9, 70, 400]), rng.choice([0, 60, 1800, 86400 * 9])
    times = sorted(start + timedelta(seconds=rng.randint(0, span)) for _ in range(number))
    one = with_prompts(incident(result, NIGHT), times, fates_at(rng, number))
    for room in (TEXT, DRAWN):
        drawn = chart(one, room, with_requesters=False)
        assert sum(len(mark.points) for mark in drawn.marks) == number
        assert all(0 <= mark.x <= room.width for mark in drawn.marks)
        assert all(0 <= tick.x <= room.width for tick in drawn.ticks)
        assert drawn.ticks
        for lane in drawn.lanes:
            at = [mark.x for mark in drawn.marks if mark.lane == lane]
            assert all(b - a >= room.mark for a, b in pairwise(at))
    every_door({**result, "incidents": [one]})


def test_long_silence_is_cut_out_and_said(result: Result) -> None:
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    bursts = [start + timedelta(days=day, seconds=50 * n) for day in (0, 3) for n in range(8)]
    one = with_prompts(incident(result, NIGHT), bursts, ["unanswered"] * 16)
    drawn = chart(one, TEXT, with_requesters=False)
    assert [cut.words for cut in drawn.cuts] == ["3 d"]
    assert len(drawn.marks) == 16
    even = with_prompts(incident(result, NIGHT), [start + timedelta(minutes=n) for n in range(20)], ["denied"] * 20)
    assert chart(even, TEXT, with_requesters=False).cuts == ()


def test_an_approval_told_twice_is_drawn_once(result: Result) -> None:
    one = incident(result, CALLER)
    assert sum(entry["kind"] == "approval" or (entry["fate"] == "approved" and entry["is_part"]) for entry in one["timeline"]) == 2
    drawn = chart(one, TEXT, with_requesters=False)
    assert sum(len(mark.points) for mark in drawn.marks if mark.lane.key == "APPROVED") == 1


def test_days_are_said_where_they_begin_and_never_touch(result: Result) -> None:
    start = datetime(2026, 2, 24, 23, 40, tzinfo=UTC)
    one = with_prompts(incident(result, NIGHT), [start + timedelta(minutes=4 * n) for n in range(12)], ["denied"] * 12) | {"time_zone": None}
    ticks = chart(one, TEXT, with_requesters=False).ticks
    assert [(tick.local, tick.day) for tick in ticks if tick.day] == [("23:40", "Tue 24 Feb"), ("00:00", "Wed 25 Feb")]
    weeks = with_prompts(incident(result, NIGHT), [start + timedelta(days=3 * n) for n in range(12)], ["denied"] * 12) | {"time_zone": None}
    assert [tick.local for tick in chart(weeks, TEXT, with_requesters=False).ticks][:2] == ["26 Feb", "5 Mar"]


def test_milestones_are_cut_but_never_the_approval(result: Result) -> None:
    one = incident(result, FLOOD)
    one["timeline"] += [moment(datetime(2026, 3, 3, 0, 13, n, tzinfo=UTC), kind="risk", text="rated") for n in range(40)]
    shown, left = milestones(one, 14)
    assert (len(shown), left) == (14, 34)
    assert [stone.sign.name for stone in shown if stone.sign.name in ("first", "alert", "approval")] == ["first", "alert", "approval"]


@pytest.mark.parametrize(
    ("detected", "approved", "said"),
    [
        ("00:12:09", None, "with the first prompt"),
        ("00:13:09", None, "60 s after the first prompt"),
        ("00:42:35", "00:42:35", "only with the approval"),
        ("00:40:35", "00:42:35", "2 min before the approval"),
        ("00:45:35", "00:42:35", "3 min after the approval"),
    ],
)
def test_the_alert_is_told_against_what_matters(result: Result, detected: str, approved: str | None, said: str) -> None:
    one = incident(result, FLOOD) | {"detected_at": f"2026-03-03T{detected}Z", "approved_at": approved and f"2026-03-03T{approved}Z"}
    assert f"evidence enough for an alert, {said}" in [stone.text for stone in milestones(one, 14)[0]]


def test_what_was_approved_in_a_mere_attempt_is_told_as_their_own(result: Result) -> None:
    one = incident(result, CALLER) | {"stage": "attempted", "approved_at": None}
    assert (words.outcome(one), words.stage(one)) == ("attempt", "attempt: what was approved looks like their own")
    drawn = chart(one, TEXT, with_requesters=False)
    assert "APPROVED" not in [lane.title for lane in drawn.lanes]
    assert sum(len(mark.points) for mark in drawn.marks if mark.lane.group == "ordinary") == 3


def test_own_prompts_far_away_give_way_to_the_attack(result: Result) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    one = with_prompts(incident(result, NIGHT), [start + timedelta(seconds=40 * n) for n in range(15)], ["denied"] * 15)
    one["timeline"] += [moment(start + timedelta(hours=hour), fate="approved", is_part=False) for hour in (-23, -17, -12, -7, -3, 2, 6, 11, 20)]
    drawn = chart(one, TEXT, with_requesters=False)
    own = [mark for mark in drawn.marks if mark.lane.group == "ordinary"]
    assert drawn.left_out > 0
    assert sum(len(mark.points) for mark in own) + drawn.left_out == 9
    at = [mark.x for mark in drawn.marks if mark.lane.key == "denied"]
    assert len(at) == 15
    assert at[-1] - at[0] > TEXT.width / 3


def test_requesters_have_lanes_of_their_own_and_many_share_one(result: Result) -> None:
    lanes = [lane.title for lane in chart(incident(result, FLOOD), DRAWN, with_requesters=True).lanes if lane.group == "asked"]
    assert lanes == ["203.0.113.77\nLagos, Nigeria", "198.51.100.23\nAmsterdam, Netherlands"]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    many = with_prompts(incident(result, NIGHT), [start + timedelta(minutes=n) for n in range(12)], ["denied"] * 12)
    assert [lane.title for lane in chart(many, DRAWN, with_requesters=True).lanes if lane.group == "asked"][-1] == "9 other addresses"


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x07", "\x9b2J", "\u202e", "\u2066", "\ud800", "\x00", "\x7f"])
def test_clean_text_can_only_be_read(hostile: str) -> None:
    assert words.clean(f"a{hostile[0]}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_clean_text_keeps_every_script() -> None:
    for text in ("bô Köln", "דנה כהן", "田中 太郎", "نرگس\u200cها", "👩\u200d💻"):
        assert words.clean(text) == text
    assert words.clean("two\nlines\tand a tab") == "two lines and a tab"
    assert words.clean(None) == ""
