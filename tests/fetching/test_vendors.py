"""What is special of each vendor: its limits, its credentials, what it loses, and what it says when it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwk

from tests.fetching.conftest import Lab, notes_of, texts_of
from tests.vendors import START, Reply, Row, duo, graph, m365, okta, privacyidea
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.fetching.asking import NoEntryError, RefusedError
from unbidden.fetching.keys import assertion, may_write
from unbidden.fetching.settings import Duo
from unbidden.wire import WireError

Open = Callable[[str], Lab]


def test_okta_is_asked_more_slowly_before_its_limit_is_hit(open_lab: Open) -> None:
    lab = open_lab("okta")
    lab.changes["page_size"] = 1
    pages = lab.round()
    assert len(pages) > 2 * okta.LIMIT
    assert lab.vendor.refused == 0
    assert sum(lab.time.slept) >= 60


def test_okta_app_signs_in_with_its_private_key(open_lab: Open) -> None:
    lab = open_lab("okta")
    _with_app(lab)
    assert {row.text for row in lab.vendor.rows} - set(texts_of(lab.round())) == set()
    [request] = [request for request in lab.vendor.requests if request.path == "/oauth2/v1/token"]
    assert request.form["client_assertion"].count(".") == 2
    lab.vendor.tokens.clear()
    connector = lab.connector()
    assert texts_of(lab.round(None, connector))
    lab.vendor.tokens.clear()
    assert texts_of(lab.round(None, connector)), "a token that was taken back is renewed"


def test_okta_app_whose_token_may_write_is_refused(open_lab: Open) -> None:
    lab = open_lab("okta")
    _with_app(lab)
    lab.vendor.is_writer = True
    with pytest.raises(RefusedError, match=r"okta\.users\.manage"):
        lab.round()


def _with_app(lab: Lab) -> None:
    key = jwk.RSAKey.generate_key(2048)
    lab.vendor.environment = {"OKTA_KEY": key.as_pem(private=True).decode()}
    lab.changes |= {"token": None, "client_id": "app", "private_key": "env:OKTA_KEY", "key_id": "k1"}


@pytest.mark.parametrize("form", ["pem", "jwk", "ec"])
def test_a_private_key_is_pem_or_jwk(form: str) -> None:
    key = jwk.ECKey.generate_key("P-256") if form == "ec" else jwk.RSAKey.generate_key(2048)
    text = json.dumps(key.as_dict(private=True)) if form == "jwk" else key.as_pem(private=True).decode()
    assert assertion("app", "https://example.okta.com/oauth2/v1/token", text, None, START).count(".") == 2


def test_a_private_key_that_is_none_is_said_so() -> None:
    with pytest.raises(UnusableInputError, match="private key cannot be used"):
        assertion("app", "https://example.okta.com/oauth2/v1/token", "no key", None, START)


def test_okta_roles_that_cannot_be_read_are_said_by_the_check(open_lab: Open) -> None:
    lab = open_lab("okta")
    assert isinstance(lab.vendor, okta.Played)
    answer = lab.vendor.answer
    lab.vendor.answer = lambda request: Reply(403, "{}") if "roles" in request.path else answer(request)  # type: ignore[method-assign] # one vendor, once
    assert texts_of(lab.round())
    assert [finding.text for finding in lab.connector().check(lab.wire, lab.time.now) if finding.level == "warning"] == [
        "what the API token's owner may do cannot be read"
    ]


def test_a_row_of_the_future_moves_nothing_past_others(open_lab: Open) -> None:
    lab = open_lab("okta")
    first = lab.vendor.rows[0]
    lab.vendor.rows.insert(0, replace(first, text=first.text.replace("row-0000", "future").replace("2026-03-03T", "2099-03-03T")))
    lab.vendor.is_forgetful = True
    pages = lab.round()
    assert any("2099-03-03T" in text for text in texts_of(pages))
    assert {row.text for row in lab.vendor.rows} - set(texts_of(pages)) == set()
    assert max(page.last_row_at for page in pages if page.last_row_at) <= START


def test_okta_rows_that_are_too_old_are_said_to_be_lost(open_lab: Open) -> None:
    lab = open_lab("okta")
    pages = lab.round(lab.connector().start(START - timedelta(days=200)))
    assert ["90 days" in note.text for note in notes_of(pages)] == [True]
    assert texts_of(pages)


def test_graph_without_p2_gives_the_other_logs_and_says_so_each_round(open_lab: Open) -> None:
    lab = open_lab("graph")
    assert isinstance(lab.vendor, graph.Played)
    lab.vendor.has_p2 = False
    pages = lab.round()
    assert {row.text for row in lab.vendor.rows if row.stream != "risks"} - set(texts_of(pages)) == set()
    assert [(note.stream, note.is_problem, "licensed" in note.text) for note in notes_of(pages)] == [("risks", True, True)]
    lab.vendor.has_p2 = True
    risks = {row.text for row in lab.vendor.rows if row.stream == "risks"}
    assert risks - set(texts_of(lab.round(pages[-1].cursor))) == set(), "what could not be fetched is fetched once it can be"
    assert any("licensed" not in finding.text and finding.todo for finding in lab.connector().check(lab.wire, lab.time.now)) is False


def test_a_link_to_another_place_is_not_followed(open_lab: Open) -> None:
    lab = open_lab("graph")
    cursor = dict(lab.connector().start(START - timedelta(hours=6)))
    cursor |= {"interactive.next": "http://127.0.0.1:9/steal", "interactive.to": cursor["interactive.from"]}
    pages = lab.round(cursor)
    assert next(note.text for note in notes_of(pages) if note.is_problem).endswith("a link leads to another place, http://127.0.0.1:9; it is not followed")


def test_content_that_has_expired_is_said_to_be_lost(open_lab: Open) -> None:
    lab = open_lab("m365")
    assert isinstance(lab.vendor, m365.Played)
    lab.vendor.expired.add("Audit.AzureActiveDirectory!002")
    pages = lab.round()
    assert ["its rows are lost" in note.text for note in notes_of(pages) if "subscribed" not in note.text] == [True]
    lost = {row.text for row in lab.vendor.rows} - set(texts_of(pages))
    assert 0 < len(lost) <= m365.HELD


def test_a_cursor_older_than_content_is_kept_goes_on_and_says_so(open_lab: Open) -> None:
    lab = open_lab("m365")
    pages = lab.round(lab.connector().start(START - timedelta(days=12)))
    assert sum("7 days" in note.text for note in notes_of(pages)) == len(lab.connector().streams)
    assert {row.text for row in lab.vendor.rows if row.arrived <= START - timedelta(hours=1)} - set(texts_of(pages)) == set()


def test_blobs_that_are_listed_again_are_fetched_once(open_lab: Open) -> None:
    lab = open_lab("m365")
    lab.changes["overlap_s"] = 6 * 3600
    cursor = lab.round()[-1].cursor
    for seconds in (300, 300, 300, 20 * 3600):
        lab.time.sleep(seconds)
        cursor = lab.round(cursor)[-1].cursor
    blobs = [request.path for request in lab.vendor.requests if "/audit/" in request.path]
    assert len(blobs) == len(set(blobs))


@pytest.mark.parametrize("signature", ["v2", "v5"])
def test_duo_takes_either_signature(open_lab: Open, signature: str) -> None:
    lab = open_lab("duo")
    assert isinstance(lab.vendor, duo.Played)
    lab.vendor.signature = signature
    assert texts_of(lab.round())


def test_duo_rows_of_the_last_two_minutes_come_in_the_next_round(open_lab: Open) -> None:
    lab = open_lab("duo")
    lab.changes |= {"overlap_s": 0, "streams": ("authentication",)}
    lab.time.at = START - timedelta(hours=1)
    cursor, texts = lab.round()[-1].cursor, set[str]()
    while lab.time.at < START + timedelta(minutes=5):
        lab.time.sleep(150)
        pages = lab.round(cursor)
        cursor, texts = pages[-1].cursor, texts | set(texts_of(pages))
    due = {row.text for row in lab.vendor.rows if row.stream == "authentication" and row.at >= START - timedelta(hours=1)}
    assert len(due) > 10
    assert due - texts == set()


def test_duo_without_the_right_to_read_logs_says_which_to_grant(open_lab: Open) -> None:
    lab = open_lab("duo")
    assert isinstance(lab.vendor, duo.Played)
    lab.vendor.may_read = False
    with pytest.raises(WireError, match="40301"):
        lab.round()
    findings = lab.connector().check(lab.wire, lab.time.now)
    assert {finding.todo for finding in findings if finding.level == "problem"} == {"give the Admin API application 'Grant read log' and nothing else"}


def test_more_administrators_of_a_second_than_a_page_are_said(open_lab: Open) -> None:
    lab = open_lab("duo")
    lab.changes["streams"] = ("administrator",)
    at = START - timedelta(hours=1)
    lab.vendor.rows += [Row("administrator", at, at, json.dumps({"action": f"a{n}", "timestamp": int(at.timestamp())})) for n in range(1500)]
    later = Row("administrator", at + timedelta(minutes=1), at, json.dumps({"action": "later", "timestamp": int(at.timestamp()) + 60}))
    lab.vendor.rows.append(later)
    pages = lab.round()
    assert later.text in texts_of(pages)
    assert ["of one second" in note.text for note in notes_of(pages)] == [True]


def test_duo_may_not_be_asked_more_often_than_it_wants() -> None:
    with pytest.raises(ValueError, match="interval_s"):
        Duo(url="https://api-x.duosecurity.com", integration_key="DI", secret_key="env:K", interval_s=10)  # noqa: S106 -- a reference


def test_privacyidea_log_in_holds_for_its_hour_only(open_lab: Open) -> None:
    lab = open_lab("privacyidea")
    connector = lab.connector()
    cursor = lab.round(None, connector)[-1].cursor
    for _ in range(8):
        lab.time.sleep(900)
        cursor = lab.round(cursor, connector)[-1].cursor
    assert 2 <= sum(request.path == "/auth" for request in lab.vendor.requests) <= 4
    assert lab.vendor.refused == 0


def test_privacyidea_takes_a_token_in_place_of_a_password(open_lab: Open) -> None:
    lab = open_lab("privacyidea")
    lab.vendor.tokens.add("made-on-the-server")
    lab.vendor.environment = {"PI_TOKEN": "made-on-the-server"}
    lab.changes |= {"user": None, "password": None, "token": "env:PI_TOKEN"}
    assert texts_of(lab.round())
    assert [finding.level for finding in lab.connector().check(lab.wire, lab.time.now)] == ["fine", "fine", "fine", "warning"]


def test_privacyidea_may_clean_up_while_it_is_read(open_lab: Open) -> None:
    lab = open_lab("privacyidea")
    lab.changes |= {"page_size": 3, "streams": ("audit",)}
    oldest = sorted((row for row in lab.vendor.rows if row.stream == "audit"), key=lambda row: row.at)
    texts = set[str]()
    for page in lab.connector().pages(lab.wire, None, lab.time.now):
        texts |= set(page.texts)
        gone = oldest[:3]
        lab.vendor.rows = [row for row in lab.vendor.rows if row not in gone]
        lab.time.sleep(30)
    assert len(oldest) > 10
    assert {row.text for row in oldest[3:] if row.arrived <= START} - texts == set()


def test_privacyidea_many_rows_of_one_second_are_all_fetched(open_lab: Open) -> None:
    lab = open_lab("privacyidea")
    lab.changes["page_size"] = 7
    first = next(row for row in lab.vendor.rows if row.stream == "authentication_log")
    lab.vendor.rows += [replace(first, text=first.text.replace("row-0000", f"again-{number}")) for number in range(40)]
    assert {row.text for row in lab.vendor.rows if "own-" not in row.text} - set(texts_of(lab.round())) == {
        row.text for row in lab.vendor.rows if row.arrived > START
    }


def test_privacyidea_without_policies_for_administrators_is_refused(open_lab: Open) -> None:
    lab = open_lab("privacyidea")
    assert isinstance(lab.vendor, privacyidea.Played)
    lab.vendor.rights = (*lab.vendor.rights, "enrollHOTP", "set", "resolverwrite", "container_create", "auth_cache", "tokenlist", "user_lock_reset", "revoke")
    with pytest.raises(RefusedError, match="container_create, enrollHOTP, resolverwrite, revoke, set and 1 others"):
        lab.round()


@pytest.mark.parametrize(
    ("permission", "writes"),
    [
        ("AuditLog.Read.All", False), ("ActivityFeed.ReadDlp", False), ("User.ReadBasic.All", False), ("RoleManagement.Read.Directory", False),
        ("User.ReadWrite.All", True), ("Mail.Send", True), ("Policy.ReadWrite.ConditionalAccess", True), ("Sites.FullControl.All", True),
        ("okta.logs.read", False), ("okta.users.manage", True), ("okta.users.read.self", False),
    ],
)  # fmt: skip
def test_what_a_permission_is_for(permission: str, writes: bool) -> None:
    assert may_write(permission) is writes


def test_a_token_that_says_nothing_is_used_with_a_warning(open_lab: Open) -> None:
    lab = open_lab("graph")
    assert isinstance(lab.vendor, graph.Played)
    lab.vendor.roles = ()
    assert texts_of(lab.round())
    assert lab.connector().check(lab.wire, lab.time.now)[-1].level == "warning"


def test_a_log_in_that_fails_is_not_tried_twice(open_lab: Open) -> None:
    lab = open_lab("privacyidea")
    lab.vendor.environment = {"PI_PASSWORD": "wrong"}
    with pytest.raises(NoEntryError) as caught:
        lab.round()
    assert len(lab.vendor.requests) == 1
    assert isinstance(caught.value, UnbiddenError)
    assert "wrong" not in str(caught.value).lower().replace("wrong credentials", "")
