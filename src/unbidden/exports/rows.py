"""Rows: how each provider writes what we ask for, in the fields of its own log and in the names that each language has for them.

A field without a name in a language is not there in that language, and what needs it falls away. Sources stand with the tables; names that no
source at hand confirms are marked unverified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["sigma", "kql", "spl", "esql"]
Operation: TypeAlias = Literal["is", "starts", "has"]
Match: TypeAlias = tuple[str, Operation, tuple[str, ...]]

LANGUAGES: tuple[Language, ...] = ("sigma", "kql", "spl", "esql")


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a provider: where each language finds it, and the names of its fields in each. `person` and `source` are always among them."""

    name: str
    place: Mapping[Language, str]
    fields: Mapping[str, Mapping[Language, str]]
    numeric: frozenset[str] = frozenset()  # fields that hold numbers in KQL or ES|QL


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a log says something: all matches hold. `only` are the languages it is for, if not for all."""

    log: str
    matches: tuple[Match, ...]
    only: frozenset[Language] = frozenset()


@dataclass(frozen=True, slots=True)
class Vendor:
    """A provider as others' languages see it. `lost` is what its log hides of a word; a word without a way cannot be asked."""

    name: str
    title: str
    logs: Mapping[str, Log]
    ways: Mapping[str, tuple[Way, ...]]
    lost: Mapping[str, str] = field(default_factory=dict)


def names(sigma: str, kql: str = "", spl: str = "", esql: str = "") -> dict[Language, str]:
    """The names of one field; an empty one is not there."""
    told: dict[Language, str] = {"sigma": sigma, "kql": kql, "spl": spl, "esql": esql}
    return {language: name for language, name in told.items() if name}


def row(log: str, *matches: Match, only: frozenset[Language] = frozenset()) -> Way:
    """One way of saying something."""
    return Way(log, matches, only)


def equal(name: str, *values: str) -> Match:
    """The field holds one of the values."""
    return (name, "is", values)


def begins(name: str, *values: str) -> Match:
    """The field begins with one of the values."""
    return (name, "starts", values)


def holds(name: str, *values: str) -> Match:
    """The field's text holds one of the values."""
    return (name, "has", values)
