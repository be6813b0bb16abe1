"""Keeping: a time of a vendor's logs as files of JSON Lines, for who looks into a case without a service. What was begun is gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unbidden.errors import UnusableInputError
from unbidden.fetching import Connector, Cursor, Note, Page
from unbidden.wire import Wire


@dataclass(frozen=True, slots=True)
class Asked:
    """The time that was asked for, as it was written (a folder holds one), and the cursor of its beginning; None begins where the settings say."""

    words: Mapping[str, str]
    first: Cursor | None


@dataclass(slots=True)
class Kept:
    """What a folder holds of one source: the rows of each stream in this run, how long each file is, and what is to be said."""

    files: dict[str, Path]
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    is_resumed: bool = False


def keep(name: str, connector: Connector, wire: Wire, folder: Path, asked: Asked, progress: Callable[[str], None]) -> Kept:
    """Fetch into `NAME-STREAM.jsonl`, one row a line, and the cursor into `.NAME.cursor.json` after each page; what stands there already is kept.

    Files are cut back to what the cursor knows, so that a run that was killed leaves no row twice. Raises UnusableInputError when the folder holds
    another time of this source.
    """
    folder.mkdir(exist_ok=True)
    mark = folder / f".{name}.cursor.json"
    state = _read(mark, asked.words)
    kept = Kept({stream: folder / f"{name}-{stream}.jsonl" for stream in connector.streams}, is_resumed=state is not None)
    sizes: dict[str, int] = dict(state["sizes"]) if state else {}
    for stream, file in kept.files.items():
        _cut(file, sizes.setdefault(stream, 0))
    for page in connector.pages(wire, state["cursor"] if state else asked.first, wire.clock):
        _append(page, kept, sizes)
        _write(mark, {"asked": dict(asked.words) or (state["asked"] if state else {}), "cursor": dict(page.cursor), "sizes": sizes})
        kept.notes += page.notes
        progress(f"{page.stream or name}: {sum(kept.rows.values())} rows")
    return kept


def _append(page: Page, kept: Kept, sizes: dict[str, int]) -> None:
    if page.texts:
        # Between the words of JSON a line end is a space; inside of its texts none can stand.
        lines = "".join(" ".join(text.splitlines()) + "\n" if "\n" in text or "\r" in text else text + "\n" for text in page.texts).encode()
        with kept.files[page.stream].open("ab") as stream:
            stream.write(lines)
        sizes[page.stream] += len(lines)
        kept.rows[page.stream] = kept.rows.get(page.stream, 0) + len(page.texts)


def _read(mark: Path, asked: Mapping[str, str]) -> dict[str, Any] | None:
    """What a run before left; None when there was none."""
    if not mark.exists():
        return None
    try:
        state = json.loads(mark.read_text("utf-8"))
        before, cursor, sizes = dict(state["asked"]), dict(state["cursor"]), dict(state["sizes"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInputError(f"{mark}: this is no cursor of a fetch: remove it to begin anew") from error
    if asked and before != dict(asked):
        told = " ".join(f"--{key} {value}" for key, value in before.items()) or "no time"
        raise UnusableInputError(f"{mark.parent} holds a fetch of another time ({told}): name another folder, or leave the time out to go on with it")
    return {"cursor": cursor, "sizes": sizes, "asked": before}


def _write(mark: Path, state: Mapping[str, object]) -> None:
    new = mark.with_suffix(".new")
    new.write_text(json.dumps(state), "utf-8")
    new.replace(mark)


def _cut(file: Path, size: int) -> None:
    if file.exists() and file.stat().st_size > size:
        os.truncate(file, size)
    elif size and (not file.exists() or file.stat().st_size < size):
        raise UnusableInputError(f"{file}: rows that were fetched before are gone: remove the cursor beside it to begin anew")
