"""The configuration as it may be shown to people: what each setting is and does. A text is told only where it cannot hold a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

# Texts that name something everybody may know, as does where a secret lies. Of any other is said only that it is set: it may be an address with a
# password in it.
_TOLD = frozenset({"name", "address", "root", "issuer", "label", "name_claim", "role_claim", "public_url", "person", "default_role"})


@dataclass(frozen=True, slots=True)
class Line:
    """One setting: its name, its value in words, what it does, and whether it is another than that of a server of which nothing is said."""

    name: str
    value: str
    says: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The settings of one table of the file, such as `lake` or `source.okta`."""

    name: str
    lines: tuple[Line, ...]


def shown(settings: BaseModel) -> list[Group]:
    """Every table of a configuration with its settings, those that the file sets and those that stand by themselves."""
    return list(_groups(settings, "server"))


def _groups(model: BaseModel, title: str) -> Iterator[Group]:
    lines, inner = [], list[tuple[str, BaseModel]]()
    for name, field in type(model).model_fields.items():
        value, place = getattr(model, name), name if title == "server" else f"{title}.{name}"
        if isinstance(value, BaseModel):
            inner.append((place, value))
        elif isinstance(value, Mapping) and any(isinstance(one, BaseModel) for one in value.values()):
            inner += [(f"{place}.{key}", one) for key, one in value.items()]
        else:
            lines.append(Line(name, _said(name, field.annotation, value), field.description or "", value != field.get_default(call_default_factory=True)))
    if lines:
        yield Group(title, tuple(lines))
    for place, one in inner:
        yield from _groups(one, place)


def _said(name: str, kind: Any, value: object) -> str:  # noqa: ANN401 - an annotation is anything
    if value is None or value in ("", (), {}):
        return "–"
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}" if isinstance(value, int) and name != "port" else f"{value:g}"
        case Path():
            return str(value)
        case str() if name in _TOLD or value.startswith(("env:", "file:")) or _is_choice(kind, value):
            return value
        case str():
            return "set"
        case _:
            return f"{len(value)} set" if isinstance(value, (tuple, list, Mapping, frozenset)) else "set"


def _is_choice(kind: Any, value: str) -> bool:  # noqa: ANN401 - as above
    """Whether a text is one of a few that the program itself names."""
    return value in get_args(kind) if get_origin(kind) is Literal else any(_is_choice(one, value) for one in get_args(kind))
