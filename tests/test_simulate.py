"""The simulator: the same seed, the same bytes; logs that can be read; a truth that fits them; and an organisation one can believe in."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from unbidden import engine, ingest, line, simulate
from unbidden.errors import UnbiddenError
from unbidden.people import read_list
from unbidden.simulate import channels, stories
from unbidden.simulate import truth as truths
from unbidden.simulate.plan import PLANS, TRAINING

SMALL: dict[str, Any] = {"people": 40, "days": 10}
LOGS = ("duo", "entra", "m365", "okta", "privacyidea")


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
    return simulate.write(tmp_path_factory.mktemp("company"), people=300)


@pytest.fixture(scope="module")
def truth(company: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((company / "truth.json").read_text("utf-8"))
    return told


@pytest.fixture(scope="module")
def con(company: Path) -> duckdb.DuckDBPyConnection:
    con = engine.connect()
    ingest.read(con, [str(company / name) for name in LOGS])
    return con


def test_same_seed_same_bytes_and_another_seed_differs(tmp_path: Path) -> None:
    one, two, other = (digest(simulate.write(tmp_path / name, seed=seed, **SMALL)) for name, seed in (("one", 1), ("two", 1), ("other", 2)))
    assert one == two
    assert one["truth.json"] != other["truth.json"]
    assert one["people.csv"] != other["people.csv"]


def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    one, two = (digest(simulate.write(tmp_path / str(jobs), people=1000, days=3, seed=1, jobs=jobs)) for jobs in (1, 2))
    assert one == two


def test_a_second_company_takes_the_place_of_the_first(tmp_path: Path) -> None:
    simulate.write(tmp_path / "twice", seed=1, **SMALL)
    assert digest(simulate.write(tmp_path / "twice", seed=2, **SMALL)) == digest(simulate.write(tmp_path / "once", seed=2, **SMALL))


def test_logs_of_others_are_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "okta" / "system_log-2026-03-02.jsonl"
    log.parent.mkdir()
    log.write_text("{}\n", "utf-8")
    with pytest.raises(UnbiddenError, match=r"holds logs that no simulation wrote, system_log-2026-03-02\.jsonl among them"):
        simulate.write(tmp_path, **SMALL)
    assert log.read_text("utf-8") == "{}\n"


def test_attacks_change_no_other_row(tmp_path: Path) -> None:
    calm = prompts_of(simulate.write(tmp_path / "calm", attacks="none", **SMALL))
    attacked = prompts_of(simulate.write(tmp_path / "attacked", **SMALL))
    assert calm == [prompt for prompt in attacked if prompt["attack"] is None]
    assert len(attacked) > len(calm)


def test_without_traps_and_attacks_nobody_but_the_owner_asks(tmp_path: Path) -> None:
    folder = simulate.write(tmp_path, attacks="none", traps="none", **SMALL)
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


def test_every_file_is_read_back_but_for_cut_lines(company: Path, truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    files = {str(file) for name in LOGS for file in (company / name).rglob("*") if file.is_file()}
    counted = pairs(con, "SELECT s.path, count(e.event_id) FROM source s LEFT JOIN event e USING (source) GROUP BY ALL")
    assert set(counted) == files
    assert min(count for count in counted.values()) > 0
    assert {row[0] for row in engine.rows(con, "SELECT DISTINCT provider FROM event")} == set(LOGS)
    assert engine.one(con, "SELECT count(*) FROM event WHERE login IS NULL") == 0
    assert engine.one(con, "SELECT count(*) FROM unread") == truth["faults"]["cut"] > 0
    assert all(str(row[0]).startswith('{"') for row in engine.rows(con, "SELECT text FROM unread"))


def test_files_are_as_exports_look(company: Path, tmp_path: Path) -> None:
    assert len(list((company / "okta").glob("system_log-2026-03-??.jsonl"))) >= 14
    streamed = [json.loads(line) for line in (company / "entra" / "insights-logs-signinlogs-2026-03-06.jsonl").read_text("utf-8").splitlines()]
    assert {row["category"] for row in streamed} == {"SignInLogs"}
    logs = json.loads((company / "duo" / "authlogs.json").read_text("utf-8"))["response"]["authlogs"]
    assert all(row["txid"] for row in logs)
    paged = simulate.write(tmp_path, seed=2, faults=False, **SMALL)
    times = [row["createdDateTime"] for row in json.loads((paged / "entra" / "signins.json").read_text("utf-8"))["value"]]
    assert times == sorted(times, reverse=True)


def test_a_sign_in_has_several_rows_and_is_completed_late(company: Path) -> None:
    lines = [line for file in sorted((company / "entra").glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    rows = [json.loads(line)["properties"] for line in lines if line.endswith("}")]
    copies: dict[str, set[int]] = {}
    flows: dict[str, set[str]] = {}
    for row in rows:
        copies.setdefault(row["id"], set()).add(len(row["authenticationDetails"]))
        flows.setdefault(row["correlationId"], set()).add(row["id"])
    assert any(len(counts) > 1 for counts in copies.values())
    assert max(map(len, flows.values())) > 5


def test_an_organisation_may_run_the_classic_engine(tmp_path: Path) -> None:
    classic, identity = (
        "".join(file.read_text("utf-8") for file in sorted((simulate.write(tmp_path / str(seed), seed=seed, **SMALL) / "okta").iterdir())) for seed in (4, 2)
    )
    assert "user.mfa.okta_verify.deny_push" in classic
    assert "OV_RESPONSE_DENY" not in classic
    assert "user.mfa.okta_verify.deny_push" not in identity
    assert "OV_RESPONSE_DENY" in identity


def test_faults_lose_nothing(tmp_path: Path) -> None:
    """The same events are read with and without faults: rows come twice, late, out of order, and what is cut came whole as well."""
    events = []
    for faults in (True, False):
        folder = simulate.write(tmp_path / str(faults), faults=faults, **SMALL)
        con = engine.connect()
        ingest.read(con, [str(folder / name) for name in LOGS])
        events.append(engine.rows(con, "SELECT event_id, occurred_at, kind, outcome, ip FROM event WHERE provider <> 'entra' ORDER BY ALL"))
    assert events[0] == events[1]
    assert len(events[0]) > 1000


def _rebuilt(folder: Path) -> list[tuple[str, str, str, str]]:
    """Every prompt that the line makes of the files alone: who, provider, when (the send where it is logged, else the answer), fate."""
    con = line.run([str(folder / name) for name in LOGS if (folder / name).is_dir()], line.Options(listed=read_list(folder / "people.csv"))).con
    rows = engine.records(con, "SELECT person, provider, sent_at, fate_at, fate, is_implied FROM prompt")
    return [(row["person"], row["provider"], _second(row["fate_at"] if row["is_implied"] else row["sent_at"]), row["fate"]) for row in rows]


def _second(at: datetime) -> str:
    return at.replace(microsecond=0, tzinfo=None).isoformat()


@pytest.mark.parametrize(("plan", "seed"), [("training", 4), ("training", 7), ("test", 1002)])
def test_the_files_alone_tell_every_prompt_of_the_truth_and_no_other(plan: str, seed: int, tmp_path: Path) -> None:
    folder = simulate.write(tmp_path, people=120, days=10, seed=seed, plan=PLANS[plan])
    expected = []
    for prompt in prompts_of(folder):
        is_sent = channels.shows(prompt["provider"], "prompt", prompt["factor"].replace("number_", ""), "sent")
        fate = channels.logged_fate(prompt["provider"], prompt["factor"], prompt["fate"]) or "unanswered"
        at = datetime.fromisoformat(prompt["sent_at"] if is_sent else prompt["fate_at"])
        expected.append((prompt["user"], prompt["provider"], _second(at), fate))
    rebuilt = _rebuilt(folder)
    # Classic Okta does not say that a wrong number was one, and what is open when the logs end is pending.
    plain = {"wrong_number": "failed", "pending": "unanswered"}
    assert Counter((*row[:3], plain.get(row[3], row[3])) for row in rebuilt) == Counter((*row[:3], plain.get(row[3], row[3])) for row in expected)
    assert len(expected) > 500


def test_truth_names_rows_that_exist(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    ids = {row[0] for row in engine.rows(con, "SELECT split_part(event_id, '|', 1) FROM event UNION SELECT provider || ':' || request_id FROM event")}
    assert all(prompt["events"] for prompt in truth["prompts"])
    assert [event for prompt in truth["prompts"] for event in prompt["events"] if event not in ids] == []
    assert [done["event"] for attack in truth["attacks"] for done in attack["aftermath"] if done["event"] not in ids] == []


def test_an_ignored_push_at_okta_is_only_a_send(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    ignored = {e for p in truth["prompts"] if p["provider"] == "okta" and p["fate"] == "unanswered" for e in p["events"]}
    kinds = engine.rows(con, "SELECT event_id, kind FROM event WHERE provider = 'okta'")
    assert len(ignored) > 20
    assert {kind for event, kind in kinds if event in ignored} == {"prompt"}


def test_every_attack_and_trap_happens(truth: dict[str, Any]) -> None:
    assert {attack["name"] for attack in truth["attacks"]} == set(stories.all_attacks())
    assert {trap["name"] for trap in truth["traps"]} == set(stories.all_traps())
    assert {attack["family"] for attack in truth["attacks"]} == {f"F{number}" for number in range(1, 13)}
    assert {trap["family"] for trap in truth["traps"]} >= {f"N{number}" for number in range(1, 13)}


def test_only_the_chosen_stories_happen(tmp_path: Path) -> None:
    told = json.loads((simulate.write(tmp_path, attacks="uber_2022, f5", traps="N3", **SMALL) / "truth.json").read_text("utf-8"))
    assert {attack["name"] for attack in told["attacks"]} == {"uber_2022", "drip"}
    assert {trap["name"] for trap in told["traps"]} == {"mistap"}
    with pytest.raises(UnbiddenError, match="there is no attack 'uber'; choose among: all, none"):
        simulate.write(tmp_path, attacks="uber", **SMALL)


def test_over_the_seeds_every_variant_happens(tmp_path: Path) -> None:
    seen: dict[str, set[str]] = {}
    for seed in range(5):
        folder = simulate.write(tmp_path / str(seed), people=40, days=8, seed=seed, attacks="fast_flood", traps="none")
        for attack in json.loads((folder / "truth.json").read_text("utf-8"))["attacks"]:
            seen.setdefault(attack["name"], set()).add(attack["variant"])
    assert seen == {"fast_flood": {"none", "approved", "new_factor", "removed", "reported"}}


@pytest.mark.parametrize("name", [*stories.all_attacks(), *stories.all_traps()])
def test_every_story_is_told(name: str) -> None:
    story = (stories.all_attacks() | stories.all_traps())[name]
    assert story.FAMILY
    assert len((story.unfold.__doc__ or "").split()) > 20
    assert all(low <= high for low, high in story.RANGES.values())
    assert name in stories.all_traps() or set(getattr(story, "VARIANTS", ())) <= {"none", "approved", "new_factor", "removed", "reported"} != set()


def test_what_is_done_to_stay_and_what_people_do_themselves_changes_no_other_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both left out, only their own rows and what truth says of the aftermath are missing."""

    def rows(folder: Path) -> Counter[str]:
        return Counter(line.strip().rstrip(",") for file in folder.glob("*/*.json*") for line in file.read_text("utf-8").splitlines() if len(line) > 200)

    arguments: dict[str, Any] = {"people": 80, "days": 10, "seed": 3, "faults": False}
    whole = simulate.write(tmp_path / "whole", **arguments)
    for name in ("keep", "chores"):
        monkeypatch.setattr(f"unbidden.simulate.history.{name}", lambda *_: iter(()))
    bare = simulate.write(tmp_path / "bare", **arguments)
    assert not rows(bare) - rows(whole)
    assert sum((rows(whole) - rows(bare)).values()) > 10
    assert prompts_of(bare) == prompts_of(whole)


