"""A user's own detections: read, refused with file and fault, run beside ours, staged, changed, proved; and the commands for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import company, logs, unbidden
from unbidden import engine, line
from unbidden.catalogue import catalogue_of, refuse_unless_select, replaced
from unbidden.detect import OFF, STAGED, detections
from unbidden.errors import ContentError
from unbidden.proving import gates
from unbidden.proving.running import refuse_unless_they_run
from unbidden.proving.skeleton import write_skeleton
from unbidden.proving.verdict import Verdict

NAME = "asked_abroad"

COUNTRIES = (
    """SELECT person, instant AS fired_at, prompt_id, phase, {country: country} AS numbers, events
FROM moment WHERE phase = 'asked' AND NOT list_contains($allowed, country)
""",
    """title: A request from a country that is not allowed
why: The list says where people are.
attack: [T1621]
group: abroad
weight: 1.0
reason: Travel is common.
params:
  allowed: {value: [US, NG], unit: countries, why: "Where people are."}
tests:
  - {name: where nobody is, fires: true, prompts: [{at: 0s, from: hotel}]}
  - {name: where people are, fires: false, prompts: [{at: 0s}]}
  - {name: with a shorter list, fires: true, params: {allowed: [US]}, prompts: [{at: 0s}]}
""",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the skeleton in it."""
    write_skeleton(NAME, tmp_path)
    return tmp_path


def edit(folder: Path, ending: str, before: str, after: str) -> None:
    file = folder / f"{NAME}.{ending}"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def refusal(folder: Path) -> str:
    with pytest.raises(ContentError) as caught:
        refuse_unless_they_run(catalogue_of(folder))
    return str(caught.value)


def verdict(folder: Path, name: str = NAME) -> Verdict:
    catalogue = {name: catalogue_of(folder)[name]}
    return gates.judged(gates.prove(catalogue), catalogue[name])


def test_the_skeleton_holds_and_is_staged(folder: Path) -> None:
    assert verdict(folder).faults == {"runs": [], **{gate: [] for gate in gates.GATES}}
    assert catalogue_of(folder)[NAME].status == STAGED
    assert list(catalogue_of(folder)) == sorted([*detections(), NAME])


