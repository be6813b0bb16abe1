"""Tickets of a help desk: what people wrote to it, from exports of ServiceNow, Jira, Zendesk and Freshservice, plain tables and mail.

A ticket is a person's own word. Whether it complains of prompts that nobody asked for is told by phrases with weights (`tickets.phrases.yml`), no more.
Source of the fields: the desks' own tables and APIs as they are commonly exported; unverified, since no such export is among the references.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import md5
from importlib import resources
from typing import Any, LiteralString, TypeAlias, cast

import re2

from unbidden import content
from unbidden.engine import Structure
from unbidden.providers import Event, Path, Patience, Record, Shape, Sight

TITLE = "Help desk"

Search: TypeAlias = Callable[[bytes], tuple[int, str] | None]

# The names by which mails and tables whose columns the user named reach us; every desk's own words lead to them.
_STRUCTURE: Structure = dict.fromkeys(
    ("ticket_form", "ticket_number", "ticket_time", "ticket_email", "ticket_requester", "ticket_sender", "ticket_subject", "ticket_text", "ticket_log"),
    "VARCHAR",
)  # fmt: skip
_ISSUE: Structure = {
    "key": "VARCHAR",
    "fields": {
        "created": "VARCHAR", "summary": "VARCHAR", "description": "VARCHAR",
        "reporter": {"emailAddress": "VARCHAR", "displayName": "VARCHAR", "name": "VARCHAR"},
    },
}  # fmt: skip

# Letters in other widths and with accents, curly quotes and odd spaces as plain ones, one for one; soft hyphens and marks of direction go.
_LETTERS = {
    letter: plain
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00), *range(0xFF01, 0xFFA0), 0x3000, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F)
    for letter in [chr(code)] for plain in [unicodedata.normalize("NFKD", letter)[:1].lower()] if plain != letter
}  # fmt: skip
_PLAIN = {
    **_LETTERS,
    "\uff9e": "\u3099",
    "\uff9f": "\u309a",
    **dict.fromkeys("\u2018\u2019\u02bc`\u00b4", "'"),
    **dict.fromkeys("“”„", '"'),
    "–": "-",
    "—": "-",
}
_DROPPED = "\u0307\u00ad\u200b\u200c\u200d\u200e\u200f\ufeff"
_AS_PLAIN = str.maketrans({**_PLAIN, **dict.fromkeys(_DROPPED)})
# What is cut off at the ends: spaces of every width.
_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# How much of a ticket is read: what somebody asks for stands at its beginning.
_READ = 4000


@cache
def _phrases() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = content.loads(resources.files(__package__ or "").joinpath("tickets.phrases.yml").read_text("utf-8"))
    return loaded


def plain(text: str) -> str:
    """A text as the phrases see it: lower case, without accents, with plain quotes and single spaces."""
    # Python makes another small letter of a Sigma at the end of a word.
    bare = unicodedata.normalize("NFC", text).replace("Σ", "\u03c3").lower().translate(_AS_PLAIN).replace("ß", "ss")
    return re.sub(r"[ \t\r\n]+", " ", unicodedata.normalize("NFC", bare)).strip(_SPACES)


def pattern(phrase: str, language: str) -> str:
    """The regular expression of one phrase: as the text is spelled, and from a word's beginning to a word's end where words have spaces."""
    bare = plain(f"|{phrase}|")[1:-1]
    return f"(?:{bare})" if language == "ja" else rf"{'' if bare[0] in _NO_WORD else chr(92) + 'b'}(?:{bare})\w*"


_NO_WORD = "\\'[„"


# Three times what the longest expression needs so as not to fall back on a slower way.
_MEMORY = 16 << 20


def _search(regex: str) -> Search:
    """Where a text in UTF-8 fits an expression for the first time, and with which words, in a time that grows with the text alone."""
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    compiled = re2.compile(regex, options)

    def search(text: bytes) -> tuple[int, str] | None:
        found = compiled.search(text)
        return None if found is None else (found.start(), found.group().decode())

    return search


@cache
def _searches(kind: str) -> tuple[tuple[int, tuple[Search, ...]], ...]:
    """The weights of a kind, the heaviest first, each with an expression for every language: all of them in one would need far more memory and time."""
    told = [(kinds.get(kind, {}), language) for language, kinds in _phrases()["phrases"].items()]
    return tuple(
        (weight, tuple(_search("|".join(pattern(phrase, language) for phrase in weights[weight])) for weights, language in told if weights.get(weight)))
        for weight in sorted({weight for weights, _ in told for weight in weights}, reverse=True)
    )


def _hits_of(words: bytes, *sides: str) -> list[tuple[str, int]]:
    """For each kind of these sides of which a phrase is in the text the words that matched its heaviest, and what they weigh."""
    hits = []
    for kind, about in _phrases()["kinds"].items():
        if about["side"] not in sides:
            continue
        found = ((weight, [hit for search in searches if (hit := search(words)) is not None]) for weight, searches in _searches(kind))
        weight, places = next(((weight, places) for weight, places in found if places), (0, []))
        if places:
            _, says = min(places, key=lambda place: place[0])
            hits.append((says.strip(_SPACES), -weight if about["side"] == "benign" else weight))
    return hits


def _hits(words: bytes) -> list[tuple[str, int]]:
    """What counts in a text. What adds and what speaks against is looked for only where it can matter: most tickets speak of no prompt."""
    prompts = _hits_of(words, "prompt")
    denials = _hits_of(words, "unasked") if prompts else []
    return [*prompts, *denials, *_hits_of(words, "more", "benign")] if denials else []


def _told(subject: str | None, body: str | None, who: str | None) -> Record:
    """What a ticket says, as columns: the beginning of its words and why they count, how much, and a number for tickets without one."""
    parts = [part for text in (subject, body) if (part := (text or "").encode("utf-8", "replace").decode().strip(_SPACES))]
    if not parts:
        return {}
    told = re.sub(r"[\t\n\f\r ]+", " ", re.sub(r"<[^<>]{1,500}>|&nbsp;", " ", ": ".join(parts))).strip(_SPACES)
    said = re.sub("&(?:#39|apos|rsquo);", "'", told)
    digest = md5("|".join(text for text in (who, said) if text is not None).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:16]
    hits, limits = _hits(plain(said[:_READ]).encode()), _phrases()
    score = sum(weight for _, weight in hits)
    if not hits or score < limits["medium"]:
        return {"detail": said[:200], "digest": digest}
    because = ", ".join(f"{says} {weight:+d}" for says, weight in hits)
    return {"detail": f"{said[:200]} [{because}]", "digest": digest, "risk": "high" if score >= limits["high"] else "medium"}


_TOLD: Structure = {"detail": "VARCHAR", "digest": "VARCHAR", "risk": "VARCHAR"}


def _joined(*names: str | None) -> str | None:
    return " ".join(name for name in names if name is not None) or None


def _ticket_told(record: Record) -> Record:
    who = _joined(record.get("ticket_email"), record.get("ticket_requester"), record.get("ticket_sender"))
    return _told(record.get("ticket_subject"), record.get("ticket_text"), who)


def _issue_told(record: Record) -> Record:
    """What an issue says. What is written in Jira's document format is told by its texts."""
    fields = record["fields"]
    reporter, body = fields.get("reporter") or {}, fields.get("description")
    name = reporter.get("displayName")
    if body is not None and body.startswith('{"type"'):
        body = " ".join(re.findall(r'"text":"([^"\\]*+(?:\\.[^"\\]*+)*+)"', body))
    return _told(fields.get("summary"), body, _joined(reporter.get("emailAddress"), reporter.get("name") if name is None else name))


