"""The vendors that are fetched from: what each connector says of its credential, its rights, its logs and our clock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from unbidden.credentials import secret_of
from unbidden.errors import UnbiddenError
from unbidden.fetching import Finding, registry
from unbidden.live.doctor.findings import Check, Look
from unbidden.wire import Wire

_TIMEOUT_S = 10.0


def sources(look: Look) -> Iterator[Check]:
    """What the connectors find; they are asked at once, for one that is away takes its time."""
    if not look.settings.source:
        return
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(partial(_ask, look), look.settings.source.values())
        for name, findings in zip(look.settings.source, found, strict=True):
            for finding in findings:
                yield Check(f"source {name}", finding)


def _ask(look: Look, told: Any) -> list[Finding]:  # noqa: ANN401 - the settings of any kind of source
    wire = Wire(attempts=1, timeout_s=_TIMEOUT_S)
    try:
        connector = registry()[told.kind](told, partial(secret_of, environment=look.environment))
        return connector.check(wire, lambda: datetime.now(UTC))
    except UnbiddenError as error:
        return [Finding("problem", str(error))]
    finally:
        wire.close()
