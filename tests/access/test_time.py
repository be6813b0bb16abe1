"""What depends on time: the end of sessions, and how long who guesses waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.access.house import AT, OTHER, PASSWORD, House
from unbidden.access.sessions import is_over
from unbidden.access.throttle import Throttle, network_of

seconds = st.integers(0, 200_000).map(lambda number: timedelta(seconds=number))
steps = st.lists(st.tuples(st.sampled_from(["ana", "bo"]), st.sampled_from(["192.0.2.1", "192.0.2.2"]), seconds), max_size=60)


@given(steps=st.lists(seconds, max_size=20), idle=seconds, absolute=seconds)
def test_a_session_is_over_once_it_was_idle_or_old_and_stays_over(steps: list[timedelta], idle: timedelta, absolute: timedelta) -> None:
    now = used_at = AT
    for step in steps:
        now += step
        is_ended = is_over(AT, used_at, now, idle, absolute)
        assert is_ended == (now - used_at >= idle or now - AT >= absolute)
        if is_ended:
            assert is_over(AT, used_at, now + step, idle, absolute)
            return
        used_at = now


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(open_house: House) -> None:
    open_house.person()
    browser, hand = open_house.browser(), open_house.hand
    browser.sign_in()
    for _ in range(11):
        hand.pass_by(seconds=3599)
        assert browser.get("/").status_code == 200
    hand.pass_by(seconds=3600)
    assert browser.get("/").status_code == 303
    browser.sign_in()
    for _ in range(23):
        hand.pass_by(minutes=31)
        assert browser.get("/").status_code == 200
    hand.pass_by(minutes=7)
    assert browser.get("/").status_code == 303
    open_house.browser().sign_in()
    account = open_house.porter.desk.accounts.named("ana")
    assert account is not None
    assert len(open_house.porter.desk.visits.sessions(account.id)) == 1


def test_a_page_that_is_left_open_keeps_no_session_alive(open_house: House) -> None:
    open_house.person()
    browser, hand = open_house.browser(), open_house.hand
    browser.sign_in()
    for _ in range(4):
        hand.pass_by(minutes=15)
        browser.get("/v1/stream")
    assert browser.get("/").status_code == 303


def test_what_changes_how_one_signs_in_needs_a_sign_in_of_late(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/settings/people")
    open_house.hand.pass_by(minutes=15)
    answer = browser.post("/settings/people", name="eve", role="admin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/settings/people")
    assert browser.client.post("/account/passkeys/begin", headers={"X-CSRF-Token": browser.csrf}).status_code == 303
    assert open_house.porter.desk.accounts.count() == 1


@given(steps=steps)
def test_nobody_can_make_others_wait(steps: list[tuple[str, str, timedelta]]) -> None:
    """However much is guessed from elsewhere, the owner's own first try at their own network is free."""
    throttle, now = Throttle(), AT
    for name, network, step in steps:
        now += step / 1000
        throttle.begin(name, network, now)
    assert throttle.begin("ana", "198.51.100.1", now) == timedelta()


@given(gaps=st.lists(seconds.map(lambda step: step / 100), max_size=80))
def test_who_guesses_waits_longer_each_time_and_never_for_long(gaps: list[timedelta]) -> None:
    throttle, now, looked_at = Throttle(), AT, 0
    for gap in gaps:
        now += gap
        wait = throttle.begin("ana", "192.0.2.1", now)
        looked_at += wait == timedelta()
        assert timedelta() <= wait <= timedelta(minutes=15)
        assert throttle.begin("ana", "192.0.2.1", now + wait + timedelta(hours=1)) == timedelta() if gap == gaps[-1] else True
    assert looked_at <= 5 + sum(gap >= timedelta(seconds=1) for gap in gaps) + sum(gaps, timedelta()) / timedelta(seconds=1)


def test_an_hour_of_guessing_is_few_guesses() -> None:
    throttle = Throttle()
    tried = [second for second in range(3600) if throttle.begin("ana", "192.0.2.1", AT + timedelta(seconds=second)) == timedelta()]
    assert len(tried) <= 20
    names = [second for second in range(3600) if throttle.begin(f"person{second}", "192.0.2.9", AT + timedelta(seconds=second)) == timedelta()]
    assert len(names) <= 30 + 66


def test_guesses_at_the_same_time_gain_nothing() -> None:
    throttle = Throttle()
    assert sum(throttle.begin("ana", "192.0.2.1", AT) == timedelta() for _ in range(100)) == 5


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(most=100)
    for number in range(1000):
        throttle.begin(f"name{number}", f"2001:db8:{number:x}::/64", AT)
    assert len(throttle) <= 100


def test_the_one_who_knows_the_password_is_not_kept_out_by_one_who_does_not(open_house: House) -> None:
    open_house.person()
    thief = open_house.browser("198.51.100.66")
    answers = [thief.sign_in(password=f"wrong {number} wrong") for number in range(8)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert thief.sign_in(password=PASSWORD).status_code == 429
    assert open_house.browser("192.0.2.7").sign_in().status_code == 303
    open_house.hand.pass_by(seconds=2)
    assert thief.sign_in(password=PASSWORD).status_code == 303
    assert [thief.sign_in(password=OTHER).status_code for _ in range(5)] == [403] * 5


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1:2", "2001:db8::/64"), ("::ffff:192.0.2.1", "192.0.2.1"), ("", "unknown"), ("x; DROP", "unknown")],
)
def test_what_one_person_has_of_addresses(address: str, network: str) -> None:
    assert network_of(address) == network
