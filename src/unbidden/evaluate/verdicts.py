"""Verdicts: what analysts said about incidents, one JSON object a line.

Each line is an incident as `unbidden scan --format json` prints it, with one more field: `"verdict": "attack"` or `"verdict": "benign"`. Of the incident
only `evidence` is read: what its risk was made of. The rest may be left out, names and addresses too. A desk has the same of the incidents on which
somebody said what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unbidden.desk import Desk
from unbidden.errors import UnusableInputError
from unbidden.evaluate.episodes import Episode

# An exercise that was announced is no attack: whoever announces it wants no alert of it.
VERDICTS = {"attack": True, "true_positive": True, "exercise": False, "benign": False}
_PAGE = 200


def read_verdicts(path: Path, carries: Mapping[str, bool]) -> list[Episode]:
    """Each verdict as an episode. `carries` knows all detections; evidence of others, of an older version, is left out.

    Raises UnusableInputError naming the line that cannot be used.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{path}: the verdicts cannot be read: {error}") from error
    return [_episode(f"{path}, line {number}", line, carries) for number, line in enumerate(lines, 1) if line.strip()]


def kept_verdicts(url: str, carries: Mapping[str, bool]) -> list[Episode]:
    """The verdicts of a desk as episodes. Raises DeskError, and UnusableInputError when it has none."""
    found: list[Episode] = []
    after = None
    with Desk.open(url) as desk:
        while ended := desk.verdicts(after, _PAGE):
            found += [_of(one.document["evidence"], VERDICTS[one.verdict], carries) for one in ended]
            after = ended[-1].incident_id
        if not found:
            raise UnusableInputError(f"{desk.url}: nobody has said of any incident what it was; close some with a verdict first")
    return found


def _episode(place: str, line: str, carries: Mapping[str, bool]) -> Episode:
    try:
        told: Any = json.loads(line)
        return _of(told["evidence"], VERDICTS[told["verdict"]], carries)
    except (ValueError, TypeError, KeyError) as error:
        wanted = 'an incident as `scan --format json` prints it, with "verdict": "attack" or "benign", is wanted'
        raise UnusableInputError(f"{place}: {wanted}: {error!r}") from error


def _of(evidence: Sequence[Mapping[str, Any]], is_attack: bool, carries: Mapping[str, bool]) -> Episode:
    known = {str(entry["detection"]) for entry in evidence if entry["detection"]} & set(carries)
    seen = frozenset(name for name in known if not carries[name])
    return Episode(frozenset({seen} if seen else ()), frozenset(known - seen), is_attack)
