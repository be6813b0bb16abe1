"""The accounts' door: for whoever cannot get in by the console. It works on the desk itself, so that who may use it is who may read the configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getpass, getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from unbidden.access import ROLES
from unbidden.commands.shell import plain_errors
from unbidden.errors import UnusableInputError

if TYPE_CHECKING:
    from unbidden.desk import Desk
    from unbidden.desk.accounts import Account
    from unbidden.desk.chain import Deed

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts of the console: for whoever cannot get in by it.")

Config = Annotated[Path, typer.Option("--config", help="The configuration file (TOML).")]
Name = Annotated[str, typer.Argument(help="The account's name.")]
Role = Annotated[str, typer.Argument(help=f"One of: {', '.join(ROLES)}.")]
_HERE = Path("unbidden.toml")


@app.command("add")
def add(
    name: Name,
    role: Role,
    single: Annotated[bool, typer.Option("--single-sign-on", help="Ask for no password: the account is signed in to at the provider.")] = False,
    config: Config = _HERE,
) -> None:
    """Make an account. The password is asked for, or read from standard input."""
    with _desk(config) as desk:
        from unbidden.access.passwords import Passwords, name_of, refuse_if_weak  # noqa: PLC0415 - as above, it loads slowly

        known, password = name_of(name), None
        _refuse_unless_role(role)
        if not single:
            given = _asked()
            refuse_if_weak(given, known)
            password = Passwords().hash(given)
        desk.accounts.make(known, role, _deed(), password=password)
        _say(f"{known} may sign in, as {role}.")


@app.command("list")
def list_them(config: Config = _HERE) -> None:
    """Say who may sign in, as what and by what."""
    with _desk(config) as desk:
        table = Table("name", "role", "signs in by", "last sign-in", "state", box=None)
        for one in desk.accounts.people():
            ways = ["single sign-on"] * bool(one.subject) + ["password"] * bool(one.password) + [f"{one.passkeys} passkey(s)"] * bool(one.passkeys)
            last = f"{one.signed_in_at:%Y-%m-%d %H:%M} UTC" if one.signed_in_at else "never"
            table.add_row(one.name, one.role, ", ".join(ways) or "nothing yet", last, "disabled" if one.disabled_at else "enabled")
        Console().print(table)


@app.command("disable")
def disable(
    name: Name, again: Annotated[bool, typer.Option("--enable", help="Let them in again instead.")] = False, config: Config = _HERE
) -> None:  # fmt: skip
    """Let somebody in no longer; their sessions end at once."""
    with _desk(config) as desk:
        account = _account(desk, name)
        if again:
            desk.accounts.enable(account.id, _deed())
        else:
            desk.accounts.disable(account.id, _deed())
        _say(f"{account.name} may {'sign in again' if again else 'sign in no longer'}.")


@app.command("role")
def role_of(name: Name, role: Role, config: Config = _HERE) -> None:
    """Give somebody another role; their sessions end."""
    with _desk(config) as desk:
        account = _account(desk, name)
        _refuse_unless_role(role)
        desk.accounts.change_role(account.id, role, _deed())
        _say(f"{account.name} is now {role}.")


@app.command("password")
def password_of(
    name: Name,
    passkeys: Annotated[bool, typer.Option("--remove-passkeys", help="Remove their passkeys, too, for whoever lost them.")] = False,
    config: Config = _HERE,
) -> None:
    """Set somebody's password, which is asked for or read from standard input; their sessions end."""
    with _desk(config) as desk:
        from unbidden.access.passwords import Passwords, refuse_if_weak  # noqa: PLC0415 - as above, it loads slowly

        account, given = _account(desk, name), _asked()
        refuse_if_weak(given, account.name)
        removed = desk.accounts.remove_passkeys(account.id, _deed()) if passkeys else 0
        desk.accounts.set_password(account.id, Passwords().hash(given), _deed())
        _say(f"{account.name} has another password{f', and {removed} passkey(s) less' if removed else ''}.")


@contextmanager
def _desk(config: Path) -> Iterator[Desk]:
    with plain_errors():
        from unbidden.desk import Desk  # noqa: PLC0415 - it loads slowly, and most commands do without
        from unbidden.settings import read_settings  # noqa: PLC0415 - it loads what the whole configuration needs

        with Desk.open(read_settings(config).desk.url_of(os.environ)) as desk:
            yield desk


def _deed() -> Deed:
    """What is done now, by whoever runs the command."""
    from unbidden.desk.chain import Deed  # noqa: PLC0415 - as above, it loads slowly

    return Deed(getuser(), datetime.now(UTC), {"by": "command line"})


def _account(desk: Desk, name: str) -> Account:
    from unbidden.access.passwords import name_of  # noqa: PLC0415 - as above, it loads slowly

    found = desk.accounts.named(name_of(name))
    if found is None:
        raise UnusableInputError(f"there is no account '{name}'; there are: {', '.join(one.name for one in desk.accounts.people()) or 'none'}")
    return found


def _refuse_unless_role(role: str) -> None:
    if role not in ROLES:
        raise UnusableInputError(f"'{role}' is no role; one of: {', '.join(ROLES)}")


def _asked() -> str:
    """A password, typed twice without being shown, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass("Password: ")
    if getpass("Once more: ") != given:
        raise UnusableInputError("the two passwords are not the same")
    return given


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
