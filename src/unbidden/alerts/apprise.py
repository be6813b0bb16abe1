"""Everything else, through Apprise."""

from __future__ import annotations

import re

from unbidden.alerts.letter import DeliveryError, Letter, Means
from unbidden.alerts.settings import AppriseTarget

_URGENT = frozenset({"critical", "high"})
# What one chat or another makes a mention, a command, a link or a picture of. Apprise passes plain text on as it is, so it is parted by a space.
_ACTS = re.compile(r"(?<=@)(?=(?:everyone|here|channel|all|room)\b)|(?<=<)(?=[@#!&:/])|(?<=\])(?=\()", re.IGNORECASE)


def send(target: AppriseTarget, letter: Letter, means: Means) -> None:
    """Send the letter as plain text. Apprise says only whether it worked; its own words may hold parts of the URL and are not repeated."""
    from apprise import Apprise, LogCapture, NotifyFormat, NotifyType  # noqa: PLC0415 -- it loads slowly, and most have no such target

    url = means.secret(target.url)
    service = Apprise()
    # Its log is caught, for it may hold parts of the URL.
    with LogCapture():  # type: ignore[no-untyped-call]
        if not service.add(url):
            raise DeliveryError("Apprise knows no such service; see its list of URLs")
        kind = NotifyType.FAILURE if letter.message.severity in _URGENT else NotifyType.WARNING
        is_sent = service.notify(body=tame(letter.message.text()), title=tame(letter.message.subject), notify_type=kind, body_format=NotifyFormat.TEXT)
    if not is_sent:
        raise DeliveryError(f"Apprise could not send it to {url.partition('://')[0][:20]}://…")


def tame(text: str) -> str:
    """The text with nothing in it that calls people together, or that becomes a link under other words."""
    return _ACTS.sub(" ", text)
