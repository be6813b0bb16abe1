"""The tables of the configuration file that alerts need: `[desk]` and `[alert.NAME]`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from unbidden.alerts.settings import Target
from unbidden.desk.settings import DeskSettings
from unbidden.errors import UnusableInputError

_TARGETS: TypeAdapter[dict[str, Target]] = TypeAdapter(dict[str, Target])
_DESK = TypeAdapter(DeskSettings)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The desk and the targets, by name."""

    desk: DeskSettings
    targets: Mapping[str, Target]


def read_configuration(file: Path) -> Configuration:
    """What a TOML file says of the desk and of targets; its other tables are passed over. Raises UnusableInputError with file and place."""
    try:
        told: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableInputError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    return Configuration(_read(_DESK, file, "desk", told.get("desk", {})), _read(_TARGETS, file, "alert", told.get("alert", {})))


def _read(adapter: TypeAdapter[Any], file: Path, table: str, told: object) -> Any:  # noqa: ANN401 -- the adapter says what comes of it
    # Lax, as a file has no tuples and no times of its own for what a setting wants.
    try:
        return adapter.validate_python(told)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, (table, *fault['loc'])))}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors(include_input=False)]
        raise UnusableInputError(f"{file}: {'; '.join(faults)}") from error
