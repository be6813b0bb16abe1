"""Credentials: secrets by reference, from the environment or a file that only its owner can read. Never from the command line, never in a log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unbidden.errors import UnusableInputError

_ENV, _FILE = "env:", "file:"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret's text. It shows itself nowhere: printing it, or an error that holds it, tells only where it is from."""

    text: str
    reference: str

    def __repr__(self) -> str:
        """Where the secret is from, and nothing of it."""
        return f"<secret of {self.reference}>"

    __str__ = __repr__


def is_reference(text: str) -> bool:
    """Whether a setting names a secret the way it has to: `env:NAME` or `file:/path`."""
    return text.startswith((_ENV, _FILE)) and len(text.partition(":")[2]) > 0


def secret_of(reference: str, environment: Mapping[str, str]) -> Secret:
    """The secret that a reference names; a trailing line end of a file is not part of it.

    Raises UnusableInputError when the reference is none, the variable or file is missing or empty, or others than its owner may read the file.
    """
    where = reference.partition(":")[2]
    if not is_reference(reference):
        raise UnusableInputError("a secret is named by env:NAME or file:/path; it is never written into the configuration itself")
    text = environment.get(where, "") if reference.startswith(_ENV) else _read(Path(where), environment.get("CREDENTIALS_DIRECTORY"))
    if not text:
        raise UnusableInputError(f"{reference}: {'the variable is not set' if reference.startswith(_ENV) else 'the file is empty'}")
    return Secret(text, reference)


def _read(path: Path, given: str | None) -> str:
    """The text of a file. In systemd's folder of credentials the bits of the group show the one user who was given the file, and no group."""
    others = 0o037 if given and path.parent == Path(given) else 0o077
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & others:
            raise UnusableInputError(f"file:{path}: others than its owner may read the file; run: chmod 600 {path}")
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"file:{path}: the secret cannot be read: {getattr(error, 'strerror', None) or error}") from error
