"""Tuning: what a fit may change and what not, whom it may be fitted to, verdicts, and that nothing is written unless it was asked for."""

from __future__ import annotations

import hashlib
import io
import json
import math
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sklearn.linear_model import LogisticRegression

from tests.desk.fixtures import AT
from tests.desk.incidents import incident
from unbidden import engine, evaluate
from unbidden.commands.learning import verdicts_of
from unbidden.desk import Desk
from unbidden.detect import detections
from unbidden.errors import ContentError, UnbiddenError, UnusableInputError
from unbidden.evaluate import evaluation, fit, settings, tuning, verdicts, weights, worlds
from unbidden.evaluate.episodes import Episode, episodes, together
from unbidden.evaluate.fit import Model, counted, log_odds
from unbidden.evaluate.settings import Setting

GROUPS = {
    "flood": "volume",
    "trickle": "volume",
    "stranger": "stranger",
    "home": "calm_place",
    "phone": "calm_place",
    "factor": "aftermath",
    "unseen": "number",
}
MODEL = Model(-4.0, GROUPS, {"flood": 3.0, "trickle": 1.0, "stranger": 2.0, "home": -2.5, "phone": -1.0, "factor": 2.5, "unseen": 1.7})


def episode(*views: str, words: str = "", attack: bool = True, count: float = 1) -> Episode:
    """An episode whose views and words are written as names between blanks."""
    return Episode(frozenset(frozenset(view.split()) for view in views), frozenset(words.split()), attack, count)


def test_of_each_group_the_strongest_counts_and_of_the_views_the_best() -> None:
    several = episode("flood trickle stranger home phone", "trickle stranger", "trickle home", words="factor")
    assert counted(several, MODEL.weights, GROUPS) == {"trickle", "stranger", "factor"}
    assert log_odds(several, MODEL.weights, MODEL) == pytest.approx(-4 + 1 + 2 + 2.5)
    assert log_odds(episode("flood home"), {**MODEL.weights, "home": -0.5}, MODEL) == pytest.approx(-4 + 3 - 0.5)
    assert log_odds(episode(words="factor"), MODEL.weights, MODEL) == pytest.approx(-1.5)


def test_unseen_evidence_keeps_its_weight_and_seen_evidence_moves() -> None:
    data = [episode("stranger", count=50), episode("stranger", attack=False, count=50), episode("home", attack=False, count=900), episode("flood", count=20)]
    new = fit.fit(data, MODEL)
    assert {name: new[name] for name in ("trickle", "phone", "factor", "unseen")} == {
        name: MODEL.weights[name] for name in ("trickle", "phone", "factor", "unseen")
    }
    assert new["stranger"] > 3.5, "half of what looks like this is an attack: its log-odds go towards even"
    assert new["flood"] > MODEL.weights["flood"]
    assert new["home"] < MODEL.weights["home"]
    assert all(weight == round(weight, 1) for weight in new.values())


def test_a_weight_never_turns_against_its_group() -> None:
    absurd = [episode("stranger flood", attack=False, count=5000), episode("home", count=5000)]
    new = fit.fit(absurd, MODEL, hold=0.01)
    assert new["stranger"] == new["flood"] == fit.LEAST
    assert new["home"] == -fit.LEAST
    certain = [episode("flood", count=1e6), episode("home", attack=False, count=1e6)]
    assert fit.fit(certain, MODEL, hold=0.01)["flood"] <= fit.MOST


def test_holding_harder_moves_less() -> None:
    data = [episode("stranger", count=20)]
    moves = [fit.fit(data, MODEL, hold)["stranger"] - MODEL.weights["stranger"] for hold in (0.5, 2, 1000)]
    assert moves == sorted(moves, reverse=True)
    assert moves[0] > moves[1] > moves[2] == 0


def test_a_fit_explains_better_than_what_was_there() -> None:
    data = [episode("stranger trickle", count=30), episode("stranger home", attack=False, count=200), episode("trickle", attack=False, count=30)]
    assert fit.loss(data, fit.fit(data, MODEL), MODEL) < fit.loss(data, MODEL.weights, MODEL)


def test_choosing_and_fitting_take_turns() -> None:
    """The weaker of a group becomes the stronger, and from then on it is the one that counts where both fired."""
    data = [episode("flood trickle", count=400), episode("flood", attack=False, count=400), episode("trickle", count=400)]
    new = fit.fit(data, MODEL, hold=0.1)
    assert new["trickle"] > new["flood"]
    assert counted(data[0], new, GROUPS) == {"trickle"}


