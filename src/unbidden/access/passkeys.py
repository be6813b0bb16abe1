"""Passkeys (WebAuthn): made and used with the user verified by the device, so that one is two factors by itself.

A challenge is bound to the browser that asked for it, holds for five minutes, and is used once. The counter of a passkey has to rise, where it counts at
all: one that does not may be a copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, PublicKeyCredentialDescriptor, ResidentKeyRequirement, UserVerificationRequirement

from unbidden.access.porter import Guest, Porter
from unbidden.access.secrecy import digest_of
from unbidden.desk.accounts import Account, AccountError, Passkey

_LASTS = timedelta(minutes=5)
_MOST = 20
_MAKE, _USE = "passkey-make", "passkey-use"
Credential = Mapping[str, Any]


class PasskeyError(Exception):
    """A passkey's answer that is refused; the text is for the audit trail and for people, and says nothing secret."""


def ask_to_make(porter: Porter, guest: Guest, account: Account) -> dict[str, Any]:
    """What the browser is asked with to make a passkey for an account."""
    known = porter.desk.accounts.passkeys(account.id)
    if len(known) >= _MOST:
        raise PasskeyError(f"there are {_MOST} passkeys already; remove one first")
    options = generate_registration_options(
        rp_id=_relying(porter, guest),
        rp_name=porter.title,
        user_name=account.name,
        user_id=account.id.encode(),
        exclude_credentials=_described(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    _keep(porter, guest, _MAKE, options.challenge, account.id)
    return _plain(options_to_json(options))


def make(porter: Porter, guest: Guest, account: Account, name: str, answer: Credential) -> Passkey:
    """The passkey that the browser made, put down. Raises PasskeyError when it is not what was asked for."""
    challenge, _ = _kept(porter, guest, _MAKE, account.id)
    try:
        _refuse_frames(answer)
        made = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=_relying(porter, guest),
            expected_origin=porter.names.origin(guest.host),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyError(f"the passkey was not taken: {type(error).__name__}") from error
    shown = " ".join("".join(filter(str.isprintable, name)).split())[:60] or "passkey"
    found = Passkey(
        bytes_to_base64url(made.credential_id), account.id, shown, bytes_to_base64url(made.credential_public_key), made.sign_count, porter.clock(), None
    )
    try:
        porter.desk.accounts.add_passkey(found, porter.deed(account.name))
    except AccountError as error:
        raise PasskeyError(str(error)) from error
    return found


def ask_to_use(porter: Porter, guest: Guest, account: Account | None) -> dict[str, Any]:
    """What the browser is asked with to sign in: by a passkey of an account, or by any that it has."""
    known = porter.desk.accounts.passkeys(account.id) if account is not None else []
    options = generate_authentication_options(
        rp_id=_relying(porter, guest), allow_credentials=_described(known), user_verification=UserVerificationRequirement.REQUIRED
    )
    _keep(porter, guest, _USE, options.challenge, account.id if account is not None else None)
    return _plain(options_to_json(options))


def use(porter: Porter, guest: Guest, answer: Credential) -> tuple[Account, bool]:
    """Who signed in, and whether they were asked for by name. Raises PasskeyError when the answer is not what was asked for."""
    challenge, wanted = _kept(porter, guest, _USE)
    passkey = porter.desk.accounts.passkey(str(answer.get("id", "")))
    account = porter.desk.accounts.of_id(passkey.account_id) if passkey is not None else None
    if passkey is None or account is None or wanted not in {None, account.id}:
        raise PasskeyError("this passkey is not known here")
    try:
        _refuse_frames(answer)
        _refuse_others(answer, account)
        used = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=_relying(porter, guest),
            expected_origin=porter.names.origin(guest.host),
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        why = "its counter did not rise, so it may be a copy" if "sign count" in str(error) else type(error).__name__
        porter.note("-", "passkey refused", account.name, why=why, network=guest.network)
        raise PasskeyError(f"the passkey was not taken: {why}") from error
    if account.disabled_at is not None or not porter.desk.accounts.use_passkey(passkey.id, passkey.sign_count, used.new_sign_count, porter.clock()):
        raise PasskeyError("this passkey is not known here")
    return account, wanted is not None


def _relying(porter: Porter, guest: Guest) -> str:
    return urlsplit(porter.names.origin(guest.host)).hostname or ""


def _described(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in known]


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text)
    return found


def _place(guest: Guest, kind: str) -> str:
    return digest_of(f"{kind} {guest.browser}")


def _keep(porter: Porter, guest: Guest, kind: str, challenge: bytes, account_id: str | None) -> None:
    told = {"challenge": bytes_to_base64url(challenge), "account": account_id}
    porter.desk.visits.put(_place(guest, kind), kind, told, porter.clock(), _LASTS)


def _kept(porter: Porter, guest: Guest, kind: str, account_id: str | None = None) -> tuple[bytes, str | None]:
    found = porter.desk.visits.take(_place(guest, kind), kind, porter.clock()) if guest.browser else None
    if found is None or (account_id is not None and found["account"] != account_id):
        raise PasskeyError("it took too long; try again")
    return base64url_to_bytes(found["challenge"]), found["account"]


def _refuse_frames(answer: Credential) -> None:
    """Our pages are in no frame of others, so an answer that was given in one is not ours."""
    if parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])).cross_origin:
        raise ValueError("it was asked for in a frame of another site")


def _refuse_others(answer: Credential, account: Account) -> None:
    handle = answer["response"].get("userHandle")
    if handle and base64url_to_bytes(handle) != account.id.encode():
        raise ValueError("the passkey names another account")
