"""A configuration as text: every key of its tables with what it says as a comment, and its default commented out where nothing else is told."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from unbidden.settings.shapes import Inner, Key, inner_of, keys_of, kind_of, toml_of

_WIDTH = 110
_HEAD = """\
The configuration of `unbidden serve`. A line that begins with # and a key shows the key's default.
Secrets are named, never written: env:NAME is an environment variable, file:/path a file that only its owner can read.
Paths are relative to this file's folder. `unbidden doctor` says whether all of it works."""


def text_of(model: type[BaseModel], told: Mapping[str, Any], examples: Collection[tuple[str | int, ...]] = ()) -> str:
    """A file that says what is told; values whose path is among the examples are marked as to be replaced."""
    return "\n".join([*(f"# {line}" for line in _HEAD.splitlines()), *_table(model, told, (), examples)]) + "\n"


def _table(model: type[BaseModel], told: Mapping[str, Any], path: tuple[str | int, ...], examples: Collection[tuple[str | int, ...]]) -> Iterator[str]:
    """The lines of a table and those inside of it; the keys that are told come first."""
    keys = sorted(keys_of(model), key=lambda key: (key.name not in told, key.name != "kind" or key.name not in told))
    if path and keys:
        head = ".".join(part for part in path if isinstance(part, str))
        yield from ("", *_comment(" ".join((model.__doc__ or "").split())), f"[[{head}]]" if isinstance(path[-1], int) else f"[{head}]")
    for key in keys:
        yield from () if path else ("",)
        yield from _key(key, told, is_example=(*path, key.name) in examples)
    for name, field in model.model_fields.items():
        inner = inner_of(field.annotation)
        if inner is not None:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            for one, said, below in _inside(inner, told.get(name), (*path, name), is_always=isinstance(default, BaseModel)):
                yield from _table(one, said, below, examples)


def _inside(
    inner: Inner,
    told: Any,  # noqa: ANN401 - it is what a file may say
    path: tuple[str | int, ...],
    *,
    is_always: bool,
) -> Iterator[tuple[type[BaseModel], Mapping[str, Any], tuple[str | int, ...]]]:
    """The tables that are written under a name: those that are told, and those that are always there."""
    if inner.form == "one" and (told is not None or is_always):
        yield _chosen(inner.models, told or {}), told or {}, path
    elif inner.form == "list":
        for number, one in enumerate(told or ()):
            yield _chosen(inner.models, one), one, (*path, number)
    elif inner.form == "named":
        for name, one in (told or {}).items():
            yield _chosen(inner.models, one), one, (*path, name)


def _chosen(models: Sequence[type[BaseModel]], told: Mapping[str, Any]) -> type[BaseModel]:
    return next((one for one in models if kind_of(one) == told.get("kind")), models[0])


def _key(key: Key, told: Mapping[str, Any], *, is_example: bool) -> Iterator[str]:
    yield from _comment(key.about if key.name != "kind" else "")
    if key.name in told:
        yield f"{key.name} = {toml_of(told[key.name])}{'  # an example: put yours here' if is_example else ''}"
    else:
        yield f"#{key.name} = {key.default if key.default is not None else ''}".rstrip()


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]
