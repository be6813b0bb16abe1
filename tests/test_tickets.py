"""Tickets: which texts are complaints, and why; mail and tables that the user names; and the story of an incident that a ticket is part of."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from unbidden import engine, ingest, line, simulate
from unbidden.errors import UnusableInputError
from unbidden.ingest.columns import read_columns
from unbidden.ingest.mail import is_mail, own_words
from unbidden.people import Listed
from unbidden.providers import registry, tickets
from unbidden.result import document

FOLDER = Path(__file__).parent / "tickets"
PHRASES: dict[str, Any] = yaml.safe_load(resources.files("unbidden.providers").joinpath("tickets.phrases.yml").read_text("utf-8"))
LANGUAGES = ("en", "de", "fr", "es", "pt", "ja")


def labelled(name: str) -> list[tuple[str, str, str]]:
    """Language, label and text of a labelled set."""
    told = yaml.safe_load((FOLDER / f"{name}.yml").read_text("utf-8"))
    return [(language, label, text) for language, labels in told.items() for label, texts in labels.items() for text in texts]


def read(folder: Path, name: str, text: str, columns: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events and unread rows of a file with this text."""
    (folder / name).write_text(text, "utf-8")
    con = engine.connect()
    ingest.read(con, [str(folder / name)], columns=columns)
    return engine.records(con, "SELECT * FROM event ORDER BY occurred_at, event_id"), engine.records(con, "SELECT * FROM unread ORDER BY line")


def judged(folder: Path, texts: list[str]) -> list[dict[str, Any]]:
    """The event of each text, in order."""
    rows = [
        {"number": f"{number:05d}", "opened_at": "2026-03-12 21:00:00", "caller_id": "a@example.com", "short_description": "", "description": text}
        for number, text in enumerate(texts)
    ]
    events, unread = read(folder, "tickets.json", json.dumps(rows))
    assert unread == []
    assert len(events) == len(texts)
    return events


@cache
def outcome(folder: Path, name: str) -> dict[tuple[str, bool, bool], list[str]]:
    """The texts of a labelled set by language, whether they are complaints, and whether they were taken for one."""
    rows = labelled(name)
    found: dict[tuple[str, bool, bool], list[str]] = {}
    for (language, label, text), event in zip(rows, judged(folder, [text for _, _, text in rows]), strict=True):
        found.setdefault((language, label == "unasked", event["kind"] == "report"), []).append(text)
    return found


@pytest.mark.parametrize("name", ["written", "written_more", "written_third"])
def test_every_text_that_phrases_were_written_against_is_told_right(name: str, tmp_path: Path) -> None:
    found = outcome(tmp_path, name)
    assert [text for (_, is_complaint, is_taken), texts in found.items() if is_complaint != is_taken for text in texts] == []


# What was reached when it was measured: the first set, by the author of the phrases, many times, its errors seen
# in the last round; the other, by somebody else, once (decision 16).
@pytest.mark.parametrize(("name", "precise", "found"), [("held_out", 0.95, 0.95), ("independent", 0.95, 0.82)])
def test_precision_and_recall_on_texts_that_no_phrase_was_written_against(name: str, precise: float, found: float, tmp_path: Path) -> None:
    counts = {key: len(texts) for key, texts in outcome(tmp_path, name).items()}
    for language in LANGUAGES:
        right, missed, wrong = (counts.get((language, *how), 0) for how in ((True, True), (True, False), (False, True)))
        print(f"{language}: {right} of {right + missed} complaints found, {wrong} other texts taken for one")  # noqa: T201 -- the numbers are the point
    right, missed, wrong = (sum(counts.get((language, *how), 0) for language in LANGUAGES) for how in ((True, True), (True, False), (False, True)))
    print(f"precision {right / (right + wrong):.3f}, recall {right / (right + missed):.3f}")  # noqa: T201 -- the numbers are the point
    assert right / (right + wrong) >= precise
    assert right / (right + missed) >= found


def test_the_labelled_sets_are_balanced_and_share_no_text() -> None:
    written, held = labelled("written") + labelled("written_more") + labelled("written_third"), labelled("held_out")
    assert len(held) >= 240
    for language in LANGUAGES:
        labels = [label for one, label, _ in held if one == language]
        assert len(labels) >= 40
        assert labels.count("other") * 2 >= len(labels)
    assert {text for *_, text in written} & {text for *_, text in held} == set()


