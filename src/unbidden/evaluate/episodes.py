"""Episodes: everything that could have become an alert, with its evidence and whether it was an attack; what weights are fitted to.

An episode is an incident, or a burst of prompts that made none. Its *views* are the detections that fired at each instant of each of its prompts, its
*words* those that go on counting. With them and a set of weights its risk follows exactly as the line reckons it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

from unbidden import engine, line
from unbidden.evaluate.claims import Claim
from unbidden.evaluate.judge import is_other_attack, is_right
from unbidden.evaluate.truth import Truth, understood

View = frozenset[str]

_INCIDENTS: LiteralString = "SELECT incident_id, person, first_at, last_at FROM incident"
_INCIDENT_VIEWS: LiteralString = """
SELECT DISTINCT incident_id, detections FROM (
  SELECT m.incident_id, s.prompt_id, s.phase, list_sort(list(DISTINCT s.detection)) AS detections
  FROM member m JOIN signal s USING (prompt_id) WHERE NOT s.carries GROUP BY ALL)
"""
_INCIDENT_WORDS: LiteralString = "SELECT incident_id, list(DISTINCT detection) FROM word GROUP BY incident_id"
# Bursts that belong to no incident.
_BURSTS: LiteralString = """
SELECT concat_ws('|', person, is_known_place, burst) AS name, person, min(sent_at), max(instant), list(DISTINCT prompt_id)
FROM moment m WHERE NOT EXISTS (
  SELECT 1 FROM membership b WHERE b.what = 'burst' AND b.person = m.person AND b.is_known_place = m.is_known_place AND b.burst = m.burst)
GROUP BY person, is_known_place, burst
"""
_BURST_VIEWS: LiteralString = """
SELECT DISTINCT name, detections FROM (
  SELECT concat_ws('|', m.person, m.is_known_place, m.burst) AS name, s.prompt_id, s.phase, list_sort(list(DISTINCT s.detection)) AS detections
  FROM moment m JOIN signal s ON s.prompt_id = m.prompt_id AND s.phase = m.phase WHERE NOT s.carries GROUP BY ALL)
"""
_PROMPTS_OF: LiteralString = """
SELECT DISTINCT p.prompt_id FROM (SELECT prompt_id, unnest(events) AS event_id FROM prompt) p JOIN event e USING (event_id)
WHERE list_contains($keys, split_part(e.event_id, '|', 1)) OR list_contains($keys, e.provider || ':' || e.request_id)
"""


@dataclass(frozen=True, slots=True)
class Episode:
    """The evidence of one episode, or of `count` that are alike; `count` is a weight and need not be whole."""

    views: frozenset[View]
    words: View
    is_attack: bool
    count: float = 1


def episodes(run: line.Run, folder: Path) -> list[Episode]:
    """All episodes of one organisation, equal ones together. Those of an attack that is no push bombing are left out."""
    told = json.loads((folder / "truth.json").read_text("utf-8"))
    truth = understood(told)
    return together([*_incidents(run, truth), *_bursts(run, truth, told)])


def together(found: Iterable[Episode]) -> list[Episode]:
    """Equal episodes as one, in an order that does not depend on where they came from."""
    counts: Counter[Episode] = Counter()
    for episode in found:
        counts[replace(episode, count=1)] += episode.count  # type: ignore[assignment]  # a Counter adds up any number
    return sorted((replace(episode, count=count) for episode, count in counts.items()), key=_order)


def _order(episode: Episode) -> tuple[bool, list[list[str]], list[str]]:
    return episode.is_attack, sorted(sorted(view) for view in episode.views), sorted(episode.words)


def _incidents(run: line.Run, truth: Truth) -> Iterable[Episode]:
    views = _gathered(engine.rows(run.con, _INCIDENT_VIEWS))
    words = {str(name): _names(detections) for name, detections in engine.rows(run.con, _INCIDENT_WORDS)}
    for name, person, begin, end in engine.rows(run.con, _INCIDENTS):
        claim = _claim(person, begin, end)
        if is_right(claim, truth) or not is_other_attack(claim, truth):
            yield Episode(frozenset(views[str(name)]), words.get(str(name), frozenset()), is_right(claim, truth))


def _bursts(run: line.Run, truth: Truth, told: Mapping[str, Any]) -> Iterable[Episode]:
    """A burst is an attack when one of its prompts was the attacker's: what the person asked for meanwhile, at home, is not."""
    keys = sorted({event for prompt in told["prompts"] if prompt["attack"] for event in prompt["events"]})
    attacked = {str(row[0]) for row in engine.rows(run.con, _PROMPTS_OF, {"keys": keys})}
    views = _gathered(engine.rows(run.con, _BURST_VIEWS))
    for name, person, begin, end, prompts in engine.rows(run.con, _BURSTS):
        is_attack = not attacked.isdisjoint(_names(prompts))
        if is_attack or not is_other_attack(_claim(person, begin, end), truth):
            yield Episode(frozenset(views[str(name)]), frozenset(), is_attack)


def _gathered(rows: Sequence[engine.Row]) -> dict[str, set[View]]:
    found: dict[str, set[View]] = defaultdict(set)
    for name, detections in rows:
        found[str(name)].add(_names(detections))
    return found


def _names(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()


def _claim(person: object, begin: object, end: object) -> Claim:
    if not (isinstance(begin, datetime) and isinstance(end, datetime)):
        raise TypeError(f"an episode of {person} has no time")
    return Claim(str(person), begin, end, end)
