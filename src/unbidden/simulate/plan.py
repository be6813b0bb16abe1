"""Plans: how an organisation and its surroundings are laid out. Detections are fitted on one plan and judged on another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One lay-out: its networks, its habits, and which part of each declared range its stories draw from."""

    name: str


PLANS = {plan.name: plan for plan in (Plan("training"), Plan("test"))}
