"""Paths in the configuration, which are relative to its file, and the secrets that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from unbidden.credentials import is_reference
from unbidden.settings.shapes import is_secret, kind_of

_Part = TypeVar("_Part", bound=BaseModel)
_FILE, _SQLITE = "file:", "sqlite:///"


def _root(text: str, folder: Path) -> str:
    return text if "://" in text else str(folder / text)


def _desk(text: str, folder: Path) -> str:
    return f"{_SQLITE}{folder / text.removeprefix(_SQLITE)}" if text.startswith(_SQLITE) and ":memory:" not in text else text


def _listing(text: str, folder: Path) -> str:
    kind, sign, file = text.partition("=")
    return f"{kind}{sign}{folder / file}" if file else text


def _path(text: str, folder: Path) -> str:
    return str(folder / text)


# Texts that hold a path; whatever is a Path by its type is found by itself.
TEXTS: Mapping[tuple[str, str], Callable[[str, Path], str]] = {
    ("LakeSettings", "root"): _root,
    ("DeskSettings", "url"): _desk,
    ("JudgeSettings", "lists"): _listing,
    ("EmailTarget", "ca_file"): _path,
    ("SyslogTarget", "ca_file"): _path,
}


def placed(part: _Part, folder: Path) -> _Part:
    """The same settings with every relative path taken from a folder; those of `file:` references, too."""
    return part.model_copy(update={name: _moved(value, folder, TEXTS.get((type(part).__name__, name))) for name, value in part})


def _moved(value: Any, folder: Path, rule: Callable[[str, Path], str] | None) -> Any:  # noqa: ANN401 - a setting is of any type, and stays of its own
    match value:
        case BaseModel():
            return placed(value, folder)
        case Path():
            return folder / value
        case str() if value.startswith(_FILE):
            return f"{_FILE}{folder / value.removeprefix(_FILE)}"
        case str():
            return rule(value, folder) if rule is not None else value
        case tuple():
            return tuple(_moved(one, folder, rule) for one in value)
        case dict():
            return {name: _moved(one, folder, rule) for name, one in value.items()}
    return value


def references_of(part: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every secret that settings name: the place in the file (`[alert.x] secret`) and the reference."""
    for name, value in part:
        if name in type(part).model_fields:
            yield from _named(value, (*path, name), is_known=is_secret(type(part).model_fields[name]))


def _named(value: object, path: tuple[str, ...], *, is_known: bool) -> Iterator[tuple[str, str]]:
    match value:
        case BaseModel():
            yield from references_of(value, path)
        case str() if is_known or is_reference(value):
            yield place_of(path), value
        case tuple():
            for number, one in enumerate(value, 1):
                yield from _named(one, (*path[:-1], f"{path[-1]}#{number}"), is_known=is_known)
        case dict():
            for name, one in value.items():
                yield from _named(one, (*path, str(name)), is_known=is_known)


def place_of(path: tuple[str, ...]) -> str:
    """A place in the file, as its reader looks for it: `[alert.x] secret`, `[[doors.http.hec]] 2, secret`, `name`."""
    *table, key = path
    if not table:
        return key
    return f"{head_of(tuple(table))} {key}"


def head_of(table: tuple[str, ...]) -> str:
    """The head of a table; of one of several in a row also its number."""
    last, _, number = table[-1].partition("#")
    names = ".".join([*(part.partition("#")[0] for part in table[:-1]), last])
    return f"[[{names}]] {number}," if number else f"[{names}]"


def changes(old: BaseModel, new: BaseModel, path: tuple[str, ...] = ()) -> Iterator[str]:
    """What differs between two settings, place by place. No values are told: one may be a secret in the wrong place."""
    if type(old) is not type(new) or kind_of(type(old)) != kind_of(type(new)):
        yield f"{head_of(path)} is of another kind"
        return
    for name, was in old:
        yield from _differs(was, getattr(new, name), (*path, name))


def _differs(was: object, now: object, path: tuple[str, ...]) -> Iterator[str]:
    if was == now:
        return
    if isinstance(was, BaseModel) and isinstance(now, BaseModel):
        yield from changes(was, now, path)
    elif isinstance(was, dict) and isinstance(now, dict):
        for name in sorted(was.keys() | now.keys()):
            yield from _differs(was.get(name), now.get(name), (*path, str(name)))
    elif isinstance(was, tuple) and isinstance(now, tuple) and any(isinstance(one, BaseModel) for one in (*was, *now)):
        for number, (one, other) in enumerate(zip_longest(was, now), 1):
            yield from _differs(one, other, (*path[:-1], f"{path[-1]}#{number}"))
    elif was is None or now is None:
        told = head_of(path).rstrip(",") if isinstance(was, BaseModel) or isinstance(now, BaseModel) else place_of(path)
        yield f"{told} is {'new' if was is None else 'gone'}"
    else:
        yield f"{place_of(path)} changed"
