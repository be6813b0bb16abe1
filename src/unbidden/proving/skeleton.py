"""Skeleton: the two files of a new detection, working and proved, for an engineer to change."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from unbidden.errors import UnusableInputError


def write_skeleton(name: str, folder: Path) -> list[Path]:
    """The two files that were written. Raises UnusableInputError for a name that cannot be, or that is there already."""
    if not name.isidentifier() or not name.islower() or not name.isascii() or name == "params":
        raise UnusableInputError(f"'{name}' cannot be a detection's name; it is made of small letters, digits and _, such as refused_at_night")
    files = {folder / f"{name}{ending}": _text(ending) for ending in (".sql", ".yml")}
    if there := [str(file) for file in files if file.exists()]:
        raise UnusableInputError(f"{', '.join(there)}: it is there already, and stays as it is")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        file.write_text(text, "utf-8")
    return list(files)


def _text(ending: str) -> str:
    return resources.files("unbidden").joinpath("proving", f"skeleton{ending}").read_text("utf-8")
