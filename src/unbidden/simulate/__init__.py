"""Simulate: a made-up organisation living its days, its attackers, and the logs that would show it, with the truth beside them.

No rule reads the truth. Chance comes from the seed alone and the clock is never asked: the same call writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from unbidden.errors import UnbiddenError
from unbidden.simulate.export import export, people_csv
from unbidden.simulate.journal import Journal
from unbidden.simulate.life import live
from unbidden.simulate.people import hire
from unbidden.simulate.places import HOSTILE
from unbidden.simulate.plan import PLANS, Plan
from unbidden.simulate.scene import NobodyFitsError, Scene
from unbidden.simulate.stories import Story, all_attacks, all_traps
from unbidden.simulate.truth import Case, iso, told
from unbidden.simulate.world import World

# How many times each story is told, for every so many people of the organisation (at least once).
_PEOPLE_EACH = 300
_TRAPS = {"mistap": 4, "vpn_retry": 3, "vpn_reconnect": 3, "two_phones": 2}

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)


def write(
    folder: Path, *, people: int = 300, days: int = 14, seed: int = 7, start: datetime = FIRST_DAY, attacks: bool = True, traps: bool = True,
    plan: Plan = PLANS["training"],
) -> Path:  # fmt: skip
    """Write logs, `people.csv` and `truth.json` into the folder and give it back.

    Logs are `okta/system_log-<day>.jsonl`, `entra/signins.json` and `duo/authlogs.json` (and what else those vendors keep apart), of the providers
    that can be read. Leaving out attacks changes no other row. In an organisation too small for a story, that story is left out.
    Raises UnbiddenError for a start without a time zone and for nobody or no day.
    """
    if start.tzinfo is None:
        raise UnbiddenError("the first day of a simulation needs a time zone: use UTC")
    if people < 1 or days < 1:
        raise UnbiddenError(f"nothing to simulate: {people} people on {days} days; both must be 1 or more")
    world = World(hire(people, days, seed), start.astimezone(UTC).replace(tzinfo=None), days, seed)
    journal, cases, taken = Journal(world), list[Case](), set[str]()
    if traps:
        cases += _tell("trap", all_traps(), world, journal, taken)
    for person in world.people:
        journal.record(f"life/{person.login}", live(world, person))
    if attacks:
        cases += _tell("attack", all_attacks(), world, journal, taken)
    folder.mkdir(parents=True, exist_ok=True)
    export(folder, journal.events)
    people_csv(folder / "people.csv", world.people)
    facts = {"plan": plan.name, "seed": seed, "people": people, "start": iso(world.start), "end": iso(world.end)}
    (folder / "truth.json").write_text(json.dumps(told(cases, journal.prompts, facts), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return folder


def _tell(role: str, stories: Mapping[str, Story], world: World, journal: Journal, taken: set[str]) -> list[Case]:
    """Let every story happen as often as the size of the organisation asks for."""
    cases: list[Case] = []
    # Traps leave half of the people to the attacks.
    most = len(world.people) // 2 if role == "trap" else len(world.people)
    nets = world.rng("nets").sample(HOSTILE, len(HOSTILE))
    for name, story in stories.items():
        for number in range(_TRAPS.get(name, 1) * max(1, len(world.people) // _PEOPLE_EACH)):
            case = Case(f"{role}-{name}-{number + 1}", story.FAMILY, name, " ".join((story.unfold.__doc__ or "").split()))
            scene = Scene(world, case, world.rng(role, name, number), story.RANGES, taken, most, nets[len(cases) % len(nets)])
            try:
                acts = list(story.unfold(scene))
            except NobodyFitsError:
                continue
            journal.spans += [(login, case) for login in case.people if role == "trap"]
            case.span = case.span or (min(act.at for act in acts), max(act.at for act in acts))
            journal.record(case.case_id, acts, case)
            cases.append(case)
    return cases
