"""Descriptions: what the YAML half of a user's own detection has to say, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from unbidden.detect import FIELDS, STATUSES
from unbidden.errors import ContentError

_TEXTS = ("title", "why", "group", "reason")
_WHETHER = ("carries", "founds")
_KNOWN = FIELDS | {"status", "analytic", "mutable", "params", "carries", "founds", "story", "blind_spots", "false_positives", "prevents", "sources", "export"}


def refuse_unless_described(about: Mapping[str, Any], file: str) -> None:
    """Raise ContentError naming every fault of a description, all at once."""
    faults = [*_fields(about), *_values(about), *_params(about.get("params"))]
    if faults:
        raise ContentError(f"{file}: {'; '.join(faults)}")


def _fields(about: Mapping[str, Any]) -> list[str]:
    lacking, unknown = sorted(FIELDS - set(about)), sorted(set(about) - _KNOWN)
    return ([f"it lacks {', '.join(lacking)}"] if lacking else []) + ([f"nobody reads {', '.join(unknown)}"] if unknown else [])


def _values(about: Mapping[str, Any]) -> list[str]:
    wanted = {
        **{name: isinstance(about.get(name, ""), str) for name in (*_TEXTS, "story")},
        **{name: isinstance(about.get(name, False), bool) for name in _WHETHER},
        "weight": isinstance(about.get("weight", 0), int | float) and not isinstance(about.get("weight"), bool),
        "attack": isinstance(about.get("attack", []), list) and all(re.fullmatch(r"T\d{4}(\.\d{3})?", str(one)) for one in about.get("attack", [])),
        "tests": isinstance(about.get("tests", []), list) and all(isinstance(one, dict) and {"name", "fires"} <= set(one) for one in about.get("tests", [])),
        "status": about.get("status", "live") in STATUSES,
    }
    meant = {
        "weight": "a number", "attack": "a list of ATT&CK techniques such as T1621", "tests": "a list of timelines, each with name and fires",
        "status": f"one of {', '.join(STATUSES)}", **dict.fromkeys((*_TEXTS, "story"), "a text"), **dict.fromkeys(_WHETHER, "true or false"),
    }  # fmt: skip
    faults = [f"{name} is {meant[name]}" for name, is_right in wanted.items() if not is_right]
    if not faults and about.get("weight", 0) and (about["weight"] < 0) != str(about.get("group")).startswith("calm"):
        faults.append("calm weighs negative: a group whose name begins with calm has a negative weight, every other a positive one")
    return faults


def _params(params: object) -> list[str]:
    if params is None:
        return []
    if not isinstance(params, dict):
        return ["params are names, each with value, unit and why"]
    faults = [
        f"param {name} has value, unit and why" for name, told in params.items() if not isinstance(told, dict) or not {"value", "unit", "why"} <= set(told)
    ]
    faults += [f"param {name} is named with small letters, digits and _" for name in params if not re.fullmatch(r"[a-z_][a-z0-9_]*", str(name))]
    return faults + [f"no param may be called {name}" for name in sorted(_TAKEN & set(params))]


# What the line itself binds when it runs a detection, and what params.yml uses beside the numbers.
_TAKEN = {"detection", "version", "evidence", "weight", "carries", "founds", "status"}
