"""The feed: what it fetches is kept once it says so, its cursor is never ahead of its rows, and it stops when it is told to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.fetching.conftest import Lab, texts_of
from tests.vendors import START, graph
from unbidden.errors import UnbiddenError
from unbidden.fetching import Clock, Cursor, Finding, Page
from unbidden.fetching.feed import FIRST_WAIT_S, LONGEST_WAIT_S, Feed, StoppedError, pausing
from unbidden.intake import Intake, Lot, Ticket
from unbidden.wire import Wire, WireError

Open = Callable[[str], Lab]


@dataclass
class Lake:
    """Keeps lots, one after the other, and their cursors with them. `is_bad` names lots by number that cannot be kept."""

    intake: Intake
    is_bad: Callable[[int], bool] = lambda _: False
    kept: list[Lot] = field(default_factory=list)
    cursor: Cursor | None = None
    moments: list[tuple[int, Cursor | None]] = field(default_factory=list)
    taken: int = 0

    def run(self, stop: threading.Event) -> None:
        """Take until told to stop."""
        while not stop.is_set():
            for ticket in self.intake.take(1000, 0.01):
                self._keep(ticket)

    def _keep(self, ticket: Ticket) -> None:
        self.taken += 1
        if self.is_bad(self.taken):
            ticket.fail("the disk is full")
            return
        self.kept.append(ticket.lot)
        self.cursor = ticket.lot.cursor if ticket.lot.cursor is not None else self.cursor
        self.moments.append((len(self.kept), self.cursor))
        ticket.keep()

    def texts(self, lots: int | None = None) -> set[str]:
        """The texts of the first so many lots."""
        return {text for lot in self.kept[:lots] for text in lot.texts}


@contextmanager
def fed(lab: Lab, lake: Lake, cursor: Cursor | None = None, rounds: int = 1) -> Iterator[Feed]:
    """A feed that has stopped: after a round that went well, or after so many."""
    stop, over = threading.Event(), threading.Event()
    left = [rounds]

    def wait(_: float) -> None:
        left[0] -= 1
        if not left[0] or not feed.state.failures:
            stop.set()

    feed = Feed("idp", lab.connector(), lab.wire, lake.intake, lab.time.now, time.monotonic, stop, wait=wait)
    threads = [threading.Thread(target=lake.run, args=(over,)), threading.Thread(target=feed.run, args=(cursor,))]
    for thread in threads:
        thread.start()
    threads[1].join(20)
    over.set()
    threads[0].join(5)
    assert not threads[1].is_alive()
    yield feed


def due(lab: Lab) -> set[str]:
    """The texts that can be had by now."""
    return {row.text for row in lab.vendor.rows if row.arrived <= START and row.at <= START - timedelta(seconds=120) and '"own-' not in row.text}


def test_a_round_is_kept_with_its_cursor(lab: Lab) -> None:
    there = due(lab)
    lake = Lake(Intake())
    with fed(lab, lake) as feed:
        assert there - lake.texts() == set()
        assert feed.state.failures == 0
        assert feed.state.last_ok_at == lab.time.now()
        assert feed.state.rows == sum(len(lot.texts) for lot in lake.kept)
        assert {lot.source for lot in lake.kept} == {"idp"}
    assert lake.cursor is not None
    assert len(texts_of(lab.round(lake.cursor))) <= 40, "the next round begins at the end of this one"


@pytest.mark.parametrize("seed", range(4))
def test_the_cursor_is_never_ahead_of_a_lot_that_failed(open_lab: Open, seed: int) -> None:
    lab = open_lab("okta")
    lab.changes["page_size"] = 5
    there = due(lab)
    chance = random.Random(seed)
    lake = Lake(Intake(), is_bad=lambda _: chance.random() < 0.4)
    with fed(lab, lake, rounds=200):
        assert there - lake.texts() == set()
    for lots, cursor in lake.moments[:: max(len(lake.moments) // 12, 1)]:
        assert there - lake.texts(lots) - set(texts_of(lab.round(cursor))) == set(), f"a crash after lot {lots} would lose rows"


def test_what_an_overlap_reads_again_is_handed_over_once(open_lab: Open) -> None:
    lab = open_lab("graph")
    lake = Lake(Intake())
    with fed(lab, lake) as feed:
        lots, cursor = len(lake.kept), lake.cursor
        lab.time.sleep(60)
        feed.stop.clear()
        feed.intake = lake.intake = Intake()
        over = threading.Event()
        thread = threading.Thread(target=lake.run, args=(over,))
        thread.start()
        feed.run(cursor)
        over.set()
        thread.join(5)
    assert [lot.texts for lot in lake.kept[lots:]] == [()]
    assert lake.cursor != cursor


def test_pages_are_asked_for_while_others_are_on_their_way(open_lab: Open) -> None:
    lab = open_lab("okta")
    lab.changes["page_size"] = 5
    intake, stop = Intake(), threading.Event()
    feed = Feed("idp", lab.connector(), lab.wire, intake, lab.time.now, time.monotonic, stop)
    thread = threading.Thread(target=feed.run, args=(None,))
    thread.start()
    deadline = time.monotonic() + 5
    while intake.waiting < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    tickets = intake.take(1000, 1)
    assert [ticket.lot.cursor is None for ticket in tickets] == [False, True, True, True]
    stop.set()
    thread.join(3)
    assert not thread.is_alive()


def test_a_full_intake_is_waited_for(open_lab: Open) -> None:
    lab = open_lab("okta")
    lab.changes["page_size"] = 5
    lake = Lake(Intake(rows=1))
    with fed(lab, lake):
        assert due(lab) - lake.texts() == set()


def test_errors_are_told_and_got_over(open_lab: Open) -> None:
    lab = open_lab("okta")
    lab.vendor.faults.extend(["server_error"] * 15)
    lake = Lake(Intake())
    with fed(lab, lake, rounds=3) as feed:
        assert feed.state.failures == 3
        assert feed.pause_s == FIRST_WAIT_S * 4
        assert "503" in str(feed.state.last_error)
        assert feed.state.key_trouble is None
        feed.state.failures = 100
        assert feed.pause_s == LONGEST_WAIT_S
    with fed(lab, lake) as feed:
        assert feed.state.failures == 0
        assert due(lab) - lake.texts() == set()


def test_a_credential_that_fails_is_a_trouble_of_its_own(lab: Lab) -> None:
    right, lab.vendor.environment = lab.vendor.environment, dict.fromkeys(lab.vendor.environment, "wrong")
    with fed(lab, Lake(Intake())) as feed:
        assert feed.state.key_trouble
        assert "wrong" not in feed.state.key_trouble.lower().replace("wrong credentials", "")
    lab.vendor.environment = right
    with fed(lab, Lake(Intake())) as feed:
        assert feed.state.key_trouble is None


def test_a_stream_that_fails_is_a_trouble_until_it_works(open_lab: Open) -> None:
    lab = open_lab("graph")
    assert isinstance(lab.vendor, graph.Played)
    lab.vendor.has_p2 = False
    with fed(lab, Lake(Intake())) as feed:
        assert list(feed.state.troubles) == ["risks"]
        assert feed.state.last_ok_at is not None
    lab.vendor.has_p2 = True
    with fed(lab, Lake(Intake())) as feed:
        assert feed.state.troubles == {}


def test_what_the_vendor_forgot_is_noted(open_lab: Open) -> None:
    lab = open_lab("okta")
    lab.vendor.is_forgetful = True
    with fed(lab, Lake(Intake())) as feed:
        assert [(stream, "no longer knows" in text) for _, stream, text in feed.state.notes] == [("system_log", True)]


class Broken:
    """A connector with a mistake in it."""

    @property
    def streams(self) -> tuple[str, ...]:
        """One."""
        return ("log",)

    def start(self, since: object, until: object = None) -> Cursor:
        """Nowhere."""
        del since, until
        return {}

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """None."""
        del wire, cursor, now
        raise ZeroDivisionError("oops")

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """Nothing."""
        del wire, now
        return []


def test_a_mistake_of_ours_ends_no_thread_unseen() -> None:
    stop = threading.Event()
    feed = Feed("idp", Broken(), Wire(), Intake(), lambda: START, time.monotonic, stop, wait=lambda _: stop.set())
    feed.run(None)
    assert feed.state.last_error == "idp: unexpected: ZeroDivisionError: oops"


def test_a_feed_that_waits_for_the_vendor_stops_at_once(open_lab: Open) -> None:
    lab = open_lab("okta")
    lab.vendor.faults.extend(["retry_after"] * 100)
    stop = threading.Event()
    lab.wire.sleep = pausing(stop)
    feed = Feed("idp", lab.connector(), lab.wire, Intake(), lab.time.now, time.monotonic, stop)
    thread = threading.Thread(target=feed.run, args=(None,))
    thread.start()
    time.sleep(0.2)
    begun = time.monotonic()
    stop.set()
    thread.join(3)
    assert not thread.is_alive()
    assert time.monotonic() - begun < 1


def test_a_sleep_that_nobody_ends_is_a_sleep() -> None:
    stop = threading.Event()
    pausing(stop)(0.001)
    stop.set()
    with pytest.raises(StoppedError):
        pausing(stop)(100)


def test_an_error_of_the_vendor_says_how_long_to_wait(open_lab: Open) -> None:
    lab = open_lab("okta")
    stop = threading.Event()

    class Busy(Broken):
        def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
            del wire, cursor, now
            raise WireError("GET: answered 429", 429, 1800.0)

    feed = Feed("idp", Busy(), lab.wire, Intake(), lab.time.now, time.monotonic, stop, wait=lambda _: stop.set())
    feed.run(None)
    assert feed.pause_s == 1800
    assert isinstance(StoppedError("stopped"), UnbiddenError)
