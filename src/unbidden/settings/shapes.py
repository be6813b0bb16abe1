"""What the models of the configuration say of themselves: which tables there are, and which keys each has. The file, its page and its faults follow it."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

_NAMES: Mapping[object, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", time: "time of day"}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class Inner:
    """Tables inside of a table: one of the models once (`one`), any number in a row (`list`), or by names that the user gives (`named`)."""

    models: tuple[type[BaseModel], ...]
    form: Literal["one", "list", "named"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table. `default` is written as TOML; None when there is none, and then the key is either required or simply not set."""

    name: str
    type: str
    about: str
    default: str | None
    is_required: bool
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file: its `[head]` (NAME stands for a name of the user's), the kind it is for where there are several, and its keys."""

    path: tuple[str, ...]
    form: Literal["one", "list", "named"]
    kind: str | None
    model: type[BaseModel]
    keys: tuple[Key, ...]

    @property
    def head(self) -> str:
        """The line that begins it: `[lake]`, `[[doors.http.hec]]`; nothing for the keys before all tables."""
        if not self.path:
            return ""
        return f"[[{'.'.join(self.path)}]]" if self.form == "list" else f"[{'.'.join(self.path)}]"

    @property
    def about(self) -> str:
        """What it is for."""
        return " ".join((self.model.__doc__ or "").split())


def tables_of(
    model: type[BaseModel], path: tuple[str, ...] = (), form: Literal["one", "list", "named"] = "one", seen: set[tuple[str, ...]] | None = None
) -> Iterator[Table]:
    """The table of a model and, after it, those inside of it, in the order of the models. One that several kinds share comes once."""
    known = seen if seen is not None else set()
    kind = kind_of(model)
    yield Table(path, form, kind, model, tuple(keys_of(model)))
    for name, field in model.model_fields.items():
        inner = inner_of(field.annotation)
        if inner is None or (*path, name) in known:
            continue
        known.add((*path, name))
        below = (*path, name, "NAME") if inner.form == "named" else (*path, name)
        for one in inner.models:
            yield from tables_of(one, below, inner.form, known)


def keys_of(model: type[BaseModel]) -> Iterator[Key]:
    """The keys of a model's table that are no tables themselves."""
    for name, field in model.model_fields.items():
        if inner_of(field.annotation) is None:
            default = None if field.is_required() else toml_of(field.get_default(call_default_factory=True))
            kind = "reference" if is_secret(field) else f"{_type(field.annotation)}{_bounded(field)}"
            about = field.description or "Which of the kinds this is."
            yield Key(name, kind, about, default, _is_required(name, field), is_secret(field))


def inner_of(annotation: object) -> Inner | None:
    """The tables that a field holds; None when it is a plain key."""
    bare = _bare(annotation)
    origin, given = get_origin(bare), get_args(bare)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return Inner((bare,), "one")
    if origin in {Union, types.UnionType}:
        members = [_bare(part) for part in given if part is not types.NoneType]
        models = tuple(part for part in members if isinstance(part, type) and issubclass(part, BaseModel))
        return Inner(models, "one") if models and len(models) == len(members) else None
    if origin in {dict, tuple} and (inner := inner_of(given[1 if origin is dict else 0])) is not None:
        return Inner(inner.models, "named" if origin is dict else "list")
    return None


def kind_of(model: type[BaseModel]) -> str | None:
    """The `kind` that a model is for; None when it has none."""
    field = model.model_fields.get("kind")
    return str(get_args(field.annotation)[0]) if field is not None else None


def is_secret(field: FieldInfo) -> bool:
    """Whether a field takes a reference to a secret only."""
    return any(_refers(part) for part in (*field.metadata, *_metadata(field.annotation)))


def toml_of(value: object) -> str | None:
    """A value as TOML; None for what cannot be said there: nothing."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() | float() | time():
            return str(value)
        case tuple() | list():
            return f"[{', '.join(filter(None, map(toml_of, value)))}]"
        case dict():
            told = ", ".join(f"{json.dumps(str(name))} = {toml_of(part)}" for name, part in value.items())
            return f"{{ {told} }}" if told else "{}"
    return json.dumps(str(value), ensure_ascii=False)


def _is_required(name: str, field: FieldInfo) -> bool:
    """A kind has to be said in the file even where the model knows it by itself."""
    return field.is_required() or name == "kind"


def _refers(part: object) -> bool:
    return isinstance(part, AfterValidator) and getattr(part.func, "__name__", "") == "_reference"


def _metadata(annotation: object) -> Iterator[object]:
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
    for part in get_args(annotation):
        yield from _metadata(part)


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - an annotation is of no type that could be named
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _type(annotation: object) -> str:
    bare = _bare(annotation)
    origin, given = get_origin(bare), [part for part in get_args(bare) if part is not types.NoneType]
    if origin is Literal:
        return " or ".join(json.dumps(part) for part in given)
    if origin is tuple:
        return f"list of: {_type(given[0])}"
    if origin is dict:
        return "table of texts"
    if origin in {Union, types.UnionType}:
        return " or ".join(_type(part) for part in given)
    return _NAMES.get(bare, "text")


def _bounded(field: FieldInfo) -> str:
    """The bounds of a number, in words."""
    told = [
        f"{word} {getattr(part, name)}" for part in (*field.metadata, *_metadata(field.annotation)) for name, word in _BOUNDS.items() if hasattr(part, name)
    ]
    return f", {' and '.join(told)}" if told else ""
