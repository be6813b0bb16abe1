"""The viewer of a request: somebody with a role, or a machine with scopes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from starlette.requests import HTTPConnection

# Each may do what those before it may. Viewers look; analysts decide on incidents; responders answer them; admins rule over accounts and tokens.
Role: TypeAlias = Literal["viewer", "analyst", "responder", "admin"]
# What a machine's token may do: look, decide on incidents, hand in rows.
Scope: TypeAlias = Literal["read", "triage", "ingest"]

ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that is not answered: 401 for nobody known, 403 for somebody who may not. `why` is for people."""

    def __init__(self, status: Literal[401, 403], why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a person with a role who signed in, or a machine with a token's scopes. `name` is what the audit trail calls them."""

    name: str
    role: Role | None = None
    scopes: frozenset[Scope] = frozenset()

    def may(self, role: Role, scope: Scope | None = None) -> bool:
        """Whether a person has this role or a higher one, or a machine this scope. Without a scope no machine may."""
        if self.role is not None:
            return ROLES.index(self.role) >= ROLES.index(role)
        return scope is not None and scope in self.scopes


def require(role: Role, scope: Scope | None = None) -> Callable[[HTTPConnection], Awaitable[Viewer]]:
    """A dependency of a FastAPI route that gives the viewer, who may do what the route does.

    Whoever stands before the application puts the viewer into `request.state.viewer`. Raises Refused when there is none, or not one who may.
    """

    async def viewer(connection: HTTPConnection) -> Viewer:
        found = getattr(connection.state, "viewer", None)
        if not isinstance(found, Viewer):
            raise Refused(401, "sign in first, or send a token")
        if not found.may(role, scope):
            raise Refused(403, f"this needs the role {role}" + (f" or a token with the scope {scope}" if scope else ""))
        return found

    viewer.needs = (role, scope)  # type: ignore[attr-defined] # a test makes its table of routes and roles of it
    return viewer
