"""Damage: rows and files spoilt by chance in the ways that real logs are, and in some that only an attacker thinks of."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import zstandard

ODD: tuple[object, ...] = (
    None, True, False, 0, -1, 0.1, 1e308, -(2**63), 10**400, [], {}, [[]], [None], [{}], [[], 1], {"": None}, {"a": [{"a": {}}]},
    "", " ", "null", "None", "true", "-", "a", "\x00", "\ud800", "\udc00\ud800", "😀", "\u202e", "\r", "\n", '"', "\\", "{", "[[", "{}", "{x", '{"a":', "[1,",
    "'; DROP TABLE event; --", "x" * 70_000, "1e400", "1e30", "inf", "NaN", "infinity", "-infinity",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "294247-01-10T04:00:54Z",
    "0044-03-15 (BC) 10:00:00", "2026-02-30T00:00:00Z", "2026-03-02T10:00:00+99:99", "2026-03-02T24:00:00Z", "9223372036854775807", "-1", "1772400000000",
    "::ffff:300.1.1.1", "[2001:db8::1", "fe80::1%eth0", "1.2.3.4:99999",
)  # fmt: skip
SPLINTERS = (
    b"\x00", b"\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b'"', b"\\", b"\\u", b"{", b"}", b"[", b"]", b",", b":",
    b"NaN", b"-Infinity", b"//", b"'",
)  # fmt: skip
DEPTHS = (3, 12, 100, 400, 3000, 100_000)


def places(value: object) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    inside: Any = value
    return [(inside, key) for key in keys] + [place for key in keys for place in places(inside[key])]


def lose(rng: random.Random, row: Any) -> Any:
    inside, key = rng.choice(places(row))
    del inside[key]
    return row


def rename(rng: random.Random, row: Any) -> Any:
    inside, key = rng.choice([place for place in places(row) if isinstance(place[0], dict)])
    name = rng.choice([key.upper(), f"{key}_s", f" {key}", key[:-1], "", "\x00", "value", "_source", "_line", "source", "a.b", '"', "é" * 300])
    inside[name] = inside.pop(key)
    return row


def swap(rng: random.Random, row: Any) -> Any:
    inside, key = rng.choice(places(row))
    inside[key] = rng.choice(ODD)
    return row


def cross(rng: random.Random, row: Any) -> Any:
    (one, a), (other, b) = rng.choice(places(row)), rng.choice(places(row))
    one[a], other[b] = json.loads(json.dumps(other[b])), json.loads(json.dumps(one[a]))
    return row


def wrap(rng: random.Random, row: Any) -> Any:
    for _ in range(rng.choice([1, 1, 2, 7, 12])):
        row = rng.choice(
            [{"records": [row]}, [row], {"message": json.dumps(row)}, {"value": [row, row]}, {"a": row}, {"items": {"0": row}}, [row, None, 3, "x"]]
        )
    return row


def empty(rng: random.Random, _: Any) -> Any:
    return rng.choice([{}, [], [[]], [None], None, "", 0, True, "text", {"value": []}, {"data": {"records": []}}, {"a": None}])


def leave(_: random.Random, row: Any) -> Any:
    return row


VALUE_DAMAGES: tuple[Callable[[random.Random, Any], Any], ...] = (lose, rename, swap, swap, cross, wrap, empty, leave)


def flip(rng: random.Random, line: bytes) -> bytes:
    spoilt = bytearray(line)
    for _ in range(rng.choice([1, 1, 1, 2, 20])):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def cut(rng: random.Random, line: bytes) -> bytes:
    here, there = sorted(rng.randrange(len(line) + 1) for _ in range(2))
    return rng.choice([line[:here], line[here:], line[:here] + line[there:]])


def insert(rng: random.Random, line: bytes) -> bytes:
    at = rng.choice([0, len(line), rng.randrange(len(line) + 1)])
    return line[:at] + rng.choice(SPLINTERS) + line[at:]


def recode(rng: random.Random, line: bytes) -> bytes:
    return line.decode("utf-8", "replace").encode(rng.choice(["utf-16", "utf-16-be", "utf-32", "cp1252", "utf-7"]), "replace")


def say_twice(rng: random.Random, line: bytes) -> bytes:
    """The row with one of its keys a second time, before or after."""
    try:
        key = rng.choice([key for key in json.loads(line) if isinstance(key, str)])
    except (ValueError, IndexError, TypeError, RecursionError):
        return line + line
    again = json.dumps(key).encode() + b": " + json.dumps(rng.choice(ODD)).encode()
    return b"{" + again + b", " + line[1:] if rng.random() < 0.5 else line[:-1] + b", " + again + b"}"


def deepen(rng: random.Random, line: bytes) -> bytes:
    """The row with a deep nest in place of one of its values."""
    # Python's own limit, less the frames that are in use, is somewhere between these.
    depth = rng.choice([*DEPTHS, *(rng.randrange(800, 1000) for _ in range(6))])
    nest = rng.choice([b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth, b"9" * depth])
    at = line.find(b": ", rng.randrange(len(line)))
    end = min(place for place in (line.find(b", ", at), line.find(b"}", at), len(line)) if place >= 0)
    return line[: at + 2] + nest + line[end:] if at >= 0 else nest


def dress(rng: random.Random, line: bytes) -> bytes:
    before = rng.choice([b"Mar  2 10:00:00 host okta[1]: ", b"<134>1 2026-03-02T10:00:00Z h a - - - ", b"{} ", b"{ ", b"\t", b",", b"]"])
    return rng.choice([before + line, line + before, line + line, line + b" " + line, line + b",", b"[" + line])


def spare(_: random.Random, line: bytes) -> bytes:
    return line


LINE_DAMAGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (flip, cut, insert, recode, say_twice, deepen, dress, *(spare,) * 7)


def line_of(rng: random.Random, row: Any) -> bytes:
    text = json.dumps(row, ensure_ascii=rng.random() < 0.5)
    return text.encode("utf-8", rng.choice(["surrogatepass", "replace"]))


def damaged(rng: random.Random, rows: Sequence[Any]) -> bytes:
    """One damaged row as a line, without its end; it may hold line ends all the same."""
    value = rng.choice(VALUE_DAMAGES)(rng, json.loads(json.dumps(rng.choice(rows))))
    return rng.choice(LINE_DAMAGES)(rng, line_of(rng, value) or b"{}")


def file_of(rng: random.Random, rows: Sequence[Any], texts: Sequence[str]) -> bytes:
    """The bytes of a file of any form, damaged or not."""
    some = [rng.choice(VALUE_DAMAGES)(rng, json.loads(json.dumps(rng.choice(rows)))) for _ in range(rng.randrange(1, 7))]
    indent = rng.choice([None, 1, 4])
    text = rng.choice([
        json.dumps(some, indent=indent), json.dumps({"value": some, "next": None}, indent=indent), json.dumps({"a": {"b": some}}, indent=indent),
        rng.choice(["\n", "", ",\n", "\r\n"]).join(json.dumps(row, indent=indent) for row in some), csv_of(some), *texts,
    ])  # fmt: skip
    content = rng.choice(LINE_DAMAGES)(rng, text.encode() or b" ")
    return content.decode("utf-8", "replace").encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"])) if rng.random() < 0.2 else content


def csv_of(rows: Sequence[Any]) -> str:
    """The rows as CSV, each key the path to its value."""
    flat = [{".".join(map(str, path)): value for path, value in leaves(row)} for row in rows]
    out = io.StringIO()
    writer = csv.DictWriter(out, sorted({key for row in flat for key in row}))
    writer.writeheader()
    writer.writerows({key: str(value).encode("utf-8", "replace").decode() for key, value in row.items()} for row in flat)
    return out.getvalue()


def leaves(value: Any, above: tuple[object, ...] = ()) -> list[tuple[tuple[object, ...], object]]:
    if not isinstance(value, dict):
        return [(above, value)]
    return [leaf for key, part in value.items() for leaf in leaves(part, (*above, key))]


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/log.json", content)
    return out.getvalue()


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


# The first byte of a file in the lists above says how it is packed.
PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"p": bytes,
    b"q": bytes,
    b"g": gzip.compress,
    b"z": zstandard.compress,
    b"a": zipped,
    b"G": lambda content: halved(gzip.compress(content)),
    b"Z": lambda content: halved(zstandard.compress(content)),
    b"A": lambda content: halved(zipped(content)),
}
