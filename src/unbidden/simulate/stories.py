"""Stories: the attacks and traps, each in a file of its own, registered by its file name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from unbidden.simulate import attacks, traps
from unbidden.simulate.acts import Act
from unbidden.simulate.scene import Ranges, Scene


class Story(Protocol):
    """What a module of an attack or a trap holds. The docstring of `unfold` is the story and says where it is known from."""

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
