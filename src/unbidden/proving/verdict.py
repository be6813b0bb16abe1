"""Verdict: what the gates say of one detection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gates say of one detection: by gate every fault, and how much was tried."""

    detection: str
    faults: Mapping[str, list[str]]
    stories: int
    mutants: int

    @property
    def holds(self) -> bool:
        """No gate found a fault."""
        return not any(self.faults.values())
