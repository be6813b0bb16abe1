"""Forms: the bytes of an input as JSON values, each with its place, whatever the file looks like."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unbidden.ingest import plain
from unbidden.ingest.mail import is_mail, messages

MAX_LINE = 32 * 1024 * 1024
MAX_DOCUMENT = 1024 * 1024 * 1024
# Deeper than any log, and far from the depth at which writing a value again fails.
MAX_NEST = 200
_DELIMITERS = ",;\t|"
# What hand-made JSON, vendors' own examples among it, leaves before a closing bracket.
_TRAILING_COMMA = re.compile(r"(?<=[^\[{,\s]),(\s*[}\]])")
_DECODER = json.JSONDecoder()
# A column of a table of three.
_NAME = re.compile(r'"?[^\W\d][\w .-]{1,30}"?')
# What PowerShell 5 writes above the header of a CSV file.
_TYPE_LINE = re.compile(r"\A\ufeff?#TYPE [^\n]*\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """One value of an input and where it stood. `why` is set, and `value` is the text, when it could not be read.

    `doubt` is what was wrong with a text that could be read all the same: the reason to refuse it, should it hold no record.
    """

    line: int | None
    value: object
    why: str | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How an input is laid out, and the way to its pieces. `dated` is that way where lines lack a year: it is asked for the first line's."""

    name: str
    pieces: Callable[[], Iterator[Piece]]
    years: Callable[[], plain.Years] | None = None
    dated: Callable[[int | None], Iterator[Piece]] | None = None


def form_of(file: Path) -> Form:
    """The form of a file, judged by its first bytes."""
    with file.open("rb") as stream:
        head = stream.read(1 << 16)
    if not head.strip():
        return Form("empty", lambda: iter(()))
    encoding = _encoding(head)
    text = _TYPE_LINE.sub("", head.decode(encoding, "replace").lstrip("\ufeff \t\r\n"))
    if text[:1] in ("{", "["):
        if encoding == "utf-8" and _is_lines(text, len(head) < 1 << 16):
            return Form("json lines", lambda: json_lines(file))
        return Form("json document", lambda: json_document(file, encoding))
    if is_mail(text):
        return Form("mail", lambda: (Piece(line, record) for line, record in messages(file)))
    return _form_of_text(file, text, encoding, is_binary=b"\0" in head and encoding == "utf-8")


def _form_of_text(file: Path, text: str, encoding: str, *, is_binary: bool) -> Form:
    """The form of what begins like no JSON and no mail."""
    if _is_line_with_json(text):
        return Form("text lines", lambda: json_lines(file))
    if is_binary:
        return _refused("binary", "a binary file, not a log")
    if encoding == "utf-8" and plain.is_syslog(text):
        return _syslog(file)
    if (delimiter := _delimiter(text)) is not None:
        return Form("csv", lambda: csv_rows(file, encoding, delimiter))
    if "{" in text:
        return Form("text lines", lambda: json_lines(file))
    return _refused("unknown", "neither JSON nor CSV: not a form of log that can be read")


def _refused(name: str, why: str) -> Form:
    return Form(name, lambda: iter([Piece(None, "", why)]))


def _encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8"