def test_everything_is_done_to_stay_by_somebody(tmp_path: Path) -> None:
    seen = set[tuple[str, str]]()
    for seed in range(3):
        folder = simulate.write(tmp_path / str(seed), people=60, days=4, seed=seed, traps="none", attacks="all")
        told = json.loads((folder / "truth.json").read_text("utf-8"))
        seen |= {(deed["kind"], deed["outcome"]) for attack in told["attacks"] for deed in attack["aftermath"]}
    assert seen >= {("device", "added"), ("policy", "consented"), ("policy", "mail_rule"), ("session", "success")}


def test_attacks_are_what_their_families_say(truth: dict[str, Any]) -> None:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for attack in truth["attacks"]:
        by_name.setdefault(attack["name"], []).append(attack)
        assert sum(attack["fates"].values()) == attack["prompts"]
        assert (attack["approved_at"] is not None) == ("approved" in attack["fates"]) == (attack["variant"] not in ("none", "reported"))
        assert attack["difficulty"] in ("easy", "medium", "hard")
        for name, value in attack["numbers"].items():
            low, high = stories.all_attacks()[attack["name"]].RANGES[name]
            assert low <= value <= high
    assert by_name["first_prompt"][0]["prompts"] == 1
    assert by_name["sequential_ignored"][0]["fates"].keys() <= {"unanswered", "approved"}
    assert by_name["okta_sitel_2022"][0]["approved_at"] is None
    assert by_name["uber_2022"][0]["prompts"] >= 20
    assert {"factor"} <= {done["kind"] for done in by_name["uber_2022"][0]["aftermath"]}
    spray = by_name["spray"]
    assert len(spray) >= 3
    assert len({attack["campaign"] for attack in spray}) == 1


