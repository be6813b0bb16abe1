"""What an alert says: whom it befell, what is happening now, whether they gave in, what to do first. Ten seconds to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unbidden.alerts.visible import visible
from unbidden.report import words

_SUBJECT = 140
_STEPS = 3
_SENTENCES = 6
_SURE = frozenset({"high", "critical"})
_NEWS = {
    "attempted": "is being asked for sign-ins they may not have started",
    "approved": "APPROVED a sign-in that looks like an attacker's",
    "persisted": "APPROVED a sign-in that looks like an attacker's, and access is being kept or widened",
}
_NOTES = {
    "withdrawn": "no longer holds: with the log rows that came since, the evidence is gone",
    "merged": "has gone into another incident of the same person, which goes on here",
    "reopened": "holds again: later log rows bring it back",
}


@dataclass(frozen=True, slots=True)
class Message:
    """An alert in plain words, every text safe to show as text. Each target sets it in its own way, and escapes it in its own way.

    `facts` are pairs of a label and a text, `steps` what to do, the first first. `footer` tells where it is from.
    """

    subject: str
    news: str
    severity: str
    facts: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    story: tuple[str, ...]
    footer: str

    def lines(self) -> Iterator[str]:
        """The message as plain text, line by line."""
        yield self.news
        yield ""
        width = max((len(label) for label, _ in self.facts), default=0) + 2
        yield from (f"{label + ':':<{width}}{text}" for label, text in self.facts)
        if self.steps:
            yield from ("", "Do first:", *(f"{number}. {step}" for number, step in enumerate(self.steps, 1)))
        if self.story:
            yield from ("", *self.story)
        yield from ("", self.footer)

    def text(self) -> str:
        """The message as plain text."""
        return "\n".join(self.lines())


def message_of(kind: str, payload: Mapping[str, Any], row_id: str) -> Message:
    """What a row of the outbox says."""
    change, incident = payload["change"], payload["incident"]
    if incident.get("kind") == "health":
        return _health(kind, change, incident, row_id)
    return _alert(change, incident, row_id) if kind == "alert" else _note(change, incident, row_id)


def trial_message(name: str) -> Message:
    """A message that says that it is only a test."""
    return Message(
        subject=f"TEST: unbidden can reach {visible(name)}",
        news="This is a test. Nobody was attacked, and there is nothing to do.",
        severity="medium",
        facts=(("Sent to", visible(name)), ("What it shows", "alerts of unbidden arrive here")),
        steps=(),
        story=(),
        footer="unbidden · test message",
    )


def _alert(change: Mapping[str, Any], incident: Mapping[str, Any], row_id: str) -> Message:
    user = visible(incident["user"], 120)
    news = f"{user} {_NEWS[incident['stage']]}."
    return Message(
        subject=visible(f"{incident['severity'].upper()}: {_headline(incident, user)}", _SUBJECT),
        news=news,
        severity=incident["severity"],
        facts=tuple(_facts(change, incident)),
        steps=tuple(visible(step["title"]) for step in incident["steps"][:_STEPS]),
        story=tuple(visible(sentence, 600) for sentence in incident["story"][:_SENTENCES]),
        footer=_footer(incident, row_id),
    )


def _health(kind: str, change: Mapping[str, Any], incident: Mapping[str, Any], row_id: str) -> Message:
    """What is said of the server itself: that it is blind somewhere, or that this is over."""
    title = visible(incident["title"])
    is_over = kind == "note" and change["what"] != "reopened"
    said = f"Over: {title} ({visible(incident['over'])})" if is_over else title
    return Message(
        subject=visible(said if is_over else f"{incident['severity'].upper()}: {title}", _SUBJECT),
        news=f"{said}.",
        severity=incident["severity"],
        facts=(("About", visible(incident["user"])), ("Since", words.instant(words.moment(incident["first_at"]), words.zone_of(incident)))),
        steps=() if is_over else tuple(visible(step["title"], 600) for step in incident["steps"]),
        story=() if is_over else tuple(visible(sentence, 600) for sentence in incident["story"]),
        footer=f"unbidden · its own health · {visible(incident['id'])} · alert {row_id[:12]}",
    )


def _headline(incident: Mapping[str, Any], user: str) -> str:
    count = words.counted(incident["prompts"]["sent"], "MFA prompt")
    match incident["stage"]:
        case "attempted":
            return (
                f"{user} gets {count} in {_span(incident)}, none approved"
                if not incident["prompts"]["approved"]
                else f"{user} gets {count} in {_span(incident)}"
            )
        case stage:
            # A medium one is more likely an attack than not; it is no certainty, and is not told as one.
            approved = "approved" if incident["severity"] in _SURE else "may have approved"
            return f"{user} {approved} an attacker's sign-in{', and access is being kept' if stage == 'persisted' else f', of {count}'}"


def _facts(change: Mapping[str, Any], incident: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    zone = words.zone_of(incident)
    first, last = words.moment(incident["first_at"]), words.moment(incident["last_at"])
    yield "Now", words.stage(incident)
    yield "Gave in", _gave_in(incident)
    if incident["prompts"]["sent"]:
        yield "Prompts", f"{words.asked(incident['prompts'])}, in {_span(incident)} ({_by(incident)})"
    yield "Began", words.instant(first, zone)
    if last > first:
        yield "Latest", words.instant(last, zone)
    yield "From", words.listing(list(map(_from, incident["requesters"])), 2) or "the log does not say from where"
    yield "Who", _who(incident)
    yield "How sure", f"{incident['severity']}, risk {incident['risk']} of 100: {words.listing([visible(title, 80) for title in _evidence(incident)], 3)}"
    if change.get("from"):
        yield "Changed", f"from {change['from']['stage']}, {change['from']['severity']} to {change['to']['stage']}, {change['to']['severity']}"
    if incident["campaign"]:
        yield "Campaign", f"{visible(incident['campaign'])}: other people are asked from the same source"


def _span(incident: Mapping[str, Any]) -> str:
    """How long the prompts went on, without what followed."""
    sent = [words.moment(mark["at"]) for mark in incident["timeline"] if mark["is_part"] and mark["kind"] in {"prompt", "approval"}]
    seconds = (max(sent) - min(sent)).total_seconds() if sent else 0.0
    return words.duration(seconds) if seconds >= 1 else "a moment"


def _by(incident: Mapping[str, Any]) -> str:
    return "by " + words.listing([visible(factor).replace("_", " ") for factor in incident["factors"]])


def _gave_in(incident: Mapping[str, Any]) -> str:
    if incident["stage"] == "attempted":
        return "no" if not incident["prompts"]["approved"] else "no: what was approved looks like their own"
    at = incident["approved_at"]
    return "YES" + (f", at {words.clock(words.moment(at), words.zone_of(incident))}" if at else "")


def _from(requester: Mapping[str, Any]) -> str:
    known = [part for part in (visible(words.place(requester["city"], requester["country"]), 120), visible(words.network(requester))) if part]
    usual = {True: ["usual for them"], False: ["NEW for them"], None: []}[requester["known"]]
    return f"{visible(requester['ip'])} ({'; '.join([*known, *usual])})" if known or usual else visible(requester["ip"])


def _who(incident: Mapping[str, Any]) -> str:
    parts = [visible(incident["user"], 120), visible(incident["department"], 80), "a PRIVILEGED account" if incident["privileged"] else ""]
    return ", ".join(part for part in parts if part)


def _evidence(incident: Mapping[str, Any]) -> list[str]:
    strong = sorted((one for one in incident["evidence"] if one["detection"] and one["weight"] > 0), key=lambda one: -float(one["weight"]))
    return [str(one["title"])[:1].lower() + str(one["title"])[1:] for one in strong]


def _footer(incident: Mapping[str, Any], row_id: str) -> str:
    return f"unbidden · incident {visible(incident['id'])} · alert {row_id[:12]}"


def _note(change: Mapping[str, Any], incident: Mapping[str, Any], row_id: str) -> Message:
    user = visible(incident["user"], 120)
    what = _NOTES[change["what"]]
    facts = [("Incident", visible(incident["id"]))] + ([("Goes on as", visible(change["into"]))] if change.get("into") else [])
    return Message(
        subject=visible(f"Note: the incident of {user} {what.partition(':')[0].partition(',')[0]}", _SUBJECT),
        news=f"The incident of {user} {what}.",
        severity=incident["severity"],
        facts=tuple(facts),
        steps=(),
        story=(),
        footer=_footer(incident, row_id),
    )
