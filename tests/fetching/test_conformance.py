"""What every connector has to do, asked of each against its vendor, played: nothing is lost, nothing is changed, and nobody is asked more than is fair."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests import vendors
from tests.fetching.conftest import Lab, notes_of, texts_of
from tests.vendors import START, m365
from unbidden import engine, fetching, ingest
from unbidden.errors import UnbiddenError
from unbidden.fetching import Cursor, Page
from unbidden.fetching.asking import NoEntryError, RefusedError
from unbidden.fetching.settings import KINDS
from unbidden.wire import WireError

Open = Callable[[str], Lab]


def due(lab: Lab) -> set[str]:
    """The texts that can be had by now, apart from rows that the vendor writes about our own requests."""
    lag = timedelta(seconds=getattr(KINDS[lab.kind].model_fields.get("lag_s"), "default", 0))
    return {row.text for row in lab.vendor.rows if row.arrived <= lab.time.now() and row.at <= lab.time.now() - lag and '"own-' not in row.text}


def test_every_connector_has_settings_and_a_vendor_to_play_with() -> None:
    assert set(fetching.registry()) == set(KINDS) == set(vendors.registry())


def test_a_round_gives_every_row_as_it_was_sent(lab: Lab) -> None:
    there = due(lab)
    pages = lab.round()
    texts = Counter(texts_of(pages))
    assert there - set(texts) == set()
    assert set(texts) - {row.text for row in lab.vendor.rows} == set(), "a text was changed"
    assert texts.total() <= 1.2 * len(lab.vendor.rows) + 10, "too many come twice"
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert not [note for note in notes_of(pages) if note.is_problem]
    assert lab.vendor.refused == 0
    assert any('"newField": {"deep": [1.0, 1e3, 12345678901234567890, "\\u00e9", null]},  "z" :true}' in text for text in texts)
    assert max(page.last_row_at for page in pages if page.last_row_at) <= START


def test_cursors_are_texts_that_survive_json(lab: Lab) -> None:
    for page in lab.round():
        assert json.loads(json.dumps(page.cursor)) == page.cursor
        assert len(json.dumps(page.cursor)) < 10_000
        assert not any(secret in json.dumps(page.cursor) for secret in lab.vendor.environment.values())


@pytest.mark.parametrize("fault", ["retry_after", "retry_date", "reset", "server_error", "expired", "cut"])
def test_faults_cost_time_and_no_row(lab: Lab, fault: str) -> None:
    there = due(lab)
    lab.vendor.faults.extend(["", "", fault, "", fault, "" if fault == "expired" else fault])
    pages = lab.round()
    assert there - set(texts_of(pages)) == set()
    assert not [note for note in notes_of(pages) if note.is_problem]
    waits = {"retry_after": 7.0, "retry_date": 9.0, "reset": 11.0}
    assert fault not in waits or lab.time.slept.count(waits[fault]) >= 3
    assert lab.vendor.refused <= 2


def test_a_page_of_somebody_else_is_no_log_and_is_asked_for_again(lab: Lab) -> None:
    there = due(lab)
    lab.vendor.faults.extend(["", "", "", "proxy"])
    pages, failed = _until_failure(lab)
    assert failed
    assert there - set(texts_of([*pages, *lab.round(pages[-1].cursor)])) == set()


def _until_failure(lab: Lab) -> tuple[list[Page], bool]:
    pages = list[Page]()
    try:
        pages.extend(lab.connector().pages(lab.wire, None, lab.time.now))
    except WireError:
        return pages, True
    return pages, any(note.is_problem and "not JSON" in note.text for note in notes_of(pages))


def test_a_restart_at_any_page_loses_nothing(open_lab: Open, kind: str) -> None:
    whole = open_lab(kind).round()
    for killed, count in enumerate([len(whole)] * len(whole)):
        lab = open_lab(kind)
        there = due(lab)
        pages = []
        for page in lab.connector().pages(lab.wire, None, lab.time.now):
            pages.append(page)
            if len(pages) > killed:
                break
        rest = lab.round(pages[-1].cursor)
        assert there - set(texts_of([*pages, *rest])) == set(), f"killed after page {killed + 1} of {count}"
        assert len(texts_of([*pages, *rest])) - len(texts_of(whole)) <= 40, "what was kept is fetched again"


def test_rows_are_fetched_as_they_come_however_late(lab: Lab) -> None:
    lab.time.at = START - timedelta(hours=7)
    cursor: Cursor | None = None
    connector, texts = lab.connector(), Counter[str]()
    while lab.time.at < START + timedelta(hours=3):
        pages = lab.round(cursor, connector)
        cursor = pages[-1].cursor
        texts.update(texts_of(pages))
        lab.time.sleep(600)
    assert due(lab) - set(texts) == set()
    assert texts.total() <= 3 * len(lab.vendor.rows), "the overlap reads too much again"
    assert lab.vendor.refused == 0


def test_a_log_without_rows_moves_on_and_later_rows_come(lab: Lab) -> None:
    lab.time.at = START - timedelta(hours=7)
    pages = lab.round()
    assert not [text for text in texts_of(pages) if "own-" not in text]
    assert pages[-1].is_last
    assert pages[-1].cursor
    lab.time.at = START
    assert due(lab) - set(texts_of(lab.round(pages[-1].cursor))) == set()


@pytest.mark.parametrize("skew_s", [-200, 200])
def test_a_wrong_clock_is_found_and_loses_nothing(lab: Lab, skew_s: int) -> None:
    lab.vendor.skew_s = skew_s
    there = due(lab)
    pages = lab.round()
    lab.time.sleep(600)
    assert there - set(texts_of([*pages, *lab.round(pages[-1].cursor)])) == set()
    [finding] = [finding for finding in lab.connector().check(lab.wire, lab.time.now) if "clock" in finding.text]
    assert (finding.level, "fast" if skew_s < 0 else "slow") == ("problem", "fast" if "fast" in finding.text else "slow")
    assert finding.todo


def test_a_place_that_the_vendor_forgot_is_gone_back_from(lab: Lab) -> None:
    if not lab.vendor.has_cursor_links:
        pytest.skip("this vendor's pages have numbers, which it cannot forget")
    there = due(lab)
    if lab.kind == "m365":
        lab.time.sleep(1)
    lab.vendor.is_forgetful = True
    pages = lab.round()
    assert there - set(texts_of(pages)) == set()
    assert len([note for note in notes_of(pages) if "going on from" in note.text or "listing again from" in note.text]) == 1
    assert not [note for note in notes_of(pages) if note.is_problem]


def test_a_credential_that_may_write_is_refused_before_anything_is_fetched(lab: Lab) -> None:
    if not lab.vendor.tells_writers:
        pytest.skip("this vendor does not say what a credential may do")
    lab.vendor.is_writer = True
    with pytest.raises(RefusedError, match="read scopes only"):
        lab.round()
    assert not [request for request in lab.vendor.requests if any(word in request.path.lower() for word in ("logs", "riskdetections", "feed", "audit"))]
    assert [finding for finding in lab.connector().check(lab.wire, lab.time.now) if finding.level == "problem" and "may do more than read" in finding.text]


def test_a_credential_that_is_wrong_is_said_so_and_not_tried_again(lab: Lab) -> None:
    lab.vendor.environment = dict.fromkeys(lab.vendor.environment, "wrong")
    with pytest.raises((NoEntryError, WireError)):
        lab.round()
    assert len(lab.vendor.requests) <= len(lab.connector().streams)
    findings = lab.connector().check(lab.wire, lab.time.now)
    assert findings[0].level == "problem"
    assert findings[0].todo


def test_a_secret_that_is_missing_is_an_error_that_names_it(lab: Lab) -> None:
    lab.vendor.environment = {}
    with pytest.raises(UnbiddenError, match="env:"):
        lab.round()
    assert "env:" in lab.connector().check(lab.wire, lab.time.now)[0].text


def test_a_check_of_what_is_right_finds_nothing_wrong(lab: Lab) -> None:
    assert [finding for finding in lab.connector().check(lab.wire, lab.time.now) if finding.level == "problem"] == []


def test_a_time_can_be_asked_for(lab: Lab) -> None:
    since, until = START - timedelta(hours=5), START - timedelta(hours=2)
    cursor = lab.connector().start(since, until)
    pages = lab.round(cursor)
    inside = {row.text for row in lab.vendor.rows if since <= row.at < until}
    if isinstance(lab.vendor, m365.Played):  # the time is that of the content, not of its rows
        blobs = [rows for stream in lab.connector().streams for _, rows in lab.vendor.blobs(stream)]
        inside = {row.text for rows in blobs if since <= rows[-1].arrived < until for row in rows}
    texts = set(texts_of(pages))
    assert {text for text in inside if "own-" not in text} - texts == set()
    late = {row.text for row in lab.vendor.rows if row.at > until + timedelta(minutes=1) and row.stream not in {"audit", "administrator"}}
    assert texts & late == set()
    assert texts_of(lab.round(pages[-1].cursor)) == [] or lab.kind == "privacyidea"


def test_a_stream_that_is_added_begins_at_its_own_beginning(lab: Lab) -> None:
    connector = lab.connector()
    if len(connector.streams) == 1:
        pytest.skip("this connector has one stream")
    lab.changes["streams"] = connector.streams[:1]
    cursor = lab.round()[-1].cursor
    del lab.changes["streams"]
    there = {row.text for row in lab.vendor.rows if row.text in due(lab) and row.stream != connector.streams[0]}
    assert there - set(texts_of(lab.round(cursor))) == set()


def test_what_is_fetched_reads_as_the_export_of_the_same_rows(lab: Lab, tmp_path: Path) -> None:
    there = due(lab)
    fetched = [text for text in texts_of(lab.round()) if text in there]
    assert _events(tmp_path / "fetched.jsonl", fetched) == _events(tmp_path / "exported.jsonl", sorted(there)) != []


def _events(file: Path, texts: list[str]) -> list[tuple[object, ...]]:
    file.write_text("".join(" ".join(text.splitlines()) + "\n" for text in texts), "utf-8")
    con = engine.connect()
    ingest.read(con, [str(file)])
    # A result that no version of ours has seen makes a row of Duo's unread, which is said; it is not lost.
    assert engine.rows(con, "SELECT text FROM unread WHERE NOT contains(text, 'drift')") == []
    return engine.rows(con, "SELECT * EXCLUDE source FROM event ORDER BY event_id, step")
