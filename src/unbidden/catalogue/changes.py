"""Changes: numbers and states of detections that a user sets otherwise, in one file beside the user's own detections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unbidden.detect import STATUSES, Catalogue, Detection, version_of
from unbidden.errors import ContentError

FILE = "params.yml"
_STATUS = "status"


def changed(found: Catalogue, told: Mapping[str, Any], file: str) -> dict[str, Detection]:
    """The catalogue with those numbers, and a version of its own for each detection that has others. Raises ContentError for what there is not."""
    if unknown := sorted(set(told) - set(found)):
        raise ContentError(f"{file}: there is no detection {', '.join(unknown)}; `unbidden detections list` shows those there are")
    return {name: _changed(detection, told[name], f"{file}: {name}") if name in told else detection for name, detection in found.items()}


def _changed(detection: Detection, told: object, where: str) -> Detection:
    if not isinstance(told, dict):
        raise ContentError(f"{where}: numbers by name are wanted, such as {_example(detection)}")
    status = told.get(_STATUS, detection.status)
    # YAML reads a bare `off` as false.
    status = "off" if status is False else status
    if status not in STATUSES:
        raise ContentError(f"{where}: status is one of {', '.join(STATUSES)}, not {status!r}")
    numbers = {str(name): value for name, value in told.items() if name != _STATUS}
    for name, value in numbers.items():
        if name not in detection.declared:
            raise ContentError(f"{where}: there is no number {name}; there are: {', '.join([*detection.declared, _STATUS])}")
        if not is_alike(value, detection.declared[name]):
            raise ContentError(f"{where}: {name} is {value!r}, and something like {detection.declared[name]!r} is wanted")
    version = version_of(detection.version, json.dumps(numbers, sort_keys=True, default=str)) if numbers else detection.version
    return replace(detection, status=status, changed=numbers, version=version)


def is_alike(value: object, declared: object) -> bool:
    """A value may stand for the declared one: a whole number for a whole one, any number for a fraction, a list of texts or numbers for a list."""
    match declared:
        case bool():
            return isinstance(value, bool)
        case int():
            return isinstance(value, int) and not isinstance(value, bool)
        case float():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case list():
            return isinstance(value, list) and all(isinstance(entry, str | int | float) for entry in value)
        case _:
            return isinstance(value, type(declared))


def _example(detection: Detection) -> str:
    name, value = next(iter(detection.declared.items()), (_STATUS, "staged"))
    return f"{{{name}: {value}}}"
