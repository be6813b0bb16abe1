"""Accounts and visits on both kinds of desk: what is whole or not at all, and what only one of many gets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.desk.fixtures import AT
from unbidden.desk import Desk, DeskError
from unbidden.desk.accounts import Account, AccountError, Passkey
from unbidden.desk.chain import Deed
from unbidden.desk.visits import Session

HOUR = timedelta(hours=1)
BY = Deed("eve", AT)


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
    made = outcomes(lambda _: desk.accounts.make("ana", "admin", BY))
    assert len([one for one in made if isinstance(one, Account)]) == 1
    assert desk.accounts.count() == 1


def test_a_set_up_link_makes_one_account(desk: Desk) -> None:
    desk.visits.put("link", "set-up", {}, AT, HOUR, alone=True)
    made = outcomes(lambda which: desk.accounts.make_first(f"person{which}", BY, "hash", "link"))
    assert len([one for one in made if isinstance(one, Account)]) == desk.accounts.count() == 1


def test_two_admins_cannot_disable_each_other_at_once(desk: Desk) -> None:
    people = [desk.accounts.make(f"person{number}", "admin", BY) for number in range(4)]
    outcomes(lambda which: desk.accounts.disable(people[which].id, BY), 4)
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
    ana = desk.accounts.make("ana", "admin", BY)
    desk.accounts.add_passkey(Passkey("k", ana.id, "key", "x", 7, AT, None), BY)
    assert sorted(map(bool, outcomes(lambda _: desk.accounts.use_passkey("k", 7, 8, AT)))) == [False] * 7 + [True]
    with pytest.raises(AccountError, match="known already"):
        desk.accounts.add_passkey(Passkey("k", ana.id, "key", "x", 0, AT, None), BY)
    assert not desk.accounts.remove_passkey(desk.accounts.make("bo", "viewer", BY, password="h").id, "k", BY)  # noqa: S106 - it is no hash of any
    with pytest.raises(AccountError, match="only way"):
        desk.accounts.remove_passkey(ana.id, "k", BY)
    desk.accounts.link(ana.id, "issuer sub", BY)
    assert desk.accounts.remove_passkey(ana.id, "k", BY)
    found = desk.accounts.of_subject("issuer sub")
    assert found is not None
    assert found.passkeys == 0


def test_what_has_expired_is_put_away(desk: Desk) -> None:
    ana = desk.accounts.make("ana", "admin", BY)
    for number, (created, used) in enumerate([(0, 0), (-9, 0), (-2, -1)]):
        desk.visits.begin(Session(str(number), ana.id, AT + created * HOUR, AT + used * HOUR, "", "", "password"), None)
    desk.visits.put("x", "single", {}, AT - HOUR, HOUR)
    assert desk.visits.sweep(AT, HOUR, 9 * HOUR) == 3
    assert [one.digest for one in desk.visits.sessions(ana.id)] == ["0"]
    desk.visits.touch("0", AT + HOUR)
    desk.visits.touch("0", AT)
    assert desk.visits.sessions(ana.id)[0].used_at == AT + HOUR
    desk.accounts.make("bo", "admin", BY)
    desk.accounts.disable(ana.id, BY)
    assert desk.visits.session("0") is None


def test_tokens(desk: Desk) -> None:
    made = desk.visits.make_token("soar", "d", ["triage", "read"], Deed("ana", AT), AT + HOUR)
    assert desk.visits.token("d") == made
    with pytest.raises(AccountError, match="already"):
        desk.visits.make_token("soar", "e", ["read"], BY, None)
    desk.visits.touch_token(made.id, AT)
    gone = desk.visits.revoke(made.id, BY)
    assert gone is not None
    assert (gone.used_at, gone.revoked_at) == (AT, AT)
    assert desk.visits.revoke(made.id, BY) is None
    assert desk.visits.token("d") is None
    assert desk.visits.make_token("soar", "e", ["read"], BY, None).expires_at is None


Work = Callable[[Desk, Account, str], object]
DEEDS: dict[str, Work] = {
    "account made": lambda desk, _, __: desk.accounts.make("new", "viewer", BY),
    "role changed": lambda desk, bo, _: desk.accounts.change_role(bo.id, "analyst", BY),
    "account disabled": lambda desk, bo, _: desk.accounts.disable(bo.id, BY),
    "account enabled": lambda desk, bo, _: desk.accounts.enable(bo.id, BY),
    "password set": lambda desk, bo, _: desk.accounts.set_password(bo.id, "other", BY, link="link"),
    "account tied": lambda desk, bo, _: desk.accounts.link(bo.id, "issuer sub", BY),
    "passkey added": lambda desk, bo, _: desk.accounts.add_passkey(Passkey("new", bo.id, "key", "x", 0, AT, None), BY),
    "passkey removed": lambda desk, bo, _: desk.accounts.remove_passkey(bo.id, "k", BY),
    "passkeys removed": lambda desk, bo, _: desk.accounts.remove_passkeys(bo.id, BY),
    "password link made": lambda desk, bo, _: desk.visits.invite("other", bo.id, BY, HOUR),
    "signed in": lambda desk, bo, _: desk.visits.begin(Session("new", bo.id, AT, AT, "", "", "password"), BY, "s"),
    "signed out": lambda desk, bo, _: desk.visits.sign_out("s", bo.id, BY),
    "session ended": lambda desk, bo, _: desk.visits.end("s", bo.id, BY),
    "sessions ended": lambda desk, bo, _: desk.visits.end_all(bo.id, BY),
    "token made": lambda desk, _, __: desk.visits.make_token("new", "e", ["read"], BY, None),
    "token revoked": lambda desk, _, token: desk.visits.revoke(token, BY),
}  # fmt: skip


def everything(desk: Desk, bo: Account) -> object:
    """All that a desk has of accounts."""
    waiting = [desk.visits.look(digest, "invitation", AT) for digest in ("link", "other")]
    return desk.accounts.people(), desk.accounts.passkeys(bo.id), desk.visits.sessions(bo.id), desk.visits.tokens(), waiting, len(desk.deeds())


@pytest.mark.parametrize("what", DEEDS)
def test_what_cannot_be_noted_is_not_done(desk: Desk, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.accounts.make("ana", "admin", BY)
    bo = desk.accounts.make("bo", "viewer", BY, password="h")  # noqa: S106 - it is no hash of any
    desk.accounts.add_passkey(Passkey("k", bo.id, "key", "x", 0, AT, None), BY)
    desk.visits.begin(Session("s", bo.id, AT, AT, "", "", "password"), None)
    desk.visits.invite("link", bo.id, BY, HOUR)
    token = desk.visits.make_token("soar", "d", ["read"], BY, None)
    if what == "account enabled":
        desk.accounts.disable(bo.id, BY)
    before, noted = everything(desk, bo), len(desk.deeds())
    with monkeypatch.context() as patch:
        patch.setattr("unbidden.desk.chain.append", _away)
        with pytest.raises(DeskError):
            DEEDS[what](desk, bo, token.id)
    assert everything(desk, bo) == before
    DEEDS[what](desk, bo, token.id)
    deeds = desk.deeds()
    assert (len(deeds), deeds[0]["who"], deeds[0]["what"]) == (noted + 1, "eve", what)
    assert desk.verify_audit().is_whole


def _away(*_: object) -> None:
    raise DeskError("the desk: away")
