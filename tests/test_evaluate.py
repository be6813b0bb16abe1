"""The evaluation from end to end: the small one held to its budget, its document, its tables and plot, and the command."""

from __future__ import annotations

import copy
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from rich.console import Console

from unbidden import engine, evaluate
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.evaluate import budget, evaluation, plot, settings, worlds
from unbidden.evaluate.claims import Claim
from unbidden.evaluate.settings import Setting

TINY = Setting("training", (3,), people=40, days=9)
TINIEST = Setting("training", (3, 4), people=20, days=6)


class Everybody:
    """Published rules as the evaluation asks for them: one that claims everything of one provider, and one that claims nothing."""

    def rules(self) -> dict[str, Any]:
        """Two rules."""
        return {
            name: SimpleNamespace(title=f"Rule {name}", vendor="Someone", source="https://example.com", providers=frozenset({"okta"}))
            for name in ("all", "none")
        }

    def claims(self, con: duckdb.DuckDBPyConnection) -> dict[str, list[Claim]]:
        """Everybody who was ever asked at Okta."""
        found = engine.rows(con, "SELECT person, min(sent_at), max(sent_at) FROM prompt WHERE provider = 'okta' GROUP BY person ORDER BY person")
        return {"all": [Claim(str(person), begin, end, begin) for person, begin, end in found], "none": []}  # type: ignore[arg-type]  # times, by the schema


@pytest.fixture(scope="module")
def tiny() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "published", Everybody())
        return evaluation.evaluate(TINY, compare=True)


def unbidden(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "unbidden", *words], capture_output=True, check=False, text=True, encoding="utf-8")


def test_the_small_evaluation_keeps_its_budget(repository: Path) -> None:
    held = budget.read_budget(repository / "evaluation.toml", "small")
    result = evaluation.evaluate(held.setting)
    broken = [f"{limit.name} is {limit.value}, limit {limit.limit}" for limit in budget.held_against(result, held) if not limit.holds]
    missed = [f"seed {attack['seed']} {attack['id']}" for attack in result["attacks"] if not attack["found"]]
    assert broken == [], f"missed: {missed}; false alerts: {result['results'][evaluation.OURS]['false_alerts']['by_trap']}"


def test_the_full_budget_demands_what_was_set_out_to_be_reached(repository: Path) -> None:
    full = budget.read_budget(repository / "evaluation.toml", "full")
    assert full.setting == Setting(settings.TEST, settings.SEEDS[settings.TEST], settings.PEOPLE, settings.DAYS), "the command's own organisations"
    assert full.at_least["recall_easy_and_medium"] >= 0.95
    assert full.at_least["recall_hard"] >= 0.75
    assert full.at_least["before_approval_after_three_prompts"] >= 0.9
    assert full.at_least["stage_accuracy"] >= 0.95
    assert full.at_most["false_alerts_per_1000_person_days"] <= 0.5
    assert full.at_most["alerts_per_attack"] <= 1.05


def test_organisations_for_training_choosing_and_judging_are_apart(repository: Path) -> None:
    small = budget.read_budget(repository / "evaluation.toml", "small").setting
    groups = [set(settings.SEEDS[settings.TRAINING]), set(settings.HELD_OUT), set(settings.SEEDS[settings.TEST]), set(small.seeds)]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert small.plan == settings.TEST


def test_the_document_is_the_same_in_one_process_and_in_two() -> None:
    text = evaluation.text_of(evaluation.evaluate(TINIEST))
    assert text == evaluation.text_of(evaluation.evaluate(TINIEST, jobs=2))
    assert len(json.loads(text)["attacks"]) > 0


def test_the_document_says_what_was_judged(tiny: dict[str, Any]) -> None:
    ours = tiny["results"]["unbidden"]
    assert tiny["worlds"] == {"plan": "training", "seeds": [3], "people": 40, "days": 9}
    assert ours["false_alerts"]["person_days"] == 360
    assert ours["recall"]["of"] == len(tiny["attacks"]) > 0
    assert ours["recall"]["count"] == sum(attack["found"] for attack in tiny["attacks"])
    assert sum(row["incidents"] for row in tiny["risk"]["calibration"]["table"]) == tiny["risk"]["incidents"]
    shares = [point["recall"] for point in tiny["risk"]["curve"]]
    assert shares == sorted(shares, reverse=True), "a higher line of alert finds no more"
    at_line = next(point for point in tiny["risk"]["curve"] if point["above"] == tiny["risk"]["alerts_above"])
    assert (at_line["recall"], at_line["false_alerts"]) == (ours["recall"]["share"], ours["false_alerts"]["per_1000_person_days"])


def test_what_is_announced_is_told_to_the_scan(tmp_path: Path) -> None:
    [seen] = worlds.visit(TINIEST.worlds[:1], lambda run, _: engine.rows(run.con, "SELECT min(ip) FROM event"), keep=tmp_path)
    folder = tmp_path / TINIEST.worlds[0].name
    (folder / "trust.csv").write_text(f"{seen[0][0]}/32, announced exercise\n", "utf-8")
    with worlds.scan(folder).con as con:
        assert engine.one(con, "SELECT count(*) FROM trusted") == 1


def test_worlds_leave_nothing_behind_unless_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    said: list[str] = []
    worlds.visit(TINIEST.worlds[:1], lambda *_: None, progress=said.append)
    assert list((tmp_path / "temporary").glob("unbidden-worlds-*")) == []
    assert said[0] == "world 3: simulating"
    assert said[-1] == "world 3: judging"


