"""Whatever is sent, nothing breaks: passkeys' answers, headers, and paths to go on to."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn.helpers import bytes_to_base64url, encode_cbor

from tests.access.house import AT, House, house
from unbidden.access import passkeys
from unbidden.access.names import Names, host_of, own_path
from unbidden.access.passkeys import PasskeyError
from unbidden.access.passwords import name_of
from unbidden.access.porter import Guest
from unbidden.access.settings import ConsoleSettings
from unbidden.access.throttle import network_of
from unbidden.desk.accounts import AccountError, Passkey

GUEST = Guest("192.0.2.1", "x", "localhost:8080", "secret of a browser")
ID = bytes_to_base64url(b"one")
encoded = st.binary(max_size=200).map(bytes_to_base64url)
parts = st.one_of(st.binary(max_size=90), st.text(max_size=9), st.integers())
objects = st.dictionaries(st.sampled_from(["fmt", "authData", "attStmt"]), parts).map(encode_cbor).map(bytes_to_base64url)
words = st.sampled_from(["id", "rawId", "response", "type", "clientDataJSON"])
leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=8)
# A key of COSE (EC2, ES256, P-256) whose point is on no curve, and others that are no key at all.
KEY = bytes.fromhex("a5010203262001215820" + "11" * 32 + "225820" + "22" * 32)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("fuzz")) as found:
        account = found.person()
        found.porter.desk.accounts.add_passkey(Passkey(ID, account.id, "key", bytes_to_base64url(KEY), 0, AT, None), found.by)
        yield found


def told(asked: dict[str, Any], kind: str) -> str:
    return bytes_to_base64url(orjson.dumps({"type": kind, "challenge": asked["challenge"], "origin": "http://localhost:8080"}))


@given(data=st.one_of(encoded, st.binary(min_size=37, max_size=300).map(bytes_to_base64url)), signature=encoded, flags=st.integers(0, 255))
@settings(max_examples=150)
def test_no_answer_of_a_passkey_breaks_anything(rooms: House, data: str, signature: str, flags: int) -> None:
    head = sha256(b"localhost").digest() + bytes([flags]) + bytes(4)
    for authenticator in (data, bytes_to_base64url(head)):
        asked = passkeys.ask_to_use(rooms.porter, GUEST, None)
        answer = {"clientDataJSON": told(asked, "webauthn.get"), "authenticatorData": authenticator, "signature": signature}
        with pytest.raises(PasskeyError):
            passkeys.use(rooms.porter, GUEST, {"id": ID, "rawId": ID, "type": "public-key", "response": answer})


@given(data=st.one_of(encoded, objects))
@settings(max_examples=150)
def test_nothing_that_is_to_be_a_passkey_breaks_anything(rooms: House, data: str) -> None:
    account = rooms.porter.desk.accounts.named("ana")
    assert account is not None
    asked = passkeys.ask_to_make(rooms.porter, GUEST, account)
    answer = {"clientDataJSON": told(asked, "webauthn.create"), "attestationObject": data}
    with pytest.raises(PasskeyError):
        passkeys.make(rooms.porter, GUEST, account, "x", {"id": ID, "rawId": ID, "type": "public-key", "response": answer})


@given(answer=st.dictionaries(st.sampled_from(["id", "rawId", "type", "response"]), values))
@settings(max_examples=100)
def test_no_json_breaks_anything(rooms: House, answer: dict[str, Any]) -> None:
    passkeys.ask_to_use(rooms.porter, GUEST, None)
    with pytest.raises(PasskeyError):
        passkeys.use(rooms.porter, GUEST, {**answer, "id": ID})


@given(text=st.text(alphabet=st.sampled_from("/\\.:@?#%ae\t\n x5cf"), max_size=12))
def test_wherever_one_goes_on_to_it_is_here(text: str) -> None:
    path = own_path(text)
    here = urlsplit(urljoin("http://localhost:8080/sign-in", path))
    assert (here.scheme, here.netloc) == ("http", "localhost:8080")
    assert path.startswith("/")
    assert path[1:2] not in {"/", "\\"}


@given(header=st.text(max_size=30))
def test_headers_are_read_or_not(header: str) -> None:
    names = Names(ConsoleSettings(trusted_proxies=("192.0.2.0/24",), public_url="https://soc.example.com"))
    assert not names.is_own(header) or host_of(header) in {"soc.example.com", "localhost"} or host_of(header).startswith(("127.", "::1"))
    assert network_of(names.caller("192.0.2.1", {"x-forwarded-for": header}))


@given(text=st.text(max_size=20))
def test_a_name_has_one_spelling_or_is_none(text: str) -> None:
    try:
        found = name_of(text)
    except AccountError:
        return
    assert name_of(found) == found
