"""The desk: whether its database can be reached, is whole, and is at a step that this code knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from unbidden.desk.database import connect, reading, shown
from unbidden.desk.upgrade import steps_of
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning

_SQLITE = "sqlite:///"


def desk(look: Look) -> Iterator[Check]:
    """The desk, which is only looked at: a database that is not there is not made."""
    url = look.settings.desk.url_of(look.environment)
    if url.startswith(_SQLITE):
        file = Path(url.removeprefix(_SQLITE).partition("?")[0])
        if not file.exists():
            yield _to_be_made(file)
            return
        yield from _rights(file)
    engine = connect(url)
    try:
        yield from _looked_at(engine)
    finally:
        engine.dispose()


def _looked_at(engine: Engine) -> Iterator[Check]:
    where, steps = shown(engine.url), steps_of(engine)
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        if said != "ok":
            yield problem("desk", f"{where}: the database is damaged: {' '.join(said.split())}", "put the file back from a backup (docs/serving.md)")
    if steps.seen is None:
        yield fine("desk", f"{where} can be reached; the server will make its tables")
    elif not steps.is_known:
        yield problem(
            "desk", f"{where} was written by a newer unbidden (step {steps.seen}; this one knows {steps.last})", "update unbidden, or name another desk"
        )
    elif steps.seen != steps.last:
        yield warning("desk", f"{where} is at step {steps.seen} of {steps.last}", "make a backup; the server brings it up to date when it begins")
    else:
        yield fine("desk", f"{where} can be reached and is at step {steps.seen}, the newest")


def _to_be_made(file: Path) -> Check:
    folder = file.absolute().parent
    if not folder.is_dir():
        return problem("desk", f"{file}: there is no folder {folder}", f"make it: mkdir -p {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return problem("desk", f"{file}: {folder} may not be written by this user", "let the user of the service write there")
    return fine("desk", f"{file}: there is no desk yet; the server will make one")


def _rights(file: Path) -> Iterator[Check]:
    if not os.access(file, os.R_OK | os.W_OK):
        yield problem("desk", f"{file}: it may not be written by this user", "run the doctor as the user of the service, or let that user own the file")
    elif os.name == "posix" and file.stat().st_mode & 0o077:
        yield warning("desk", f"{file}: others than its owner may read it, and it names people", f"chmod 600 {file}")