def test_published_rules_are_judged_on_the_same_prompts(tiny: dict[str, Any]) -> None:
    greedy, silent = tiny["results"]["all"], tiny["results"]["none"]
    assert greedy["recall_in_scope"]["share"] == 1
    assert greedy["recall_in_scope"]["of"] < greedy["recall"]["of"] == silent["recall"]["of"] == len(tiny["attacks"])
    assert greedy["false_alerts"]["count"] > 5
    assert greedy["ours_in_scope"]["of"] == greedy["recall_in_scope"]["of"]
    assert tiny["results"][evaluation.TOGETHER]["ours_in_scope"]["count"] <= tiny["results"]["unbidden"]["recall"]["count"]
    assert tiny["results"][evaluation.TOGETHER]["recall"] == greedy["recall"]
    assert (silent["recall"]["share"], silent["false_alerts"]["count"], silent["precision"]["share"]) == (0, 0, None)


def test_tables_say_it_all(tiny: dict[str, Any]) -> None:
    out = io.StringIO()
    evaluate.print_evaluation(tiny, Console(file=out, width=160))
    for words in ("attacks found", "false alerts per 1,000 person-days", "By difficulty", "mistap", "What the risk is worth", "Rule all", "Rule none"):
        assert words in out.getvalue()


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_plot_is_the_same_each_time(tiny: dict[str, Any], ending: str, tmp_path: Path) -> None:
    one, two = tmp_path / f"one.{ending}", tmp_path / f"two.{ending}"
    plot.draw(tiny, one)
    plot.draw(tiny, two)
    assert one.read_bytes() == two.read_bytes()
    if ending == "svg":
        assert "Rule all" in one.read_text("utf-8")


def test_a_plot_of_another_form_is_refused_before_the_work() -> None:
    with pytest.raises(UnusableInputError, match=r"\.svg or \.png"):
        plot.refuse_if_impossible(Path("plot.pdf"))


def test_a_plot_without_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    with pytest.raises(UnbiddenError, match=r"unbidden\[evaluate\]"):
        plot.refuse_if_impossible(Path("plot.svg"))


def test_a_budget_breaks_where_it_is_worse(tiny: dict[str, Any]) -> None:
    held = budget.Budget(TINY, {"recall": 0.5, "recall_hard": 0.1}, {"false_alerts_per_1000_person_days": 1000, "alerts_per_attack": 5})
    worse = copy.deepcopy(tiny)
    ours = worse["results"]["unbidden"]
    ours["recall"]["share"], ours["false_alerts"]["per_1000_person_days"], ours["recall_by_difficulty"] = 0.4999, 1000.1, {}
    broken = {limit.name for limit in budget.held_against(worse, held) if not limit.holds}
    assert broken == {"recall", "false_alerts_per_1000_person_days", "recall_hard"}, "what cannot be measured is not kept"
    out = io.StringIO()
    evaluate.print_limits(budget.held_against(worse, held), Console(file=out, width=120))
    assert out.getvalue().count("BROKEN") == 3


@pytest.mark.parametrize("name", budget.MEASURES)
def test_every_measure_can_be_taken(name: str, tiny: dict[str, Any]) -> None:
    value = budget.MEASURES[name](tiny)
    assert value is None or value >= 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[full]\nplan = 'test'", "seeds"),
        ("nonsense", "cannot be read"),
        ("[full]\nplan = 'test'\nseeds = [1]\npeople = 30\ndays = 5\n[full.at_most]\nluck = 1", "luck"),
        ("[full]\nplan = 'mars'\nseeds = [1]\npeople = 30\ndays = 5", "mars"),
    ],
)
def test_a_budget_that_cannot_be_used_says_why(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "budget.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(UnusableInputError, match=words):
        budget.read_budget(file, "full")


def test_a_budget_holds_for_its_own_organisations() -> None:
    held = budget.Budget(TINY, {}, {})
    assert evaluate.asked(None, None, None, None, held) == TINY
    assert evaluate.asked("training", "5,6", 30, None, None) == Setting("training", (5, 6), 30)
    with pytest.raises(UnusableInputError, match="--people"):
        evaluate.asked(None, None, 30, None, held)


@pytest.mark.parametrize("text", ["", "1,x", "1;2", "1,1"])
def test_seeds_that_cannot_be_understood_are_refused(text: str) -> None:
    with pytest.raises(UnusableInputError):
        evaluate.seeds_of(text)


def test_the_command_prints_and_stores(tmp_path: Path) -> None:
    out = tmp_path / "evaluation.json"
    done = unbidden("evaluate", "--plan", "training", "--seeds", "3", "--people", "20", "--days", "7", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert "attacks found" in done.stdout
    assert json.loads(out.read_text("utf-8"))["worlds"]["seeds"] == [3]


def test_a_broken_budget_ends_the_command_with_1(tmp_path: Path) -> None:
    file = tmp_path / "budget.toml"
    file.write_text("[full]\nplan = 'training'\nseeds = [3]\npeople = 20\ndays = 2\n[full.at_least]\nrecall = 1.1\n", "utf-8")
    done = unbidden("evaluate", "--budget", str(file))
    assert (done.returncode, "BROKEN" in done.stdout) == (1, True), done.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--plan", "mars"], "there is no plan 'mars'"),
        (["--plot", "plot.pdf"], ".svg or .png"),
        (["-o", "nowhere/at/all.json"], "there is no folder"),
        (["--seeds", "one"], "no list of seeds"),
        (["--budget", "nowhere.toml"], "cannot be read"),
    ],
)
def test_a_call_that_makes_no_sense_ends_with_2_before_any_work(words: list[str], why: str) -> None:
    done = unbidden("evaluate", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
