"""Everything else, through Apprise."""

from __future__ import annotations

from unbidden.alerts.letter import DeliveryError, Letter, Means
from unbidden.alerts.settings import AppriseTarget

_URGENT = frozenset({"critical", "high"})


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
        is_sent = service.notify(body=letter.message.text(), title=letter.message.subject, notify_type=kind, body_format=NotifyFormat.TEXT)
    if not is_sent:
        raise DeliveryError(f"Apprise could not send it to {url.partition('://')[0][:20]}://…")
