"""The objects of a lake in a bucket, looked at one by one: each is copied to this machine, read there to its end, and let go of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from deltalake._internal import DeltaFileSystemHandler

from unbidden.lake import files
from unbidden.lake.faults import Telling

_CHUNK = 8 << 20


def damaged(root: str, options: Mapping[str, str], present: Sequence[files.File]) -> Iterator[files.Damage]:
    """The objects that are gone, cut, or cannot be decoded. Raises LakeError when the store cannot be reached."""
    with TemporaryDirectory(prefix="unbidden-lake-") as scratch:
        for file in present:
            copy = Path(scratch) / "object.parquet"
            with Telling(root, "read"):
                why = None if _fetched(_store(root, options), _key(file), copy) else "is gone"
            held = replace(file, uri=str(copy))
            why = why or files.fault(held) or files.inner_fault(held)
            if why:
                yield files.Damage(file, why)


def set_aside(root: str, options: Mapping[str, str], damage: files.Damage) -> None:
    """Move a damaged object into `damaged/` beside the tables, if it is there."""
    store, key = _store(root, options), _key(damage.file)
    try:
        store.copy_file(key, f"damaged/{key}")
    except FileNotFoundError:
        return
    store.delete_file(key)


def _store(root: str, options: Mapping[str, str]) -> DeltaFileSystemHandler:
    return DeltaFileSystemHandler(root, dict(options))


def _key(file: files.File) -> str:
    return f"{file.table}/{unquote(file.path)}"


def _fetched(store: DeltaFileSystemHandler, key: str, copy: Path) -> bool:
    """Whether there is such an object; a copy of it is made."""
    try:
        source = store.open_input_file(key)
    except FileNotFoundError:
        return False
    size = source.size()
    with copy.open("wb") as out:
        while (at := out.tell()) < size:
            source.seek(at)
            out.write(source.read(min(_CHUNK, size - at)))
    return True
