"""The doors that tell a result: one object in, text out. None of them decides anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from unbidden.report.ocsf import findings
from unbidden.report.page import page
from unbidden.report.words import Json

# Legal inside JSON strings, yet able to drive a terminal, to turn the reading direction, or to hide.
_UNSAFE = re.compile("[\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]")


def to_json(result: Json) -> str:
    """The result as it is, as JSON; characters that act instead of being shown are written as escapes."""
    return _text(result, indent=2)


def to_ocsf(result: Json) -> str:
    """The incidents as JSON Lines, one OCSF Detection Finding each; empty without incidents."""
    return "".join(f"{_text(finding)}\n" for finding in findings(result)).rstrip("\n")


def inert(text: str) -> str:
    """The same JSON as a text in which characters that act instead of being shown are escapes."""
    return _UNSAFE.sub(lambda found: json.dumps(found.group())[1:-1], text)


def _text(value: object, indent: int | None = None) -> str:
    return inert(json.dumps(value, ensure_ascii=False, indent=indent))


FORMATS: Mapping[str, Callable[[Json], str]] = {"json": to_json, "ocsf": to_ocsf, "html": page}
"""What each named format makes of a result. The terminal is not among them: it writes to a console (`report.terminal`)."""
