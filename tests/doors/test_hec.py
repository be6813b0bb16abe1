"""Splunk's HTTP Event Collector: bodies, tokens, answers, acknowledgement over a restart."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.doors.lake import Lake, hec, running, until
from tests.test_ingest import read, row
from unbidden.doors.hec import NoError, events
from unbidden.doors.http import Surroundings, app
from unbidden.doors.settings import Http
from unbidden.intake import Intake

ENVIRONMENT = {"PLAIN": "11111111-aaaa", "ACKED": "22222222-bbbb", "OKTA": "33333333-cccc"}
SETTINGS = Http(
    hec=(
        hec("plain", "env:PLAIN"),
        hec("acked", "env:ACKED", acknowledges=True),
        hec("okta", "env:OKTA", provider="okta"),
    ),
    confirm_within_s=2,
    max_body=20_000,
    max_unpacked=100_000,
)
PATH = "/services/collector/event"
CHANNEL = "FE0ECFAD-13D5-401B-847D-77833BD77131"
PLAIN = {"Authorization": "Splunk 11111111-aaaa"}
ACKED = {"Authorization": "Splunk 22222222-bbbb", "X-Splunk-Request-Channel": CHANNEL}


def client_of(lake: Lake, settings: Http = SETTINGS, **around: Any) -> TestClient:
    return TestClient(app(settings, lake.intake, Surroundings(ENVIRONMENT, lake.is_kept, **around)), raise_server_exceptions=True)


@pytest.fixture
def lake() -> Iterator[Lake]:
    with running() as found:
        yield found


def event(number: int) -> str:
    return json.dumps({"time": 1772486043.5, "host": "web1", "source": "okta", "sourcetype": "OktaIM2:log", "event": row(number), "fields": {"region": "eu"}})


def test_several_events_without_separator_are_kept_whole_before_the_answer(lake: Lake) -> None:
    with client_of(lake) as client:
        answer = client.post(PATH, content=event(1) + event(2) + "\n" + event(3), headers=PLAIN)
    assert (answer.status_code, answer.json()) == (200, {"text": "Success", "code": 0})
    assert lake.texts == [event(1), event(2), event(3)]
    assert {(lot.source, lot.provider, lot.receipt) for lot in lake.lots} == {("plain", None, None)}


def test_the_source_and_the_provider_are_those_of_the_token(lake: Lake) -> None:
    with client_of(lake) as client:
        client.post(PATH, content=event(1), headers={"Authorization": "Splunk 33333333-cccc"})
    assert [(lot.source, lot.provider) for lot in lake.lots] == [("okta", "okta")]


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"x:{token}".encode()).decode()


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (PATH, {}, 401, 2),
        (PATH, {"Authorization": "Bearer 11111111-aaaa"}, 401, 3),
        (PATH, {"Authorization": "Splunk"}, 401, 3),
        (PATH, {"Authorization": "Basic !!"}, 401, 3),
        (PATH, {"Authorization": "Splunk nobody"}, 403, 4),
        (PATH, {"Authorization": basic("nobody")}, 403, 4),
        (PATH + "?token=11111111-aaaa", {}, 400, 16),
        (PATH, {"Authorization": "Splunk 22222222-bbbb"}, 400, 10),
        (PATH, {**ACKED, "X-Splunk-Request-Channel": "one"}, 400, 11),
        ("/services/collector/ack", PLAIN, 400, 14),
    ],
)
def test_who_may_not_send_is_told_in_splunks_words(lake: Lake, path: str, headers: dict[str, str], status: int, code: int) -> None:
    with client_of(lake) as client:
        answer = client.post(path, content=event(1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not lake.lots


@pytest.mark.parametrize("authorization", ["Splunk 11111111-aaaa", "splunk  11111111-aaaa ", basic("11111111-aaaa")])
def test_a_token_is_taken_with_either_scheme(lake: Lake, authorization: str) -> None:
    with client_of(lake) as client:
        assert client.post(PATH, content=event(1), headers={"Authorization": authorization}).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", {"text": "No data", "code": 5}),
        (" \n", {"text": "No data", "code": 5}),
        ("hello", {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        (event(1) + '{"event":', {"text": "Invalid data format", "code": 6, "invalid-event-number": 1}),
        ("7", {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        (event(1) + '{"time": 1}', {"text": "Event field is required", "code": 12, "invalid-event-number": 1}),
        ('{"event": ""}', {"text": "Event field cannot be blank", "code": 13, "invalid-event-number": 0}),
        ("[" * 100_0 + "]", {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        ('{"event": ' + "[" * 5000 + "}", {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
    ],
)
def test_a_bad_body_is_refused_whole_with_the_number_of_the_event(lake: Lake, body: str, said: dict[str, Any]) -> None:
    with client_of(lake) as client:
        answer = client.post(PATH, content=body, headers=PLAIN)
    assert (answer.status_code, answer.json()) == (400, said)
    assert not lake.lots


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress), ("deflate", zlib.compress), ("identity", bytes)])
def test_packed_bodies_are_unpacked(lake: Lake, name: str, pack: Any) -> None:
    with client_of(lake) as client:
        answer = client.post(PATH, content=pack(event(1).encode()), headers={**PLAIN, "Content-Encoding": name})
    assert answer.status_code == 200
    assert lake.texts == [event(1)]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"x" * 20_001, "", 413),
        (gzip.compress(b" " * 10_000_000), "gzip", 413),
        (zstandard.compress(b" " * 10_000_000), "zstd", 413),
        (gzip.compress(event(1).encode())[:-9], "gzip", 400),
        (zstandard.compress(event(1).encode())[:-3], "zstd", 400),
        (b"\x1f\x8bnonsense", "gzip", 400),
        (b"x", "br", 415),
    ],
)
def test_bombs_and_damaged_bodies_are_refused(lake: Lake, body: bytes, encoding: str, status: int) -> None:
    with client_of(lake) as client:
        answer = client.post(PATH, content=body, headers={**PLAIN, "Content-Encoding": encoding})
    assert answer.status_code == status
    assert set(answer.json()) == {"text", "code"}
    assert not lake.lots


def test_raw_bodies_are_taken_line_by_line(lake: Lake) -> None:
    lines = [json.dumps(row(1)), "<38>1 2026-03-02T21:14:03Z web1 sshd 7 - - Failed", "whatever"]
    with client_of(lake) as client:
        answer = client.post("/services/collector/raw?sourcetype=x&host=y", content="\r\n".join(lines) + "\r\n", headers=PLAIN)
        assert client.post("/services/collector/raw", content="\n\n", headers=PLAIN).json()["code"] == 5
    assert answer.json() == {"text": "Success", "code": 0}
    assert lake.texts == lines


def test_acknowledgement_tells_the_truth(lake: Lake) -> None:
    lake.is_stuck = True
    with client_of(lake) as client:
        first, second = (client.post(PATH, content=event(number), headers=ACKED).json()["ackId"] for number in (1, 2))
        assert first < second < 2**53
        ask = {"acks": [first, second, 7]}
        path = "/services/collector/ack?channel=" + CHANNEL
        headers = {"Authorization": ACKED["Authorization"]}
        assert client.post(path, json=ask, headers=headers).json() == {"acks": {str(first): False, str(second): False, "7": False}}
        lake.is_stuck = False
        until(lambda: len(lake.lots) == 2)
        assert client.post(path, json=ask, headers=headers).json() == {"acks": {str(first): True, str(second): True, "7": False}}
        other = client.post(path[:-1] + "2", json=ask, headers=headers).json()
        assert set(other["acks"].values()) == {False}


def test_what_could_not_be_kept_is_never_acknowledged(lake: Lake) -> None:
    lake.refuse = 1
    with client_of(lake) as client:
        number = client.post(PATH, content=event(1), headers=ACKED).json()["ackId"]
        until(lambda: lake.refuse == 0)
        assert client.post("/services/collector/ack", json={"acks": [number]}, headers=ACKED).json() == {"acks": {str(number): False}}


@pytest.mark.parametrize("body", ["", "[]", '{"acks": 1}', '{"acks": ["1"]}', '{"acks": [true]}', '{"acks": ' + json.dumps([1] * 10_001) + "}"])
def test_a_question_that_is_none_is_refused(lake: Lake, body: str) -> None:
    with client_of(lake, SETTINGS.model_copy(update={"max_body": 1 << 20})) as client:
        assert client.post("/services/collector/ack", content=body, headers=ACKED).json()["code"] == 6


def test_acknowledgement_survives_a_restart_of_everything(tmp_path: Path) -> None:
    kept = tmp_path / "lake.jsonl"
    with running(file=kept) as lake, client_of(lake) as client:
        number = client.post(PATH, content=event(1), headers=ACKED).json()["ackId"]
        until(lambda: len(lake.lots) == 1)
        lake.is_stuck = True
        lost = client.post(PATH, content=event(2), headers=ACKED).json()["ackId"]
    with running(file=kept) as lake, client_of(lake) as client:
        told = client.post("/services/collector/ack", json={"acks": [number, lost]}, headers=ACKED).json()
        again = client.post(PATH, content=event(2), headers=ACKED).json()["ackId"]
    assert told == {"acks": {str(number): True, str(lost): False}}
    assert again > lost


def test_numbers_begin_at_the_clock(lake: Lake) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    with client_of(lake, clock=lambda: at) as client:
        number = client.post(PATH, content=event(1), headers=ACKED).json()["ackId"]
    assert number == int(at.timestamp()) * 1_000_000 + 1


def test_a_full_intake_makes_the_sender_wait_and_is_told_as_unhealthy() -> None:
    intake = Intake(rows=1)
    with running(intake, is_stuck=True) as lake, client_of(lake) as client:
        assert client.get("/services/collector/health").json() == {"text": "HEC is healthy", "code": 17}
        assert client.post(PATH, content=event(1), headers=ACKED).status_code == 200
        answer = client.post(PATH, content=event(2), headers=ACKED)
        assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"text": "Server is busy", "code": 9}, "2")
        assert client.get("/services/collector/health/1.0").json()["code"] == 18
        lake.is_stuck = False
        until(lambda: client.post(PATH, content=event(2), headers=ACKED).status_code == 200)
        until(lambda: len(lake.texts) == 2)


def test_what_is_not_kept_in_time_or_at_all_is_not_confirmed(lake: Lake) -> None:
    with client_of(lake, SETTINGS.model_copy(update={"confirm_within_s": 0.1})) as client:
        lake.refuse = 1
        failed = client.post(PATH, content=event(1), headers=PLAIN)
        lake.is_stuck = True
        late = client.post(PATH, content=event(1), headers=PLAIN)
    assert [(answer.status_code, answer.json()["code"], answer.headers["retry-after"]) for answer in (failed, late)] == [(503, 9, "5")] * 2
    assert not lake.lots


def test_other_paths_and_methods_answer_json(lake: Lake) -> None:
    with client_of(lake) as client:
        assert client.get("/services/collector/nothing").json()["code"] == 404
        assert client.get(PATH).json()["code"] == 405
        assert client.get("/").json() == {"error": "there is nothing at this path"}


def failing(_: object) -> set[str]:
    raise ZeroDivisionError


def test_a_fault_inside_is_answered_in_json_and_logged_without_content(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    made = app(SETTINGS, lake.intake, Surroundings(ENVIRONMENT, failing))
    with TestClient(made) as client:
        answer = client.post("/services/collector/ack", json={"acks": [1]}, headers=ACKED)
    assert (answer.status_code, answer.json()) == (500, {"text": "Internal server error", "code": 8})
    assert "ZeroDivisionError" in caplog.text
    assert "22222222-bbbb" not in caplog.text
    assert "Traceback" not in caplog.text


@given(
    st.lists(st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.lists(st.text())), max_size=5),
    st.sampled_from(["", " ", "\n", ",", "\r\n\t"]),
)
def test_every_event_of_a_body_is_one_text(parts: list[dict[str, Any]], between: str) -> None:
    whole = [{**part, "event": part} for part in parts]
    dumped = [json.dumps(part, ensure_ascii=False) for part in whole]
    if not dumped:
        with pytest.raises(NoError):
            events(between)
        return
    assert [json.loads(text) for text in events(between.join(dumped))] == whole
    assert [json.loads(text) for text in events("[" + ",".join(dumped) + "]")] == whole


@given(st.text() | st.text(alphabet='{}[]",: \\event1\n'))
def test_no_body_breaks_the_reader(text: str) -> None:
    try:
        found = events(text)
    except NoError:
        return
    assert found


def test_what_a_collector_was_given_is_read_whatever_the_event_is(tmp_path: Path) -> None:
    says = "sshd[7]: Failed password for root from 203.0.113.7 port 22 ssh2"
    at = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()
    bodies = [
        {"sourcetype": "OktaIM2:log", "host": "h", "event": row(1)},
        {"sourcetype": "OktaIM2:log", "host": "h", "event": json.dumps(row(2))},
        {"time": at, "host": "h", "source": "syslog", "event": f"<38>Dec 31 23:59:58 web1 {says}"},
        {"time": str(at), "event": f"<38>1 2026-03-02T21:14:03Z web1 sshd 7 - - {says.partition(': ')[2]}\n"},
        {"time": at, "event": "<38>Dec 31 23:59:58 proxy okta: " + json.dumps(row(3))},
        {"time": at, "event": {"log": f"<38>Dec 31 23:59:56 web1 {says}\n", "stream": "stdout"}},
        {"time": at, "event": {"host": "web1", "message": f"<38>Dec 31 23:59:57 web1 {says}", "source_type": "file"}},
        {"event": f"<38>Dec 31 23:59:58 web1 {says}"},
        {"time": "never", "event": f"<38>Dec 31 23:59:58 web1 {says}"},
    ]
    file = tmp_path / "hec.jsonl"
    file.write_text("\n".join(json.dumps(body) for body in bodies), "utf-8")
    found, unread, _ = read(file)
    assert sorted((one["provider"], f"{one['occurred_at']:%Y-%m-%d}") for one in found) == [
        *[("linux", "2025-12-31")] * 3, ("linux", "2026-03-02"), ("okta", "2026-03-02"), ("okta", "2026-03-02"), ("okta", "2026-03-02"),
    ]  # fmt: skip
    assert [one["line"] for one in unread] == [8, 9]