def _is_lines(text: str, is_whole: bool) -> bool:
    """The first lines are JSON values of their own: one object a line, or one array a line; a document may have one row a line inside its brackets."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not is_whole:
        lines = lines[:-1] or lines
    if lines[0].rstrip()[-1:] in ("[", "{", ",") and any(line.rstrip()[-1:] == "," or line.lstrip()[:1] in ("]", "}") for line in lines[1:]):
        return False
    for line in lines[:20]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        return isinstance(value, dict | list) and (len(lines) > 1 or isinstance(value, dict))
    return len(lines) > 1 and all(line.lstrip()[:1] == "{" and len(line) > 40 for line in lines[:20])


def _is_line_with_json(text: str) -> bool:
    """The first line ends in a JSON object, as behind the header of a syslog line."""
    first = text.split("\n", 1)[0]
    try:
        return isinstance(json.loads(first[first.index("{") :]), dict)
    except (ValueError, RecursionError):
        return False


def _delimiter(text: str) -> str | None:
    """The delimiter of a CSV file, or None when the first line is not a row of one."""
    first, second = (*text.split("\n", 2), "")[:2]
    counts = {mark: first.count(mark) for mark in _DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    is_narrow = counts[best] == 2 and second.count(best) >= 2 and all(_NAME.fullmatch(cell.strip()) for cell in first.split(best))
    return best if counts[best] >= 3 or is_narrow else None


def json_lines(file: Path) -> Iterator[Piece]:
    """One piece a line. A line may hold JSON after other words (a syslog header, say)."""
    return _by_line(file, line_piece)


def _by_line(file: Path, piece_of: Callable[[int, bytes], Piece]) -> Iterator[Piece]:
    with file.open("rb") as stream:
        number = 0
        while raw := stream.readline(MAX_LINE):
            number += 1
            if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
                yield Piece(number, raw[:200].decode("utf-8", "replace"), f"the line is longer than {MAX_LINE // 1024 // 1024} MiB")
                while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                    continue
            elif raw.strip():
                yield piece_of(number, raw)


def _syslog(file: Path) -> Form:
    def years() -> plain.Years:
        with file.open("rb") as stream:
            return plain.survey(raw.decode("utf-8", "replace").strip() for raw in iter(lambda: stream.readline(MAX_LINE), b""))

    return Form("syslog lines", lambda: syslog_lines(file, years().first), years, lambda first: syslog_lines(file, first))


def syslog_lines(file: Path, first_year: int | None) -> Iterator[Piece]:
    """One record a line. JSON in a line goes with it as `_raw`, for it may be another vendor's row; without a year only that can be read."""
    calendar = plain.Calendar()

    def piece_of(number: int, raw: bytes) -> Piece:
        text = raw.decode("utf-8", "replace").strip().lstrip("\ufeff")
        line = plain.parse(text)
        turn = calendar.pass_on(line) if line else 0
        held = line_piece(number, raw) if line is None or "{" in text else None
        json_piece = held if held is not None and held.why is None else None
        if line is None or (line.day and first_year is None):
            return json_piece or Piece(number, text[:200], plain.NO_HEADER if line is None else plain.NO_YEAR)
        record = line.record(None if first_year is None else first_year + turn)
        return Piece(number, record | ({"_raw": json.dumps(json_piece.value)} if json_piece else {}))

    return _by_line(file, piece_of)


def line_piece(number: int, raw: bytes) -> Piece:
    """What one line holds: a JSON value, by itself or behind other words."""
    try:
        text = raw.decode("utf-8").strip().lstrip("\ufeff")
    except UnicodeDecodeError as error:
        return Piece(number, raw[:200].decode("utf-8", "replace"), f"not UTF-8 text: byte {error.start + 1} of the line")
    try:
        return Piece(number, loads(text))
    except (ValueError, RecursionError) as error:
        why = _reason(error)
    start = max(text.find("{"), 0) if text[:1] not in ("{", "[") else 0
    for other in (text[start:], _TRAILING_COMMA.sub(r"\1", text[start:])):
        try:
            return Piece(number, loads(other), doubt=why)
        except (ValueError, RecursionError):
            continue
    return Piece(number, text[:200], why)


def loads(text: str) -> object:
    """The value of a JSON text. Raises ValueError, or RecursionError when it is nested deeper than MAX_NEST."""
    value = json.loads(text, parse_constant=lambda _: None)
    if text.count("[") + text.count("{") > MAX_NEST:
        _refuse_deep(value)
    if "\\u" in text:
        text.encode("utf-8")
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _refuse_deep(value: object) -> None:
    level = [value]
    for _ in range(MAX_NEST):
        level = [part for holder in level if isinstance(holder, dict | list) for part in (holder.values() if isinstance(holder, dict) else holder)]
        if not level:
            return
    raise RecursionError


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "not valid text: half of a surrogate pair"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return (
        f"not JSON: {error.msg.removesuffix(' starting at')} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else f"not JSON: {error}"
    )


