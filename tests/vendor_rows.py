"""Stories of published rules, written as rows of the vendors' own logs and read back by the real line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from unbidden import line
from unbidden.people import Listed
from unbidden.providers import registry
from unbidden.proving.timelines import APART, EPOCH, PLACES, span

# What a step of a story does: kind, factor (None: the step's own) and outcome of its row. Everything else is an answer of that outcome.
_DEEDS: Mapping[str, tuple[str, str | None, str]] = {
    "sent": ("prompt", None, "sent"),
    "signs_in": ("session", "", "success"),
    "password": ("password", "password", "success"),
    "wrong_password": ("password", "password", "failure"),
    "report": ("report", "", "success"),
}
_PASSED_ON = ("app", "agent", "is_proxy", "risk")


def start_of(rule: int, story: int) -> datetime:
    """When a story begins: each rule and each story on a day of its own."""
    return EPOCH + story * APART + timedelta(days=rule)


def names_of(rule: str, number: int, story: Mapping[str, Any]) -> list[str]:
    """The people of a story."""
    return [f"{rule}-{number}-{person}@example.com" for person in range(story.get("people", 1))]


def run(folder: Path, stories: Mapping[tuple[int, str, int], Mapping[str, Any]]) -> line.Run:
    """Write all stories, by the number and the name of the rule and the number of the story, into logs, and give the finished run over them."""
    logs: dict[str, list[dict[str, Any]]] = {}
    for (rule, name, number), story in stories.items():
        for login in names_of(name, number, story):
            for provider, row in _rows(login, story, start_of(rule, number)):
                log = "audits" if "activityDisplayName" in row else "risks" if "riskEventType" in row else "rows"
                logs.setdefault(f"{provider}-{log}.jsonl", []).append(row)
    for file, rows in logs.items():
        (folder / file).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    listed = [
        Listed(login, is_privileged=story.get("privileged", False)) for (_, name, number), story in stories.items() for login in names_of(name, number, story)
    ]
    return line.run([str(folder)], line.Options(listed=listed))


def _rows(login: str, story: Mapping[str, Any], start: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """The vendors' rows of one person of a story, after some ordinary days at home."""
    count = 0
    for step in (*_history(story), *story["rows"]):
        for repeat in range(step.get("times", 1)):
            count += 1
            provider = step.get("provider", story["provider"])
            event = _event(f"{login}:{count}", login, start + span(step["at"]) + repeat * span(step.get("every", "0s")), step)
            for row in _told(provider, event, step["at"].startswith("-")):
                yield provider, _merged(row, step.get("row", {}))


def _history(story: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Ordinary days at home, one approved prompt each, that end a day and a half before the story."""
    return [{"at": f"-{day + 1}d12h", "does": "approved", "from": "home"} for day in range(story.get("history", 3))]


def _event(key: str, login: str, at: datetime, step: Mapping[str, Any]) -> dict[str, Any]:
    kind, factor, outcome = _DEEDS.get(step["does"], ("answer", None, step["does"]))
    place = PLACES[step.get("from", "stranger")]
    phone = {f"answer_{word}": PLACES[step["phone"]][word] for word in ("ip", "country", "city")} if "phone" in step else {}
    return {
        "event_id": key, "request_id": key, "occurred_at": at, "login": login, "user_id": f"id-{login}", "tenant": "t1", "kind": kind, "outcome": outcome,
        "factor": step.get("factor", "push") if factor is None else factor or None, "intent": "login", "app": "Mail", "agent": place["client"],
        "flow_id": f"flow {login} {step.get('flow', key)}", "session_id": f"session {login} {step.get('session', key)}",
        **place, **phone, **{column: step[column] for column in _PASSED_ON if column in step},
    }  # fmt: skip


def _told(provider: str, event: dict[str, Any], is_ordinary: bool) -> list[dict[str, Any]]:
    """The rows of an event. Raises ValueError when the log of this provider has none for it; ordinary days need not be shown."""
    if (event["kind"], event["factor"], event["outcome"]) in set(registry()[provider].REPERTOIRE):
        return registry()[provider].render(event)
    if is_ordinary:
        return []
    raise ValueError(f"the log of {provider} has no row for {event['kind']}, {event['factor']}, {event['outcome']}")


def _merged(row: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The row with some of its fields put otherwise, at any depth."""
    return row | {key: _merged(row.get(key) or {}, value) if isinstance(value, Mapping) else value for key, value in other.items()}
