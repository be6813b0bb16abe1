"""Accounts and visits on both kinds of desk: what is whole or not at all, and what only one of many gets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.desk.fixtures import AT
from unbidden.desk import Desk
from unbidden.desk.accounts import Account, AccountError, Passkey
from unbidden.desk.visits import Session

HOUR = timedelta(hours=1)


def outcomes(work: Callable[[int], object], number: int = 8) -> list[object]:
    """What comes of doing something many times at once."""

    def tried(which: int) -> object:
        try:
            return work(which)
        except AccountError:
            return None

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(tried, range(number)))


def test_a_name_is_given_once(desk: Desk) -> None:
    made = outcomes(lambda _: desk.accounts.make("ana", "admin", AT))
    assert len([one for one in made if isinstance(one, Account)]) == 1
    assert desk.accounts.count() == 1


def test_a_set_up_link_makes_one_account(desk: Desk) -> None:
    desk.visits.put("link", "set-up", {}, AT, HOUR, alone=True)
    made = outcomes(lambda which: desk.accounts.make_first(f"person{which}", AT, "hash", "link"))
    assert len([one for one in made if isinstance(one, Account)]) == desk.accounts.count() == 1


def test_two_admins_cannot_disable_each_other_at_once(desk: Desk) -> None:
    people = [desk.accounts.make(f"person{number}", "admin", AT) for number in range(4)]
    outcomes(lambda which: desk.accounts.disable(people[which].id, AT), 4)
    assert len([one for one in desk.accounts.people() if one.disabled_at is None]) == 1


def test_a_first_half_is_taken_once_and_in_time(desk: Desk) -> None:
    desk.visits.put("x", "single", {"nonce": "n"}, AT, HOUR)
    assert desk.visits.look("x", "single", AT) == {"nonce": "n"}
    assert desk.visits.take("x", "second", AT) is None
    assert sorted(map(str, outcomes(lambda _: desk.visits.take("x", "single", AT), 4))) == ["None"] * 3 + ["{'nonce': 'n'}"]
    desk.visits.put("y", "single", {}, AT, HOUR)
    assert desk.visits.look("y", "single", AT + HOUR) is None
    assert desk.visits.take("y", "single", AT + HOUR) is None


def test_a_counter_is_moved_once(desk: Desk) -> None:
    ana = desk.accounts.make("ana", "admin", AT)
    desk.accounts.add_passkey(Passkey("k", ana.id, "key", "x", 7, AT, None))
    assert sorted(map(bool, outcomes(lambda _: desk.accounts.use_passkey("k", 7, 8, AT)))) == [False] * 7 + [True]
    with pytest.raises(AccountError, match="known already"):
        desk.accounts.add_passkey(Passkey("k", ana.id, "key", "x", 0, AT, None))
    assert not desk.accounts.remove_passkey(desk.accounts.make("bo", "viewer", AT, password="h").id, "k")  # noqa: S106 - it is no hash of any
    with pytest.raises(AccountError, match="only way"):
        desk.accounts.remove_passkey(ana.id, "k")
    desk.accounts.link(ana.id, "issuer sub")
    assert desk.accounts.remove_passkey(ana.id, "k")
    found = desk.accounts.of_subject("issuer sub")
    assert found is not None
    assert found.passkeys == 0


def test_what_has_expired_is_put_away(desk: Desk) -> None:
    ana = desk.accounts.make("ana", "admin", AT)
    for number, (created, used) in enumerate([(0, 0), (-9, 0), (-2, -1)]):
        desk.visits.begin(Session(str(number), ana.id, AT + created * HOUR, AT + used * HOUR, "", "", "password"))
    desk.visits.put("x", "single", {}, AT - HOUR, HOUR)
    assert desk.visits.sweep(AT, HOUR, 9 * HOUR) == 3
    assert [one.digest for one in desk.visits.sessions(ana.id)] == ["0"]
    desk.visits.touch("0", AT + HOUR)
    desk.visits.touch("0", AT)
    assert desk.visits.sessions(ana.id)[0].used_at == AT + HOUR
    desk.accounts.make("bo", "admin", AT)
    desk.accounts.disable(ana.id, AT)
    assert desk.visits.session("0") is None


def test_tokens(desk: Desk) -> None:
    made = desk.visits.make_token("soar", "d", ["triage", "read"], "ana", AT, AT + HOUR)
    assert desk.visits.token("d") == made
    with pytest.raises(AccountError, match="already"):
        desk.visits.make_token("soar", "e", ["read"], "ana", AT, None)
    desk.visits.touch_token(made.id, AT)
    gone = desk.visits.revoke(made.id, AT)
    assert gone is not None
    assert (gone.used_at, gone.revoked_at) == (AT, AT)
    assert desk.visits.revoke(made.id, AT) is None
    assert desk.visits.token("d") is None
    assert desk.visits.make_token("soar", "e", ["read"], "ana", AT, None).expires_at is None