def test_the_fit_is_that_of_scikit_learn_where_both_can_say_the_same() -> None:
    """One detection to a group, no prior, present weights next to nothing, signs that the data ask for anyway."""
    groups = {name: name for name in "abc"}
    start = {"a": 1e-9, "b": 1e-9, "c": -1e-9}
    attacks = {"a": 30, "a b": 20, "b": 26, "c": 3}
    others = {"a": 9, "c b": 40, "b": 2}
    data = [episode(view, attack=kind, count=count) for kind, counts in ((True, attacks), (False, others)) for view, count in counts.items()]
    for hold in (0.5, 2.0):
        ours = fit.fit(data, Model(0.0, groups, start), hold)
        rows = np.array([[name in counted(one, start, groups) for name in "abc"] for one in data], dtype=float)
        theirs = LogisticRegression(fit_intercept=False, C=1 / (2 * hold), tol=1e-9).fit(rows, [one.is_attack for one in data], [one.count for one in data])
        assert list(ours.values()) == pytest.approx(list(theirs.coef_[0]), abs=0.051)


def test_harmless_episodes_are_as_common_as_the_prior_says() -> None:
    data = fit.balanced([episode("flood", count=3), episode("home", attack=False, count=7), episode("phone", attack=False, count=1)], -4.0)
    attacks, others = (sum(one.count for one in data if one.is_attack is kind) for kind in (True, False))
    assert attacks == 3
    assert math.log(attacks / others) == pytest.approx(-4.0)
    alone = [episode("flood")]
    assert fit.balanced(alone, -4.0) == alone


def test_equal_episodes_are_counted_together() -> None:
    assert together([episode("a b", "c"), episode("c", "b a"), episode("a b", "c", attack=False)]) == [
        episode("a b", "c", attack=False), episode("a b", "c", count=2)]  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> tuple[list[tuple[Any, Any]], list[Any], list[Any], list[Episode]]:
    """Log-odds of the line's incidents and of the episodes they became; incidents before and after their weights were written anew, unchanged."""

    def look(run: Any, folder: Path) -> Any:
        found = episodes(run, folder)
        model, rows = weights.present(), "SELECT round(log_odds, 6) FROM incident ORDER BY ALL"
        odds = [row[0] for row in engine.rows(run.con, rows)]
        before = evaluation.look(run, folder)
        tuning.reweigh(run, model.weights)
        same = evaluation.look(run, folder)
        tuning.reweigh(run, {name: weight * 0.5 for name, weight in model.weights.items()})
        return odds, [before, same, evaluation.look(run, folder)], found

    [(odds, looks, found)] = worlds.visit(Setting("training", (5,), 40, 8).worlds, look)
    return odds, looks[:2], looks[2:], found


def test_episodes_have_the_risk_that_the_line_reckoned(seen: Any) -> None:
    odds, _, _, found = seen
    model = weights.present()
    reckoned = sorted(log_odds(one, model.weights, model) for one in found for _ in range(int(one.count)))
    assert len(odds) > 5
    for each in odds:
        assert any(abs(float(each) - other) < 1e-6 for other in reckoned), f"no episode has the log-odds {each}"
    assert any(one.is_attack for one in found)
    assert sum(one.count for one in found if not one.is_attack) > 50, "the prompts of everyday life are episodes as well"


def test_the_same_weights_give_the_same_incidents_and_others_give_others(seen: Any) -> None:
    _, (before, same), (other,), _ = seen
    assert same == before
    assert [claim.risk for claim in other.incidents] != [claim.risk for claim in before.incidents]


def test_a_tuning_on_what_is_judged_is_refused() -> None:
    with pytest.raises(UnusableInputError, match="can no longer be judged"):
        tuning.Request(plan="test")
    for kept in (settings.SEEDS[settings.TEST][0], settings.HELD_OUT[0]):
        with pytest.raises(UnusableInputError, match="kept for the judgement"):
            tuning.Request(seeds=(1, kept))
    with pytest.raises(UnusableInputError, match="kept for the judgement"):
        tuning.Request(seeds=(1, 2), held_out=(2, 3))
    assert tuning.Request().judging.plan == settings.TRAINING


CARRIES = {"refused_flood": False, "stranger_country": False, "reported": True}
INCIDENT = {"id": "i1", "user": "mara", "evidence": [{"detection": None}, *({"detection": name} for name in (*CARRIES, "of_an_older_version"))]}


def test_verdicts_are_read_from_incidents_as_scan_prints_them(tmp_path: Path) -> None:
    file = tmp_path / "verdicts.jsonl"
    file.write_text("".join(json.dumps({**INCIDENT, "verdict": word}) + "\n\n" for word in ("attack", "benign")), "utf-8")
    attack, benign = verdicts.read_verdicts(file, CARRIES)
    assert attack == Episode(frozenset({frozenset({"refused_flood", "stranger_country"})}), frozenset({"reported"}), is_attack=True)
    assert (benign.views, benign.is_attack) == (attack.views, False)


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", json.dumps(INCIDENT), json.dumps({**INCIDENT, "verdict": "perhaps"}), json.dumps({"id": "i1", "verdict": "attack"})]
)
def test_a_verdict_that_cannot_be_used_names_its_line(line: str, tmp_path: Path) -> None:
    file = tmp_path / "verdicts.jsonl"
    file.write_text(json.dumps({**INCIDENT, "verdict": "attack"}) + "\n" + line + "\n", "utf-8")
    with pytest.raises(UnusableInputError, match="line 2"):
        verdicts.read_verdicts(file, CARRIES)


