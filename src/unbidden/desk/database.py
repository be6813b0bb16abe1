"""The connection to the desk's database, its transactions, and the one kind of error that leaves them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from unbidden.errors import UnbiddenError

_WAIT_MS = 10_000
# A server that has gone without a word is noticed within half a minute (libpq's connection parameters).
_PATIENCE = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
# Any number, the same for all of ours: who writes waits for it on PostgreSQL, as SQLite has one writer at a time by itself.
_WRITER = 7_145_205_331
_IS_WRITING = "desk_is_writing"


class DeskError(UnbiddenError):
    """The desk's database cannot be reached, or refuses. Nothing of the transaction was kept; the same call may be made again."""


def connect(text_of_url: str) -> Engine:
    """An engine for the database of a URL. Nothing is connected yet. Raises DeskError for a URL that is none or has no driver here."""
    url = _url(text_of_url)
    options: dict[str, Any] = {"pool_pre_ping": True, "json_serializer": _dumped, "json_deserializer": orjson.loads}
    try:
        if url.get_backend_name() == "sqlite":
            _prepare(url)
            engine = create_engine(url, connect_args={"timeout": _WAIT_MS / 1000}, **options)
            event.listen(engine, "connect", _set_up)
            event.listen(engine, "begin", _begin)
            return engine
        return create_engine(url, connect_args=_PATIENCE, **options)
    except ModuleNotFoundError as error:
        raise DeskError(f"{shown(url)}: there is no driver for it here; install unbidden[postgres]") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. What goes wrong is a DeskError."""
    with _plain(engine), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, alone: bool = True) -> Iterator[Connection]:
    """A transaction that writes, kept whole or not at all; `alone` it is the only one of ours that does. What goes wrong is a DeskError."""
    with _plain(engine), engine.connect().execution_options(**{_IS_WRITING: True}) as connection, connection.begin():
        if alone and connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:writer)"), {"writer": _WRITER})
        yield connection


def shown(url: URL) -> str:
    """A URL without its password."""
    return url.render_as_string(hide_password=True)


def _url(text_of_url: str) -> URL:
    try:
        url = make_url(text_of_url)
    except ArgumentError as error:
        raise DeskError("the desk is named by a URL: sqlite:///desk.db or postgresql://user@host/database") from error
    kind = url.get_backend_name() if url.drivername not in _DRIVERS else url.drivername
    if kind not in _DRIVERS:
        raise DeskError(f"the desk is kept in sqlite or postgresql, not in {kind}")
    return url.set(drivername=_DRIVERS[kind])


def _prepare(url: URL) -> None:
    """Make a new file that only its owner can read: it names people, and SQLite gives its companions the same rights."""
    if not url.database or url.database == ":memory:":
        raise DeskError("the desk is kept in a file: sqlite:///desk.db (three slashes before a relative path, four before an absolute one)")
    try:
        os.close(os.open(Path(url.database), os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DeskError(f"{shown(url)}: the file cannot be opened: {error.strerror}") from error


@contextmanager
def _plain(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, NoSuchModuleError) as error:
        cause = getattr(error, "orig", None) or error
        # The first line only: the rest may hold the statement and its parameters.
        said = next(iter(str(cause).strip().splitlines()), "") or type(cause).__name__
        raise DeskError(f"the desk ({shown(engine.url)}): {said}") from error


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # Without this Python begins transactions by itself, and not before the first write.
    connection.isolation_level = None
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON", f"PRAGMA busy_timeout = {_WAIT_MS}"):
        connection.execute(statement)


def _begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get(_IS_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _dumped(value: object) -> str:
    return orjson.dumps(value).decode()