@pytest.mark.parametrize(
    ("ending", "before", "after", "said"),
    [
        ("sql", "refused_1h: refused_1h", "refused_1h: refused_2h", f'{NAME}.sql: Binder Error: Referenced column "refused_2h"'),
        ("sql", "FROM moment", "FROM habit", "habit is no relation of a detection"),
        ("sql", "$unwanted", "$wanted", "$wanted is none of its params"),
        ("sql", "events                --", "[1] AS events         --", "events is of type INTEGER[]"),
        ("sql", "person,", "", "it gives no column person"),
        ("yml", "title:", "titel:", "it lacks title; nobody reads titel"),
        ("yml", "weight: 2.0", "weight: heavy", "weight is a number"),
        ("yml", "weight: 2.0", "weight: -2.0", "calm weighs negative"),
        ("yml", "status: staged", "status: perhaps", "status is one of live, staged, off"),
        ("yml", "status: staged", "story: At {at} {nothing} happened.", "its story names {nothing}"),
        ("yml", "attack: [T1621]", "attack: [T1621", f"{NAME}.yml, line"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(folder: Path, ending: str, before: str, after: str, said: str) -> None:
    edit(folder, ending, before, after)
    assert said in refusal(folder)


def test_a_twin_that_is_missing_is_named(folder: Path) -> None:
    (folder / f"{NAME}.sql").unlink()
    assert f"missing: {NAME}.sql" in refusal(folder)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'x'",
        "ATTACH 'x' AS y",
        "SELECT 1; SELECT 2",
        "DROP TABLE event",
        "SELECT 1) FROM event; --",
        "SELECT * FROM read_csv('x.csv')",
        "SELECT * FROM 'x.csv'",
        'SELECT * FROM "x.parquet"',
        'WITH "/etc/passwd.csv" AS (SELECT 1) SELECT * FROM "/etc/passwd.csv"',
        "SELECT * FROM main.event",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "SELECT getenv('HOME') FROM event",
        "SELECT list_transform(events, lambda x: getenv(x)) FROM moment",
        "SELECT now() FROM event",
        "SELECT current_timestamp FROM event",
        "SELECT random() FROM event",
        "SELECT age(occurred_at) FROM event",
        "SELECT * FROM event USING SAMPLE 10",
        "SELECT * FROM event TABLESAMPLE 10%",
        "SELECT * FROM (SHOW TABLES)",
        "DESCRIBE event",
        "PRAGMA version",
        "SET threads = 1",
        "WITH gone AS (DELETE FROM event RETURNING *) SELECT * FROM gone",
        "WITH added AS (INSERT INTO event VALUES (1) RETURNING *) SELECT * FROM added",
        "SELECT ? FROM event",
        "",
    ],
)
def test_only_one_select_over_the_relations_is_taken(sql: str) -> None:
    with pytest.raises(ContentError, match=r"own\.sql: "):
        refuse_unless_select(sql, "own.sql", set())


@pytest.mark.parametrize(
    "sql",
    [
        "WITH one AS (SELECT * FROM moment) SELECT m.* FROM one m ASOF JOIN event e ON e.person = m.person AND e.occurred_at <= m.instant",
        "SELECT person, unnest(events) FROM prompt UNION ALL SELECT person, event_id FROM event",
        "SELECT * FROM moment, unnest(events) QUALIFY row_number() OVER (PARTITION BY person ORDER BY instant) = 1 -- the first",
    ],
)
def test_what_a_detection_needs_is_taken(sql: str) -> None:
    refuse_unless_select(sql, "own.sql", set())


def test_a_gate_that_fails_says_why(folder: Path) -> None:
    edit(folder, "yml", "value: 3", "value: 2")
    faults = verdict(folder).faults
    assert faults["timelines"] == ["'one fewer' fires, and says the opposite"]
    edit(folder, "yml", "value: 2", "value: 3")
    edit(folder, "yml", "{at: 5m, times: 2, every: 5m}", "{at: 5m, times: 3, every: 5m}")
    assert verdict(folder).faults["mutation"] == ["no timeline notices unwanted = 4"]
    edit(folder, "yml", "reason: Say here", "reason: Say 5 times here")
    assert verdict(folder).faults["prose"] == ["numbers live in params and prose refers to them: 5"]
    edit(folder, "yml", "from: home", "from: mars")
    with pytest.raises(ContentError, match="there is no 'mars'"):
        verdict(folder)


def test_a_list_has_to_be_proved_by_a_timeline_of_its_own(tmp_path: Path) -> None:
    for ending, text in zip(("sql", "yml"), COUNTRIES, strict=True):
        (tmp_path / f"{NAME}.{ending}").write_text(text, "utf-8")
    assert verdict(tmp_path).holds
    edit(tmp_path, "yml", "allowed: [US]", "allowed: [US, NG]")
    edit(tmp_path, "yml", "shorter list, fires: true", "shorter list, fires: false")
    assert verdict(tmp_path).faults["lists"] == ["no timeline sets allowed under `params` and turns out otherwise than without it"]
    edit(tmp_path, "yml", "params: {allowed:", "params: {alowed:")
    assert verdict(tmp_path).faults["overrides"] == ["'with a shorter list' sets alowed, and there is no such number"]


def scan(*more: str) -> dict[str, Any]:
    done = unbidden("scan", *logs(), "-f", "json", "--people", str(company() / "people.csv"), *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_staged_detection_is_shown_and_changes_nothing(folder: Path) -> None:
    plain, staged = scan(), scan("--detections", str(folder))
    shown = [signal for incident in staged["incidents"] for signal in incident["signals"] if signal["detection"] == NAME]
    assert shown
    assert {signal["weight"] for signal in shown} == {0}
    for incident in staged["incidents"]:
        incident["signals"] = [signal for signal in incident["signals"] if signal["detection"] != NAME]
        incident["evidence"] = [entry for entry in incident["evidence"] if entry["detection"] != NAME]
    assert staged == plain
    (folder / "params.yml").write_text(f"{NAME}: {{status: live}}\n", "utf-8")
    live = scan("--detections", str(folder), "--parts", "2")
    assert any(signal["weight"] == 2.0 for incident in live["incidents"] for signal in incident["signals"] if signal["detection"] == NAME)


def test_numbers_of_any_detection_can_be_set_otherwise(folder: Path) -> None:
    told = folder / "params.yml"
    told.write_text(f"refused_flood: {{refusals: 4}}\nignored_flood: {{status: off}}\n{NAME}: {{unwanted: 5}}\n", "utf-8")
    catalogue = catalogue_of(folder)
    assert catalogue["refused_flood"].params == {"refusals": 4}
    assert catalogue["refused_flood"].version != detections()["refused_flood"].version
    assert catalogue["ignored_flood"].status == OFF
    assert catalogue[NAME].params == {"unwanted": 5}
    assert detections()["refused_flood"].params == {"refusals": 3}, "ours stay as they are"
    con = engine.connect()
    engine.create(con, "source", "unread", "event")
    assert line.judge(con, line.Options(catalogue=catalogue)).catalogue is catalogue


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("refused_flod: {refusals: 4}", "there is no detection refused_flod"),
        ("refused_flood: {refusal: 4}", "there is no number refusal; there are: refusals, status"),
        ("refused_flood: {refusals: 4.5}", "refusals is 4.5"),
        ("refused_flood: {refusals: true}", "refusals is True"),
        ("refused_flood: 4", "numbers by name are wanted, such as {refusals: 3}"),
        ("refused_flood: {status: on}", "status is one of live, staged, off"),
        ("[1]", "names with values are wanted"),
    ],
)
def test_wrong_changes_are_named(folder: Path, text: str, said: str) -> None:
    (folder / "params.yml").write_text(text, "utf-8")
    assert said in refusal(folder)


