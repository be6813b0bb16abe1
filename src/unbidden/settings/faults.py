"""What is wrong with a configuration, in words that say where in the file it is. Values are never shown, for one may be a secret in the wrong place."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from unbidden.settings.places import head_of, place_of
from unbidden.settings.shapes import Inner, inner_of, kind_of, tables_of

_AT = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: the names down to it, the models that its table can be, and whether it is a table itself."""

    names: tuple[str, ...]
    models: tuple[type[BaseModel], ...]
    is_table: bool

    def __str__(self) -> str:
        """As the reader of the file looks for it."""
        if not self.names:
            return "the file"
        return head_of(self.names).rstrip(",") if self.is_table else place_of(self.names)


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """All faults of a file, each with its place, in the order of the places."""
    return [_said(fault, model) for fault in error.errors(include_input=False, include_url=False)]


def syntax_of(error: tomllib.TOMLDecodeError, text: str) -> tuple[str, str]:
    """Where a text is no TOML (`line 3, column 5`), and why."""
    found = _AT.search(str(error))
    if found is None:
        return "", str(error)
    where = f"line {found[1]}, column {found[2]}" if found[1] else f"line {len(text.splitlines())}"
    return where, _AT.sub("", str(error))


def _said(fault: Mapping[str, Any], model: type[BaseModel]) -> str:
    place = place_in(model, fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            return f"{place}: there is no such key{_meant(place, model)}"
        case "missing":
            return f"{place}: it is missing"
        case "union_tag_not_found":
            return f"{place} kind: it is missing; it is one of {', '.join(_kinds(place))}"
        case "union_tag_invalid":
            near = difflib.get_close_matches(str(fault["ctx"].get("tag")), _kinds(place), 1)
            hint = f"is {near[0]} meant?" if near else f"there are: {', '.join(_kinds(place))}"
            return f"{place} kind: there is no such kind; {hint}"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


def place_in(model: type[BaseModel], location: Sequence[int | str]) -> Place:
    """Where a fault is. The kinds that pydantic puts into a location stand in no file, so they are left out."""
    names, inner = list[str](), Inner((model,), "one")
    for part in location:
        if inner.form == "list" and isinstance(part, int):
            names[-1], inner = f"{names[-1]}#{part + 1}", Inner(inner.models, "one")
        elif inner.form == "named":
            names.append(str(part))
            inner = Inner(inner.models, "one")
        elif len(inner.models) > 1 and (chosen := tuple(one for one in inner.models if kind_of(one) == part)):
            inner = Inner(chosen, "one")
        else:
            names.append(str(part))
            deeper = _below(inner.models, str(part))
            if deeper is None:
                return Place(tuple(names), inner.models, is_table=False)
            inner = deeper
    return Place(tuple(names), inner.models, is_table=True)


def _below(models: Sequence[type[BaseModel]], name: str) -> Inner | None:
    return next((inner_of(one.model_fields[name].annotation) for one in models if name in one.model_fields), None)


def _meant(place: Place, model: type[BaseModel]) -> str:
    """A guess at what an unknown key was to be: one of its own table, else one of another."""
    name = place.names[-1]
    own = [key for one in place.models for key in one.model_fields]
    if near := difflib.get_close_matches(name, own, 1):
        return f"; is {near[0]} meant?"
    others = dict(_everywhere(model))
    near = difflib.get_close_matches(name, others, 1, 0.75)
    return f"; is {others[near[0]]} meant?" if near else f"; there are: {', '.join(own)}"


def _everywhere(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for table in reversed(list(tables_of(model))):
        for key in table.keys:
            yield key.name, f"{table.head} {key.name}".strip()
        if table.path and table.path[-1] != "NAME":
            yield table.path[-1], table.head


def _kinds(place: Place) -> list[str]:
    return sorted(filter(None, map(kind_of, place.models)))
