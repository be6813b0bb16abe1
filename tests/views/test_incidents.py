"""The list of incidents: its order, its filters, and pages that lose and repeat nothing while rows come."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.desk.fixtures import AT, desk, file_desk, postgresql, url
from tests.desk.incidents import BEGIN, incident
from tests.desk.test_properties import fresh
from unbidden.desk import Brief, Desk
from unbidden.desk.database import reading
from unbidden.desk.tables import SEVERITIES, STAGES
from unbidden.errors import UnusableInputError
from unbidden.views.incidents import Incidents, Wanted

__all__ = ["desk", "file_desk", "postgresql", "url"]

ONE = st.tuples(st.sampled_from(STAGES), st.sampled_from(SEVERITIES), st.integers(0, 5), st.sampled_from(["new", "closed", "triage"]))


def fill(desk: Desk, given: list[Any], prefix: str = "i") -> None:
    for number, (stage, severity, hour, state) in enumerate(given):
        name = f"{prefix}{number:03d}"
        desk.record([], [incident(name, f"{stage} {severity}", user=f"User{number % 3}", hour=hour)], AT)
        if state != "new":
            desk.decide(name, {"state": state}, "eve", AT)


def pages(views: Incidents, wanted: Wanted, limit: int, between: Any = lambda: None) -> list[Brief]:
    found, after = list[Brief](), None
    while True:
        page = views.page(wanted, after, limit)
        assert len(page.rows) <= limit
        found += page.rows
        if page.after is None:
            return found
        after = page.after
        between()


@settings(max_examples=15)
@given(st.lists(ONE, max_size=14), st.integers(1, 5))
def test_pages_are_the_whole_list_in_its_order(given: list[Any], limit: int) -> None:
    with fresh() as desk:
        fill(desk, given)
        found = pages(Incidents(desk), Wanted(), limit)
        assert sorted(row.id for row in found) == [f"i{number:03d}" for number in range(len(given))]
        order = [(row.state != "closed", SEVERITIES.index(row.severity), row.last_at, row.id) for row in found]
        assert order == sorted(order, reverse=True)


@settings(max_examples=10)
@given(st.lists(ONE, min_size=1, max_size=10), st.lists(ONE, min_size=1, max_size=4), st.integers(1, 3))
def test_rows_that_come_meanwhile_shift_nothing(given: list[Any], more: list[Any], limit: int) -> None:
    with fresh() as desk:
        fill(desk, given)
        views, count = Incidents(desk), iter(range(1000))
        found = pages(views, Wanted(), limit, lambda: fill(desk, more, f"n{next(count)}-") if next(count) < 8 else None)
        old = [row.id for row in found if row.id.startswith("i")]
        assert sorted(old) == [f"i{number:03d}" for number in range(len(given))]
        assert len({row.id for row in found}) == len(found)


def names(desk: Desk, **wanted: Any) -> str:
    return " ".join(sorted(row.id for row in Incidents(desk).page(Wanted(**wanted)).rows))


def test_filters(desk: Desk) -> None:
    desk.record([], [
        incident("a", "attempted high", user="Ana.Müller@x", hour=1), incident("b", "approved low", user="ben_1@x", hour=10, campaign="c1"),
        incident("c", "persisted critical", user="BEN%2@x", hour=20),
    ], AT)  # fmt: skip
    desk.record(["cem"], [incident("d", user="cem", hour=30)], AT)
    desk.record(["cem"], [], AT)
    desk.decide("a", {"state": "closed", "verdict": "benign", "why": "x", "assignee": "eve"}, "eve", AT)
    assert names(desk) == "a b c"
    assert names(desk, withdrawn=True) == "a b c d"
    assert names(desk, severities=frozenset({"high", "low"})) == "a b"
    assert names(desk, stages=frozenset({"approved", "persisted"})) == "b c"
    assert names(desk, states=frozenset({"new"})) == "b c"
    assert names(desk, states=frozenset({"closed"})) == "a"
    assert names(desk, states=frozenset({"closed", "new"}), severities=frozenset({"high", "low"})) == "a b"
    assert names(desk, verdicts=frozenset({"benign"})) == "a"
    assert (names(desk, assignee="eve"), names(desk, assignee="")) == ("a", "b c")
    assert names(desk, campaign="c1") == "b"
    assert names(desk, users=frozenset({"ben_1@x", "cem"})) == "b"
    assert names(desk, since=BEGIN + timedelta(hours=10)) == "b c"
    assert names(desk, until=BEGIN + timedelta(hours=10)) == "a"
    assert (names(desk, text="MÜLLER"), names(desk, text="ben"), names(desk, text="ben_"), names(desk, text="%2")) == ("a", "b c", "b", "c")
    assert (names(desk, text="B"), names(desk, text="nobody"), names(desk, severities=frozenset({"none"}))) == ("b c", "", "")


def test_what_is_closed_is_not_open(desk: Desk) -> None:
    desk.record([], [incident("a", "approved high"), incident("b", "attempted low", user="ben"), incident("c", user="cem")], AT)
    assert (desk.open_count(), desk.open_by_severity()) == (2, {"low": 1, "medium": 1, "high": 1, "critical": 0})
    desk.decide("a", {"state": "closed"}, "eve", AT)
    assert (desk.open_count(), desk.open_by_severity()) == (1, {"low": 1, "medium": 1, "high": 0, "critical": 0})


CHOICES = [
    Wanted(), Wanted(withdrawn=True), Wanted(severities=frozenset({"high"})), Wanted(states=frozenset({"triage"})), Wanted(assignee="eve"),
    Wanted(users=frozenset({"ana"})), Wanted(text="a"), Wanted(stages=frozenset({"approved"})), Wanted(campaign="c"), Wanted(since=AT),
]  # fmt: skip


@pytest.mark.parametrize("wanted", CHOICES)
def test_no_list_reads_documents_or_sorts_everything(file_desk: Desk, wanted: Wanted) -> None:
    """As many rows as there are cost no more than a page of them, or one pass over an index."""
    file_desk.record([], [incident(f"i{number}", hour=number) for number in range(200)], AT)
    statements: list[tuple[str, Any]] = []

    def heard(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        statements.append((statement, parameters))

    event.listen(file_desk._engine, "before_cursor_execute", heard)  # noqa: SLF001 -- its statements are looked at
    Incidents(file_desk).page(wanted)
    [(statement, parameters)] = [one for one in statements if one[0].startswith("SELECT")]
    with reading(file_desk._engine) as connection:  # noqa: SLF001 -- as above
        plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert [step for step in plan if "handling USING INDEX" not in step and "handling USING COVERING INDEX" not in step] == []


def test_one_with_everything(file_desk: Desk) -> None:
    file_desk.record([], [incident("a")], AT)
    file_desk.decide("a", {"state": "closed", "verdict": "benign", "why": "x"}, "eve", AT)
    file_desk.add_note("a", "text", "eve", AT)
    whole = Incidents(file_desk).whole("a")
    assert whole is not None
    assert (whole.row.state, whole.row.verdict, whole.handling.why, whole.row.handling) == ("closed", "benign", "x", 2)
    assert whole.row == Incidents(file_desk).page().rows[0]
    assert [deed["what"] for deed in whole.deeds] == ["incident noted", "incident decided"]
    assert Incidents(file_desk).whole("b") is None


def test_people(desk: Desk) -> None:
    desk.record([], [incident("a", user="ana"), incident("b", "approved critical", user="ana", hour=5), incident("c", user="Ben")], AT)
    desk.decide("c", {"state": "closed"}, "eve", AT)
    views = Incidents(desk)
    found = {one.user: (one.incidents, one.open, one.worst) for one in views.people().rows}
    assert found == {"ana": (2, 2, "critical"), "Ben": (1, 0, None)}
    first = views.people(limit=1)
    assert {first.rows[0].user, views.people(after=first.after).rows[0].user} == {"ana", "Ben"}
    assert [one.user for one in views.people(text="BE").rows] == ["Ben"]


@pytest.mark.parametrize("cursor", ["", "x", "e30", "bnVsbA", "WzEsMl0", "é", "A" * 5000, base64.b64encode(b'[1,99999999999999999999,"a"]').decode()])
def test_a_cursor_of_somebody_else(file_desk: Desk, cursor: str) -> None:
    with pytest.raises(UnusableInputError, match="cursor"):
        Incidents(file_desk).page(after=cursor)
    with pytest.raises(UnusableInputError, match="cursor"):
        Incidents(file_desk).people(after=cursor)
