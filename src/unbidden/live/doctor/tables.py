"""The lake's tables as they are now, to be looked at beside whoever writes them: nothing is made or held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from unbidden.lake import TABLES, LakeError

Opened: TypeAlias = dict[str, DeltaTable]
# The name under which the server's commits are counted.
_APP = "unbidden"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a table as the table's log knows it: its address, its size in bytes and the day that it holds."""

    uri: str
    size: int
    day: date


def opened(root: str, options: dict[str, str]) -> Opened | None:
    """The tables by name; None when there is no lake. Raises LakeError when it cannot be read, or one of its tables is missing."""
    found: Opened = {}
    for name in TABLES:  # rows come first: where there are none, there is no lake
        try:
            found[name] = DeltaTable(f"{root.rstrip('/')}/{name}", storage_options=options or None)
        except TableNotFoundError as error:
            if not found:
                return None
            raise LakeError(f"{root}: the table {name} is missing; the server makes it anew when it begins, and reads the rows that it has again") from error
        except (DeltaError, OSError) as error:
            raise LakeError(f"{root}: the table {name} cannot be opened: {' '.join(str(error).split())[:300]}") from error
    return found


def parts(root: str, name: str, table: DeltaTable) -> list[Part]:
    """The files of a table, the newest day first."""
    added = table.get_add_actions(flatten=True)
    named = zip(added.column("path").to_pylist(), added.column("size_bytes").to_pylist(), strict=True) if added.num_rows else ()
    found = (Part(f"{root.rstrip('/')}/{name}/{path}", int(size), _day_of(str(path))) for path, size in named)
    return sorted(found, key=lambda part: (part.day, part.uri), reverse=True)


def reached(table: DeltaTable) -> int:
    """The number of the last commit of rows that a table knows."""
    return table.transaction_version(_APP) or 0


def written_at(table: DeltaTable) -> datetime | None:
    """When its last commit was made, by the clock of who made it."""
    for commit in table.history(1):
        return datetime.fromtimestamp(int(commit["timestamp"]) / 1000, UTC)
    return None


def count_of_day(name: str, table: DeltaTable, day: date) -> int:
    """How many rows a day has, each of them read by Delta itself. Raises LakeError when they cannot be read."""
    try:
        return sum(batch.num_rows for batch in QueryBuilder().register(name, table).execute(f"SELECT * FROM {name} WHERE day = '{day}'"))
    except Exception as error:  # a query raises plain exceptions
        raise LakeError(f"{name}: {' '.join(str(error).split())[:300]}") from error


def _day_of(path: str) -> date:
    return date.fromisoformat(path.rpartition("day=")[2].partition("/")[0])