def test_verdicts_of_a_desk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    with Desk.open(url) as desk:
        desk.record([], [incident("a"), incident("b", user="ben"), incident("c", user="cem"), incident("d", user="dan")], AT)
        desk.decide("a", {"state": "closed", "verdict": "true_positive"}, "eve", AT)
        desk.decide("b", {"verdict": "benign", "why": "x"}, "eve", AT)
        desk.decide("c", {"verdict": "exercise", "why": "x"}, "eve", AT)
    found = verdicts.kept_verdicts(url, CARRIES)
    assert found == [Episode(frozenset({frozenset({"refused_flood"})}), frozenset(), is_attack=is_attack) for is_attack in (True, False, False)]
    config = tmp_path / "unbidden.toml"
    config.write_text(f'[desk]\nurl = "{url}"\n', "utf-8")
    assert [verdicts_of(told) for told in (None, "v.jsonl", url, str(config))] == [(None, None), (Path("v.jsonl"), None), (None, url), (None, url)]


def test_a_desk_without_verdicts_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="nobody has said"):
        verdicts.kept_verdicts(f"sqlite:///{tmp_path / 'desk.db'}", CARRIES)


def test_verdicts_move_weights() -> None:
    new = fit.fit([episode("flood stranger", attack=False, count=12)], MODEL)
    assert new["flood"] < MODEL.weights["flood"]
    assert new["stranger"] < MODEL.weights["stranger"]


def descriptions(folder: Path) -> Path:
    """A copy of all descriptions."""
    for entry in resources.files("unbidden").joinpath("detections").iterdir():
        if entry.name.endswith(".yml"):
            (folder / entry.name).write_bytes(entry.read_bytes())
    return folder


def test_only_the_number_of_a_weight_is_written(tmp_path: Path) -> None:
    folder = descriptions(tmp_path)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    present = weights.present().weights
    files = weights.write_weights({**present, "drip": 3.7, "calm_own_loop": -3.3}, folder)
    assert [file.name for file in files] == ["calm_own_loop.yml", "drip.yml"]
    changed = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert changed["drip.yml"] == before["drip.yml"].replace(b"weight: 3.2\n", b"weight: 3.7\n")
    assert changed["calm_own_loop.yml"] == before["calm_own_loop.yml"].replace(b"weight: -3.5\n", b"weight: -3.3\n")
    assert {name for name in before if before[name] != changed[name]} == {"drip.yml", "calm_own_loop.yml"}


def test_a_weight_may_have_a_comment_and_dos_line_ends(tmp_path: Path) -> None:
    (tmp_path / "drip.yml").write_bytes(b"title: x\r\nweight: 3.2  # because\r\nreason: weight: 3.2\r\n")
    weights.write_weights({"drip": 4.0}, tmp_path)
    assert (tmp_path / "drip.yml").read_bytes() == b"title: x\r\nweight: 4.0  # because\r\nreason: weight: 3.2\r\n"


def test_all_descriptions_are_written_or_none(tmp_path: Path) -> None:
    folder = descriptions(tmp_path)
    (folder / "wrong_number.yml").write_text("title: without\n", "utf-8")
    with pytest.raises(ContentError, match="wrong_number"):
        weights.write_weights({"drip": 4.4, "wrong_number": 1.0}, folder)
    assert b"weight: 3.2\n" in (folder / "drip.yml").read_bytes()


def test_an_installed_package_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path / "site-packages" / "unbidden")
    with pytest.raises(UnbiddenError, match="installed package"):
        weights.source_folder()


def test_the_working_copy_is_found(repository: Path) -> None:
    assert weights.source_folder() == repository / "src" / "unbidden" / "detections"


def content(repository: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (repository / "src" / "unbidden" / "detections").iterdir()}


def test_the_command_shows_and_writes_nothing(repository: Path, tmp_path: Path) -> None:
    before, out = content(repository), tmp_path / "tuning.json"
    words = ["tune", "--seeds", "3", "--held-out", "4", "--people", "20", "--days", "6", "--jobs", "1", "-o", str(out)]
    done = subprocess.run([sys.executable, "-m", "unbidden", *words], capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "Nothing was written" in done.stdout
    assert content(repository) == before
    result = json.loads(out.read_text("utf-8"))
    assert {row["detection"] for row in result["weights"]} == set(detections())
    assert all((row["after"] < 0) == row["group"].startswith("calm") for row in result["weights"])
    assert result["after"]["results"]["unbidden"]["recall"]["of"] == result["before"]["results"]["unbidden"]["recall"]["of"]
    printed = io.StringIO()
    evaluate.print_tuning(result, Console(file=printed, width=140))
    assert "stranger_country" in printed.getvalue()


def test_the_command_refuses_the_test_plan() -> None:
    done = subprocess.run([sys.executable, "-m", "unbidden", "tune", "--plan", "test"], capture_output=True, check=False, text=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (2, "")
    assert "can no longer be judged" in done.stderr