def test_one_of_the_name_of_ours_takes_its_place_and_says_so(tmp_path: Path) -> None:
    write_skeleton("refused_flood", tmp_path)
    assert replaced(catalogue_of(tmp_path)) == ["refused_flood"]
    done = unbidden("detections", "list", "--detections", str(tmp_path), "--group", "volume")
    assert f"refused_flood of {tmp_path} takes the place of ours" in done.stderr
    assert "staged (yours)" in done.stdout


def test_the_commands_from_nothing_to_a_proved_detection(tmp_path: Path) -> None:
    own = ("--detections", str(tmp_path / "own"))
    assert unbidden("detections", "new", NAME, *own).returncode == 0
    again = unbidden("detections", "new", NAME, *own)
    assert (again.returncode, "it is there already" in again.stderr) == (2, True)
    done = unbidden("detections", "test", *own)
    assert (done.returncode, "1 of 1 detections hold." in done.stdout) == (0, True)
    shown = unbidden("detections", "show", NAME, *own)
    for part in ("WHY", "NUMBERS", "SQL", "TIMELINES", "WHAT IT CANNOT SEE", "as many as it takes"):
        assert part in shown.stdout
    edit(tmp_path / "own", "yml", "value: 3", "value: 2")
    failed = unbidden("detections", "test", NAME, "refused_flood", *own)
    assert failed.returncode == 1
    assert "'one fewer' fires" in failed.stdout
    assert "ok    refused_flood" in failed.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "nothing"], "there is no detection nothing"),
        (["test", "nothing"], "there is no detection nothing"),
        (["list", "--group", "nothing"], "there is no group 'nothing'"),
        (["list", "--status", "nothing"], "there is no status 'nothing'"),
        (["list", "--detections", "/nowhere"], "there is no such folder"),
        (["new", "A-b", "--detections", "/nowhere"], "cannot be a detection's name"),
    ],
)
def test_a_wrong_call_says_what_there_is(words: list[str], said: str) -> None:
    done = unbidden("detections", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
