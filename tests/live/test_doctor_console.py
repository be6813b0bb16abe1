"""What the doctor says of the console: a desk with people, a certificate, proxies, and a provider of single sign-on, each of them real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.access.provider import Idp
from tests.access.serving import served
from tests.live.test_doctor import NOW, Place, free_port
from unbidden.desk import Desk
from unbidden.desk.accounts import Account, Passkey
from unbidden.desk.chain import Deed

BY = Deed("eve", NOW)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with a desk in which nobody has an account."""
    found = Place(tmp_path)
    found.fill()
    configured(found)
    return found


def configured(place: Place, more: str = "") -> None:
    place.configure(f"[console]\nport = {free_port()}\n{more}")


def said(place: Place, level: str) -> list[str]:
    """What is said of the console at a level."""
    return [check.finding.text for check in place.look() if "console" in check.part and check.finding.level == level]


def desk(place: Place) -> Desk:
    return Desk.open(f"sqlite:///{place.folder}/unbidden-desk.db")


def made(place: Place, name: str, role: str = "admin", password: str | None = "hash") -> Account:  # noqa: S107 - it is no hash of any
    with desk(place) as found:
        return found.accounts.make(name, role, BY, password=password)


def test_while_nobody_can_sign_in_it_says_so_and_whether_a_link_is_open(place: Place) -> None:
    assert said(place, "warning") == ["nobody can sign in yet"]
    with desk(place) as found:
        found.visits.put("x", "set-up", {}, datetime.now(UTC), timedelta(hours=1))
    [warned] = said(place, "warning")
    assert "a set-up link is open until" in warned
    (place.folder / "unbidden-desk.db").unlink()
    assert said(place, "warning") == ["nobody can sign in yet"]
    assert not (place.folder / "unbidden-desk.db").exists()


def test_who_can_sign_in_is_counted(place: Place) -> None:
    made(place, "bo", "viewer")
    made(place, "invited", password=None)
    assert said(place, "problem") == ["no admin can sign in: accounts can be neither made nor changed"]
    ana = made(place, "ana")
    assert (said(place, "problem"), said(place, "warning")) == ([], [])
    assert any("2 of 3 accounts can sign in, 1 of them as admin" in text for text in said(place, "fine"))
    configured(place, 'public_url = "https://soc.example.com"\n')
    assert said(place, "warning") == ["a password alone lets an admin in: ana"]
    with desk(place) as found:
        found.accounts.add_passkey(Passkey("k", ana.id, "key", "x", 0, NOW, None), BY)
    assert said(place, "warning") == []


def test_console_that_is_switched_off_is_not_looked_at(place: Place) -> None:
    configured(place, "enabled = false\n")
    assert said(place, "fine") == ["it is switched off"]


@pytest.mark.parametrize(
    ("days", "name", "problems"), [(90, "soc.example.com", 0), (90, "*.example.com", 0), (90, "other.example.com", 1), (-1, "soc.example.com", 1)]
)
def test_its_certificate_is_looked_at(place: Place, days: int, name: str, problems: int) -> None:
    made(place, "ana")
    issued = trustme.CA().issue_cert(name, not_before=NOW - timedelta(days=200), not_after=NOW + timedelta(days=days))
    (place.folder / "cert.pem").write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    (place.folder / "key.pem").touch(0o600)
    (place.folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    configured(place, 'address = "0.0.0.0"\ncertificate = "cert.pem"\nkey = "key.pem"\npublic_url = "https://soc.example.com"\n')
    found = said(place, "problem")
    assert len(found) == problems, found
    assert any("it says port 443, and the server listens at" in text for text in said(place, "warning"))


@pytest.mark.parametrize(
    ("proxies", "problems"), [('["192.0.2.1", "192.0.2.0/24", "2001:db8::/64"]', 0), ('["0.0.0.0/0"]', 1), ('["::/0"]', 1), ('["10.0.0.0/8"]', 1)]
)
def test_proxies_are_no_whole_networks(place: Place, proxies: str, problems: int) -> None:
    made(place, "ana")
    configured(place, f'address = "0.0.0.0"\ntrusted_proxies = {proxies}\npublic_url = "https://soc.example.com"\n')
    assert len(said(place, "problem")) == problems
    assert any("may speak to 0.0.0.0" in text for text in said(place, "fine"))


def test_provider_of_single_sign_on_is_asked(place: Place) -> None:
    made(place, "ana")
    idp = Idp({})
    with served(idp.app()) as port:
        idp.issuer = f"http://localhost:{port}"
        table = f'public_url = "https://soc.example.com"\n[console.oidc]\nissuer = "{idp.issuer}"\nclient_id = "a"\nclient_secret = "env:OIDC"\n'
        configured(place, table)
        assert any("its secret cannot be read" in text for text in said(place, "problem"))
        place.environment["OIDC"] = "secret-of-a-client"
        assert said(place, "problem") == []
        assert any("answers, with 1 key; the place to come back to is https://soc.example.com/sign-in/single/back" in text for text in said(place, "fine"))
        configured(place, f"{table}make_accounts = true\n")
        assert "make_accounts makes none: nobody has a role" in said(place, "warning")
        idp.lying.metadata["jwks_uri"] = "http://evil.example/keys"
        assert any("jwks_uri is not to be used" in text for text in said(place, "problem"))
    configured(place, table)
    [away] = said(place, "problem")
    assert "the provider cannot be asked" in away
    assert "secret-of-a-client" not in away
