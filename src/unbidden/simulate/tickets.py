"""Tickets: what the people of an organisation write to its help desk, whatever befell them. Its chance is its own: no log changes by it."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

from unbidden import content
from unbidden.providers import Event, registry
from unbidden.simulate.people import Person
from unbidden.simulate.truth import Case
from unbidden.simulate.world import World

# All of these are assumptions: how many of the attacked write, how many whose own program asks again and again take it for an attack, how many tickets
# somebody writes on a working day, and in how many of them the desk noted a name instead of an address.
_COMPLAIN, _MISTAKE, _ORDINARY, _NAME_ONLY = 0.4, 0.15, 0.03, 0.06
_OWN_PROGRAM = frozenset({"sync_loop", "integration_loop", "vpn_retry", "vpn_reconnect"})
# How long after the prompt that is one too many they write, in minutes: some at once, some the next morning.
_WAIT_MINUTES = (2, 8, 25, 90, 300, 720)
_LANGUAGES = {"DE": "de"}
_OTHERS = ("fr", "es", "pt", "ja")


@cache
def _texts() -> Mapping[str, Mapping[str, Sequence[Sequence[str]]]]:
    loaded: Mapping[str, Mapping[str, Sequence[Sequence[str]]]] = content.loads(resources.files(__package__ or "").joinpath("tickets.yml").read_text("utf-8"))
    return loaded


def tickets_csv(file: Path, world: World, cases: Sequence[Case]) -> None:
    """Write the tickets as ServiceNow exports its incidents, oldest first. The cases are the attacks and traps with their prompts."""
    known = {person.login: person for person in world.people}
    written = [*_complaints(world, known, cases), *_ordinary(world)]
    kept = sorted((ticket for ticket in written if world.start <= ticket["occurred_at"] < world.end), key=lambda t: (t["occurred_at"], str(t["login"])))
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, ("number", "opened_at", "caller_id", "short_description", "description"), lineterminator="\n")
        out.writeheader()
        for number, ticket in enumerate(kept, 1):
            out.writerows(registry()["tickets"].render({**ticket, "event_id": f"INC{number:07d}"}))


def _complaints(world: World, known: Mapping[str, Person], cases: Sequence[Case]) -> Iterator[Event]:
    """Some of the attacked write of it after one of the prompts, and a few who are asked by their own program."""
    for case in cases:
        asked = {prompt.user: [p.sent_at for p in case.prompts if p.user == prompt.user] for prompt in case.prompts}
        if not asked and case.name in _OWN_PROGRAM and case.span:
            asked = {login: [case.span[0], case.span[1]] for login in case.people}
        for login, times in sorted(asked.items()):
            rng = world.rng("tickets", case.case_id, login)
            if rng.random() < (_MISTAKE if case.name in _OWN_PROGRAM else _COMPLAIN):
                after = rng.choice(sorted(times)[len(times) // 2 :])
                yield _ticket(rng, known[login], after + timedelta(minutes=rng.choice(_WAIT_MINUTES) * rng.uniform(0.7, 1.3)), "unasked")


def _ordinary(world: World) -> Iterator[Event]:
    """What everybody writes now and then, on working days from eight to six."""
    for person in world.people:
        for day in range(person.joins_on, world.days):
            rng = world.rng("tickets", person.login, day)
            if world.is_workday(day) and rng.random() < _ORDINARY:
                yield _ticket(rng, person, world.local(person, day, rng.uniform(8, 18)), "other")


def _ticket(rng: random.Random, person: Person, at: datetime, label: str) -> Event:
    language = _LANGUAGES.get(person.office.place.country, "en") if rng.random() < 0.85 else rng.choice(_OTHERS)
    subject, text = rng.choice(_texts()[language][label])
    name = " ".join(part.capitalize() for part in person.login.split("@")[0].rstrip("0123456789").split("."))
    caller = name if rng.random() < _NAME_ONLY else person.login
    kind = "report" if label == "unasked" else "other"
    return {"occurred_at": at.replace(microsecond=0), "login": caller, "kind": kind, "subject": subject, "detail": text}