def test_difficulty_follows_what_happened() -> None:
    def prompts(count: int, every_s: int, fate: str = "denied") -> list[truths.Prompt]:
        times = [datetime(2026, 3, 2) + timedelta(seconds=number * every_s) for number in range(count)]
        return [truths.Prompt("p", "u", "okta", "push", at, fate, at, "attack", "a", None, []) for at in times]

    old, new = timedelta(days=400), timedelta(days=3)
    assert truths.difficulty(prompts(10, 60), "abroad", old) == "easy"
    assert truths.difficulty(prompts(10, 60), "town", old) == "medium"
    assert truths.difficulty(prompts(10, 60), "town", new) == "hard"
    assert truths.difficulty(prompts(3, 60), "abroad", old) == "medium"
    assert truths.difficulty(prompts(3, 60), "town", old) == "hard"
    assert truths.difficulty(prompts(3, 60, "reported"), "abroad", old) == "easy"
    assert truths.difficulty(prompts(10, 86400), "abroad", old) == "medium"
    assert truths.difficulty(prompts(2, 60), "abroad", old) == "hard"


def test_attackers_use_no_address_of_anybody_else(truth: dict[str, Any], con: duckdb.DuckDBPyConnection) -> None:
    prefixes = tuple(net.prefix + "." for net in TRAINING.hostile)
    assert len({net.prefix for net in TRAINING.hostile}) == 10
    assert {attack["origin"] for attack in truth["attacks"]} >= {"abroad", "country"}
    for attack in truth["attacks"]:
        assert attack["origin"] == "town" or all(source.startswith(prefixes) for source in attack["sources"])
    sources = {source for attack in truth["attacks"] for source in attack["sources"]}
    attacked = {attack["victim"] for attack in truth["attacks"]}
    users = pairs(con, "SELECT ip, list(DISTINCT login) FROM event WHERE kind = 'session' AND outcome = 'success' AND provider = 'okta' GROUP BY ip")
    assert all(set(users.get(source, [])) <= attacked for source in sources)
    answers = {row[0] for row in engine.rows(con, "SELECT DISTINCT answer_ip FROM event WHERE answer_ip IS NOT NULL")}
    assert not answers & sources


