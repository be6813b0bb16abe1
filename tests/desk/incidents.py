"""Incidents as short as they may be, for tests that need many or care for one thing of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


def incident(name: str, level: str = "attempted medium", *, user: str = "ana", hour: float = 1.0, length_h: float = 0.5, **more: Any) -> dict[str, Any]:
    """An incident of a name at a stage and a severity, that begins so many hours after the beginning."""
    stage, severity = level.split()
    first = BEGIN + timedelta(hours=hour)
    last = first + timedelta(hours=length_h)
    return {
        "id": name, "user": user, "stage": stage, "severity": severity, "risk": 60, "first_at": first.isoformat(), "last_at": last.isoformat(),
        "detected_at": None, "approved_at": None if stage == "attempted" else last.isoformat(), "campaign": None, "prompts": {"sent": 3},
        "signals": [{"detection": "refused_flood", "at": last.isoformat(), "group": "volume", "weight": 2.0, "numbers": {}, "events": ["e1"]}],
        "evidence": [{"group": "volume", "detection": "refused_flood", "title": "Many", "weight": 2.0, "why": "So many."}],
        "timeline": [{"at": first.isoformat(), "kind": "prompt", "is_part": True, "text": "push denied"}],
        "story": [f"{user} was asked three times.", "Nothing came of it."], **more,
    }  # fmt: skip
