"""In an alert hostile texts call nobody, link nowhere and begin no new line: in every kind of target."""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from tests.hostile.conftest import Case
from tests.hostile.strings import UNSEEN
from unbidden.alerts import apprise, slack, syslog, teams, webhook
from unbidden.alerts.email import mail_of
from unbidden.alerts.letter import Letter
from unbidden.alerts.message import message_of
from unbidden.alerts.settings import EmailTarget, Target

AT = datetime(2026, 3, 9, 8, tzinfo=UTC)
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "alert": {"what": "opened", "from": None, "to": {"stage": "attempted", "severity": "high"}},
    "note": {"what": "withdrawn", "into": None},
}
MAIL = EmailTarget(kind="email", host="mx.example.com", sender="unbidden@example.com", to=("soc@example.com",))


@cache
def letters(case: Case) -> tuple[Letter, ...]:
    """An alert and a note of every incident, and one of the server that repeats words of a log."""
    return tuple(_letters(case))


def _letters(case: Case) -> Iterator[Letter]:
    for number, one in enumerate(case.incidents):
        for kind, change in CHANGES.items():
            payload = {"change": change, "incident": one}
            name = f"{number:032x}"
            yield Letter(name, kind, one["id"], AT, message_of(kind, payload, name), payload)
    text = case.incidents[0]["user"]
    health = {"kind": "health", "title": text, "over": text, "user": text, "id": text, "severity": "high", "first_at": "2026-03-09T08:00:00Z",
              "time_zone": None, "steps": [{"title": text}], "story": [text]}  # fmt: skip
    payload = {"change": {"what": "opened"}, "incident": {**case.incidents[0], **health}}
    yield Letter("f" * 32, "alert", "health", AT, message_of("alert", payload, "f" * 32), payload)


def texts_of(told: object) -> Iterator[str]:
    """Every text of a JSON value."""
    match told:
        case str():
            yield told
        case Mapping():
            for one in told.values():
                yield from texts_of(one)
        case list() | tuple():
            for one in told:
                yield from texts_of(one)


def test_every_kind_of_target_is_looked_at() -> None:
    kinds = {str(get_args(target.model_fields["kind"].annotation)[0]) for target in get_args(get_args(Target)[0])}
    assert kinds == {"slack", "teams", "email", "syslog", "webhook", "apprise"}


def test_plain_text_is_seen_and_links_nowhere(case: Case) -> None:
    for letter in letters(case):
        message = letter.message
        text = message.text()
        assert UNSEEN.findall(text) == []
        assert not re.search(r"\w://|www\.", text)
        assert "\n" not in message.subject
        assert len(text) < 12_000
        assert len(text.splitlines()) == len(list(message.lines()))


def test_slack_mentions_nobody_and_formats_nothing(case: Case) -> None:
    for letter in letters(case):
        for block in slack.blocks(letter.message):
            told = [block["text"]] if "text" in block else block["elements"]
            for one in told:
                if one["type"] == "mrkdwn":
                    assert one.get("verbatim") is True
                    assert "<" not in one["text"]
                    assert "`" not in one["text"]
                    assert "~" not in one["text"]
                    ours = re.findall(r"^\*[A-Z][\w ]+:?\*", one["text"], re.MULTILINE)
                    assert one["text"].count("*") == 2 * len(ours)
                else:
                    assert one["type"] == "plain_text"
        assert "<" not in slack.escaped(letter.message.subject)


def test_teams_gets_text_runs_alone(case: Case) -> None:
    for letter in letters(case):
        card = teams.card(letter.message)
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
        runs = [run for block in card["body"] for run in block["inlines"]]
        assert {run["type"] for run in runs} == {"TextRun"}
        assert not any("selectAction" in run or "url" in run for run in runs)
        assert not any(re.search(r"\w://", run["text"]) for run in runs)


class _Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_a_mail_has_its_own_headers_and_elements_alone(case: Case) -> None:
    for letter in letters(case):
        raw = mail_of(MAIL, letter).as_bytes()
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert {name.lower() for name in mail} <= {
            "from", "to", "subject", "date", "message-id", "auto-submitted", "unbidden-id", "importance", "mime-version", "content-type",
        }  # fmt: skip
        assert mail["to"] == "soc@example.com"
        assert mail["subject"].strip() == letter.message.subject
        assert max(map(len, raw.splitlines())) <= 998
        html = mail.get_body(("html",))
        assert html is not None
        elements = _Elements(html.get_content())
        assert elements.names <= {"html", "head", "meta", "title", "body", "p", "b", "table", "tr", "th", "td", "ol", "li"}
        assert elements.attributes <= {"lang", "charset", "style", "cellpadding", "align", "valign"}


def test_a_line_of_syslog_is_one_line_with_its_own_fields(case: Case) -> None:
    known = {"externalId", "msg", "duser", "cnt", "start", "end", "src", "cn1Label", "cn1"} | {f"cs{n}{end}" for n in range(1, 7) for end in ("", "Label")}
    for letter in letters(case):
        line = syslog.line_of(letter, 13, "host").decode()
        assert UNSEEN.findall(line) == []
        assert "\n" not in line
        cef = line[line.index("CEF:0|") :]
        head = re.split(r"(?<!\\)\|", cef, maxsplit=7)
        assert head[1:3] == ["unbidden", "unbidden"]
        assert head[6] in {"3", "6", "8", "10"}
        assert set(re.findall(r"(?:^| )(\w+)(?<!\\)=", head[7])) <= known
        assert len(re.findall(r"(?:^| )(cs1|duser|msg)(?<!\\)=", head[7])) == len(set(re.findall(r"(?:^| )(cs1|duser|msg)(?<!\\)=", head[7])))


def test_a_webhook_holds_the_log_as_it_is(case: Case) -> None:
    for letter in letters(case):
        body = json.loads(webhook.body_of(letter))
        assert body["incident"] == letter.payload["incident"]
        assert UNSEEN.findall(body["subject"] + body["text"].replace("\n", "")) == []


def test_apprise_calls_nobody_and_links_nothing(case: Case) -> None:
    for letter in letters(case):
        text = apprise.tame(letter.message.text())
        assert not re.search(r"@(everyone|here|channel|all)\b|<[@#!&:]|\]\(", text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("<!channel> <@U1> <#C1> </x:1>", "< !channel> < @U1> < #C1> < /x:1>"),
        ("@everyone @Here @allison", "@ everyone @ Here @allison"),
        ("[x](y) ![](z)", "[x] (y) ![] (z)"),
        ("ana@example.com", "ana@example.com"),
    ],
)
def test_what_chats_act_upon_is_parted(given: str, told: str) -> None:
    assert apprise.tame(given) == told
