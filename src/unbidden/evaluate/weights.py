"""Weights: the one number of a detection's description that a fit may change, read and written where it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from unbidden.detect import FOLDER, detections
from unbidden.errors import ContentError, UnbiddenError
from unbidden.evaluate.fit import Model
from unbidden.steps import numbers

_LINE = re.compile(rb"^(weight:[ \t]*)([-+0-9.]+)", re.MULTILINE)


def present() -> Model:
    """Prior, groups and weights as they are."""
    found = detections().values()
    return Model(
        float(str(numbers("incidents")["prior"])), {one.name: str(one.about["group"]) for one in found}, {one.name: float(one.about["weight"]) for one in found}
    )


def carrying() -> dict[str, bool]:
    """Of each detection whether it goes on counting for the rest of an incident."""
    return {one.name: bool(one.about.get("carries", False)) for one in detections().values()}


def source_folder() -> Path:
    """Where the descriptions stand in a working copy. Raises UnbiddenError for an installed package, which is not ours to change."""
    package = Path(str(resources.files("unbidden")))
    folder = package / FOLDER
    if package.parent.name != "src" or not (package.parent.parent / "pyproject.toml").exists():
        raise UnbiddenError(f"{folder} belongs to an installed package; weights are written only in a working copy of the repository")
    if not os.access(folder, os.W_OK):
        raise UnbiddenError(f"{folder} cannot be written")
    return folder


def write_weights(weights: Mapping[str, float], folder: Path) -> list[Path]:
    """Put each weight into its description and give the files that changed; every other byte stays. All files or none.

    Raises ContentError for a description without exactly one line of weight.
    """
    texts = {}
    for name, weight in sorted(weights.items()):
        file = folder / f"{name}.yml"
        before = file.read_bytes()
        found = _LINE.findall(before)
        if len(found) != 1:
            raise ContentError(f"{file}: one line 'weight: NUMBER' is wanted, there are {len(found)}")
        if float(found[0][1]) != weight:
            texts[file] = _LINE.sub(rb"\g<1>" + str(weight).encode(), before)
    for file, text in texts.items():
        file.write_bytes(text)
    return list(texts)
