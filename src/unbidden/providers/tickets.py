"""Tickets of a help desk: what people wrote to it, from exports of ServiceNow, Jira, Zendesk and Freshservice, plain tables and mail.

A ticket is a person's own word. Whether it complains of prompts that nobody asked for is told by phrases with weights (`tickets.phrases.yml`), no more.
Source of the fields: the desks' own tables and APIs as they are commonly exported; unverified, since no such export is among the references.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, LiteralString, cast

from unbidden import content
from unbidden.engine import Structure, quote
from unbidden.providers import Event, Path, Patience, Record, Shape, Sight

TITLE = "Help desk"

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
# How much of a ticket is read: what somebody asks for stands at its beginning.
_READ = 4000


@cache
def _phrases() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = content.loads(resources.files(__package__ or "").joinpath("tickets.phrases.yml").read_text("utf-8"))
    return loaded


def plain(text: str) -> str:
    """A text as the phrases see it: lower case, without accents, with plain quotes and single spaces."""
    bare = unicodedata.normalize("NFC", text).lower().translate(str.maketrans({**_PLAIN, **dict.fromkeys(_DROPPED)})).replace("ß", "ss")
    return re.sub(r"[ \t\r\n]+", " ", unicodedata.normalize("NFC", bare)).strip()


def _plain_sql(text: str) -> str:
    """The same as `plain`, in SQL."""
    froms, tos = "".join(_PLAIN) + _DROPPED, "".join(_PLAIN.values())
    bare = f"nfc_normalize(replace(translate(lower(nfc_normalize({text})), {quote(froms)}, {quote(tos)}), 'ß', 'ss'))"
    return rf"trim(regexp_replace({bare}, '[ \t\r\n]+', ' ', 'g'))"


def pattern(phrase: str, language: str) -> str:
    """The regular expression of one phrase: as the text is spelled, and from a word's beginning to a word's end where words have spaces."""
    bare = plain(f"|{phrase}|")[1:-1]
    return f"(?:{bare})" if language == "ja" else rf"{'' if bare[0] in _NO_WORD else chr(92) + 'b'}(?:{bare})\w*"


_NO_WORD = "\\'[„"


def _regex(kind: str, weight: int) -> str:
    """All phrases of one kind and weight as one expression."""
    return "|".join(pattern(phrase, language) for language, kinds in _phrases()["phrases"].items() for phrase in kinds.get(kind, {}).get(weight, ()))


def _hits_sql(*sides: str) -> str:
    """A list with, for each kind of these sides of which a phrase is in the text, its heaviest phrase's weight and the words that matched."""
    cases = []
    for kind, about in _phrases()["kinds"].items():
        if about["side"] not in sides:
            continue
        weights = sorted({weight for kinds in _phrases()["phrases"].values() for weight in kinds.get(kind, {})}, reverse=True)
        sign = -1 if about["side"] == "benign" else 1
        tests = " ".join(
            f"WHEN regexp_matches(words, {regex}) THEN {{side: '{about['side']}', weight: {sign * weight}, says: regexp_extract(words, {regex})}}"
            for weight in weights for regex in [quote(_regex(kind, weight))]
        )  # fmt: skip
        cases.append(f"CASE {tests} END")
    return f"list_filter([{', '.join(cases)}], lambda h: h IS NOT NULL)"


