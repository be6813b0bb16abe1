"""A glance at a lake's tables as they are now, beside whoever writes them: nothing is made or held."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TypeAlias

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from unbidden.lake import tables
from unbidden.lake.faults import LakeError
from unbidden.lake.files import File, listed

Opened: TypeAlias = dict[str, DeltaTable]


def opened(root: str, options: dict[str, str]) -> Opened | None:
    """The tables by name; None when there is no lake. Raises LakeError when it cannot be read, or one of its tables is missing."""
    found: Opened = {}
    for name in tables.TABLES:  # rows come first: where there are none, there is no lake
        try:
            found[name] = tables.opened(root, name, options)
        except TableNotFoundError as error:
            if not found:
                return None
            raise LakeError(f"{root}: the table {name} is missing; the server makes it anew when it begins, and reads the rows that it has again") from error
        except (DeltaError, OSError) as error:
            raise LakeError(f"{root}: the table {name} cannot be opened: {' '.join(str(error).split())[:300]}") from error
    return found


def newest_first(name: str, table: DeltaTable) -> list[File]:
    """The files of a table, the newest day first."""
    return sorted(listed(table, name), key=lambda file: (file.day, file.uri), reverse=True)


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
