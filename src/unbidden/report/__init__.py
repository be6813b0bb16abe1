"""The doors that tell a result: one object in, text out. None of them decides anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from unbidden.report.ocsf import findings
from unbidden.report.page import page
from unbidden.report.words import Json

# Legal inside JSON strings, yet able to drive a terminal or to turn the reading direction.
_UNSAFE = re.compile("[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def to_json(result: Json) -> str:
    """The result as it is, as JSON; characters that act instead of being shown are written as escapes."""
    return _text(result, indent=2)


def to_ocsf(result: Json) -> str:
    """The incidents as JSON Lines, one OCSF Detection Finding each; empty without incidents."""
    return "".join(f"{_text(finding)}\n" for finding in findings(result)).rstrip("\n")


def _text(value: object, indent: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


FORMATS: Mapping[str, Callable[[Json], str]] = {"json": to_json, "ocsf": to_ocsf, "html": page}
"""What each named format makes of a result. The terminal is not among them: it writes to a console (`report.terminal`)."""
