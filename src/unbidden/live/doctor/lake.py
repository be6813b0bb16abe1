"""The lake: whether it can be read and written, whether each file of it is whole, and whether the disk will hold it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from deltalake import DeltaTable

from unbidden.errors import UnbiddenError
from unbidden.lake import glance, tables
from unbidden.lake.files import File, fault, inner_fault
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning
from unbidden.settings import LakeSettings

# So much of each table is read whole, the newest first; of what is older the size and the end of each file are looked at, which tell most damage.
_READ_WHOLE = 256 << 20
_GROWTH_DAYS = 7
_AWAY = "see that the address, the rights and the options under [lake] are right"
_DAMAGED = "put the file back from a backup; without one stop the server and run: unbidden lake repair"


def is_held(root: str) -> bool:
    """Whether a process holds a local lake for writing; of a remote one nobody can tell."""
    lock = Path(root) / ".lock"
    if "://" in root or os.name != "posix" or not lock.is_file():
        return False
    import fcntl  # noqa: PLC0415 - there is none on other systems

    with lock.open("r") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def lake(look: Look) -> Iterator[Check]:
    """The lake's tables, files and room."""
    told = look.settings.lake
    is_local = "://" not in told.root
    if look.is_running:
        yield fine("lake", f"{told.root}: a server runs and holds it; it is read only here")
    if is_local:
        yield from _rights(Path(told.root), is_running=look.is_running)
    found = glance.opened(told.root, told.options_of(look.environment))
    if found is None:
        yield fine("lake", f"{told.root}: there is no lake yet; the server will make one")
        return
    parts = {name: glance.newest_first(name, table) for name, table in found.items()}
    last = tables.reached(found["raw"])
    yield fine("lake", f"{told.root} can be read: {last} commits of rows, {sum(map(len, parts.values()))} files, {_size(parts)}")
    behind = last - tables.reached(found["event"])
    if behind and not look.is_running:
        yield warning("lake", f"the rows of {behind} commits are not yet read", "nothing: the server reads them when it begins")
    for name, files in parts.items():
        yield from _whole(name, files) if is_local else _newest(name, found[name], files)
    if is_local:
        yield _room(told, Path(told.root), parts)


def _rights(root: Path, *, is_running: bool) -> Iterator[Check]:
    """Whether this user may write there. Nothing is written to see it."""
    there = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    if not there.is_dir():
        yield problem("lake", f"{there} is no folder", "name a folder under [lake] root")
    elif not os.access(there, os.W_OK | os.X_OK):
        user = "this user; the one of the running server may" if is_running else "this user"
        told = warning if is_running else problem
        yield told("lake", f"{there} may not be written by {user}", f"let the user of the service own it: chown -R USER {root}")


def _whole(name: str, files: list[File]) -> Iterator[Check]:
    """Every damaged file of a table by its name, or that there is none."""
    damaged, read = 0, 0
    for part in files:
        read += part.size
        if why := fault(part) or inner_fault(part, is_deep=read <= _READ_WHOLE):
            damaged += 1
            yield problem("lake", f"{part.uri} {why}", _DAMAGED)
    if files and not damaged:
        yield fine("lake", f"{name}: every file is whole")


def _newest(name: str, table: DeltaTable, files: list[File]) -> Iterator[Check]:
    """Read the newest day of a remote table; the whole of it would be too much to fetch."""
    if not files:
        return
    try:
        glance.count_of_day(name, table, files[0].day)
    except UnbiddenError as error:
        yield problem("lake", f"{name}: its newest day cannot be read: {error}", _AWAY)
    else:
        yield fine("lake", f"{name}: its newest day, {files[0].day}, can be read")


def _room(told: LakeSettings, root: Path, parts: dict[str, list[File]]) -> Check:
    """Whether what is still to come until the oldest days are let go of has room on the disk."""
    keep = {"raw": told.keep_raw_days, "event": told.keep_event_days, "unread": told.keep_unread_days}
    daily = {name: _daily(files) for name, files in parts.items()}
    more = sum(max(0, daily[name] * keep[name] - sum(part.size for part in files)) for name, files in parts.items())
    free = shutil.disk_usage(root).free
    text = f"{_bytes(free)} are free; at {_bytes(sum(daily.values()))} a day the lake will grow by {_bytes(more)} more"
    if free < more:
        return problem("lake", text, "make room, or keep fewer days under [lake]")
    return warning("lake", text, "make room in time, or keep fewer days under [lake]") if free < 2 * more or free < 1 << 30 else fine("lake", text)


def _daily(files: list[File]) -> int:
    """The bytes of the fullest of the last days that the table has."""
    if not files:
        return 0
    sizes: dict[object, int] = {}
    for part in files:
        if files[0].day - part.day < timedelta(days=_GROWTH_DAYS):
            sizes[part.day] = sizes.get(part.day, 0) + part.size
    return max(sizes.values())


def _size(parts: dict[str, list[File]]) -> str:
    return _bytes(sum(part.size for files in parts.values() for part in files))


def _bytes(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"
