"""Entry: the ways to sign in, and what comes of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from unbidden.access import passkeys
from unbidden.access.oidc import OidcError, Person
from unbidden.access.passwords import BusyError, name_of, refuse_if_weak
from unbidden.access.porter import Guest, Porter
from unbidden.access.secrecy import digest_of, fresh
from unbidden.desk.accounts import Account, AccountError

_HALF, _AWAY = timedelta(minutes=5), timedelta(minutes=10)
_SECOND, _SINGLE = "second", "single"
SINGLE = "single sign-on"
WRONG = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody signed in. `secret` goes into the cookie of the session; `goes_to` is a path of ours."""

    account: Account
    secret: str
    goes_to: str = "/"


@dataclass(frozen=True, slots=True)
class HalfWay:
    """The password was right, and a passkey is needed too."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Nobody signed in; `why` is for people. With `wait_s` it was not even looked whether the password is right."""

    why: str
    status: int = 403
    wait_s: int = 0


Outcome: TypeAlias = Entered | HalfWay | Declined


def by_password(porter: Porter, guest: Guest, name: str, password: str) -> Outcome:
    """What comes of a name and a password. It takes as long, and says the same, for names that there are and names that there are not."""
    try:
        known = name_of(name)
    except AccountError:
        known = "-"
    now = porter.clock()
    if wait := porter.throttle.begin(known, guest.network, now):
        return _patience(wait)
    account = porter.desk.accounts.named(known)
    try:
        is_right = porter.passwords.is_right(account, password)
    except BusyError as error:
        return Declined(str(error), 503, 5)
    if account is None or not is_right or account.disabled_at is not None:
        why = "there is no such name" if account is None else "the account is disabled" if is_right else "wrong password"
        # Of a name that nobody has, too, without the name: it would take less time otherwise, and some type their password there.
        porter.note("-", "sign-in refused", account.name if account is not None else "-", why=why, network=guest.network)
        return Declined(WRONG)
    porter.throttle.succeed(known, guest.network, now)
    if (anew := porter.passwords.anew(account, password)) is not None and account.password is not None:
        porter.desk.accounts.rehash(account.id, account.password, anew)
    if account.passkeys:
        porter.desk.visits.put(_place(guest, _SECOND), _SECOND, {"account": account.id}, now, _HALF)
        return HalfWay()
    return _entered(porter, guest, account, "password")


def half_way(porter: Porter, guest: Guest) -> Account | None:
    """Whose password this browser knew a moment ago; None for nobody's."""
    found = porter.desk.visits.look(_place(guest, _SECOND), _SECOND, porter.clock()) if guest.browser else None
    return porter.desk.accounts.of_id(found["account"]) if found else None


def ask_for_passkey(porter: Porter, guest: Guest) -> dict[str, Any] | Declined:
    """What the browser is asked with: for a passkey of whose password was right, else for any."""
    if not guest.browser:
        return Declined("This page is out of date: open it again.")
    if wait := porter.throttle.begin("passkey:", guest.network, porter.clock()):
        return _patience(wait)
    return passkeys.ask_to_use(porter, guest, half_way(porter, guest))


def by_passkey(porter: Porter, guest: Guest, answer: Mapping[str, Any]) -> Outcome:
    """What comes of a passkey's answer."""
    try:
        account, is_second = passkeys.use(porter, guest, answer)
    except passkeys.PasskeyError as error:
        return Declined(str(error))
    porter.throttle.succeed("passkey:", guest.network, porter.clock())
    porter.desk.visits.take(_place(guest, _SECOND), _SECOND, porter.clock())
    return _entered(porter, guest, account, "password and passkey" if is_second else "passkey")


def to_provider(porter: Porter, guest: Guest, goes_to: str) -> str | Declined:
    """Where to send the browser to sign in at the provider."""
    if porter.provider is None or not guest.browser:
        return Declined("Single sign-on is not set up here.", 404)
    if wait := porter.throttle.begin("single:", guest.network, porter.clock()):
        return _patience(wait)
    state, nonce, verifier = fresh(), fresh(), fresh()
    try:
        url = porter.provider.start(_redirect(porter, guest), state, nonce, verifier)
    except OidcError as error:
        return _failed(porter, error)
    told = {"nonce": nonce, "verifier": verifier, "next": goes_to, "browser": digest_of(guest.browser)}
    porter.desk.visits.put(digest_of(state), _SINGLE, told, porter.clock(), _AWAY)
    return url