def _events(rows: str) -> LiteralString:
    """The SELECT that makes events of rows with the columns source, number, opened, who, and those of `_TOLD`.

    The requester is the address if there is one, else the name as it stands: a display name fits nobody's login, and is joined with one by the user's
    list of people only.
    """
    return cast("LiteralString", rf"""
WITH rows AS ({rows}
), read AS (
  SELECT source, number, {_at("opened")} AS happened, detail, digest, risk,
    nullif(regexp_extract(who, '[^\s<>"(),;:\\\[\]{{}}]+@[^\s<>"(),;:\\\[\]{{}}]+'), '') AS address,
    coalesce(nullif(regexp_extract(who, '"(?:display_value|displayName|name)": ?"([^"]+)"', 1), ''), trim(who, ' <>"')) AS name
  FROM rows WHERE {_at("opened")} IS NOT NULL AND detail IS NOT NULL
)
SELECT source, 0 AS step, happened AS occurred_at, coalesce(known(number), digest) || '|' || epoch_us(happened) AS event_id,
  lower(coalesce(address, known(name))) AS login, if(risk IS NOT NULL, 'report', 'other') AS kind, if(risk IS NOT NULL, 'success', NULL) AS outcome,
  'inferred' AS certainty, 'ticket' AS code, detail, risk
FROM read
""")  # fmt: skip


# Jira's own table, and clocks whose month cannot be taken for a day.
_CLOCKS = ["%d.%m.%Y %H:%M", "%d/%b/%y %I:%M %p", "%d/%b/%Y %I:%M %p", "%d/%b/%y %H:%M", "%d %b %Y %H:%M"]


