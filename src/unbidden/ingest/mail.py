"""Mail: single messages and mailboxes, each message as one record with who wrote what and when. What is quoted below is not told again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

# A message longer than this is read to here: people write at the beginning, and attachments follow.
MAX_MESSAGE = 8 * 1024 * 1024
_FIELD = re.compile(r"[!-9;-~]+:")
_MAILBOX = re.compile(r"From \S+.{0,60}\d{4}\s*$")

# Where the text of others begins: the line that a program of each language writes above a quotation, the head of a forwarded mail, a rule of underscores.
_QUOTES = re.compile(
    r"^[ \t]*(?:"
    r"on [^\n]{4,120}(?:\n[^\n]{0,120})?wrote:|am [^\n]{4,120}(?:\n[^\n]{0,120})?schrieb[^\n]{0,120}:|le [^\n]{4,120}(?:\n[^\n]{0,120})?a [ée]crit ?:"
    r"|el [^\n]{4,120}(?:\n[^\n]{0,120})?escribi[óo]:|em [^\n]{4,120}(?:\n[^\n]{0,120})?escreveu:"
    r"|\d{4}[年/-][^\n]{4,120}:"
    r"|-{2,} ?(?:original message|urspr[üu]ngliche nachricht|message d'origine|mensaje original|mensagem original|forwarded message)[^\n]*"
    r"|_{20,}"
    r"|(?:from|von|de|差出人) ?[:\uff1a][^\n]+\n(?:[^\n]*\n){0,2}?[ \t]*(?:sent|date|gesendet|datum|envoy[ée]|enviado|fecha|data|送信日時) ?[:\uff1a][^\n]*"
    r")[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(
    r"^(?:-- ?|(?:sent from my|get outlook for|von meinem|gesendet von|envoy[ée] (?:de|depuis) mon|enviado (?:desde|do|de) (?:mi|meu))[^\n]*|iphoneから送信)$",
    re.IGNORECASE | re.MULTILINE,
)  # fmt: skip
_HIDDEN = re.compile(r"<(style|script|head|blockquote)\b.*?(</\1\s*>|\Z)|<div[^>]*gmail_quote.*\Z|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<(br|/p|/div|/tr|/li|/h\d)\b[^>]*>", re.IGNORECASE)


def is_mail(text: str) -> bool:
    """The first bytes of a file are those of a message or a mailbox: fields of a head, who sent it and when or by which id among them."""
    first, _, rest = text.partition("\n")
    head = re.split(r"\r?\n\r?\n", rest if _MAILBOX.match(first) else text, maxsplit=1)[0]
    lines = head.splitlines()
    if not lines or not all(_FIELD.match(line) or line[:1] in (" ", "\t") for line in lines[:50]):
        return False
    names = {line.partition(":")[0].lower() for line in lines if _FIELD.match(line)}
    return "from" in names and bool(names & {"date", "message-id", "received"}) and bool(names & {"subject", "to", "received", "mime-version"})


def messages(file: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Every message of a file with the line where it begins, as a record that the reader of tickets knows."""
    for line, raw in _split(file):
        try:
            record = _record(BytesParser().parsebytes(raw))
        except (MessageError, LookupError, ValueError, TypeError, AttributeError):
            record = {"ticket_form": "mail"}
        yield line, record


def _split(file: Path) -> Iterator[tuple[int, bytes]]:
    """The bytes of each message: of a mailbox those between its `From ` lines, else the whole file."""
    start, size, kept = 1, 0, list[bytes]()
    is_box, is_break = False, True
    with file.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_MESSAGE), b""), 1):
            if is_break and line.startswith(b"From ") and (is_box or number == 1):
                if kept:
                    yield start, b"".join(kept)
                is_box, start, size, kept = True, number, 0, []
            elif size < MAX_MESSAGE:
                kept.append(line[1:] if is_box and re.match(rb">+From ", line) else line)
                size += len(line)
            is_break = not line.strip()
    if kept:
        yield start, b"".join(kept)


def _record(message: Message) -> dict[str, object]:
    return {
        "ticket_form": "mail", "ticket_number": _decoded(message, "Message-ID").strip("<> "), "ticket_time": _date(_decoded(message, "Date")),
        "ticket_requester": _decoded(message, "From"), "ticket_subject": _decoded(message, "Subject"), "ticket_text": own_words(_body(message)),
    }  # fmt: skip


def _decoded(message: Message, name: str) -> str:
    """A field of the head in plain letters; as it stands when it cannot be decoded."""
    raw = str(message.get(name) or "")
    try:
        text = str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        text = raw
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _date(text: str) -> str | None:
    """The date of a message as UTC; None when there is none that can be read."""
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _body(message: Message) -> str:
    """The text of a message: its first plain part, else its first part in HTML without the marks."""
    parts = [part for part in message.walk() if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"]
    for kind in ("plain", "html"):
        for part in parts:
            if part.get_content_subtype() == kind and (text := _text(part)).strip():
                return text if kind == "plain" else _without_marks(text)
    return ""


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace").replace("\r\n", "\n")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _without_marks(text: str) -> str:
    return html.unescape(re.sub(r"<[^<>]*>", " ", _BREAK.sub("\n", _HIDDEN.sub(" ", text))))


def own_words(text: str) -> str:
    """What the writer wrote: without what is quoted below or between, and without the signature."""
    kept, rest = "", text
    while (quote := _QUOTES.search(rest)) is not None:
        kept, rest = kept + rest[: quote.start()], rest[quote.end() :]
        if not rest.lstrip().startswith(">"):
            rest = ""
    lines = [line for line in (kept + rest).split("\n") if not line.lstrip().startswith(">")]
    return _SIGNATURE.split("\n".join(lines), maxsplit=1)[0].strip()
