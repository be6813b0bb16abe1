"""Columns: a table of tickets whose columns the user named, put into the names that the reader of tickets knows."""

from __future__ import annotations

from collections.abc import Mapping

from unbidden.errors import UnusableInputError

# What a user may name, and what it is called inside.
NAMES = {
    "time": "ticket_time",
    "requester": "ticket_requester",
    "subject": "ticket_subject",
    "text": "ticket_text",
    "number": "ticket_number",
}


def read_columns(text: str) -> dict[str, str]:
    """Which column holds what, out of `time=Opened,requester=Caller,text=Summary`: the column in lower case and its name inside.

    Raises UnusableInputError for a word that is none of `NAMES`, and when no time, or neither subject nor text is named.
    """
    found: dict[str, str] = {}
    for pair in text.split(","):
        name, mark, column = (part.strip() for part in pair.partition("="))
        if name not in NAMES or not mark or not column:
            raise UnusableInputError(f"'{pair.strip()}' names no column of tickets; write time=Opened,requester=Caller,text=Summary ({', '.join(NAMES)})")
        found[column.lower()] = NAMES[name]
    if "ticket_time" not in found.values() or not {"ticket_subject", "ticket_text"} & set(found.values()):
        raise UnusableInputError("the columns of tickets need a time, and a subject or a text: write time=Opened,requester=Caller,text=Summary")
    return found


def named(value: object, columns: Mapping[str, str]) -> object:
    """The value with every row that has all of the columns as a ticket, at whatever depth; the value itself without columns."""
    if not columns:
        return value
    if isinstance(value, list):
        return [named(part, columns) for part in value]
    if not isinstance(value, Mapping):
        return value
    cells = {str(key).strip().lower(): cell for key, cell in value.items()}
    if columns.keys() <= cells.keys():
        return {"ticket_form": "named", **{name: cells[column] for column, name in columns.items()}}
    return {key: named(part, columns) if isinstance(part, list | Mapping) else part for key, part in value.items()}