def test_phrases_are_whole() -> None:
    kinds = PHRASES["kinds"]
    assert {about["side"] for about in kinds.values()} == {"prompt", "unasked", "more", "benign"}
    assert set(PHRASES["phrases"]) == set(LANGUAGES)
    for language, groups in PHRASES["phrases"].items():
        assert set(groups) == set(kinds), f"{language} has phrases of every kind"
        for weights in groups.values():
            for weight, phrases in weights.items():
                assert 1 <= weight <= 6
                assert all(re.compile(tickets.pattern(phrase, language)) for phrase in phrases)


def test_neither_a_prompt_nor_not_having_asked_is_enough_alone(tmp_path: Path) -> None:
    texts = ["Push notifications, again and again", "I did not request this at all, it was not me, please stop", "Authenticator", "nobody asked for it at 3am"]
    assert {event["kind"] for event in judged(tmp_path, texts)} == {"other"}


def test_a_complaint_says_why_it_counts(tmp_path: Path) -> None:
    [event] = judged(tmp_path, ["I keep getting push notifications that I did not request " + "and so on " * 40])
    assert event["detail"].endswith("[push +2, did not request +3, keep getting +1]")
    assert len(event["detail"].partition(" [push")[0]) == 200
    assert (event["code"], event["certainty"], event["risk"]) == ("ticket", "inferred", "high")


PLAIN = {
    "Ｐｕｓｈ ｶﾞ ガ": "push ガ ガ",
    "é e\u0301 İstanbul Straße STRAẞE": "e e istanbul strasse strasse",
    "‘x’ – “y”\u00a0z\u3000\n w": "'x' - \"y\" z w",
    "soft\u00adhyphen": "softhyphen",
    "ДА ΟΔΟΣ": "да οδοσ",
    "\u2003 a\tb\u205f": "a b",
    "\x0bc\x85": "\x0bc\x85",
}


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_is_made_plain(text: str) -> None:
    assert tickets.plain(text) == PLAIN[text]


def by_backtracking(words: str, side: str) -> list[tuple[str, int]]:
    """The hits of the kinds of a side as Python's own expressions find them, all languages in one."""
    hits = []
    for kind in (kind for kind, about in PHRASES["kinds"].items() if about["side"] == side):
        languages = [(language, kinds[kind]) for language, kinds in PHRASES["phrases"].items()]
        for weight in sorted({weight for _, weights in languages for weight in weights}, reverse=True):
            whole = "|".join(tickets.pattern(phrase, language) for language, weights in languages for phrase in weights.get(weight, ()))
            if found := re.search(whole, words, re.ASCII):
                hits.append((found.group().strip(), -weight if side == "benign" else weight))
                break
    return hits


def test_the_first_words_that_fit_count_whatever_their_language() -> None:
    for words in (tickets.plain(text) for _, _, text in labelled("written")[::7]):
        prompts, denials = by_backtracking(words, "prompt"), by_backtracking(words, "unasked")
        wanted = prompts + denials + by_backtracking(words, "more") + by_backtracking(words, "benign") if prompts and denials else []
        assert tickets._hits(words.encode()) == wanted  # noqa: SLF001 -- one half of one thing


def test_columns_that_are_told_are_not_taken_from_the_input(tmp_path: Path) -> None:
    row = {"number": "1", "opened_at": "2026-03-12 21:00:00", "caller_id": "a@example.com", "short_description": "toner", "description": "none left"}
    [event], unread = read(tmp_path, "a.json", json.dumps([row | {"detail": "push", "digest": "0", "risk": "high", "told": {"risk": "high"}}]))
    assert (event["kind"], event["detail"], event["risk"], unread) == ("other", "toner: none left", None, [])


def test_what_is_shown_of_an_unread_ticket_is_its_own(tmp_path: Path) -> None:
    row = {"key": "A-1", "fields": {"created": "soon", "summary": "push I did not request", "reporter": None}}
    [lost] = read(tmp_path, "a.json", json.dumps([row]))[1]
    assert lost["text"].startswith('{"key":"A-1","fields":{"created":"soon"')
    assert "digest" not in lost["text"]


def test_long_and_odd_texts_are_judged_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [word for _, _, text in labelled("written") for word in text.split()]
    texts = [" ".join(words[start::97]) for start in range(40)] + [
        "push I did not " * 20000,
        "push " + "<" * 50000,
        "\0 push",
    ]
    judged(tmp_path, texts)
    written = {"created": "2026-03-12 21:00:00", "summary": "push", "description": '{"type"' + '"text":"\\' * 20000}
    assert len(read(tmp_path, "issues.json", json.dumps([{"key": "A-1", "fields": written}]))[0]) == 1
    assert capfd.readouterr() == ("", "")


