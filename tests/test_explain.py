"""The explanation of an incident: what it adds up to is what the line says, and what would have been different is what the line then gives."""

from __future__ import annotations

import json
import math
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import company, logs, unbidden
from unbidden import engine, line
from unbidden.detect import detections
from unbidden.errors import UnusableInputError
from unbidden.explain import explain, explain_saved, saved_result
from unbidden.explain.bounds import margins, misses
from unbidden.explain.document import taken_apart
from unbidden.explain.reckoning import log_odds, smallest_sets
from unbidden.people import read_list
from unbidden.proving import timelines
from unbidden.result import document


@cache
def scanned(parts: int = 1) -> line.Run:
    return line.run(logs(), line.Options(listed=read_list(company() / "people.csv"), parts=parts))


def incidents() -> list[str]:
    return [str(row[0]) for row in engine.rows(scanned().con, "SELECT incident_id FROM incident ORDER BY risk DESC, incident_id")]


def least_alerting() -> str:
    return str(engine.one(scanned().con, "SELECT min_by(incident_id, (risk, incident_id)) FROM incident WHERE severity <> 'low'"))


@cache
def explained(incident: str) -> dict[str, Any]:
    return explain(scanned(), incident)


def told(**timeline: Any) -> line.Run:
    """A run over one timeline: ten days at home, and then the story."""
    con = engine.connect()
    engine.create(con, "source", "unread", "event")
    timelines.insert(con, list(timelines.events_of("story", timeline, timelines.EPOCH)))
    return line.judge(con, line.Options(as_of=(timelines.EPOCH + timedelta(days=2)).replace(tzinfo=UTC)))


def only(run: line.Run) -> dict[str, Any]:
    [(incident,)] = engine.rows(run.con, "SELECT incident_id FROM incident")
    return explain(run, str(incident))


def test_the_evidence_adds_up_to_what_the_line_says() -> None:
    found = {incident["id"]: incident for incident in document(scanned())["incidents"]}
    assert len(found) == len(incidents()) > 10
    for name in incidents():
        this, _, signals = taken_apart(scanned(), name)
        assert log_odds(this["prior"], signals) == pytest.approx(this["log_odds"], abs=0.001), "it is reckoned as the line does"
        counted = [entry for entry in this["evidence"] if entry["counts"]]
        assert math.isclose(this["prior"] + sum(entry["weight"] for entry in counted), this["log_odds"], abs_tol=0.002), name
        assert {entry["detection"] for entry in counted} == {entry["detection"] for entry in found[name]["evidence"] if entry["detection"] and entry["weight"]}
        assert {entry["detection"] for entry in this["evidence"]} == {signal["detection"] for signal in found[name]["signals"]}
        assert this["course"][-1]["log_odds"] == this["log_odds"]
        assert [step["at"] for step in this["course"] if step["risk"] > this["alerts_above"]][:1] == ([this["detected_at"]] if this["detected_at"] else [])


def test_what_would_have_been_different_is_so() -> None:
    """Every set is held against the engine: it is said only where the engine agrees, and both kinds of sets are found at all."""
    severities = {str(name): severity for name, severity in engine.rows(scanned().con, "SELECT incident_id, severity FROM incident ORDER BY risk, incident_id")}
    alerting = [explained(name) for name in [name for name, severity in severities.items() if severity != "low"][:4]]
    assert alerting
    for this in alerting:
        different = this["different"]
        assert all(each["risk"] <= this["alerts_above"] for each in (*different["without"]["sets"], *different["calm"]["sets"]))
        sets = [frozenset(part["group"] for part in each["groups"]) for each in different["without"]["sets"]]
        assert not any(one < other for one in sets for other in sets), "no set holds another"
    assert any(this["different"]["without"]["sets"] for this in alerting)
    assert any(this["different"]["calm"]["sets"] for this in alerting)
    quiet = [explained(name) for name in [name for name, severity in severities.items() if severity == "low"][-2:]]
    assert quiet
    assert all(this["different"]["lacked"]["log_odds"] >= 0 for this in quiet)


def test_nothing_of_the_run_is_changed() -> None:
    run, tables = scanned(), ("signal", "incident", "course", "moment")
    wanted = incidents()[-1]
    before = [engine.rows(run.con, f"SELECT * FROM {table} ORDER BY ALL") for table in tables]
    first = explain(run, wanted)
    assert [engine.rows(run.con, f"SELECT * FROM {table} ORDER BY ALL") for table in tables] == before
    assert engine.rows(run.con, "SELECT schema_name FROM duckdb_schemas() WHERE schema_name = 'whatif'") == []
    assert explain(run, wanted) == first


