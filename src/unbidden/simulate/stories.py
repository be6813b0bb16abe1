"""Stories: the attacks and traps, each in a file of its own, registered by its file name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from unbidden.errors import UnbiddenError
from unbidden.simulate import attacks, traps
from unbidden.simulate.acts import Act
from unbidden.simulate.scene import Ranges, Scene


class Story(Protocol):
    """What a module of an attack or a trap holds. The docstring of `unfold` is the story and says where it is known from.

    An attack names the VARIANTS in which it can end: none, approved, new_factor, removed, reported. A trap may be ANNOUNCED to the defenders, or be an
    OTHER_ATTACK, which is none of this kind.
    """

    FAMILY: str
    RANGES: Ranges

    def unfold(self, scene: Scene) -> Iterator[Act]:
        """The acts of one run."""
        ...


@cache
def all_attacks() -> dict[str, Story]:
    """Every attack by its name, in alphabetical order."""
    return {module.name: cast("Story", import_module(f"{attacks.__name__}.{module.name}")) for module in iter_modules(attacks.__path__)}


@cache
def all_traps() -> dict[str, Story]:
    """Every trap by its name, in alphabetical order."""
    return {module.name: cast("Story", import_module(f"{traps.__name__}.{module.name}")) for module in iter_modules(traps.__path__)}


def chosen(role: str, stories: Mapping[str, Story], words: str) -> dict[str, Story]:
    """The stories of the names and families in `words`, separated by commas; `all` and `none` are understood. Raises UnbiddenError for any other word."""
    wanted = [word.strip().lower() for word in words.split(",") if word.strip()]
    if wanted in (["all"], ["none"]):
        return dict(stories) if wanted == ["all"] else {}
    families = {story.FAMILY.lower() for story in stories.values()}
    for word in wanted:
        if word not in stories and word not in families:
            raise UnbiddenError(f"there is no {role} '{word}'; choose among: all, none, {', '.join(sorted(families))}, {', '.join(stories)}")
    return {name: story for name, story in stories.items() if name in wanted or story.FAMILY.lower() in wanted}