def test_half_a_letter_stops_no_ticket(tmp_path: Path) -> None:
    row = {"number": "1", "opened_at": "2026-03-12 21:00:00", "caller_id": "a\ud83d", "short_description": "push", "description": "not me \udfff"}
    [event], _ = read(tmp_path, "a.json", f'[{json.dumps(row)}, {{"number": "cut')
    assert event["detail"].startswith("push: not me ? [")


def test_a_large_file_of_tickets_is_read_like_a_small_one(tmp_path: Path) -> None:
    row = dict.fromkeys(("ticket_number", "ticket_email", "ticket_requester", "ticket_sender", "ticket_log")) | {"ticket_form": "x"}
    rows = [
        row | {"ticket_time": f"2026-03-12 {number // 60:02d}:{number % 60:02d}:00", "ticket_subject": "push", "ticket_text": "I did not request it " * 20}
        for number in range(900)
    ]
    events, unread = read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert (len(events), {event["kind"] for event in events}, unread) == (900, {"report"}, [])


NO_TICKETS = {
    "people": "user,aliases,department,privileged,time_zone\nana@example.com,ana,IT,true,Europe/Berlin\n",
    "a log with addresses": "time,user,subject,text,ip\n2026-03-12 21:00:00,ana,sign-in,MFA push that I did not start,192.0.2.1\n",
    "a log of actions": "date,from,title,description,action\n2026-03-12,ana,push,I did not start it,allow\n",
    "no time": "time,from,subject,body\nsoon,ana@example.com,push,I did not start it\n",
    "numbers as times": "time,from,subject,body\n1773349800,ana@example.com,push,I did not start it\n",
}


@pytest.mark.parametrize("name", NO_TICKETS)
def test_what_is_no_ticket_is_taken_for_none(name: str, tmp_path: Path) -> None:
    events, unread = read(tmp_path, "rows.csv", NO_TICKETS[name])
    assert events == []
    assert unread


def test_the_user_names_the_columns(tmp_path: Path) -> None:
    text = "Opened;Caller;Summary\n2026-03-12 21:00:00;dana.ito@example.com;Pushes that I did not start\n"
    assert [event["kind"] for event in read(tmp_path, "a.csv", text)[0]] == ["report"]
    odd = text.replace("Opened", "Wann").replace("Caller", "Wer").replace("Summary", "Was")
    assert read(tmp_path, "b.csv", odd)[0] == []
    [event] = read(tmp_path, "c.csv", odd, read_columns("time=Wann, requester=wer,text=Was"))[0]
    assert (event["kind"], event["login"]) == ("report", "dana.ito@example.com")


@pytest.mark.parametrize("text", ["time", "when=Opened,text=Summary", "time=Opened", "text=Summary", "time=,text=Summary"])
def test_columns_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UnusableInputError, match="time=Opened,requester=Caller,text=Summary"):
        read_columns(text)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("mine\n\nOn Thu, 12 Mar 2026 at 21:00, Desk <desk@example.com> wrote:\n> theirs\n> more", "mine"),
        ("On Thu, 12 Mar 2026 at 21:00, Desk <desk@example.com>\nwrote:\n> theirs\n\nmine below", "mine below"),
        ("meins\n\nAm 12.03.2026 um 21:00 schrieb Desk:\n\nderen", "meins"),
        ("le mien\n\nLe jeu. 12 mars 2026 à 21:00, Desk a écrit :\n> autre", "le mien"),
        ("lo mío\n\nEl jue, 12 mar 2026 a las 21:00, Desk escribió:\n> otro", "lo mío"),
        ("o meu\n\nEm qui., 12 de mar. de 2026 às 21:00, Desk escreveu:\n> outro", "o meu"),
        ("私の\n\n2026年3月12日(木) 21:00 Desk <desk@example.com>:\n> 他", "私の"),
        ("mine\n\nFrom: Desk <desk@example.com>\nSent: Thursday\nTo: me\nSubject: x\n\ntheirs", "mine"),
        ("mine\n-----Original Message-----\ntheirs", "mine"),
        ("mine\n-- \nDana Ito\nPush department", "mine"),
        ("mine\n\nSent from my iPhone", "mine"),
        ("from: here it is all mine", "from: here it is all mine"),
    ],
)
def test_what_is_quoted_is_not_told_again(text: str, own: str) -> None:
    assert own_words(text) == own


@pytest.mark.parametrize(
    "text", ["From: a\nno field\n\nx", '{"from": 1}', "time,from,subject\n", "From here on\n", "Date: x\nSubject: y\n\nz", "key: value\n\n"]
)
def test_what_is_no_mail_is_taken_for_none(text: str) -> None:
    assert not is_mail(text)


