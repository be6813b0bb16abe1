"""Microsoft Teams: an Adaptive Card for a workflow that takes webhook requests."""

from __future__ import annotations

from typing import Any

import orjson

from unbidden.alerts.letter import Letter, Means
from unbidden.alerts.message import Message
from unbidden.alerts.settings import TeamsTarget

_COLORS = {"critical": "attention", "high": "attention", "medium": "warning"}


def send(target: TeamsTarget, letter: Letter, means: Means) -> None:
    """Post the card. A workflow gives nothing back that a reply could refer to, so that each is a message of its own."""
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card(letter.message)}
    body = orjson.dumps({"type": "message", "attachments": [attachment]})
    means.post(means.secret(target.url), {"unbidden-id": letter.id}, body, is_url_secret=True)


def card(message: Message) -> dict[str, Any]:
    """The message as an Adaptive Card.

    All text is in text runs, which know no Markdown (adaptivecards.io/explorer/TextRun.html): what a log says makes no link and no formatting.
    """
    body = [_rich(_run(message.subject, weight="bolder", size="large", color=_COLORS.get(message.severity, "default"))), _rich(_run(message.news))]
    body += [_rich(_run(f"{label}: ", weight="bolder"), _run(text)) for label, text in message.facts]
    if message.steps:
        body.append(_rich(_run("Do first", weight="bolder")))
        body += [_rich(_run(f"{number}. {step}")) for number, step in enumerate(message.steps, 1)]
    body += [_rich(_run(sentence)) for sentence in message.story]
    body.append(_rich(_run(message.footer, size="small", isSubtle=True)))
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.5", "msteams": {"width": "full"}, "body": body,
    }  # fmt: skip


def _run(text: str, **look: object) -> dict[str, object]:
    return {"type": "TextRun", "text": text, **look}


def _rich(*runs: dict[str, object]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}
