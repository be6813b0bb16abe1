"""The secrets that the configuration names: whether each can be had, and whether one stands where none may stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from unbidden.credentials import is_reference, secret_of
from unbidden.errors import UnbiddenError
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning
from unbidden.settings.places import references_of

_TELLING = re.compile(r"SECRET|TOKEN|PASSWORD|ACCOUNT_KEY", re.IGNORECASE)


def secrets(look: Look) -> Iterator[Check]:
    """Each reference; and passwords that stand in the file itself."""
    for place, reference in references_of(look.settings):
        try:
            secret_of(reference, look.environment)
        except UnbiddenError as error:
            yield problem(place, str(error), _todo(reference))
        else:
            yield fine(place, f"{reference} can be read")
    if not is_reference(look.settings.desk.url) and _has_password(look.settings.desk.url):
        yield warning("[desk] url", "the password of the database stands in the file", "name the whole URL by env:NAME or file:/path")
    for name, value in look.settings.lake.options.items():
        if _TELLING.search(name) and not is_reference(value):
            yield warning(f"[lake.options] {name}", "a secret stands in the file", "name it by env:NAME or file:/path")


def _todo(reference: str) -> str:
    kind, _, where = reference.partition(":")
    return (
        f"set {where} in the environment of the server (and in the one that runs the doctor)"
        if kind == "env"
        else f"put the secret into {where}, with mode 0600"
    )


def _has_password(url: str) -> bool:
    try:
        return bool(make_url(url).password)
    except ArgumentError:
        return False
