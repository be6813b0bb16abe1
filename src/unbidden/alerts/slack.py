"""Slack: an incoming webhook, or a bot whose messages about one incident grow in one thread."""

from __future__ import annotations

import re
from typing import Any

import orjson

from unbidden.alerts.letter import DeliveryError, Letter, Means
from unbidden.alerts.message import Message
from unbidden.alerts.settings import SlackTarget

# Slack's limits of a header and of a section's text (docs.slack.dev/reference/block-kit/blocks).
_HEADER, _SECTION = 150, 3000
_SIGNS = {"critical": ":rotating_light:", "high": ":red_circle:", "medium": ":large_orange_circle:", "low": ":white_circle:"}
# These three are Slack's own to escape (docs.slack.dev/messaging/formatting-message-text): without them no link, no mention, no entity can be made.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What would make text bold, struck or code gets a look-alike; an underscore only where it would begin or end a word.
_MARKS = str.maketrans({"*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}", "`": "\N{MODIFIER LETTER GRAVE ACCENT}", **_ENTITIES})
_EDGE = re.compile(r"(?<!\w)_+|_+(?!\w)")


def send(target: SlackTarget, letter: Letter, means: Means) -> str | None:
    """Send the letter; the reference of its thread where a bot sent it."""
    said = {"text": escaped(letter.message.subject), "blocks": blocks(letter.message), "unfurl_links": False, "unfurl_media": False}
    if target.webhook is not None:
        means.post(means.secret(target.webhook), {}, orjson.dumps(said), is_url_secret=True)
        return None
    if target.bot_token is None:
        raise DeliveryError("slack has neither webhook nor bot_token")
    told = {**said, "channel": target.channel, **({"thread_ts": letter.thread} if letter.thread else {})}
    if letter.thread and letter.kind == "alert":
        told["reply_broadcast"] = True
    headers = {"authorization": f"Bearer {means.secret(target.bot_token)}", "content-type": "application/json; charset=utf-8"}
    return _reference(means.post(f"{target.api.rstrip('/')}/chat.postMessage", headers, orjson.dumps(told)).body)


def blocks(message: Message) -> list[dict[str, Any]]:
    """The message in Slack's blocks."""
    shown: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:_HEADER], "emoji": False}},
        _section(f"{_SIGNS.get(message.severity, '')} {escaped(message.news)}"),
        _section("\n".join(f"*{label}:* {escaped(text)}" for label, text in message.facts)),
    ]
    if message.steps:
        shown.append(_section("\n".join(["*Do first*", *(f"{number}. {escaped(step)}" for number, step in enumerate(message.steps, 1))])))
    if message.story:
        shown.append(_section("\n".join(map(escaped, message.story))))
    shown.append({"type": "context", "elements": [{"type": "plain_text", "text": message.footer, "emoji": False}]})
    return shown


def escaped(text: str) -> str:
    """A text that Slack shows as it is: no link, no mention, no formatting comes of it."""
    return _EDGE.sub(lambda found: "\N{MODIFIER LETTER LOW MACRON}" * len(found[0]), text.translate(_MARKS))


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_SECTION], "verbatim": True}}


def _reference(body: bytes) -> str:
    """The time stamp by which Slack knows the message. Slack answers 200 for what it refused, too, and says so in the body."""
    try:
        answer = orjson.loads(body)
        if answer["ok"]:
            return str(answer["ts"])
        why = str(answer.get("error", "it does not say why"))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise DeliveryError("Slack: the answer cannot be read") from error
    raise DeliveryError(f"Slack: {why}")
