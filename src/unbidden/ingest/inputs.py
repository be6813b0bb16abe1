"""Inputs: what the given paths stand for, opened as plain bytes whatever they are packed in."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, Protocol

import zstandard

_CHUNK = 1 << 16
_GZIP_WINDOW = 31  # zlib's word for "a gzip header, and the largest window"
_ZIP_ERRORS = (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error)
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read. `file` holds its plain bytes; `why` says why it could not be opened, and then there are none."""

    path: str
    file: Path
    why: str | None = None


def find(paths: Sequence[str]) -> Iterator[tuple[str, Path | None]]:
    """Every file that the paths stand for, as (name, file), sorted and once each; a path that is nothing has file None.

    A path may be a file, a folder (walked, hidden entries left out), a glob or `-` (standard input).
    """
    found: dict[str, Path | None] = {}
    for path in paths:
        place = Path(path)
        if path == "-":
            found["-"] = None
        elif place.is_dir():
            for file in place.rglob("*"):
                if file.is_file() and not any(part.startswith(".") for part in file.relative_to(place).parts):
                    found[str(file)] = file
        elif place.is_file():
            found[path] = place
        else:
            names = glob.glob(path, recursive=True)  # noqa: PTH207 - a pattern may begin at the root
            matches: dict[str, Path | None] = {name: Path(name) for name in names if Path(name).is_file()}
            found |= matches or {path: None}
    yield from sorted(found.items())


def open_all(paths: Sequence[str], scratch: Path) -> Iterator[Input]:
    """Every input of the paths as plain bytes. Packed ones (gzip, zstd, zip) are unpacked into `scratch`."""
    for name, file in find(paths):
        if file is not None:
            yield from _unpack(name, file, scratch)
        elif name == "-":
            plain = _spare(scratch)
            with plain.open("wb") as out:
                shutil.copyfileobj(sys.stdin.buffer, out)
            yield from _unpack("-", plain, scratch)
        else:
            yield Input(name, Path(name), "there is no such file or folder, and no file matches it as a pattern")


def _spare(scratch: Path) -> Path:
    descriptor, name = mkstemp(prefix="plain-", dir=scratch)
    os.close(descriptor)
    return Path(name)


def _unpack(name: str, file: Path, scratch: Path) -> Iterator[Input]:
    try:
        with file.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        yield Input(name, file, f"cannot be opened: {error.strerror or error}")
        return
    if magic.startswith(_GZIP):
        yield _inflate(name, file, scratch, _gunzip)
    elif magic.startswith(_ZSTD):
        yield _inflate(name, file, scratch, _unzstd)
    elif magic == _ZIP:
        yield from _unzip(name, file, scratch)
    else:
        yield Input(name, file)


def _inflate(name: str, file: Path, scratch: Path, unpacked: Callable[[BinaryIO], Iterator[bytes]]) -> Input:
    """The unpacked bytes; what comes before a damaged place is kept, and `why` names the damage."""
    plain = _spare(scratch)
    why = None
    with file.open("rb") as packed, plain.open("wb") as out:
        try:
            out.writelines(unpacked(packed))
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            why = f"the packed file is damaged: {error}"
    return Input(name, plain, why)


class _Frame(Protocol):
    """The unpacking of one member of a packed file."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _frames(begin: Callable[[], _Frame], packed: BinaryIO) -> Iterator[bytes]:
    """The bytes of every member of a packed file, as far as they go; raises EOFError behind them when the end is missing."""
    member = None
    while chunk := packed.read(_CHUNK):
        while chunk:
            member = member or begin()
            yield member.decompress(chunk)
            chunk = b""
            if member.eof:
                chunk, member = member.unused_data.lstrip(b"\0"), None
    if member is not None:
        raise EOFError("it ends in the middle")


_gunzip = partial(_frames, lambda: zlib.decompressobj(_GZIP_WINDOW))
_unzstd = partial(_frames, lambda: zstandard.ZstdDecompressor().decompressobj())


def _unzip(name: str, file: Path, scratch: Path) -> Iterator[Input]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
            for member in members:
                yield _extract(name, archive, member, scratch)
    except (OSError, *_ZIP_ERRORS) as error:
        yield Input(name, file, f"the zip file cannot be read: {error}")


def _extract(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, scratch: Path) -> Input:
    """One member; what comes before a damaged place is kept, and `why` names the damage."""
    plain, why = _spare(scratch), None
    with plain.open("wb") as out:
        try:
            with archive.open(member) as packed:
                shutil.copyfileobj(packed, out)
        except (EOFError, *_ZIP_ERRORS) as error:
            why = f"the packed file is damaged: {error}"
    return Input(f"{name}!{member.filename}", plain, why)
