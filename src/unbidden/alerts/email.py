"""Mail over SMTP: plain text and HTML of the same words, one thread for each incident."""

from __future__ import annotations

import html
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from unbidden.alerts.letter import DeliveryError, Letter, Means, said
from unbidden.alerts.message import Message
from unbidden.alerts.settings import EmailTarget

_URGENT = frozenset({"critical", "high"})


def send(target: EmailTarget, letter: Letter, means: Means) -> str:
    """Send the mail; its Message-ID, which begins the thread. A mail that only some of the addresses were refused for counts as sent."""
    mail = mail_of(target, letter)
    try:
        with _connected(target, means) as server:
            if target.user is not None and target.password is not None:
                server.login(target.user, means.secret(target.password))
            # Not send_message: it would put a > before lines that begin with From.
            server.sendmail(target.sender, target.to, mail.as_bytes())
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(f"mail server {target.host}: {error.smtp_code} {_text(error.smtp_error)}") from error
    except smtplib.SMTPRecipientsRefused as error:
        raise DeliveryError(f"mail server {target.host}: it takes mail for none of the addresses") from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"mail server {target.host}: {said(error)}") from error
    return str(mail["Message-ID"])


def mail_of(target: EmailTarget, letter: Letter) -> EmailMessage:
    """The mail. Its Message-ID is made of the letter's id, so that a mail that comes twice is one mail to most readers."""
    message = letter.message
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = target.sender, ", ".join(target.to), message.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.id}@{target.sender.partition('@')[2]}>"
    if letter.thread:
        mail["In-Reply-To"] = mail["References"] = letter.thread
    mail["Auto-Submitted"], mail["unbidden-id"] = "auto-generated", letter.id
    if letter.kind == "alert" and message.severity in _URGENT:
        mail["Importance"] = "high"
    mail.set_content(message.text(), cte="quoted-printable")
    mail.add_alternative(html_of(message), subtype="html", cte="quoted-printable")
    return mail


def html_of(message: Message) -> str:
    """The message as a page without anything from outside; every text is escaped."""
    facts = "".join(f'<tr><th align="left" valign="top">{_safe(label)}</th><td>{_safe(text)}</td></tr>' for label, text in message.facts)
    steps = "".join(f"<li>{_safe(step)}</li>" for step in message.steps)
    story = "".join(f"<p>{_safe(sentence)}</p>" for sentence in message.story)
    first = f"<p><b>Do first</b></p><ol>{steps}</ol>" if steps else ""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{_safe(message.subject)}</title></head><body style="font-family:sans-serif">'
        f'<p><b>{_safe(message.news)}</b></p><table cellpadding="4">{facts}</table>{first}{story}'
        f'<p style="color:#666">{_safe(message.footer)}</p></body></html>\n'
    )


@contextmanager
def _connected(target: EmailTarget, means: Means) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context(cafile=target.ca_file) if target.security != "none" else None
    if target.security == "tls":
        with smtplib.SMTP_SSL(target.host, target.port, timeout=means.timeout_s, context=context) as server:
            yield server
        return
    with smtplib.SMTP(target.host, target.port, timeout=means.timeout_s) as server:
        if context is not None:
            # Raises where the server offers none: nothing is sent in the clear then.
            server.starttls(context=context)
        yield server


def _safe(text: str) -> str:
    return html.escape(text)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
