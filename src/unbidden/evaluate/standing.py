"""Standing: which detections have shown on simulated companies that they tell attacks from harmless days. Only what has shown it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import yaml
from rich import box
from rich.console import Console
from rich.table import Table

from unbidden import line
from unbidden.detect import LIVE, STAGED, STANDING, Detection, detections
from unbidden.errors import UnbiddenError
from unbidden.evaluate.episodes import Episode, episodes
from unbidden.evaluate.settings import RAISING, TRAINING, Setting
from unbidden.evaluate.worlds import visit

# Of fewer episodes nothing can be said.
LEAST = 2

# What is on trial is counted like what counts; it has no part in which incidents there are.
_AS_IF_LIVE: tuple[LiteralString, ...] = (
    "INSERT INTO signal SELECT * REPLACE (false AS carries) FROM staged WHERE prompt_id IS NOT NULL",
    "INSERT INTO word SELECT * FROM trial WHERE prompt_id IS NULL",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """In how many episodes a detection fired, of attacks and of harmless ones, and how many there were.

    Of calm detections only episodes count in which something speaks against the person: where nothing is suspected there is nothing to calm. How much
    speaks against is no matter, so that a standing does not change with the weights.
    """

    attacks: int
    harmless: int
    of_attacks: int
    of_harmless: int

    @property
    def lift(self) -> float:
        """How many times as often it fires in an attack; one episode more on either side, so that none is never nothing."""
        return ((self.attacks + 1) / (self.of_attacks + 1)) / ((self.harmless + 1) / (self.of_harmless + 1))

    def speaks_for(self, detection: Detection) -> bool:
        """It fired often enough where its weight says it should, and more often there than elsewhere."""
        if float(detection.about["weight"]) < 0:
            return self.harmless >= LEAST and self.lift < 1
        return self.attacks >= LEAST and self.lift > 1


def look(run: line.Run, folder: Path) -> list[Episode]:
    """The episodes of one organisation with what live and staged detections found of them."""
    for statement in _AS_IF_LIVE:
        run.con.execute(statement)
    return episodes(run, folder)


def measure(seeds: Sequence[int] = RAISING, *, jobs: int = 1, progress: line.Progress = lambda _: None) -> dict[str, Shown]:
    """What each of our detections has shown on simulated companies of the training plan."""
    worlds = Setting(TRAINING, tuple(seeds)).worlds
    # Judged as if all were live that are not held back: what has no standing yet could found no incident, and so never show anything.
    catalogue = {name: replace(one, status=one.about.get("status", LIVE)) for name, one in detections().items()}
    found = [episode for world in visit(worlds, look, jobs=jobs, progress=progress, catalogue=catalogue) for episode in world]
    weights = {name: float(one.about["weight"]) for name, one in detections().items()}
    of: Counter[tuple[bool, bool]] = Counter()
    fired: Counter[tuple[str, bool]] = Counter()
    for episode in found:
        _count(episode, weights, of, fired)
    return {
        name: Shown(*(fired[name, is_attack] for is_attack in (True, False)), *(of[weights[name] < 0, is_attack] for is_attack in (True, False)))
        for name in weights
    }


def _count(episode: Episode, weights: Mapping[str, float], of: Counter[tuple[bool, bool]], fired: Counter[tuple[str, bool]]) -> None:
    """Add one kind of episode to those there were (of calm detections or not, of attacks or not) and to those in which each detection fired."""
    names, is_attack, count = frozenset[str]().union(*episode.views, episode.words), episode.is_attack, int(episode.count)
    is_suspect = any(weights[name] > 0 for name in names)
    of[False, is_attack] += count
    of[True, is_attack] += count if is_suspect else 0
    for name in names:
        fired[name, is_attack] += count if weights[name] > 0 or is_suspect else 0


def text_of(shown: Mapping[str, Shown]) -> str:
    """The file of standing: what each detection has shown, and for which logic it holds."""
    told: dict[str, Any] = {
        name: {
            "logic": detections()[name].logic, "attacks": one.attacks, "harmless": one.harmless, "of_attacks": one.of_attacks,
            "of_harmless": one.of_harmless, "lift": round(one.lift, 2), "raised": one.speaks_for(detections()[name]),
        }
        for name, one in sorted(shown.items())
    }  # fmt: skip
    head = (
        "# Written by `unbidden detections raise --write`: in how many episodes of simulated companies each detection fired, of attacks and of harmless ones.\n"
        "# A detection counts (is live) where `raised` is true and `logic` is that of its files; else it is on trial (staged).\n"
    )
    return head + yaml.safe_dump(told, sort_keys=True, default_flow_style=None, width=200)


def print_standing(shown: Mapping[str, Shown], console: Console) -> None:
    """What each detection has shown, those first that stay on trial."""
    table = Table("detection", "attacks", "harmless", "times as often", "status", box=box.SIMPLE_HEAD)
    for name, one in sorted(shown.items(), key=lambda item: (item[1].speaks_for(detections()[item[0]]), item[0])):
        held = detections()[name].about.get("status", LIVE)
        status = held if held != LIVE else LIVE if one.speaks_for(detections()[name]) else STAGED
        table.add_row(name, f"{one.attacks} of {one.of_attacks}", f"{one.harmless:,} of {one.of_harmless:,}", f"{one.lift:,.2f}", status)
    console.print(table)


def store(shown: Mapping[str, Shown], folder: Path) -> Path:
    """Write the standing beside the detections of a working copy. Raises UnbiddenError where it cannot be written."""
    file = folder.parent / STANDING
    try:
        file.write_text(text_of(shown), "utf-8")
    except OSError as error:
        raise UnbiddenError(f"{file}: {error.strerror or error}") from error
    return file
