"""The log of `raw`: how far the last commit of rows went and which cursors it left, read back after whatever happened; and that it is on the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import duckdb
from deltalake import CommitProperties, DeltaTable

from unbidden.lake import tables

_CURSORS, _SEQUENCE, _WRITER = "unbidden.cursors", "unbidden.sequence", "unbidden.writer"
# How many commits are looked through for ours: those of others may lie above it.
_LOOKS = (30, 1_000, None)
_FROM_ROWS: LiteralString = """
SELECT source, arg_max(cursor, (sequence, number)) FROM raw WHERE cursor IS NOT NULL AND sequence > $after AND sequence <= $upto GROUP BY ALL
"""

_COPY = "put this file back from a copy of the lake"
REMEDIES = {
    "raw": _COPY,
    "event": f"{_COPY}, or move the folder `event` away: the server makes it again from the rows as they came",
    "unread": f"{_COPY}, or move the folder `unread` away: it begins anew",
}


def spelt(cursor: Mapping[str, str]) -> str:
    """A cursor as a row has it."""
    return json.dumps(dict(cursor), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Word:
    """What a commit of rows says: its number, the cursor of every source after it, and which server wrote it."""

    sequence: int = 0
    cursors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    writer: str = ""

    def said(self) -> dict[str, str]:
        """The word as a commit carries it."""
        return {
            _CURSORS: json.dumps({source: dict(cursor) for source, cursor in self.cursors.items()}, sort_keys=True),
            _SEQUENCE: str(self.sequence),
            _WRITER: self.writer,
        }

    def properties(self) -> CommitProperties:
        """What a commit carries that adds no rows: the word goes on, so that a log which was cut short still has it."""
        return CommitProperties(custom_metadata=self.said())


def last_word(table: DeltaTable, view: Callable[[duckdb.DuckDBPyConnection], None], con: duckdb.DuckDBPyConnection) -> Word:
    """The word of the last commit of rows. The number is what Delta keeps for us for ever; what the log has lost is read from the rows."""
    reached = tables.reached(table)
    newest = Word()
    for limit in _LOOKS if reached else ():
        for commit in table.history(limit):
            word = _word(commit)
            if newest.sequence < word.sequence <= reached:
                newest = word
            if newest.sequence == reached:
                return newest
    if not reached:
        return newest
    view(con)
    found = con.execute(_FROM_ROWS, {"after": newest.sequence, "upto": reached}).fetchall()
    return Word(reached, {**newest.cursors, **{str(source): json.loads(cursor) for source, cursor in found}})


def _word(commit: Mapping[str, Any]) -> Word:
    if _SEQUENCE not in commit:
        return Word()
    return Word(int(commit[_SEQUENCE]), json.loads(commit.get(_CURSORS, "{}")), str(commit.get(_WRITER, "")))


def settle_on_disk(root: str, name: str, version: int) -> None:
    """Return when a commit of a local table would survive a loss of power: its files, its entry in the log, and their folders.

    Before this, nothing of it may be confirmed to a sender.
    """
    folder = Path(tables.place(root, name))
    entry = folder / "_delta_log" / f"{version:020d}.json"
    actions = [json.loads(line) for line in entry.read_text("utf-8").splitlines() if line]
    files = [folder / action["add"]["path"] for action in actions if "add" in action]
    for path in (*files, *{file.parent for file in files}, entry, entry.parent):
        _sync(path)


def _sync(path: Path) -> None:
    if os.name != "posix":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def set_torn_aside(root: str, name: str) -> str | None:
    """Put the newest entry of a local log out of the way when it was cut short, and say so: the machine stopped before it was written.

    Nothing of such a commit was confirmed, because that waits for `settle_on_disk`.
    """
    entries = sorted(Path(tables.place(root, name), "_delta_log").glob("[0-9]*.json"))
    if not entries or _broken_line(entries[-1]) != "last":
        return None
    aside = entries[-1].with_suffix(".torn")
    entries[-1].replace(aside)
    return f"{aside}: the last commit was not written to its end when the machine stopped; it is set aside, and its rows, which were not confirmed, come again"


def broken_entry(root: str, name: str) -> Path | None:
    """The first entry of a local log that cannot be read."""
    return next((entry for entry in sorted(Path(tables.place(root, name), "_delta_log").glob("[0-9]*.json")) if _broken_line(entry)), None)


def _broken_line(entry: Path) -> str | None:
    """Where an entry is broken: at its end (`last`), as by a stop in the middle of writing, or before (`inner`)."""
    try:
        lines = [line for line in entry.read_bytes().split(b"\n") if line.strip()]
    except OSError:
        return "inner"
    for number, text in enumerate(lines or [b""], 1):
        try:
            json.loads(text)
        except ValueError:
            return "last" if number >= len(lines) else "inner"
    return None
