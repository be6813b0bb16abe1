"""Truth: what really happened, told beside the logs for those who judge what was found in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unbidden.simulate.acts import Cause


@dataclass(slots=True)
class Prompt:
    """One challenge that a person could see or hear.

    `events` are the vendor's ids of the rows about it, with the provider's name and a colon before them: an `event_id` up to its first bar,
    or a `request_id` where a provider names the steps of a row after their flow.
    """

    prompt_id: str
    user: str
    provider: str
    factor: str
    sent_at: datetime
    fate: str
    fate_at: datetime
    cause: Cause
    attack: str | None
    trap: str | None
    events: list[str]

    def told(self) -> dict[str, object]:
        """The prompt as truth.json has it."""
        return {
            "id": self.prompt_id, "user": self.user, "provider": self.provider, "factor": self.factor, "sent_at": iso(self.sent_at), "fate": self.fate,
            "fate_at": iso(self.fate_at), "asked": self.cause == "person", "cause": self.cause, "attack": self.attack, "trap": self.trap, "events": self.events,
        }  # fmt: skip


@dataclass(slots=True)
class Aftermath:
    """Something that was done in an attack and is neither a prompt nor a password."""

    user: str
    at: datetime
    kind: str
    outcome: str
    event: str


@dataclass(slots=True)
class Case:
    """One run of an attack or a trap: which one, on what numbers it was drawn, and what it came to."""

    case_id: str
    family: str
    name: str
    story: str
    people: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    span: tuple[datetime, datetime] | None = None
    prompts: list[Prompt] = field(default_factory=list)
    aftermath: list[Aftermath] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    origins: dict[str, str] = field(default_factory=dict)
    joined: dict[str, datetime] = field(default_factory=dict)
    is_announced: bool = False
    is_other_attack: bool = False

    def attacks(self) -> list[dict[str, object]]:
        """The attack as truth.json has it: one entry for each victim, tied by `campaign` when there are several."""
        victims = sorted({prompt.user for prompt in self.prompts}, key=lambda user: min(p.sent_at for p in self.prompts if p.user == user))
        if len(victims) == 1:
            return [self._attack(victims[0], self.case_id, None)]
        return [self._attack(user, f"{self.case_id}-{number}", self.case_id) for number, user in enumerate(victims, 1)]

    def _attack(self, user: str, name: str, campaign: str | None) -> dict[str, object]:
        prompts = sorted((prompt for prompt in self.prompts if prompt.user == user), key=lambda prompt: prompt.sent_at)
        approved = [prompt.fate_at for prompt in prompts if prompt.fate == "approved"]
        after = sorted((deed for deed in self.aftermath if deed.user == user), key=lambda deed: deed.at)
        return {
            "id": name, "family": self.family, "name": self.name, "campaign": campaign, "victim": user, "victims": [user],
            "variant": variant_of(approved, prompts, after), "origin": self.origins.get(user, "abroad"),
            "difficulty": difficulty(prompts, self.origins.get(user, "abroad"), prompts[0].sent_at - self.joined[user]),
            "providers": sorted({prompt.provider for prompt in prompts}), "first_prompt_at": iso(prompts[0].sent_at),
            "last_prompt_at": iso(prompts[-1].sent_at), "approved_at": iso(min(approved)) if approved else None, "prompts": len(prompts),
            "fates": {fate: sum(prompt.fate == fate for prompt in prompts) for fate in sorted({prompt.fate for prompt in prompts})},
            "aftermath": [
                {"at": iso(deed.at), "kind": deed.kind, "outcome": deed.outcome, "event": deed.event}
                for deed in after
            ],
            "sources": sorted(self.sources), "numbers": self.numbers, "story": self.story,
        }  # fmt: skip

    def trap(self, prompts: int) -> dict[str, object]:
        """The trap as truth.json has it, with the number of its prompts."""
        begin, end = self.span or (datetime.max, datetime.min)  # noqa: DTZ901 -- times are naive and UTC in here
        return {
            "id": self.case_id, "family": self.family, "name": self.name, "people": self.people, "from": iso(begin), "to": iso(end), "prompts": prompts,
            "announced": self.is_announced, "other_attack": self.is_other_attack, "numbers": self.numbers, "story": self.story,
        }  # fmt: skip


def variant_of(approved: Sequence[datetime], prompts: Sequence[Prompt], after: Sequence[Aftermath]) -> str:
    """How it ended for one victim: removed, new_factor, approved, reported or none; of several the gravest."""
    changes = {deed.outcome for deed in after if deed.kind == "factor"}
    if approved:
        return "removed" if "removed" in changes else "new_factor" if "added" in changes else "approved"
    return "reported" if any(prompt.fate == "reported" for prompt in prompts) else "none"


# How near to the victim the attacker stands: abroad, in the victim's country, behind a home connection of the victim's town.
_NEARNESS = {"abroad": 0, "country": 1, "town": 2}
_NEW = timedelta(days=7)


def difficulty(prompts: Sequence[Prompt], origin: str, known_for: timedelta) -> str:
    """How hard an attack is to tell from everyday life, by what happened alone: easy, medium or hard. No detection is asked.

    Points for few prompts (eight within an hour give none, three to seven one, fewer two; one or two in all are given three), for a nearby attacker and
    for a victim without a past; one less when the victim speaks up. No point is easy, one or two are medium, more are hard.
    """
    spoke = any(prompt.fate in ("reported", "wrong_number") for prompt in prompts)
    points = _fewness(prompts) + _NEARNESS[origin] + (known_for < _NEW) - spoke
    return "easy" if points < 1 else "medium" if points <= 2 else "hard"


def _fewness(prompts: Sequence[Prompt]) -> int:
    if len(prompts) <= 2:
        return 3
    times = [prompt.sent_at for prompt in prompts]
    densest = max(sum(begin <= at < begin + timedelta(hours=1) for at in times) for begin in times)
    return 0 if densest >= 8 else 1 if densest >= 3 else 2


def told(cases: Sequence[Case], prompts: Sequence[Prompt], facts: Mapping[str, object]) -> dict[str, object]:
    """The whole truth.json."""
    attacks = [entry for case in cases if case.case_id.startswith("attack") for entry in case.attacks()]
    counts = Counter(prompt.trap for prompt in prompts)
    traps = [case.trap(counts[case.case_id]) for case in cases if case.case_id.startswith("trap") and case.span]
    ordered = sorted(prompts, key=lambda prompt: (prompt.sent_at, prompt.prompt_id))
    return {"version": 1, **facts, "attacks": attacks, "traps": traps, "prompts": [prompt.told() for prompt in ordered]}


def iso(at: datetime) -> str:
    """A UTC time with milliseconds and a Z."""
    return at.isoformat(timespec="milliseconds") + "Z"
