"""Judge: which claims are right. A pure function of what was claimed and what really happened.

A claim is *right* when it names the victim of an attack and its time overlaps the attack's. Several claims about one attack, or one after the other about
one person, are one alert as long as less than the quiet time of an incident lies between them; nobody is punished for repeating.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from unbidden.evaluate.claims import Claim
from unbidden.evaluate.truth import Attack, Trap, Truth
from unbidden.steps import numbers

# Logs cut times to the second, and some speak of a challenge only when it ran out.
BEFORE = timedelta(minutes=1)
AFTER = timedelta(hours=1)
STAGES = ("attempted", "approved", "persisted")
EVERYDAY = "everyday life"


@dataclass(frozen=True, slots=True)
class Hit:
    """An attack that was found. `at` is None when the alert stood already before the attack began: then nobody can say what it was raised for."""

    attack: Attack
    alerts: int
    at: datetime | None
    prompts: int | None
    stage: str | None
    risk: float | None


@dataclass(frozen=True, slots=True)
class FalseAlert:
    """Claims about nobody's attack, and where they fell: into the story of a trap or into everyday life."""

    where: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the claims about one organisation came to. `other_attacks` are the traps that are attacks by another technique and were alerted."""

    truth: Truth
    hits: tuple[Hit, ...]
    missed: tuple[Attack, ...]
    false: tuple[FalseAlert, ...]
    other_attacks: frozenset[str]

    @property
    def blamed(self) -> tuple[str, ...]:
        """Where each false alert fell."""
        return tuple(alert.where for alert in self.false)


def judge(claims: Sequence[Claim], truth: Truth, *, excuse_announced: bool = False) -> Judged:
    """Every attack is found or missed, every other claim is a false alert, or a right one about another attack than push bombing.

    What falls into an announced exercise is no false alert of a detection that could not be told of it (`excuse_announced`).
    """
    hits, missed, right = list[Hit](), list[Attack](), set[int]()
    by_user = _by_user(claims)
    for attack in truth.attacks:
        matched = [(number, claim) for number, claim in by_user.get(attack.user, []) if is_about(claim, attack)]
        right |= {number for number, _ in matched}
        if matched:
            hits.append(_hit(attack, [claim for _, claim in matched]))
        else:
            missed.append(attack)
    wrong = [claim for number, claim in enumerate(claims) if number not in right]
    found_others = frozenset(trap.name for claim in wrong if (trap := _trap(claim, truth)) and trap.other_attack)
    false = alerts(claim for claim in wrong if not _is_excused(_trap(claim, truth), excuse_announced))
    return Judged(truth, tuple(hits), tuple(missed), tuple(FalseAlert(_blame(alert, truth), tuple(alert)) for alert in false), found_others)


def is_about(claim: Claim, attack: Attack) -> bool:
    """The claim names the attack's victim, and their times overlap."""
    return claim.user == attack.user and claim.begin <= attack.end + AFTER and claim.end >= attack.begin - BEFORE


def is_right(claim: Claim, truth: Truth) -> bool:
    """The claim is about some attack."""
    return any(is_about(claim, attack) for attack in truth.attacks)


def is_other_attack(claim: Claim, truth: Truth) -> bool:
    """The claim is about an attack that is no push bombing: neither right nor false."""
    trap = _trap(claim, truth)
    return trap is not None and trap.other_attack


def alerts(claims: Iterable[Claim]) -> list[list[Claim]]:
    """The claims of each person, those closer than the quiet time together."""
    quiet = timedelta(seconds=float(str(numbers("incidents")["quiet_s"])))
    made: list[list[Claim]] = []
    for claim in sorted(claims, key=lambda claim: (claim.user, claim.begin, claim.end)):
        if made and made[-1][0].user == claim.user and claim.begin <= max(each.end for each in made[-1]) + quiet:
            made[-1].append(claim)
        else:
            made.append([claim])
    return made


def _by_user(claims: Sequence[Claim]) -> dict[str, list[tuple[int, Claim]]]:
    found: dict[str, list[tuple[int, Claim]]] = {}
    for number, claim in enumerate(claims):
        found.setdefault(claim.user, []).append((number, claim))
    return found


def _hit(attack: Attack, claims: Sequence[Claim]) -> Hit:
    at = min((claim.at for claim in claims if claim.at >= attack.begin - BEFORE), default=None)
    return Hit(
        attack, len(alerts(claims)), at, max(1, sum(sent <= at for sent in attack.prompts)) if at else None,
        max((claim.stage for claim in claims if claim.stage), key=STAGES.index, default=None),
        max((claim.risk for claim in claims if claim.risk is not None), default=None),
    )  # fmt: skip


def _trap(claim: Claim, truth: Truth) -> Trap | None:
    """The trap that a claim fell into: of its person, at its time."""
    return next((t for t in truth.traps if claim.user in t.people and claim.begin <= t.end + AFTER and claim.end >= t.begin - BEFORE), None)


def _is_excused(trap: Trap | None, excuse_announced: bool) -> bool:
    return trap is not None and (trap.other_attack or (excuse_announced and trap.announced))


def _blame(alert: Sequence[Claim], truth: Truth) -> str:
    stories = Counter(trap.story for claim in alert if (trap := _trap(claim, truth)))
    return min(stories, key=lambda story: (-stories[story], story), default=EVERYDAY)
