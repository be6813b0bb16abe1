"""Where the verdicts are that weights are fitted to: a file, or a server's desk."""

from __future__ import annotations

import os
from pathlib import Path


def verdicts_of(told: str | None) -> tuple[Path | None, str | None]:
    """The file of verdicts, or the URL of the desk that has them: its own, or that of a configuration (TOML)."""
    if told is None:
        return None, None
    if "://" in told:
        return None, told
    path = Path(told)
    if path.suffix != ".toml":
        return path, None
    from unbidden.settings import read_settings  # noqa: PLC0415 - it loads what the whole configuration needs

    return None, read_settings(path).desk.url_of(os.environ)
