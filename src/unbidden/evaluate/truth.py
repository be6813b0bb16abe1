"""Truth: what really happened in a made-up organisation, read for those who judge what was found in it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

# What an attacker changes to keep or widen access.
_KEPT_BY = {"factor", "device", "policy", "recovery"}


@dataclass(frozen=True, slots=True)
class Attack:
    """One bombing of one person: from its first prompt to the last that was done in it. Times are UTC, naive."""

    name: str
    family: str
    story: str
    variant: str
    difficulty: str
    user: str
    providers: frozenset[str]
    begin: datetime
    end: datetime
    prompts: tuple[datetime, ...]
    approved_at: datetime | None
    stage: str

    @property
    def prompts_before_approval(self) -> int:
        """How many prompts were sent before the one that was approved; 0 when none was."""
        return max(0, sum(at < self.approved_at for at in self.prompts) - 1) if self.approved_at else 0


@dataclass(frozen=True, slots=True)
class Trap:
    """Something that looks like a bombing and is none; `other_attack` marks one that is an attack all the same, by another technique."""

    name: str
    family: str
    story: str
    people: frozenset[str]
    begin: datetime
    end: datetime
    announced: bool
    other_attack: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that is judged about one organisation."""

    plan: str
    seed: int
    people: int
    days: float
    attacks: tuple[Attack, ...]
    traps: tuple[Trap, ...]

    @property
    def person_days(self) -> float:
        """People times days."""
        return self.people * self.days


def read_truth(folder: Path) -> Truth:
    """The truth beside the logs of a simulated organisation."""
    return understood(json.loads((folder / "truth.json").read_text("utf-8")))


def understood(told: Mapping[str, Any]) -> Truth:
    """The truth as its document tells it."""
    sent: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for prompt in told["prompts"]:
        if prompt["attack"]:
            sent[prompt["attack"], prompt["user"]].append(prompt)
    return Truth(
        str(told.get("plan", "training")), int(told["seed"]), int(told["people"]), (moment(told["end"]) - moment(told["start"])).total_seconds() / 86400,
        tuple(_attack(attack, sent[attack["campaign"] or attack["id"], attack["victim"]]) for attack in told["attacks"]),
        tuple(_trap(trap) for trap in told["traps"]),
    )  # fmt: skip


def moment(text: str) -> datetime:
    """A time of the document as the engine has it: UTC, naive."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _attack(told: Mapping[str, Any], prompts: list[dict[str, Any]]) -> Attack:
    approved_at = moment(told["approved_at"]) if told["approved_at"] else None
    deeds = told["aftermath"]
    is_kept = approved_at is not None and any(deed["kind"] in _KEPT_BY for deed in deeds)
    ends = [told["last_prompt_at"], *(prompt["fate_at"] for prompt in prompts), *(deed["at"] for deed in deeds)]
    return Attack(
        told["id"], told["family"], told["name"], told.get("variant") or "none", told.get("difficulty") or "medium", told["victim"],
        frozenset(told["providers"]), moment(told["first_prompt_at"]), max(moment(end) for end in ends), tuple(sorted(moment(p["sent_at"]) for p in prompts)),
        approved_at, "persisted" if is_kept else "approved" if approved_at else "attempted",
    )  # fmt: skip


def _trap(told: Mapping[str, Any]) -> Trap:
    return Trap(
        told["id"], told["family"], told["name"], frozenset(told["people"]), moment(told["from"]), moment(told["to"]),
        bool(told.get("announced", False)), bool(told.get("other_attack", False)),
    )  # fmt: skip
