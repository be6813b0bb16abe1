"""The tables of a lake: their columns, how they are made, opened and written, and how rows become a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import LiteralString

from arro3.core import Array, DataType, Field, RecordBatch, Schema, Table
from arro3.core.types import ArrowStreamExportable
from deltalake import ColumnProperties, CommitProperties, DeltaTable, PostCommitHookProperties, WriterProperties, write_deltalake
from deltalake.exceptions import TableNotFoundError

from unbidden import engine
from unbidden.intake import Lot

TABLES = ("raw", "event", "unread")
# Who a commit is of, in the terms of Delta; its number is that of the commit of `raw` that the table reaches to.
APP = "unbidden"
COLUMNS: dict[str, LiteralString] = {
    "raw": "sequence BIGINT, number INTEGER, received_at TIMESTAMPTZ, source VARCHAR, provider VARCHAR, receipt VARCHAR, body VARCHAR, cursor VARCHAR",
    "unread": "sequence BIGINT, received_at TIMESTAMPTZ, source VARCHAR, number BIGINT, why VARCHAR, text VARCHAR",
}
_TYPES = {
    "BIGINT": DataType.int64(),
    "INTEGER": DataType.int32(),
    "VARCHAR": DataType.string(),
    "DATE": DataType.date32(),
    "TIMESTAMPTZ": DataType.timestamp("us", tz="UTC"),
}


def _field(text: str) -> Field:
    name, kind = text.split()
    return Field(name, _TYPES[kind])


_FIELDS = {name: [_field(text) for text in f"{columns}, day DATE".split(", ")] for name, columns in COLUMNS.items()}
# Of these columns the log says the smallest and greatest value of each file, so that readers leave out files. More would make the log long.
_MEASURED = {"raw": "sequence,number,received_at,source", "event": "occurred_at,login,provider,kind", "unread": "sequence,received_at,source"}
# Every commit looks at the log's files since the last checkpoint, so the upkeep makes one and lets older files go: see docs/lake.md.
_LOG_KEPT, _REMOVED_KEPT = "interval 3 hours", "interval 2 hours"
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# Appends are to be fast, what is compacted is to be small.
SMALL = WriterProperties(compression="ZSTD", compression_level=3)
_FAST = WriterProperties(compression="SNAPPY", column_properties={"body": ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")})
# A commit of others (a compaction, say) is stepped over; one of another server is not, whatever this number is.
TRIES = 15


def place(root: str, name: str) -> str:
    """Where a table is."""
    return f"{root.rstrip('/')}/{name}"


def opened(root: str, name: str, options: dict[str, str]) -> DeltaTable:
    """A handle of a table as it is now; one thread uses it."""
    return DeltaTable(place(root, name), storage_options=options or None)


def reached(table: DeltaTable) -> int:
    """The number of the last commit of rows that a table knows."""
    return table.transaction_version(APP) or 0


def opened_or_made(root: str, name: str, options: dict[str, str]) -> DeltaTable:
    """A handle of a table, which is made when it is not there."""
    try:
        return opened(root, name, options)
    except TableNotFoundError:
        with engine.plain() as con:
            con.execute(empty(name).replace(f"TABLE {name}", "TABLE part", 1).replace(" NOT NULL", ""))
            write_deltalake(
                place(root, name),
                con.sql("SELECT *, DATE '1970-01-01' AS day FROM part LIMIT 0"),
                partition_by=["day"],
                mode="ignore",
                name=f"unbidden {name}",
                storage_options=options or None,
                configuration={
                    "delta.dataSkippingStatsColumns": _MEASURED[name],
                    "delta.logRetentionDuration": _LOG_KEPT,
                    "delta.deletedFileRetentionDuration": _REMOVED_KEPT,
                },
            )
        return opened(root, name, options)


def empty(name: str) -> LiteralString:
    """The statement that makes a table in the engine with the columns of one of the lake."""
    columns = COLUMNS.get(name)
    return f"CREATE TABLE {name} ({columns})" if columns else engine.table_sql(name)


def written(table: DeltaTable, name: str, rows: ArrowStreamExportable, properties: CommitProperties) -> None:
    """Add rows in one commit; the handle has it afterwards."""
    write_deltalake(
        table,
        rows,
        mode="append",
        commit_properties=properties,
        post_commithook_properties=NO_HOOKS,
        writer_properties=_FAST if name == "raw" else WriterProperties(),
    )


def raw_part(sequence: int, lots: Sequence[tuple[Lot, str | None]]) -> Table:
    """The rows of a commit: the texts of lots, each with the spelt cursor of its lot in its first row. A lot without texts has one empty row."""
    rows: list[tuple[object, ...]] = []
    for lot, cursor in lots:
        for place_in_lot, text in enumerate(lot.texts or ("",)):
            rows.append((sequence, len(rows), lot.received_at, lot.source, lot.provider, lot.receipt, text, None if place_in_lot else cursor))
    return part("raw", rows, 2)


def part(name: str, rows: Sequence[tuple[object, ...]], at: int) -> Table:
    """Rows as Arrow, with the day of the instant in the column of that number: straight from Python, for a passing engine costs more than the commit."""
    fields = _FIELDS[name]
    schema = Schema(fields)
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * (len(fields) - 1)
    columns.append([_day(instant) for instant in columns[at]])
    arrays = [_array(values, field.type) for values, field in zip(columns, fields, strict=True)]
    return Table.from_batches([RecordBatch.from_arrays(arrays, schema=schema)], schema=schema)


def _array(values: Sequence[object], kind: DataType) -> Array:
    if DataType.is_timestamp(kind):
        return Array([_micros(value) for value in values], DataType.int64()).cast(kind)
    if DataType.is_date32(kind):
        return Array([value.toordinal() - 719_163 if isinstance(value, date) else None for value in values], DataType.int32()).cast(kind)
    return Array(values, kind)


def _micros(instant: object) -> int | None:
    """Whole microseconds since 1970; a float of seconds would be off by one now and then."""
    if not isinstance(instant, datetime):
        return None
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _day(instant: object) -> date | None:
    return instant.astimezone(_EPOCH.tzinfo).date() if isinstance(instant, datetime) else None


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
