"""The simulator: the same seed, the same bytes; logs that can be read; a truth that fits them; and an organisation one can believe in."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from unbidden import engine, ingest, simulate
from unbidden.errors import UnbiddenError
from unbidden.providers import registry
from unbidden.simulate import channels, stories
from unbidden.simulate.places import HOSTILE

SMALL: dict[str, Any] = {"people": 40, "days": 10}
LOGS = ("okta", "entra", "duo")
PROVIDERS = [name for name in LOGS if name in registry()]


def digest(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.rglob("*")) if file.is_file()}


def pairs(con: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> dict[Any, Any]:
    """The first column of a query by which the second is known."""
    return {row[0]: row[1] for row in engine.rows(con, sql, parameters or None)}


def prompts_of(folder: Path) -> list[dict[str, Any]]:
    prompts: list[dict[str, Any]] = json.loads((folder / "truth.json").read_text("utf-8"))["prompts"]
    return prompts


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate.write(tmp_path_factory.mktemp("company"), people=160)


@pytest.fixture(scope="module")
def truth(company: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((company / "truth.json").read_text("utf-8"))
    return told


@pytest.fixture(scope="module")
def con(company: Path) -> duckdb.DuckDBPyConnection:
    con = engine.connect()
    ingest.read(con, [str(company / name) for name in LOGS if (company / name).is_dir()])
    return con


def test_same_seed_same_bytes_and_another_seed_differs(tmp_path: Path) -> None:
    one, two, other = (digest(simulate.write(tmp_path / name, seed=seed, **SMALL)) for name, seed in (("one", 1), ("two", 1), ("other", 2)))
    assert one == two
    assert one["truth.json"] != other["truth.json"]
    assert one["people.csv"] != other["people.csv"]


def test_attacks_change_no_other_row(tmp_path: Path) -> None:
    calm = prompts_of(simulate.write(tmp_path / "calm", attacks=False, **SMALL))
    attacked = prompts_of(simulate.write(tmp_path / "attacked", **SMALL))
    assert calm == [prompt for prompt in attacked if prompt["attack"] is None]
    assert len(attacked) > len(calm)


def test_without_traps_and_attacks_nobody_but_the_owner_asks(tmp_path: Path) -> None:
    folder = simulate.write(tmp_path, attacks=False, traps=False, **SMALL)
    told = json.loads((folder / "truth.json").read_text("utf-8"))
    assert told["attacks"] == told["traps"] == []
    assert {prompt["cause"] for prompt in told["prompts"]} == {"person"}


def test_a_start_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnbiddenError, match="time zone"):
        simulate.write(tmp_path, start=datetime(2026, 3, 2), **SMALL)


@pytest.mark.parametrize(("people", "days"), [(0, 5), (5, 0)])
def test_nobody_or_no_day_is_refused(people: int, days: int, tmp_path: Path) -> None:
    with pytest.raises(UnbiddenError, match="nothing to simulate"):
        simulate.write(tmp_path, people=people, days=days)


@pytest.mark.parametrize(("people", "days"), [(1, 1), (6, 3), (25, 30)])
def test_small_organisations_have_fewer_stories(people: int, days: int, tmp_path: Path) -> None:
    told = json.loads((simulate.write(tmp_path, people=people, days=days) / "truth.json").read_text("utf-8"))
    assert all(attack["victim"] for attack in told["attacks"])


def test_start_is_taken_as_utc(tmp_path: Path) -> None:
    told = json.loads((simulate.write(tmp_path, start=datetime(2026, 5, 4, tzinfo=UTC), **SMALL) / "truth.json").read_text("utf-8"))
    assert (told["start"], told["end"]) == ("2026-05-04T00:00:00.000Z", "2026-05-14T00:00:00.000Z")
    assert all(told["start"] <= prompt["sent_at"] < told["end"] for prompt in told["prompts"])


def test_every_file_is_read_back_whole(company: Path, con: duckdb.DuckDBPyConnection) -> None:
    assert engine.records(con, "SELECT path, why, text FROM unread LIMIT 5") == []
    files = {str(file) for name in LOGS for file in (company / name).rglob("*") if file.is_file()}
    counted = pairs(con, "SELECT s.path, count(e.event_id) FROM source s LEFT JOIN event e USING (source) GROUP BY ALL")
    assert set(counted) == files
    assert min(count for count in counted.values()) > 0
    assert {row[0] for row in engine.rows(con, "SELECT DISTINCT provider FROM event")} == set(PROVIDERS)
    assert engine.one(con, "SELECT count(*) FROM event WHERE login IS NULL") == 0


def test_files_are_as_exports_look(company: Path) -> None:
    assert len(list((company / "okta").glob("system_log-2026-03-??.jsonl"))) == 14
    if "entra" in PROVIDERS:
        times = [row["createdDateTime"] for row in json.loads((company / "entra" / "signins.json").read_text("utf-8"))["value"]]
        assert times == sorted(times, reverse=True)
    if "duo" in PROVIDERS:
        logs = json.loads((company / "duo" / "authlogs.json").read_text("utf-8"))["response"]["authlogs"]
        assert all(row["txid"] for row in logs)


def test_truth_names_rows_that_exist(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    ids = {row[0] for row in engine.rows(con, "SELECT split_part(event_id, '|', 1) FROM event UNION SELECT provider || ':' || request_id FROM event")}
    assert all(prompt["events"] for prompt in truth["prompts"])
    assert [event for prompt in truth["prompts"] for event in prompt["events"] if event not in ids] == []
    assert [done["event"] for attack in truth["attacks"] for done in attack["aftermath"] if done["event"] not in ids] == []


def test_truth_knows_every_challenge_of_the_logs(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    known = {event for prompt in truth["prompts"] for event in prompt["events"]}
    rows = engine.rows(
        con,
        """SELECT split_part(event_id, '|', 1), provider || ':' || coalesce(request_id, '') FROM event
        WHERE kind IN ('prompt', 'answer') AND factor IN ('push', 'number_push', 'sms', 'call', 'email')""",
    )
    assert [row for row in rows if not known & set(row)] == []


def test_logged_fates_are_the_real_ones(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    logged = pairs(
        con,
        """SELECT split_part(event_id, '|', 1), outcome FROM event WHERE kind = 'answer'
        UNION ALL SELECT provider || ':' || request_id, outcome FROM event WHERE kind = 'answer' AND request_id IS NOT NULL""",
    )
    for prompt in truth["prompts"]:
        seen = {logged[event] for event in prompt["events"] if event in logged}
        assert seen == {channels.logged_fate(prompt["provider"], prompt["factor"], prompt["fate"])} - {None}, prompt


def test_an_ignored_push_at_okta_is_only_a_send(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    ignored = {e for p in truth["prompts"] if p["provider"] == "okta" and p["fate"] == "unanswered" for e in p["events"]}
    kinds = engine.rows(con, "SELECT event_id, kind FROM event WHERE provider = 'okta'")
    assert len(ignored) > 20
    assert {kind for event, kind in kinds if event in ignored} == {"prompt"}


@pytest.mark.skipif(len(PROVIDERS) < len(LOGS), reason=f"not all of {', '.join(LOGS)} can be read yet")
def test_every_attack_and_trap_happens(truth: dict[str, Any]) -> None:
    assert {attack["name"] for attack in truth["attacks"]} == set(stories.all_attacks())
    assert {trap["name"] for trap in truth["traps"]} == set(stories.all_traps())
    assert {attack["family"] for attack in truth["attacks"]} >= {"F1", "F2", "F3", "F4", "F5", "F6", "F8", "F9"}
    assert {trap["family"] for trap in truth["traps"]} >= {"N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N10", "fan-out"}


@pytest.mark.parametrize("name", [*stories.all_attacks(), *stories.all_traps()])
def test_every_story_is_told(name: str) -> None:
    story = (stories.all_attacks() | stories.all_traps())[name]
    assert story.FAMILY
    assert len((story.unfold.__doc__ or "").split()) > 20
    assert all(low <= high for low, high in story.RANGES.values())


def test_attacks_are_what_their_families_say(truth: dict[str, Any]) -> None:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for attack in truth["attacks"]:
        by_name.setdefault(attack["name"], []).append(attack)
        assert sum(attack["fates"].values()) == attack["prompts"]
        assert (attack["approved_at"] is not None) == ("approved" in attack["fates"])
        for name, value in attack["numbers"].items():
            low, high = stories.all_attacks()[attack["name"]].RANGES[name]
            assert low <= value <= high
    assert {"factor", "session"} <= {done["kind"] for done in by_name["first_prompt"][0]["aftermath"]}
    assert by_name["first_prompt"][0]["prompts"] == 1
    assert by_name["sequential_ignored"][0]["fates"].keys() == {"unanswered"}
    assert by_name["mixed_reported"][0]["fates"]["reported"] == 1
    assert all(attack["approved_at"] is None for name in ("sequential_ignored", "mixed_reported", "drip", "night_calls") for attack in by_name[name])
    spray = by_name["spray"]
    assert len(spray) >= 6
    assert sum(attack["approved_at"] is not None for attack in spray) == 1
    assert len({attack["campaign"] for attack in spray}) == 1


def test_attackers_keep_to_their_own_networks(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    prefixes = tuple(net.prefix + "." for net in HOSTILE)
    assert len({net.prefix for net in HOSTILE}) == 10
    assert all(source.startswith(prefixes) for attack in truth["attacks"] for source in attack["sources"])
    attacked = {event for prompt in truth["prompts"] if prompt["cause"] == "attack" for event in prompt["events"]}
    ips = engine.rows(con, "SELECT split_part(event_id, '|', 1), provider || ':' || coalesce(request_id, ''), kind, ip, answer_ip FROM event")
    for key, other, kind, ip, answer_ip in ips:
        if kind == "prompt" and str(ip).startswith(prefixes):
            assert {key, other} & attacked
        assert answer_ip is None or not str(answer_ip).startswith(prefixes)


def test_traps_are_harmless_and_look_as_told(truth: dict[str, Any]) -> None:
    prompts: dict[str, list[dict[str, Any]]] = {}
    for prompt in truth["prompts"]:
        prompts.setdefault(prompt["trap"], []).append(prompt)
        assert prompt["attack"] is None or prompt["trap"] is None
    for trap in truth["traps"]:
        assert len(prompts[trap["id"]]) == trap["prompts"] > 0
        fates = Counter(prompt["fate"] for prompt in prompts[trap["id"]])
        match trap["name"]:
            case "vpn_retry":
                times = [datetime.fromisoformat(prompt["sent_at"]) for prompt in prompts[trap["id"]]]
                assert fates["unanswered"] >= 8
                assert (times[7] - times[0]).total_seconds() == pytest.approx(28, abs=2)
            case "vpn_reconnect" | "two_phones":
                assert fates["approved"] >= 3
            case "mistap":
                assert fates["denied"] and fates["approved"]  # noqa: PT018 -- one claim: first this, then that
            case "sync_loop" | "integration_loop":
                assert fates["denied"] >= 10
            case "outage":
                assert len({prompt["user"] for prompt in prompts[trap["id"]]}) >= 3
                assert fates["unanswered"] > len(trap["people"])


def test_people_have_habits_before_the_first_attack(truth: dict[str, Any], company: Path, con: duckdb.DuckDBPyConnection) -> None:
    first = min(attack["first_prompt_at"] for attack in truth["attacks"])
    assert datetime.fromisoformat(first) >= datetime(2026, 3, 8, tzinfo=UTC)
    counts = pairs(
        con,
        """SELECT login, count(*) FROM event WHERE occurred_at < $first
        AND (kind = 'answer' AND outcome = 'approved' OR kind = 'session' AND outcome = 'success') GROUP BY login""",
        first=datetime.fromisoformat(first).replace(tzinfo=None),
    )
    with (company / "people.csv").open(encoding="utf-8") as stream:
        people = [row["user"] for row in csv.DictReader(stream)]
    assert len(people) == len(set(people)) == 160
    assert sum(counts.get(user, 0) >= 5 for user in people) > 0.9 * len(people)


def test_base_rates_are_those_that_were_published(tmp_path: Path) -> None:
    folder = simulate.write(tmp_path, people=150, attacks=False, traps=False)
    own = prompts_of(folder)
    per_user_day = len(own) / 150 / 14
    assert 0.2 < per_user_day < 1
    failed = sum(prompt["fate"] != "approved" for prompt in own) / len(own)
    assert 0.03 < failed < 0.09


def test_aliases_name_one_person_each(company: Path, con: duckdb.DuckDBPyConnection) -> None:
    with (company / "people.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    aliases = [row["aliases"] for row in rows]
    assert len(aliases) == len(set(aliases))
    assert {row["privileged"] for row in rows} == {"true", "false"}
    short = {str(row[0]) for row in engine.rows(con, "SELECT DISTINCT login FROM event WHERE provider = 'duo'")}
    assert short <= set(aliases)
    assert {str(row[0]) for row in engine.rows(con, "SELECT DISTINCT login FROM event WHERE provider <> 'duo'")} <= {row["user"] for row in rows}
