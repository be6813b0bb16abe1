"""The chain of the audit trail: whatever is changed, dropped, moved or put between is found, and what cannot be found is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desk.fixtures import AT
from tests.desk.test_properties import fresh
from unbidden.desk import Desk
from unbidden.desk.chain import BEGINNING, HEAD, hash_of, read
from unbidden.desk.database import writing

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
DETAILS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.none()), max_size=3)
DEEDS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, DETAILS, st.integers(0, 10**12)), min_size=1, max_size=8)
Rows = list[dict[str, Any]]


def chained(deeds: list[tuple[str, str, str, dict[str, Any], int]]) -> Rows:
    previous, rows = BEGINNING, Rows()
    for position, (who, what, subject, detail, micros) in enumerate(deeds, 1):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        row = {"position": position, "at": at, "who": who, "what": what, "subject": subject, "detail": detail}
        previous = row["hash"] = hash_of(previous, row)
        rows.append(row)
    return rows


CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "who": lambda row: {**row, "who": row["who"] + "x"},
    "what": lambda row: {**row, "what": row["what"] + "\n"},
    "between": lambda row: {**row, "who": row["who"] + row["what"], "what": ""} if row["what"] else {**row, "what": "x"},
    "subject": lambda row: {**row, "subject": row["subject"] + " "},
    "detail": lambda row: {**row, "detail": {**row["detail"], "more": 1}},
    "at": lambda row: {**row, "at": row["at"] + timedelta(microseconds=1)},
    "position": lambda row: {**row, "position": row["position"] + 1},
    "hash": lambda row: {**row, "hash": "f" * 64},
    "no hash": lambda row: {**row, "hash": None},
}


@given(DEEDS, st.data())
def test_any_row_that_was_touched_is_the_first_that_does_not_fit(deeds: list[Any], data: st.DataObject) -> None:
    rows = chained(deeds)
    assert read(rows).is_whole
    place = data.draw(st.integers(0, len(rows) - 1))
    touched = [*rows[:place], CHANGES[data.draw(st.sampled_from(sorted(CHANGES)))](rows[place]), *rows[place + 1 :]]
    found = read(touched)
    assert (found.rows, found.position) == (place, touched[place]["position"])


@given(DEEDS.filter(lambda deeds: len(deeds) > 1), st.data())
def test_any_row_that_was_dropped_or_moved_or_doubled_is_found(deeds: list[Any], data: st.DataObject) -> None:
    rows = chained(deeds)
    one = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(one + 1, len(rows) - 1))
    swapped = list(rows)
    swapped[one], swapped[other] = rows[other], rows[one]
    for touched in (rows[:one] + rows[one + 1 :], swapped, [*rows[: one + 1], *rows[one:]]):
        found = read(touched)
        assert not found.is_whole
        assert found.rows >= one


def trail(desk: Desk) -> None:
    for number in range(4):
        desk.note_deed("ana", "did", f"thing {number}", AT, {"number": number})


def force(desk: Desk, *statements: str) -> None:
    """Do something to the database that the desk itself would refuse."""
    is_sqlite = desk.url.startswith("sqlite")
    with writing(desk._engine) as connection:  # noqa: SLF001 -- somebody who can write everything is meant
        gone = ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete") if is_sqlite else ("ALTER TABLE audit DISABLE TRIGGER audit_no_change",)
        for statement in (*gone, *statements):
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("statement", "position", "why"),
    [
        ("UPDATE audit SET who = 'eve' WHERE position = 2", 2, "does not fit"),
        ("UPDATE audit SET hash = NULL WHERE position = 3", 3, "does not fit"),
        ("DELETE FROM audit WHERE position = 1", 2, "does not fit"),
        ("DELETE FROM audit WHERE position = 4", 4, "its end is missing"),
        ("DELETE FROM audit", 4, "its end is missing"),
        (f"DELETE FROM fact WHERE name = '{HEAD}'", None, "note of the trail's head is missing"),
    ],
)
def test_what_was_done_to_the_database_is_found(desk: Desk, statement: str, position: int | None, why: str) -> None:
    trail(desk)
    assert desk.verify_audit().rows == 4
    force(desk, statement)
    found = desk.verify_audit()
    assert not found.is_whole
    assert found.position == position
    assert why in str(found.why)


def test_an_end_that_was_cut_off_stays_found_when_the_trail_goes_on(file_desk: Desk) -> None:
    trail(file_desk)
    force(file_desk, "DELETE FROM audit WHERE position > 2")
    file_desk.note_deed("ana", "did", "more", AT)
    assert file_desk.verify_audit().position == 5


def test_a_trail_made_anew_is_found_by_who_wrote_its_head_down(file_desk: Desk) -> None:
    trail(file_desk)
    head = file_desk.verify_audit().head
    file_desk.note_deed("ana", "did", "more", AT)
    assert file_desk.verify_audit(head).is_whole
    force(file_desk, "DELETE FROM audit", f"DELETE FROM fact WHERE name = '{HEAD}'")
    file_desk.note_deed("eve", "did", "nothing", AT)
    assert file_desk.verify_audit().is_whole
    assert "written down earlier" in str(file_desk.verify_audit(head).why)


@settings(max_examples=15)
@given(DEEDS)
def test_what_the_desk_keeps_is_what_it_hashed(deeds: list[Any]) -> None:
    with fresh() as desk:
        for who, what, subject, detail, _ in deeds:
            desk.note_deed(who, what, subject, AT, detail)
        assert desk.verify_audit().rows == len(deeds)
        assert desk.verify_audit().why is None