def test_a_run_by_parts_is_explained_alike() -> None:
    this, other = explained(least_alerting()), explain(scanned(parts=2), least_alerting())
    assert {**other, "different": None} == {**this, "different": None}
    assert other["different"]["without"] == this["different"]["without"]


REFUSED = {"at": "0s", "fate": "denied", "times": 3, "every": "5m"}


def test_three_refusals_where_the_bar_is_three() -> None:
    this = only(told(prompts=[REFUSED]))
    assert this["alerts"]
    [margin] = [entry for entry in this["different"]["numbers"] if entry["detection"] == "refused_flood"]
    assert (margin["value"], margin["fires_until"], margin["upwards"]) == (3, 3, True)
    fewer = only(told(prompts=[{**REFUSED, "times": 2}]))
    assert fewer["risk"] == pytest.approx(margin["risk_without"], abs=0.1), "what is said of one fewer is what happens"


def test_a_quiet_incident_says_what_it_lacked() -> None:
    this = only(told(prompts=[{**REFUSED, "times": 2, "from": "cafe"}]))
    assert not this["alerts"]
    near = {entry["detection"]: entry for entry in this["different"]["lacked"]["near"]}
    assert (near["refused_flood"]["value"], near["refused_flood"]["would_fire_at"]) == (3, 2)
    assert this["different"]["lacked"]["log_odds"] > 0


def test_a_limit_of_time_is_told_as_one() -> None:
    this = only(told(prompts=[{"at": "0s", "fate": "approved"}], events=[{"at": "1h10s", "kind": "factor", "outcome": "added"}]))
    [margin] = [entry for entry in this["different"]["numbers"] if entry["detection"] == "factor_after_approval"]
    assert (margin["fires_until"], margin["upwards"]) == (3600, False)


def test_bounds_are_the_last_values() -> None:
    detection = detections()["one_source_many_people"]
    found = {(bound.param, bound.upwards): bound.last for bound in margins(detection, lambda p: int(str(p["people"])) <= 5 and int(str(p["window_s"])) >= 100)}
    assert found == {("people", True): 5, ("window_s", False): 100}
    near = {bound.param: bound.last for bound in misses(detection, lambda p: int(str(p["people"])) <= 2)}
    assert near == {"people": 2}


def test_smallest_sets_hold_no_smaller_one() -> None:
    assert smallest_sets("abcd", lambda chosen: "a" in chosen or {"b", "c"} <= set(chosen)) == [("a",), ("b", "c")]
    assert smallest_sets("abcd", lambda _: False) == []


def test_a_saved_result_suffices_for_the_sum(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(document(scanned())), "utf-8")
    saved = saved_result([str(file)])
    assert saved is not None
    for name in incidents():
        this, whole = explain_saved(saved, name), taken_apart(scanned(), name)[0]
        assert this["log_odds"] == pytest.approx(whole["log_odds"], abs=0.002)
        assert [(entry["detection"], entry["counts"]) for entry in this["evidence"]] == [(entry["detection"], entry["counts"]) for entry in whole["evidence"]]
    assert saved_result(logs()) is None
    (tmp_path / "log.json").write_text('{"value": []}', "utf-8")
    assert saved_result([str(tmp_path / "log.json")]) is None


@pytest.mark.parametrize(
    ("wanted", "said"), [("zzz", "there is no incident 'zzz'; there are: \n  i"), ("i", "'i' could be i"), ("", "there is no incident ''")]
)
def test_an_id_that_is_none_or_several_is_named(wanted: str, said: str) -> None:
    with pytest.raises(UnusableInputError) as caught:
        explain(scanned(), wanted)
    assert said in str(caught.value)


def test_the_command(tmp_path: Path) -> None:
    name, people = least_alerting(), ("--people", str(company() / "people.csv"))
    shown = unbidden("explain", name[:6], *logs(), *people)
    assert shown.returncode == 0
    for title in ("WHAT COUNTS", "HOW THE RISK ROSE", "WHAT WOULD HAVE HAD TO BE DIFFERENT", "HOW FAR THE NUMBERS WERE"):
        assert title in shown.stdout
    out = tmp_path / "told.json"
    assert unbidden("explain", name, *logs(), *people, "-f", "json", "-o", str(out)).returncode == 0
    assert json.loads(out.read_text("utf-8")) == explained(name)
    unknown = unbidden("explain", "nothing", *logs())
    assert (unknown.returncode, "there is no incident 'nothing'" in unknown.stderr, "Traceback" in unknown.stderr) == (2, True, False)
