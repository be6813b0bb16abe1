"""An incident's document, made ready for the desk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from unbidden.desk.tables import SEVERITIES, STAGES

_NUL = "\x00"
# PostgreSQL refuses to index a text of more than 2,704 bytes.
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Filed:
    """One incident as its document says, times aware and UTC. The digest is of everything but the campaign, which is known apart."""

    id: str
    user: str
    stage: str
    severity: str
    risk: int
    first_at: datetime
    last_at: datetime
    detected_at: datetime | None
    approved_at: datetime | None
    campaign: str | None
    document: Mapping[str, Any]
    digest: str


def filed(document: Mapping[str, Any]) -> Filed:
    """The document's own facts beside it. Raises KeyError or ValueError for what is no incident of a result."""
    kept = {name: value for name, value in document.items() if name != "campaign"}
    body = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    # No database takes it in a text, and a log may hold it.
    if b"\\u0000" in body:
        kept = _without_nul(kept)
        body = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    times = {name: time_of(kept[name]) for name in ("first_at", "last_at", "detected_at", "approved_at")}
    first, last = times["first_at"], times["last_at"]
    if first is None or last is None:
        raise ValueError(f"incident {kept['id']} has no beginning or no end")
    return Filed(
        id=kept["id"],
        user=key_of(kept["user"]),
        stage=STAGES[STAGES.index(kept["stage"])],
        severity=SEVERITIES[SEVERITIES.index(kept["severity"])],
        risk=kept["risk"],
        first_at=first,
        last_at=last,
        detected_at=times["detected_at"],
        approved_at=times["approved_at"],
        campaign=document["campaign"],
        document=kept,
        digest=hashlib.sha256(body).hexdigest(),
    )


def key_of(user: str) -> str:
    """The name of a person as the desk keeps and finds it: without what no database takes, and short enough for an index."""
    name = user.replace(_NUL, "\N{REPLACEMENT CHARACTER}")
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def time_of(text: str | None) -> datetime | None:
    """The time of an ISO 8601 text, aware and UTC; without an offset it is UTC."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _without_nul(value: Any) -> Any:  # noqa: ANN401 -- a document is JSON of any shape
    match value:
        case str():
            return value.replace(_NUL, "\N{REPLACEMENT CHARACTER}")
        case list():
            return [_without_nul(one) for one in value]
        case dict():
            return {_without_nul(name): _without_nul(one) for name, one in value.items()}
        case _:
            return value
