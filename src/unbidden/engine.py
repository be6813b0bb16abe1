"""The engine: DuckDB, in memory, with the few functions that all our SQL shares. Nothing here is durable."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from tempfile import gettempdir
from typing import Any, LiteralString, TypeAlias, cast

import duckdb
import pycountry

Structure: TypeAlias = "Mapping[str, Structure | list[Structure] | str]"
Row: TypeAlias = tuple[object, ...]

MEMORY_LIMIT = "3GiB"
# What DuckDB raises when memory and disk do not suffice.
TOO_LARGE = (duckdb.OutOfMemoryException, MemoryError)

# Words for nothing, as regular expressions.
_NOTHING: tuple[LiteralString, ...] = (
    "", "null", "NULL", "Null", "none", "None", "unknown", "Unknown", "UNKNOWN", "n/a", "N/A", "not available", "Not Available", r"0\.0\.0\.0", "-", " ",
    "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
_MACROS: tuple[LiteralString, ...] = (
    # NULL for a time that no log can hold.
    "CREATE MACRO sane(t) AS if(t BETWEEN TIMESTAMP '1990-01-01' AND TIMESTAMP '2200-01-01', t, NULL)",
    # A time in any of the vendors' spellings, as UTC. A zone is honoured, no zone means UTC.
    """CREATE MACRO utc(x) AS sane(coalesce(
        if(ends_with(x, 'Z'), try_cast(x AS TIMESTAMP), try_cast(x AS TIMESTAMPTZ) AT TIME ZONE 'UTC'),
        try_strptime(x, ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y, %I:%M:%S.%g %p', '%m/%d/%Y, %I:%M:%S %p', '%d.%m.%Y %H:%M:%S'])))""",
    # Epoch seconds as UTC, from text, fractions kept to the microsecond.
    "CREATE MACRO epoch_utc(x) AS sane(make_timestamp(try_cast(round(try_cast(x AS DOUBLE) * 1000000) AS BIGINT)))",
    # NULL where the vendor wrote a word for nothing. One expression over plain words: it runs on every column of every row, other macros repeat what they
    # are given, and a CASE or a list of so many words is planned for four times as long each time.
    r"CREATE MACRO known(x) AS if(regexp_full_match(x, '" + "|".join(_NOTHING) + "'), NULL, x)",
    # true, false or NULL from a boolean, 0/1/-1 or a word.
    """CREATE MACRO tristate(x) AS CASE lower(CAST(x AS VARCHAR)) WHEN 'true' THEN true WHEN '1' THEN true WHEN 'yes' THEN true
        WHEN 'false' THEN false WHEN '0' THEN false WHEN 'no' THEN false END""",
    # An address without port and brackets.
    r"""CREATE MACRO bare_ip(x) AS CASE WHEN x IS NULL OR length(x) < 3 THEN NULL
        WHEN contains(x, ':') THEN CASE WHEN starts_with(x, '[') THEN lower(regexp_extract(x, '^\[([^\]]+)\]', 1))
          WHEN starts_with(lower(x), '::ffff:') AND contains(x, '.') THEN regexp_extract(x, '(\d+\.\d+\.\d+\.\d+)', 1)
          WHEN contains(x, '.') THEN split_part(x, ':', 1) ELSE lower(trim(x)) END
        WHEN contains(x, '.') AND x <> '0.0.0.0' AND NOT contains(x, ',') THEN trim(x) END""",
    # The neighbourhood of an address: its /24 (IPv4) or /48 (IPv6).
    r"""CREATE MACRO network_of(x) AS if(contains(x, ':'), array_to_string(list_slice(string_split(x, ':'), 1, 3), ':') || '::/48',
        regexp_replace(x, '\.[^.]*$', '.0/24'))""",
    # Browser and system as one text; versions are taken off later, once for each distinct text.
    "CREATE MACRO client_of(browser, os) AS nullif(concat_ws(' on ', browser, os), '')",
    r"""CREATE MACRO distance_km(lat1, lon1, lat2, lon2) AS 12742 * asin(least(1, sqrt(
        power(sin(radians(lat2 - lat1) / 2), 2) + cos(radians(lat1)) * cos(radians(lat2)) * power(sin(radians(lon2 - lon1) / 2), 2))))""",
)

# English names that vendors write and ISO 3166 spells otherwise.
_COUNTRY_WORDS = {
    "russia": "RU", "south korea": "KR", "north korea": "KP", "iran": "IR", "vietnam": "VN", "laos": "LA", "syria": "SY",
    "bolivia": "BO", "venezuela": "VE", "tanzania": "TZ", "moldova": "MD", "taiwan": "TW", "brunei": "BN", "macedonia": "MK",
    "ivory coast": "CI", "cape verde": "CV", "palestine": "PS", "turkey": "TR", "czech republic": "CZ", "hong kong": "HK",
    "macau": "MO", "swaziland": "SZ", "republic of korea": "KR", "usa": "US", "uk": "GB", "the netherlands": "NL",
}  # fmt: skip


def connect(*, threads: int | None = None, memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory engine with our macros and the country table; the session's time zone is UTC."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit, "autoinstall_known_extensions": False}
    if threads:
        config["threads"] = threads
    config["temp_directory"] = str(Path(gettempdir()) / f"unbidden-spill-{os.getpid()}")
    con = duckdb.connect(config=config)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    for macro in _MACROS:
        con.execute(macro)
    con.execute("CREATE TABLE country_name (name VARCHAR PRIMARY KEY, code VARCHAR NOT NULL)")
    con.execute("INSERT INTO country_name SELECT unnest($1), unnest($2)", [list(country_codes()), list(country_codes().values())])
    return con


def was_interrupted(error: Exception) -> bool:
    """A query was stopped by Ctrl-C: DuckDB tells it by its own exception, or by a RuntimeError when it notices while rows are fetched."""
    return isinstance(error, duckdb.InterruptException) or (isinstance(error, RuntimeError) and "interrupt" in str(error).lower())


def said(error: duckdb.Error) -> str:
    """The first sentence of what DuckDB says of a query, with what it proposes instead."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(line for line in lines[:3] if not re.match(r"LINE \d+:|\^", line)) or type(error).__name__


@cache
def country_codes() -> dict[str, str]:
    """Lower-case country names, ISO-2 and ISO-3 codes, each with its ISO 3166-1 alpha-2 code."""
    codes: dict[str, str] = {}
    for country in pycountry.countries:
        for word in (country.name, country.alpha_2, country.alpha_3, getattr(country, "common_name", None), getattr(country, "official_name", None)):
            if word:
                codes[word.lower()] = country.alpha_2
    return codes | _COUNTRY_WORDS


@cache
def table_sql(name: str) -> str:
    """The CREATE TABLE statement of one of our tables, as documented in `schema/`."""
    return resources.files("unbidden").joinpath("schema", f"{name}.sql").read_text("utf-8")


def create(con: duckdb.DuckDBPyConnection, *names: str, is_anew: bool = False) -> None:
    """Make empty tables of the given names, in the first schema of the search path, in the place of those that are there only where told so."""
    for name in names:
        con.execute(anew_sql(name) if is_anew else table_sql(name))


def anew_sql(name: str, under: str | None = None) -> str:
    """The statement that makes one of our tables empty in the place of what is there, under another name if one is given."""
    return table_sql(name).replace(f"CREATE TABLE {name}", f"CREATE OR REPLACE TABLE {under or name}", 1)


def sql_type(structure: Structure | list[Structure] | str) -> str:
    """The DuckDB type of a JSON structure: a mapping is a STRUCT, a one-element list an array, a string a type name."""
    match structure:
        case str():
            return structure
        case list():
            return sql_type(structure[0]) + "[]"
        case _:
            return "STRUCT(" + ", ".join(f'"{key}" {sql_type(part)}' for key, part in structure.items()) + ")"


def quote(text: str) -> LiteralString:
    """A SQL string literal. For file names and types only, which cannot be parameters everywhere in DuckDB."""
    return cast("LiteralString", "'" + text.replace("'", "''") + "'")


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


@lru_cache(maxsize=1024)
def parsed(sql: str) -> duckdb.Statement:
    """One statement, parsed once for as often as it is executed, on whatever connection: parsing is a sixth of what a small tick costs."""
    (statement,) = _parser().extract_statements(sql)
    return statement


def rows(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> list[Row]:
    """Every row of a query, read to its end."""
    return cast("list[Row]", con.execute(sql, parameters).fetchall())


def records(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> list[dict[str, Any]]:
    """Every row of a query as a dict by column name."""
    cursor = con.execute(sql, parameters)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def one(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> object:
    """The single value of a query with one row and one column."""
    return rows(con, sql, parameters)[0][0]


@contextmanager
def at_once(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything that is written within is seen by others at once, or not at all."""
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def iso(moment: datetime | None) -> str | None:
    """A time as ISO 8601 UTC with a Z; naive times come from the engine and are UTC."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds" if aware.microsecond else "seconds").replace("+00:00", "Z")


@contextmanager
def plain() -> Iterator[duckdb.DuckDBPyConnection]:
    """A passing engine without our macros, for carrying rows from one place to another."""
    con = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
    try:
        con.execute("SET TimeZone = 'UTC'")
        yield con
    finally:
        con.close()
