"""Tuning: weights fitted to training organisations and to analysts' verdicts, shown on others that were not fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from unbidden import campaigns, line, steps
from unbidden.errors import UnusableInputError
from unbidden.evaluate import evaluation, measures
from unbidden.evaluate.episodes import Episode, episodes, together
from unbidden.evaluate.fit import HOLD, Model, balanced, counted, fit, loss
from unbidden.evaluate.settings import DAYS, HELD_OUT, PEOPLE, SEEDS, TEST, TRAINING, Setting
from unbidden.evaluate.verdicts import kept_verdicts, read_verdicts
from unbidden.evaluate.weights import carrying, present
from unbidden.evaluate.worlds import visit


@dataclass(frozen=True, slots=True)
class Request:
    """What a tuning is told. `held_out` seeds show before and after; they and those of the test plan are never fitted to.

    `verdicts` is a file, `desk` the URL of a desk whose verdicts count, too.
    """

    plan: str = TRAINING
    seeds: tuple[int, ...] = ()
    held_out: tuple[int, ...] = HELD_OUT
    people: int = PEOPLE
    days: int = DAYS
    verdicts: Path | None = None
    desk: str | None = field(default=None, repr=False)
    hold: float = HOLD

    def __post_init__(self) -> None:
        """Raises UnusableInputError when the request would fit weights to what they are judged on."""
        if self.plan != TRAINING:
            raise UnusableInputError(
                f"weights are fitted to the plan '{TRAINING}' only: what is fitted to the plan '{self.plan}' can no longer be judged on it"
            )
        if shared := set(self.training.seeds) & {*(self.held_out or HELD_OUT), *SEEDS[TEST]}:
            raise UnusableInputError(f"seeds {sorted(shared)} are kept for the judgement; weights must not be fitted to them")

    @property
    def training(self) -> Setting:
        """The organisations that are fitted to."""
        return Setting(TRAINING, self.seeds or SEEDS[TRAINING], self.people, self.days)

    @property
    def judging(self) -> Setting:
        """The organisations that show before and after."""
        return Setting(TRAINING, self.held_out or HELD_OUT, self.people, self.days)


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One held-out organisation under the present and the new weights."""

    before: evaluation.Seen
    after: evaluation.Seen
    episodes: list[Episode]


def tune(request: Request, *, jobs: int = 1, progress: line.Progress = lambda _: None) -> dict[str, Any]:
    """Old and new weights, and what both are worth on held-out organisations. Changes nothing."""
    model = present()
    said = read_verdicts(request.verdicts, carrying()) if request.verdicts else []
    said += kept_verdicts(request.desk, carrying()) if request.desk else []
    found = [episode for world in visit(request.training.worlds, episodes, jobs=jobs, progress=progress) for episode in world]
    progress("fitting")
    data = together([*balanced(found, model.prior), *said])
    new = fit(data, model, request.hold)
    held = visit(request.judging.worlds, partial(_both, weights=new), jobs=jobs, progress=progress)
    return _document(request, model, new, data, held, len(said))


def _both(run: line.Run, folder: Path, weights: Mapping[str, float]) -> BeforeAfter:
    """One organisation as the present weights see it and, with the incidents made anew, as the new ones do."""
    before, found = evaluation.look(run, folder), episodes(run, folder)
    reweigh(run, weights)
    return BeforeAfter(before, evaluation.look(run, folder), found)


def reweigh(run: line.Run, weights: Mapping[str, float]) -> None:
    """Make the incidents of a finished run anew with other weights. Nothing before the incidents depends on a weight."""
    for name, weight in weights.items():
        run.con.execute("UPDATE signal SET weight = $weight WHERE detection = $name", {"name": name, "weight": weight})
    steps.run(run.con, "incidents", {})
    campaigns.run(run.con)


def _document(request: Request, model: Model, new: Mapping[str, float], data: Sequence[Episode], held: Sequence[BeforeAfter], verdicts: int) -> dict[str, Any]:
    seen: dict[str, dict[bool, float]] = {name: {True: 0.0, False: 0.0} for name in model.weights}
    for episode in data:
        for name in counted(episode, new, model.groups):
            seen[name][episode.is_attack] += episode.count
    tested = balanced([episode for world in held for episode in world.episodes], model.prior)
    sides = {"before": ([world.before for world in held], model.weights), "after": ([world.after for world in held], new)}
    return {
        "version": 1,
        "made_with": {"detections": evaluation.content_hash()},
        "training": {"plan": TRAINING, "seeds": list(request.training.seeds), "people": request.people, "days": request.days, "verdicts": verdicts},
        "held_out": {"plan": TRAINING, "seeds": list(request.judging.seeds), "people": request.people, "days": request.days},
        "hold": request.hold,
        "prior": model.prior,
        "weights": [
            {"detection": name, "group": model.groups[name], "before": weight, "after": new[name],
             "attacks": measures.rounded(seen[name][True]), "harmless": measures.rounded(seen[name][False])}
            for name, weight in sorted(model.weights.items(), key=lambda item: (model.groups[item[0]], item[0]))
        ],
        **{
            side: {**evaluation.document(request.judging, worlds), "log_loss": measures.rounded(loss(tested, weights, model))}
            for side, (worlds, weights) in sides.items()
        },
    }  # fmt: skip


def changes(result: Mapping[str, Any]) -> dict[str, float]:
    """The weights of a tuning that are not what they were."""
    return {row["detection"]: row["after"] for row in result["weights"] if row["after"] != row["before"]}