def _events(rows: str) -> LiteralString:
    """The SELECT that makes events of rows with the columns source, number, opened, who, subject and body.

    The requester is the address if there is one, else the name as it stands: a display name fits nobody's login, and is joined with one by the user's
    list of people only.
    """
    says = _phrases()
    return cast("LiteralString", rf"""
WITH rows AS ({rows}
), clean AS (
  SELECT source, number, {_at("opened")} AS happened, who,
    trim(regexp_replace(
      regexp_replace(concat_ws(': ', nullif(trim(subject), ''), nullif(trim(body), '')), '<[^<>]{{1,500}}>|&nbsp;', ' ', 'g'), '\s+', ' ', 'g')) AS told,
    nullif(regexp_extract(who, '[^\s<>"(),;:\\\[\]{{}}]+@[^\s<>"(),;:\\\[\]{{}}]+'), '') AS address,
    coalesce(nullif(regexp_extract(who, '"(?:display_value|displayName|name)": ?"([^"]+)"', 1), ''), trim(who, ' <>"')) AS name
  FROM rows WHERE {_at("opened")} IS NOT NULL AND coalesce(nullif(trim(subject), ''), nullif(trim(body), '')) IS NOT NULL
), read AS (
  SELECT * EXCLUDE (told), regexp_replace(told, '&(#39|apos|rsquo);', '''', 'g') AS said, {_plain_sql(f"left(said, {_READ})")} AS words FROM clean
), prompted AS (
  SELECT *, {_hits_sql("prompt")} AS prompts FROM read
), unasked AS (
  SELECT *, if(len(prompts) > 0, {_hits_sql("unasked")}, []) AS denials FROM prompted
), weighed AS (
  -- What adds and what speaks against is looked for only where it can matter: most tickets speak of no prompt.
  SELECT *, if(len(denials) > 0, prompts || denials || {_hits_sql("more", "benign")}, []) AS hits FROM unasked
), judged AS (
  SELECT *, list_sum(list_transform(hits, lambda h: h.weight)) AS score, coalesce(score >= {says["medium"]}, false) AS is_complaint,
    array_to_string(list_transform(hits, lambda h: trim(h.says) || if(h.weight > 0, ' +', ' ') || h.weight), ', ') AS because
  FROM weighed
)
SELECT source, 0 AS step, happened AS occurred_at, coalesce(known(number), left(md5(concat_ws('|', who, said)), 16)) || '|' || epoch_us(happened) AS event_id,
  lower(coalesce(address, known(name))) AS login, if(is_complaint, 'report', 'other') AS kind, if(is_complaint, 'success', NULL) AS outcome,
  'inferred' AS certainty, 'ticket' AS code,
  left(said, 200) || if(is_complaint, ' [' || because || ']', '') AS detail,
  CASE WHEN is_complaint THEN if(score >= {says["high"]}, 'high', 'medium') END AS risk
FROM judged
""")  # fmt: skip


# Jira's own table, and clocks whose month cannot be taken for a day.
_CLOCKS = ["%d.%m.%Y %H:%M", "%d/%b/%y %I:%M %p", "%d/%b/%Y %I:%M %p", "%d/%b/%y %H:%M", "%d %b %Y %H:%M"]


def _at(column: str) -> str:
    """The time of a ticket. A zone is honoured, no zone means UTC; what could be a day or a month first is not guessed at."""
    return f"coalesce(utc({column}), sane(try_strptime({column}, {_CLOCKS})))"


# What is written in Jira's document format is told by its texts.
_WORDS_OF = r"""if(starts_with({0}, '{{"type"'), array_to_string(regexp_extract_all({0}, '"text":"((?:[^"\\]|\\.)*)"', 1), ' '), {0})"""

_TICKET_SQL = _events(
    "SELECT source, ticket_number AS number, ticket_time AS opened, nullif(concat_ws(' ', ticket_email, ticket_requester, ticket_sender), '') AS who,"
    " ticket_subject AS subject, ticket_text AS body FROM raw"
)
_ISSUE_SQL = _events(
    "SELECT source, \"key\" AS number, fields.created AS opened, nullif(concat_ws(' ', fields.reporter.emailAddress, coalesce(fields.reporter.displayName,"
    f" fields.reporter.name)), '') AS who, fields.summary AS subject, {_WORDS_OF.format('fields.description')} AS body FROM raw"
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
        _TICKET_SQL, _marks, _NEEDS, dict(_aliases()), whole="false",
    ),
    Shape("issue", _ISSUE, cast("LiteralString", _MINE_ISSUE),
          _ISSUE_SQL, _marks_issue, _NEEDS, whole="false"),
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
