"""Simulate: a made-up organisation living its days, its attackers, and the logs that would show it, with the truth beside them.

No rule reads the truth. Chance comes from the seed alone and the clock is never asked: the same call writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from unbidden.errors import UnbiddenError
from unbidden.simulate.export import export, people_csv
from unbidden.simulate.journal import Journal
from unbidden.simulate.life import live
from unbidden.simulate.people import hire
from unbidden.simulate.plan import PLANS, Plan
from unbidden.simulate.scene import NobodyFitsError, Scene
from unbidden.simulate.stories import Story, all_attacks, all_traps, chosen
from unbidden.simulate.transport import Transport
from unbidden.simulate.truth import Case, iso, told
from unbidden.simulate.world import World

__all__ = ("FIRST_DAY", "PLANS", "write")

# How many times each story is told, for every so many people of the organisation (at least once).
_PEOPLE_EACH = 300
_TRAPS = {"mistap": 4, "vpn_retry": 3, "vpn_reconnect": 3, "two_phones": 2, "impatient": 2, "dead_zone": 2}

# When those joined who were always there.
_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 -- times are naive and UTC in here
FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)


def write(  # noqa: PLR0913 -- every option of the command is an argument of its function
    folder: Path, *, people: int = 300, days: int = 14, seed: int = 7, start: datetime = FIRST_DAY, attacks: str = "all", traps: str = "all",
    plan: Plan = PLANS["training"], faults: bool = True,
) -> Path:  # fmt: skip
    """Write logs, `people.csv`, `trust.csv` and `truth.json` into the folder and give it back.

    Logs lie in a folder for each provider, as its console or API gives them. `attacks` and `traps` are `all`, `none` or names and families, separated by
    commas; leaving out attacks changes no other row. In an organisation too small for a story, that story is left out. With `faults` some rows come
    twice, late or out of order, and a line is cut now and then. Raises UnbiddenError for a start without a time zone, for nobody or no day, and for a
    story that is not there.
    """
    if start.tzinfo is None:
        raise UnbiddenError("the first day of a simulation needs a time zone: use UTC")
    if people < 1 or days < 1:
        raise UnbiddenError(f"nothing to simulate: {people} people on {days} days; both must be 1 or more")
    begin = start.astimezone(UTC).replace(tzinfo=None)
    world = World(plan, hire(plan, people, days, seed, begin), begin, days, seed)
    journal, transport = Journal(world), Transport(world.rng("transport"), faults)
    cases = _live(world, journal, chosen("attack", all_attacks(), attacks), chosen("trap", all_traps(), traps))
    folder.mkdir(parents=True, exist_ok=True)
    export(world, folder, journal.events, transport)
    people_csv(folder / "people.csv", world.people)
    (folder / "trust.csv").write_text(f"# What the defenders were told of.\n{plan.exercise.ip}/32, announced by the security team, exercise\n", "utf-8")
    facts = {
        "plan": plan.name, "seed": seed, "people": people, "days": days, "start": iso(world.start), "end": iso(world.end),
        "okta_classic_until": iso(world.classic_until), "faults": transport.seen,
    }  # fmt: skip
    (folder / "truth.json").write_text(json.dumps(told(cases, journal.prompts, facts), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return folder


def _live(world: World, journal: Journal, attacks: Mapping[str, Story], traps: Mapping[str, Story]) -> list[Case]:
    """Let everything happen. What befalls people comes first, since it changes how they live."""
    taken = set[str]()
    cases = _tell("trap", traps, world, journal, taken)
    for person in world.people:
        journal.record(f"life/{person.login}", live(world, person))
    return cases + _tell("attack", attacks, world, journal, taken)


def _tell(role: str, stories: Mapping[str, Story], world: World, journal: Journal, taken: set[str]) -> list[Case]:
    """Let every story happen as often as the size of the organisation asks for, in each of its variants in turn."""
    cases: list[Case] = []
    # Traps leave half of the people to the attacks.
    most = len(world.people) // 2 if role == "trap" else len(world.people)
    nets = world.rng("nets").sample(world.plan.hostile, len(world.plan.hostile))
    joined = {person.login: world.local(person, person.joins_on, 0) if person.joins_on else _LONG_AGO for person in world.people}
    for name, story in stories.items():
        variants, place = getattr(story, "VARIANTS", ("none",)), crc32(name.encode())
        for number in range(_TRAPS.get(name, 1) * max(1, len(world.people) // _PEOPLE_EACH)):
            case = Case(f"{role}-{name}-{number + 1}", story.FAMILY, name, " ".join((story.unfold.__doc__ or "").split()), joined=joined)
            case.is_announced, case.is_other_attack = getattr(story, "ANNOUNCED", False), getattr(story, "OTHER_ATTACK", False)
            variant = variants[(world.seed + place + number) % len(variants)]
            scene = Scene(world, case, world.rng(role, name, number), story.RANGES, taken, most, nets[(place + number) % len(nets)], variant)
            try:
                acts = list(story.unfold(scene))
            except NobodyFitsError:
                continue
            journal.spans += [(login, case) for login in case.people if role == "trap"]
            case.span = case.span or (min(act.at for act in acts), max(act.at for act in acts))
            journal.record(case.case_id, acts, case)
            cases.append(case)
    return cases