def test_the_two_plans_share_nothing_that_a_weight_could_learn() -> None:
    one, two = PLANS["training"], PLANS["test"]
    places = [{office.place.city for office in plan.offices} | {place.city for place in plan.hostile_places} for plan in (one, two)]
    nets = [{net.prefix for net in plan.hostile} | {net.prefix for office in plan.offices for net in office.providers} for plan in (one, two)]
    assert not places[0] & places[1]
    assert not nets[0] & nets[1]
    assert one.part != two.part
    assert one.habits != two.habits


def test_traps_are_harmless_and_look_as_told(truth: dict[str, Any]) -> None:
    prompts: dict[str, list[dict[str, Any]]] = {}
    for prompt in truth["prompts"]:
        prompts.setdefault(prompt["trap"], []).append(prompt)
        assert prompt["attack"] is None or prompt["trap"] is None
    assert {trap["name"] for trap in truth["traps"] if trap["announced"]} == {"exercise", "pentest"}
    assert {trap["name"] for trap in truth["traps"] if trap["other_attack"]} == {"relayed"}
    for trap in truth["traps"]:
        assert len(prompts[trap["id"]]) == trap["prompts"] > 0
        fates = Counter(prompt["fate"] for prompt in prompts[trap["id"]])
        match trap["name"]:
            case "vpn_retry":
                assert fates["unanswered"] >= 4
            case "vpn_reconnect" | "two_phones":
                assert fates["approved"] >= 2
            case "mistap":
                assert fates["denied"] and fates["approved"]  # noqa: PT018 -- one claim: first this, then that
            case "sync_loop" | "integration_loop":
                assert fates["denied"] >= 4
            case "outage":
                assert len({prompt["user"] for prompt in prompts[trap["id"]]}) >= 3
                assert fates["unanswered"] > len(trap["people"])


def test_what_was_announced_is_no_attack(truth: dict[str, Any]) -> None:
    announced = {trap["id"] for trap in truth["traps"] if trap["announced"]}
    assert {prompt["cause"] for prompt in truth["prompts"] if prompt["trap"] in announced and not prompt["asked"]} == {"exercise"}


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
    assert len(people) == len(set(people)) == 300
    assert sum(counts.get(user, 0) >= 5 for user in people) > 0.9 * len(people)


def test_base_rates_are_those_that_were_published(tmp_path: Path) -> None:
    folder = simulate.write(tmp_path, people=150, attacks="none", traps="none")
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
    short = {str(row[0]) for row in engine.rows(con, "SELECT DISTINCT login FROM event WHERE provider IN ('duo', 'privacyidea')")}
    assert short <= set(aliases)
    long = {str(row[0]) for row in engine.rows(con, "SELECT DISTINCT login FROM event WHERE provider NOT IN ('duo', 'privacyidea')")}
    assert long <= {row["user"] for row in rows}
