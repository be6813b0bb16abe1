"""Records: the texts of a list's elements as they were sent, out of the JSON around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from unbidden.wire import Answer, WireError

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def document(answer: Answer, where: str) -> tuple[str, Any]:
    """The text of an answer, and its value. Raises WireError when it is no JSON: a proxy's page, or a body that was cut."""
    try:
        text = answer.body.decode("utf-8-sig")
        return text, json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"{where}: the answer is not JSON: {error}", answer.status) from error


def elements(text: str, *path: str) -> tuple[str, ...]:
    """The elements of the list at a path of keys in a JSON text, each as it stands there; none when there is no list.

    Nothing of an element is touched: not its order of keys, numbers, spaces, or what we do not know.
    """
    start = _found(text, path)
    return tuple(text[at:end] for at, end in _spans(text, start)) if start is not None and text[start] == "[" else ()


def _found(text: str, path: tuple[str, ...]) -> int | None:
    """Where the value at the path begins."""
    at = _past(text, 0)
    for wanted in path:
        if text[at] != "{":
            return None
        at = _past(text, at + 1)
        while text[at] != "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _past(text, _past(text, at) + 1)
            if key == wanted:
                break
            at = _past(text, _DECODER.raw_decode(text, at)[1])
            at = _past(text, at + 1) if text[at] == "," else at
        else:
            return None
    return at


def _spans(text: str, start: int) -> Iterator[tuple[int, int]]:
    at = _past(text, start + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        yield at, end
        at = _past(text, end)
        at = _past(text, at + 1) if text[at] == "," else at


def _past(text: str, at: int) -> int:
    """The place of the next letter that is no space."""
    match = _SPACE.match(text, at)
    return match.end() if match else at
