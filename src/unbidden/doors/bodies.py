"""Bodies: what a sender pushed, unpacked within bounds and taken apart into texts of one record each, spelled as they came."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import zstandard

from unbidden.errors import UnbiddenError
from unbidden.ingest.plain import parse

_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_DECODER = json.JSONDecoder()
_GZIP_WINDOW = 31  # zlib's word for "a gzip header, and the largest window"
_STEP = 1 << 16
_BITE = 512
_SHOWN = 10


class TooLargeError(UnbiddenError):
    """A body is larger than it may be."""


class UnreadableError(UnbiddenError):
    """A body cannot be unpacked, or not be taken apart; `index` is the number of the value that could not be read, from 0."""

    def __init__(self, text: str, index: int = 0) -> None:
        super().__init__(text)
        self.index = index


class EncodingError(UnbiddenError):
    """A body is packed in a way that is not known."""


@dataclass(frozen=True, slots=True)
class Records:
    """The texts of a body, and which of them are neither JSON nor a line of syslog: line and reason of the first few, and how many in all."""

    texts: tuple[str, ...]
    odd: tuple[tuple[int, str], ...] = ()
    odd_count: int = 0


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its content-encoding (gzip, deflate, zstd). What comes out is bounded while it comes.

    Raises TooLargeError, UnreadableError for damaged bytes, EncodingError for an encoding that is not known.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",") if part.strip()]):
        match name:
            case "identity":
                continue
            case "gzip" | "x-gzip":
                body = _inflate(body, _GZIP_WINDOW, limit)
            case "deflate":
                body = _inflate(body, 15, limit)
            case "zstd":
                body = _unzstd(body, limit)
            case _:
                raise EncodingError(f"content-encoding '{name}' is not known; send it as gzip or zstd, or as it is")
    if len(body) > limit:
        raise TooLargeError(f"the body is larger than {limit} bytes")
    return body


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while body:
        member = zlib.decompressobj(window)
        while not member.eof:
            try:
                part = member.decompress(body, _STEP)
            except zlib.error as error:
                raise UnreadableError(f"the packed body is damaged: {error}") from error
            body = member.unconsumed_tail
            size += len(part)
            if size > limit:
                raise TooLargeError(f"the body unpacks to more than {limit} bytes")
            parts.append(part)
            if not part and not body and not member.eof:
                raise UnreadableError("the packed body ends in the middle")
        body = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size, frame = 0, None
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    try:
        # A few bytes can unpack to 128 KiB, so only few are unpacked at once.
        for start in range(0, len(body), _BITE):
            bite = body[start : start + _BITE]
            while bite:
                frame = frame or unpacker.decompressobj()
                part = frame.decompress(bite)
                size += len(part)
                if size > limit:
                    raise TooLargeError(f"the body unpacks to more than {limit} bytes")
                parts.append(part)
                bite, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    except zstandard.ZstdError as error:
        raise UnreadableError(f"the packed body is damaged: {error}") from error
    if frame is not None:
        raise UnreadableError("the packed body ends in the middle")
    return b"".join(parts)


def text_of(raw: bytes) -> str:
    """The bytes as text: UTF-8; a line that is not is Latin-1, in which every byte is a letter."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(text_of(line) for line in raw.split(b"\n")) if b"\n" in raw else raw.decode("latin-1")


def values(text: str) -> Iterator[tuple[object, str]]:
    """Every JSON value of a text that holds several one after another, with its own text; an array in it gives what it holds.

    Raises UnreadableError at the first place that cannot be read; what came before it was given already.
    """
    at, index = _end(_SPACE, text, 0), 0
    in_array = False
    while at < len(text):
        if text[at] in "[]":
            if (text[at] == "[") == in_array:
                raise UnreadableError(f"an array in an array, or one that never began, at character {at + 1}", index)
            in_array = not in_array
            at = _end(_BETWEEN if in_array else _SPACE, text, at + 1)
            continue
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            why = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else "nested too deeply, or a number too long"
            raise UnreadableError(f"not JSON: {why}", index) from error
        yield value, text[at:end]
        index += 1
        at = _end(_BETWEEN, text, end)
    if in_array:
        raise UnreadableError("the array has no end", index)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def records(text: str) -> Records:
    """The records of a text: a JSON object, an array, several objects one after another, or a record a line.

    A page that wraps its rows is one text. Lines that cannot be read are texts all the same.
    """
    lines = [(number, line) for number, part in enumerate(text.lstrip("\ufeff").split("\n"), 1) if (line := part.strip("\r")).strip()]
    if not lines:
        return Records(())
    if len(lines) > 1 and _is_json(lines[0][1]):
        return _of_lines(lines)
    if lines[0][1].lstrip()[:1] in ("{", "["):
        try:
            return Records(tuple(own for _, own in values(text)))
        except UnreadableError as error:
            if len(lines) == 1 or lines[0][1].strip() in ("{", "["):
                return Records((text,), ((error.index + 1, str(error)),), 1)
    return _of_lines(lines)


def _of_lines(lines: list[tuple[int, str]]) -> Records:
    odd = [number for number, line in lines if not _is_json(line) and parse(line.strip()) is None]
    told = tuple((number, "neither JSON nor a line of syslog") for number in odd[:_SHOWN])
    return Records(tuple(line for _, line in lines), told, len(odd))


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return _is_loose_json(text)
    return True


def _is_loose_json(text: str) -> bool:
    """What Python reads and orjson refuses: NaN, half of a surrogate pair."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
