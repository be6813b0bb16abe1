"""Verdicts: what analysts said about incidents, one JSON object a line.

Each line is an incident as `unbidden scan --format json` prints it, with one more field: `"verdict": "attack"` or `"verdict": "benign"`. Of the incident
only `evidence` is read: what its risk was made of. The rest may be left out, names and addresses too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unbidden.errors import UnusableInputError
from unbidden.evaluate.episodes import Episode

VERDICTS = {"attack": True, "benign": False}


def read_verdicts(path: Path, carries: Mapping[str, bool]) -> list[Episode]:
    """Each verdict as an episode. `carries` knows all detections; evidence of others, of an older version, is left out.

    Raises UnusableInputError naming the line that cannot be used.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{path}: the verdicts cannot be read: {error}") from error
    return [_episode(f"{path}, line {number}", line, carries) for number, line in enumerate(lines, 1) if line.strip()]


def _episode(place: str, line: str, carries: Mapping[str, bool]) -> Episode:
    try:
        told: Any = json.loads(line)
        names = {str(entry["detection"]) for entry in told["evidence"] if entry["detection"]}
        is_attack = VERDICTS[told["verdict"]]
    except (ValueError, TypeError, KeyError) as error:
        wanted = 'an incident as `scan --format json` prints it, with "verdict": "attack" or "benign", is wanted'
        raise UnusableInputError(f"{place}: {wanted}: {error!r}") from error
    known = names & set(carries)
    seen = frozenset(name for name in known if not carries[name])
    return Episode(frozenset({seen} if seen else ()), frozenset(known - seen), is_attack)