def _at(column: str) -> str:
    """The time of a ticket. A zone is honoured, no zone means UTC; what could be a day or a month first is not guessed at."""
    return f"coalesce(utc({column}), sane(try_strptime({column}, {_CLOCKS})))"


_TICKET_SQL = _events(
    "SELECT source, ticket_number AS number, ticket_time AS opened, nullif(concat_ws(' ', ticket_email, ticket_requester, ticket_sender), '') AS who,"
    " detail, digest, risk FROM raw"
)
_ISSUE_SQL = _events(
    "SELECT source, \"key\" AS number, fields.created AS opened, nullif(concat_ws(' ', fields.reporter.emailAddress, coalesce(fields.reporter.displayName,"
    " fields.reporter.name)), '') AS who, detail, digest, risk FROM raw"
)

_DATE = re.compile(r"\d{4}[-/]\d\d[-/]\d\d|\d{1,2}[./ ](\d{1,2}|[A-Za-z]{3})[./ ]\d{2,4}")


def _is_prose(value: object) -> bool:
    return isinstance(value, str) and not value.lstrip().startswith(("{", "[{", '["', "<?xml")) and any(c.isalpha() for c in value)


def _marks(record: Record) -> bool:
    """A mail or a table whose columns the user named; else a time, somebody and words, and nothing that only a log has."""
    if record.get("ticket_form"):
        return True
    if record.get("ticket_log") or not _DATE.match(str(record.get("ticket_time") or "")):
        return False
    told = [name for name in ("ticket_subject", "ticket_text") if _is_prose(record.get(name))]
    if "ticket_subject" in record and ("ticket_requester" in record or "ticket_email" in record):
        return bool(told)
    return len(told) == 2 and "ticket_sender" in record


def _marks_issue(record: Record) -> bool:
    fields = record.get("fields")
    return (
        isinstance(fields, Mapping) and bool(fields.get("created") and fields.get("summary")) and re.match(r"[A-Z]\w*-\d+$", str(record.get("key"))) is not None
    )


def _aliases() -> Iterator[tuple[str, Path]]:
    words = content.loads(resources.files(__package__ or "").joinpath("tickets.columns.yml").read_text("utf-8"))
    for place, names in words.items():
        for name in names:
            yield re.sub(r"[\W_]+", "", name.lower()), (place,)


_NEEDS = "a readable time and words"
_MINE = f"{_at('ticket_time')} IS NOT NULL AND coalesce(nullif(trim(ticket_subject), ''), nullif(trim(ticket_text), '')) IS NOT NULL"
_MINE_ISSUE = f"{_at('fields.created')} IS NOT NULL AND nullif(trim(fields.summary), '') IS NOT NULL"
SHAPES = (
    Shape(
        "ticket", _STRUCTURE, cast("LiteralString", _MINE),
        _TICKET_SQL, _marks, _NEEDS, dict(_aliases()), tells=_ticket_told, told=_TOLD,
    ),
    Shape("issue", _ISSUE, cast("LiteralString", _MINE_ISSUE),
          _ISSUE_SQL, _marks_issue, _NEEDS, tells=_issue_told, told=_TOLD),
)  # fmt: skip

PATIENCE: Mapping[str, Patience] = {}

_NOTHING = "tickets hold people's words only"
SIGHT = {
    **dict.fromkeys(
        ("explicit_prompt", "explicit_deny", "explicit_timeout", "answerer_place", "number_match", "vendor_risk", "factor_changes"), Sight(False, _NOTHING)
    ),
    "explicit_report": Sight(False, "a complaint is told by its words, which may mislead; a requester who is only a display name fits nobody"),
}

# What `render` can write so that reading it back gives the same event: kind, factor, outcome.
REPERTOIRE = (("report", None, "success"), ("other", None, None))


def carries(_: Event) -> frozenset[str]:
    """The columns that a ticket can hold."""
    return frozenset({"occurred_at", "login", "kind", "factor", "outcome"})


def render(event: Event) -> list[dict[str, Any]]:
    """A ticket as ServiceNow exports its incidents; `event_id` becomes its number, `detail` its text."""
    usual = "I keep getting push notifications that I did not request" if event["kind"] == "report" else "The printer is out of toner"
    return [{
        "number": event["event_id"], "opened_at": f"{event['occurred_at']:%Y-%m-%d %H:%M:%S}", "caller_id": event.get("login"),
        "short_description": event.get("subject") or "Help desk request", "description": event.get("detail") or usual,
    }]  # fmt: skip