def from_provider(porter: Porter, guest: Guest, told: Mapping[str, str]) -> Outcome:
    """What comes of the browser's return from the provider."""
    begun = porter.desk.visits.take(digest_of(told.get("state", "")), _SINGLE, porter.clock())
    if porter.provider is None or begun is None or not guest.browser or begun["browser"] != digest_of(guest.browser):
        return Declined("This sign-in was not begun here, or it took too long. Try again.")
    if not porter.provider.is_issuer(told.get("iss")) or not told.get("code"):
        return Declined("The provider did not let you in.")
    try:
        person = porter.provider.finish(told["code"], _redirect(porter, guest), begun["nonce"], begun["verifier"])
    except OidcError as error:
        return _failed(porter, error)
    try:
        account = _account_of(porter, person)
    except AccountError as error:
        known = porter.desk.accounts.of_subject(person.subject)
        porter.tell(f"single sign-on: {error}")
        porter.note("-", "sign-in refused", known.name if known is not None else "-", why=str(error)[:300], by="single sign-on", network=guest.network)
        return Declined("The provider knows you, but you may not come in here. Ask an admin.")
    porter.throttle.succeed("single:", guest.network, porter.clock())
    return _entered(porter, guest, account, SINGLE, begun["next"])


def by_link(porter: Porter, code: str, name: str, password: str) -> Account:
    """The account that was made, or whose password was set, by a link. Raises AccountError when that cannot be, and the link still holds then."""
    digest, now = digest_of(code), porter.clock()
    if porter.desk.visits.look(digest, "set-up", now) is not None:
        known = name_of(name)
        refuse_if_weak(password, known)
        return porter.desk.accounts.make_first(known, porter.deed(known, by="set-up link"), porter.passwords.hash(password), digest)
    invited = porter.desk.visits.look(digest, "invitation", now)
    account = porter.desk.accounts.of_id(invited["account"]) if invited is not None else None
    if account is None or account.disabled_at is not None:
        raise AccountError("This link does not hold, or no longer.")
    refuse_if_weak(password, account.name)
    porter.desk.accounts.set_password(account.id, porter.passwords.hash(password), porter.deed(account.name, by="link"), link=digest)
    return account


def leave(porter: Porter, guest: Guest) -> bool:
    """End the session of a browser; whether whoever has it is to be asked to sign out at the provider, too."""
    if guest.session is None or guest.account is None:
        return False
    porter.desk.visits.sign_out(guest.session.digest, guest.account.id, porter.deed(guest.account.name))
    return guest.session.factor == SINGLE and leave_provider(porter, guest) is not None


def leave_provider(porter: Porter, guest: Guest) -> str | None:
    """Where to send the browser to sign out at the provider; None where there is no such place. It comes back to the sign-in page, and nowhere else."""
    if porter.provider is None or porter.throttle.begin("single:", guest.network, porter.clock()):
        return None
    try:
        found = porter.provider.leave(f"{porter.names.origin(guest.host)}/sign-in")
    except OidcError as error:
        porter.tell(f"single sign-on: {error}")
        return None
    porter.throttle.succeed("single:", guest.network, porter.clock())
    return found


def _entered(porter: Porter, guest: Guest, account: Account, factor: str, goes_to: str = "/") -> Entered:
    secret = porter.sessions.begin(account, factor, guest.network, guest.agent, guest.browser if guest.session is not None else None)
    return Entered(account, secret, goes_to)


def _account_of(porter: Porter, person: Person) -> Account:
    """The account of somebody whom the provider knows. Raises AccountError when there is none for them.

    One of the same name is theirs only while there is no other way to sign in by it: otherwise whoever can name themselves at the provider could take it.
    """
    settings, accounts = porter.settings.oidc, porter.desk.accounts
    role, by = person.role, porter.deed("-", by="single sign-on")
    if settings is None or (settings.roles and role is None):
        raise AccountError(f"{person.name!r} has no role by their claims")
    account = accounts.of_subject(person.subject)
    if account is None:
        name = name_of(person.name)
        account = accounts.named(name)
        if account is not None and (account.password or account.passkeys or account.subject):
            raise AccountError(f"there is an account '{name}' already that is signed in to otherwise")
        if account is not None:
            accounts.link(account.id, person.subject, by)
        elif settings.make_accounts and role is not None:
            account = accounts.make(name, role, by, subject=person.subject)
        else:
            raise AccountError(f"there is no account '{name}', and none is made")
    if account.disabled_at is not None:
        raise AccountError(f"the account '{account.name}' is disabled")
    if settings.roles and role is not None and role != account.role:
        accounts.change_role(account.id, role, by)
    return accounts.of_id(account.id) or account


def _failed(porter: Porter, error: OidcError) -> Declined:
    porter.tell(f"single sign-on: {error}")
    return Declined("Single sign-on did not work just now. The server's log says why.", 502)


def _patience(wait: timedelta) -> Declined:
    seconds = int(wait.total_seconds()) + 1
    return Declined(f"There were many tries from here. Wait {seconds} s, then try again.", 429, seconds)


def _redirect(porter: Porter, guest: Guest) -> str:
    return f"{porter.names.origin(guest.host)}/sign-in/single/back"


def _place(guest: Guest, kind: str) -> str:
    return digest_of(f"{kind} {guest.browser}")