def json_document(file: Path, encoding: str) -> Iterator[Piece]:
    """The values of a JSON document, or of several one after another; what stands around a damaged place is kept."""
    size = file.stat().st_size
    if size > MAX_DOCUMENT:
        why = f"a JSON document of {size // 1024 // 1024} MiB, more than {MAX_DOCUMENT // 1024 // 1024}: split it or write one record a line"
        yield Piece(None, "", why)
        return
    text = file.read_bytes().decode(encoding, "replace").lstrip("\ufeff")
    for candidate in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            value = loads(candidate)
        except (ValueError, RecursionError):
            continue
        yield from _elements(value)
        return
    yield from _salvage(text)


def _elements(value: object) -> Iterator[Piece]:
    items = value if isinstance(value, list) else [value]
    for number, item in enumerate(items, 1):
        yield Piece(number, item)


def _salvage(text: str) -> Iterator[Piece]:
    """Objects that can be read one by one out of a text that as a whole cannot."""
    opening = re.match(r"\s*(\[|\{[^{\[]*\[)", text)
    at = opening.end() if opening and not _reads(text, opening) else 0
    if _next(text, at) is None:
        yield Piece(1, text[:200], "not JSON, and no record in it")
    while (start := _next(text, at)) is not None:
        try:
            value, at = _DECODER.raw_decode(text, start)
            text[start:at].encode("utf-8")
            _refuse_deep(value)
            yield Piece(text.count("\n", 0, start) + 1, value)
        except (ValueError, RecursionError) as error:
            yield Piece(text.count("\n", 0, start) + 1, text[start : start + 200], _reason(error))
            column = start - (text.rfind("\n", 0, start) + 1)
            again = re.compile(r"^[ \t]{0," + str(column) + r"}\{", re.MULTILINE).search(text, start + 1)
            if again is None:
                return
            at = again.start()


def _reads(text: str, opening: re.Match[str]) -> bool:
    """The text begins with a whole object (several follow), so its first bracket is not a wrapper to step into."""
    if opening.group(1) == "[":
        return False
    try:
        _DECODER.raw_decode(text, len(text) - len(text.lstrip()))
    except (ValueError, RecursionError):
        return False
    return True


def _next(text: str, at: int) -> int | None:
    found = text.find("{", at)
    return None if found < 0 else found


def csv_rows(file: Path, encoding: str, delimiter: str) -> Iterator[Piece]:
    """One mapping a row, by the header's names; without a header, a list of cells. The line is the row's last line."""
    text = _csv_text(file, encoding)
    above = _TYPE_LINE.match(text)
    text = text[above.end() :] if above else text
    quote = "'" if text[:1] == "'" else '"'
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True)
    skipped = 1 if above else 0
    header: list[str] | None = None
    csv.field_size_limit(MAX_LINE)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Piece(skipped + reader.line_num, "", f"not a CSV row: {error}")
            continue
        if not any(cells):
            continue
        if header is None:
            header = [cell.strip().lstrip("\ufeff") for cell in cells] if _is_header(cells) else []
            if header:
                continue
        yield _row(skipped + reader.line_num, header, cells)


def _row(line: int, header: list[str], cells: list[str]) -> Piece:
    if not header:
        return Piece(line, cells)
    if len(cells) > len(header) and any(cells[len(header) :]):
        return Piece(line, ",".join(cells)[:200], f"the row has {len(cells)} cells and the header {len(header)}")
    row: dict[str, object] = {}
    for name, cell in zip(header, cells, strict=False):
        if name and name not in row:
            row[name] = cell[1:] if cell[:2] in ("'-", "'+") else cell
    return Piece(line, row)


def _csv_text(file: Path, encoding: str) -> str:
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        text = raw.decode("cp1252" if encoding == "utf-8" else encoding, "replace")
    return text.replace("\0", "")


def _is_header(cells: list[str]) -> bool:
    """No cell is a number or a time: the row names columns."""
    return not any(re.fullmatch(r"[\d.:TZ+/ -]+", cell.strip()) for cell in cells if cell.strip())
