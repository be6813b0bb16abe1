"""The folder door: files that appear in a folder, growing logs line by line, documents and packed files whole. Nothing is changed.

How far each file was read goes to the lake with the rows (`Lot.cursor`), so a restart loses nothing and repeats nothing.
Of a file that cannot be read one row says which and why, so that `unread` has it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from unbidden.doors.bodies import text_of
from unbidden.doors.counts import Counts
from unbidden.doors.places import EDGE, Place, holds, identity, measured, place_of, remembered
from unbidden.doors.settings import Folder
from unbidden.errors import UnbiddenError
from unbidden.ingest.forms import Form, Piece, form_of
from unbidden.ingest.inputs import open_all
from unbidden.intake import FullError, Intake, Lot, unreadable

_GROWING = frozenset({"json lines", "text lines", "syslog lines"})
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
# What editors and copying programs call a file that is not finished.
_UNFINISHED = (".tmp", ".part", ".partial", ".swp", ".filepart", ".crdownload", "~")
_WAIT_S = 0.2


class _StoppedError(Exception):
    """The door closes; what was not kept is read again at the next start."""


@dataclass(slots=True)
class _Seen:
    """What a file was like when it was last looked at, and since when it has been so. Nothing is left to do with a settled one until it changes."""

    size: int
    modified_ns: int
    since_s: float
    is_settled: bool = False


@dataclass(slots=True)
class Door:
    """Watches one folder. `poll` looks once; `run` looks until `stopping` is set. `cursor` is what the lake has, from an earlier run."""

    settings: Folder
    intake: Intake
    counts: Counts = field(default_factory=Counts)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    cursor: Mapping[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    _places: dict[str, Place] = field(init=False)
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin where the cursor says."""
        self._places = {name: place_of(words) for name, words in self.cursor.items()}

    def run(self) -> None:
        """Look again and again until `stopping` is set."""
        while not self.stopping.is_set():
            self.poll()
            self.stopping.wait(self.settings.every_s)

    def poll(self) -> None:
        """Hand over what is new, and return when it is kept. Files that cannot be read now are tried again the next time."""
        files = self._files()
        if files is None:
            return
        self._seen = {name: seen for name, seen in self._seen.items() if name in files}
        self._places = remembered(self._places, set(files))
        for name, file in files.items():
            try:
                self._visit(name, file)
            except _StoppedError:
                return
            except (OSError, UnbiddenError) as error:
                self.counts.lose(self.settings.source, self.clock(), problem=f"{file.name}: {getattr(error, 'strerror', None) or error}")
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not keep the others from being read
                self.counts.lose(self.settings.source, self.clock(), problem=f"{file.name}: cannot be read: {type(error).__name__}")

    def _files(self) -> dict[str, Path] | None:
        """The files by their identity, the one that was changed longest ago first; None when they cannot be listed now. Links are not followed."""
        root = self.settings.path
        try:
            # A folder that is not there has no files to glob, so it is asked for first.
            root.stat()
            found = [file for file in (root.rglob if self.settings.is_deep else root.glob)(self.settings.pattern) if _is_finished(file, root)]
            return {identity(file): file for file in sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name))}
        except OSError as error:
            self.counts.lose(self.settings.source, self.clock(), problem=f"{root}: {error.strerror or error}")
            return None

    def _visit(self, name: str, file: Path) -> None:
        told = file.stat()
        seen = self._seen.get(name)
        if seen is None or (seen.size, seen.modified_ns) != (told.st_size, told.st_mtime_ns):
            seen = self._seen[name] = _Seen(told.st_size, told.st_mtime_ns, self.monotonic())
        if seen.is_settled:
            return
        is_stable = self.monotonic() - seen.since_s >= self.settings.stable_s
        place = self._place(name, file, told.st_size)
        if not told.st_size or (place.offset == told.st_size and place.is_done):
            self._put_away(file, place)
            seen.is_settled = True
            return
        form = None if _is_packed(file) else form_of(file)
        if form is not None and form.name in _GROWING and not place.is_whole:
            self._tail(name, file, place, is_stable=is_stable)
        elif is_stable:
            self._whole(name, file, place)

    def _put_away(self, file: Path, place: Place) -> None:
        """Move a file that was taken whole and is kept; one of the same name that is there already is not replaced."""
        folder = self.settings.done
        if folder is None or not place.is_whole:
            return
        names = (f"{file.name}{f'.{number}' if number else ''}" for number in range(1000))
        free = next((name for name in names if not (folder / name).exists()), None)
        if free is not None:
            shutil.move(file, folder / free)

    def _place(self, name: str, file: Path, size: int) -> Place:
        """How far a file was read: not at all when it no longer holds what was read of it."""
        place = self._places.get(name, Place())
        if place.is_whole and place.offset != size:
            return Place()
        with file.open("rb") as stream:
            if place.offset and not holds(stream, size, place):
                # It was begun anew; what it held may come back as a copy.
                self._places[f"{name}#{place.tail}"] = self._places.pop(name)
            if name not in self._places and (begun := self._begun(stream, size)).offset:
                self._places[name] = replace(begun, is_done=begun.offset == size)
            return self._places.get(name, Place())

    def _begun(self, stream: BinaryIO, size: int) -> Place:
        """How far the content of a file was read already under another name: a log that was rotated by copying it, or packed."""
        read = (place for place in self._places.values() if place.offset >= EDGE and not place.is_whole and holds(stream, size, place))
        return max(read, key=lambda place: place.offset, default=Place())

    def _tail(self, name: str, file: Path, place: Place, *, is_stable: bool) -> None:
        """Hand over the whole lines behind the place; a last line without an end when the file has been quiet."""
        with file.open("rb") as stream:
            offset = place.offset
            while lines := list(islice(self._lines(stream, offset, is_stable=is_stable), self.settings.lot_rows)):
                offset = lines[-1][1]
                texts = tuple(text for raw, _ in lines if (text := text_of(raw.strip(b"\r\n\0"))).strip())
                after = measured(stream, offset)
                self._hand_over(name, replace(after, is_done=True), texts)

    def _lines(self, stream: BinaryIO, offset: int, *, is_stable: bool) -> Iterator[tuple[bytes, int]]:
        """Each line behind the offset, and where it ends; a line that is too long comes in parts."""
        stream.seek(offset)
        while raw := stream.readline(self.settings.max_line):
            if not raw.endswith(b"\n") and len(raw) < self.settings.max_line and not is_stable:
                return
            if len(raw) == self.settings.max_line and not raw.endswith(b"\n"):
                self.counts.lose(self.settings.source, self.clock(), cut=1)
            offset += len(raw)
            yield raw, offset

    def _whole(self, name: str, file: Path, place: Place) -> None:
        """Hand over every record of a document or a packed file, from the one behind those that were taken already."""
        size = file.stat().st_size
        with TemporaryDirectory(prefix="unbidden-folder-") as scratch, file.open("rb") as stream:
            texts = islice(self._texts(file, Path(scratch)), place.rows, None)
            rows, done = place.rows, False
            while not done:
                lot = tuple(islice(texts, self.settings.lot_rows))
                rows, done = rows + len(lot), len(lot) < self.settings.lot_rows
                self._hand_over(name, measured(stream, size, rows=rows, is_whole=True, is_done=done), lot)

    def _texts(self, file: Path, scratch: Path) -> Iterator[str]:
        for item in open_all([str(file)], scratch):
            name = item.path.removeprefix(f"{self.settings.path}/")
            if item.file.stat().st_size and (item.why is None or item.file != file):
                yield from self._texts_of(item.file, form_of(item.file), name)
            if item.why is not None:
                yield self._unreadable(name, file, item.why)

    def _texts_of(self, plain: Path, form: Form, name: str) -> Iterator[str]:
        if form.name not in _GROWING:
            for piece in form.pieces():
                if text := _text(piece):
                    yield text
                elif piece.why is not None:
                    yield self._unreadable(name, plain, piece.why)
            return
        with plain.open("rb") as stream:
            # A log that was read while it grew, and packed since, is gone on with.
            begun = self._begun(stream, plain.stat().st_size)
            for raw, _ in self._lines(stream, begun.offset, is_stable=True):
                if text := text_of(raw.strip(b"\r\n\0")).strip():
                    yield text

    def _unreadable(self, name: str, file: Path, why: str) -> str:
        self.counts.lose(self.settings.source, self.clock(), problem=f"{Path(name).name}: {why}")
        with file.open("rb") as stream:
            return unreadable(name, why, file.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())

    def _hand_over(self, name: str, place: Place, texts: tuple[str, ...]) -> None:
        """Return when the rows are kept, and the place with them; wait for room and for the lake as long as it takes, until the door closes."""
        places = {**self._places, name: place}
        if texts:
            now = self.clock()
            lot = Lot(self.settings.source, texts, now, self.settings.provider, {other: at.words for other, at in places.items()})
            ticket = None
            while ticket is None:
                self._go_on()
                try:
                    ticket = self.intake.offer(lot, self.monotonic(), _WAIT_S)
                except FullError:
                    continue
            while not ticket.wait(_WAIT_S):
                self._go_on()
            self.counts.accept(self.settings.source, len(texts), sum(map(len, texts)), now)
        self._places = places

    def _go_on(self) -> None:
        if self.stopping.is_set():
            raise _StoppedError


def _text(piece: Piece) -> str:
    """The text of a record: JSON, also of a row of a table; what could not be read is itself."""
    if piece.why is not None:
        return str(piece.value).strip()
    return json.dumps(piece.value, ensure_ascii=False, separators=(",", ":"))


def _is_finished(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    return not any(part.startswith(".") for part in parts) and not file.name.endswith(_UNFINISHED) and not file.is_symlink() and file.is_file()


def _is_packed(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4).startswith(_PACKED)
