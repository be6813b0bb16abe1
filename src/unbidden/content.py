"""Content: the YAML files of the package, read by the fast loader where there is one."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def loads(text: str) -> Any:  # noqa: ANN401 -- what a file holds is up to who reads it
    """The value of a YAML text of plain values. Raises yaml.YAMLError where it is none."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 -- both loaders are the safe ones