TOLD = "Hi,\nI keep getting push requests that I did not start.\n"
MAIL = "Message-ID: <m1@example.com>\nDate: Tue, 03 Mar 2026 12:20:00 +0100\nFrom: Dana Ito <Dana.Ito@example.com>\nSubject: help\n\n" + TOLD
FORMS = {
    "table": 'number,opened_at,caller_id,short_description,description\nINC1,2026-03-03 11:20:00,dana.ito@example.com,help,"' + TOLD + '"\n',
    "message": MAIL,
    "mailbox": "From dana.ito@example.com Tue Mar  3 11:20:00 2026\n" + MAIL + "\nFrom x@example.com Tue Mar  3 11:30:00 2026\n"
    "Message-ID: <m2@example.com>\nDate: Tue, 03 Mar 2026 11:30:00 GMT\nFrom: x@example.com\nSubject: toner\n\nno toner\n",
}


def bombed(folder: Path) -> None:
    """An Okta log of somebody who approves at home for some days, and then refuses one stranger."""
    home = {"ip": "10.20.30.40", "country": "US", "city": "Ann Arbor", "lat": 42.28, "lon": -83.74}
    away = {"ip": "203.0.113.77", "country": "NG", "city": "Lagos", "lat": 6.45, "lon": 3.39}
    steps = [(datetime(2026, 2, day, 9), "approved", home) for day in range(10, 26)] + [(datetime(2026, 3, 3, 11), "denied", away)]
    events = [
        {"event_id": f"id-{number}-{kind}", "occurred_at": at + timedelta(seconds=10 * (kind == "answer")), "login": "dana.ito@example.com", "user_id": "00u1",
         "kind": kind, "factor": "push", "outcome": "sent" if kind == "prompt" else fate, "flow_id": f"f-{number}", "intent": "login", **place}
        for number, (at, fate, place) in enumerate(steps) for kind in ("prompt", "answer")
    ]  # fmt: skip
    rows = [row for event in events for row in registry()["okta"].render(event)]
    (folder / "okta.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_a_ticket_is_told_in_the_story_of_its_incident(form: str, tmp_path: Path) -> None:
    bombed(tmp_path)
    [before] = document(line.run([str(tmp_path)]))["incidents"]
    (tmp_path / "tickets").write_text(FORMS[form], "utf-8")
    [incident] = document(line.run([str(tmp_path)]))["incidents"]
    words = '"help: Hi, I keep getting push requests that I did not start."'
    why = "counted for: push +2, did not start +3, keep getting +1"
    assert [text for text in incident["story"] if "told the help desk" in text] == [f"At 11:20 UTC the person told the help desk: {words} ({why})."]
    assert [mark["at"] for mark in incident["timeline"] if mark["kind"] == "report"] == ["2026-03-03T11:20:00Z"]
    assert "tickets" in incident["providers"]
    assert incident["risk"] > before["risk"]


def test_a_ticket_without_a_prompt_is_no_incident(tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text(FORMS["table"], "utf-8")
    assert document(line.run([str(tmp_path)]))["incidents"] == []


def test_a_display_name_fits_nobody_unless_the_list_of_people_says_so(tmp_path: Path) -> None:
    bombed(tmp_path)
    (tmp_path / "tickets.csv").write_text(FORMS["table"].replace("dana.ito@example.com", "Dana Ito"), "utf-8")
    [incident] = document(line.run([str(tmp_path)]))["incidents"]
    assert "ticket" not in {signal["detection"] for signal in incident["signals"]}
    listed = [Listed("dana.ito@example.com", aliases=("dana ito",))]
    [incident] = document(line.run([str(tmp_path)], line.Options(listed=listed)))["incidents"]
    assert "ticket" in {signal["detection"] for signal in incident["signals"]}


def test_the_simulated_tickets_are_told_right(tmp_path: Path) -> None:
    told = yaml.safe_load(resources.files("unbidden.simulate").joinpath("tickets.yml").read_text("utf-8"))
    texts = [(label, f"{subject}: {text}") for labels in told.values() for label, rows in labels.items() for subject, text in rows]
    kinds = [event["kind"] for event in judged(tmp_path, [text for _, text in texts])]
    assert [text for (label, text), kind in zip(texts, kinds, strict=True) if (label == "unasked") != (kind == "report")] == []


def test_a_company_writes_tickets(tmp_path: Path) -> None:
    con = engine.connect()
    ingest.read(con, [str(simulate.write(tmp_path, people=60, days=7, seed=7) / "helpdesk" / "tickets.csv")])
    assert engine.rows(con, "SELECT DISTINCT kind FROM event ORDER BY kind") == [("other",), ("report",)]
    assert engine.one(con, "SELECT count(*) FROM unread") == 0
