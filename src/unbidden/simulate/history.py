"""History: everything that happens in an organisation, by shares of its people, so that several processes can write it down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zlib import crc32

from unbidden.simulate.chores import chores
from unbidden.simulate.export import write_runs
from unbidden.simulate.journal import Journal
from unbidden.simulate.keeping import keep
from unbidden.simulate.life import live
from unbidden.simulate.people import hire
from unbidden.simulate.plan import Plan
from unbidden.simulate.preludes import precede, scripted
from unbidden.simulate.scene import NobodyFitsError, Scene
from unbidden.simulate.stories import Story, all_attacks, all_traps, chosen
from unbidden.simulate.transport import Transport
from unbidden.simulate.truth import Case, Prompt
from unbidden.simulate.world import World

# How many times each story is told, for every so many people of the organisation (at least once).
_PEOPLE_EACH = 300
_TRAPS = {"mistap": 4, "vpn_retry": 3, "vpn_reconnect": 3, "two_phones": 2, "impatient": 2, "dead_zone": 2}

# When those joined who were always there.
_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 -- times are naive and UTC in here


@dataclass(frozen=True, slots=True)
class Setting:
    """What an organisation and its history are made of. `begin` is naive and UTC; `attacks` and `traps` are as `stories.chosen` reads them."""

    plan: Plan
    people: int
    days: int
    seed: int
    begin: datetime
    attacks: str
    traps: str
    has_faults: bool

    def world(self) -> World:
        """The organisation, before anything has happened."""
        return World(self.plan, hire(self.plan, self.people, self.days, self.seed, self.begin), self.begin, self.days, self.seed)


@dataclass(slots=True)
class Share:
    """What one share of the people came to; the first share also holds what befell any of them."""

    prompts: list[Prompt]
    cases: list[Case]
    seen: dict[str, int]


def write_share(setting: Setting, number: int, shares: int, folder: Path) -> Share:
    """Let everything happen, write the rows of one of so many shares as runs into the folder, and tell what is true of it.

    What befalls people comes first, since it changes how they live. Every share knows of it, the first one writes it down.
    """
    world, transport = setting.world(), Transport(setting.has_faults)
    journal, told = Journal(world), Journal(world)
    taken = set[str]()
    cases = _tell("trap", chosen("trap", all_traps(), setting.traps), world, told, taken)
    journal.traps = told.traps
    for person in world.people[number::shares]:
        journal.record(f"life/{person.login}", live(world, person))
        journal.record(f"chores/{person.login}", chores(world, person))
    if number == 0:
        cases += _tell("attack", chosen("attack", all_attacks(), setting.attacks), world, told, taken)
        journal.add(told)
    write_runs(folder, number, journal.events, transport, is_streamed=world.seed % 2 == 1)
    return Share(journal.prompts, cases if number == 0 else [], transport.seen)


def _tell(role: str, stories: Mapping[str, Story], world: World, journal: Journal, taken: set[str]) -> list[Case]:
    """Let every story happen as often as the size of the organisation asks for, in each of its variants in turn."""
    # Traps leave half of the people to the attacks.
    most = len(world.people) // 2 if role == "trap" else len(world.people)
    cases: list[Case] = []
    for case, scene, story in _scenes(role, stories, world, taken, most):
        try:
            acts = list(story.unfold(scene))
        except NobodyFitsError:
            continue
        if not acts:  # too few days for it
            continue
        case.span = case.span or (min(act.at for act in acts), max(act.at for act in acts))
        if role == "trap":
            journal.expect(case)
        if role == "attack":
            acts = scripted(scene, acts)
            journal.record(f"{case.case_id}/preludes", precede(scene, acts), case)
        journal.record(case.case_id, acts, case)
        if role == "attack":
            journal.record(f"{case.case_id}/keeping", keep(scene, acts), case)
        cases.append(case)
    return cases


def _scenes(role: str, stories: Mapping[str, Story], world: World, taken: set[str], most: int) -> Iterator[tuple[Case, Scene, Story]]:
    """The scene of every run of every story."""
    nets = world.rng("nets").sample(world.plan.hostile, len(world.plan.hostile))
    joined = {person.login: world.local(person, person.joins_on, 0) if person.joins_on else _LONG_AGO for person in world.people}
    for name, story in stories.items():
        variants, place = getattr(story, "VARIANTS", ("none",)), crc32(name.encode())
        for number in range(_TRAPS.get(name, 1) * max(1, len(world.people) // _PEOPLE_EACH)):
            case = Case(f"{role}-{name}-{number + 1}", story.FAMILY, name, " ".join((story.unfold.__doc__ or "").split()), joined=joined)
            case.is_announced, case.is_other_attack = getattr(story, "ANNOUNCED", False), getattr(story, "OTHER_ATTACK", False)
            variant = variants[(world.seed + place + number) % len(variants)]
            yield case, Scene(world, case, world.rng(role, name, number), story.RANGES, taken, most, nets[(place + number) % len(nets)], variant), story
