"""Plain pushes, Okta event hooks, notifications of Microsoft Graph."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.doors.lake import Lake, push, running, until
from tests.test_ingest import read, row
from unbidden.doors.bodies import records
from unbidden.doors.counts import Counts
from unbidden.doors.http import Surroundings, app
from unbidden.doors.settings import Http, Notifications, OktaHook
from unbidden.errors import UnusableInputError
from unbidden.intake import Intake
from unbidden.providers import registry

ENVIRONMENT = {"PUSH": "push-secret", "DUO": "duo-secret", "HOOK": "hook-secret", "STATE": "state-secret"}
SETTINGS = Http(
    push=(push("push", "env:PUSH"), push("duo", "env:DUO", provider="duo")),
    okta=OktaHook.model_validate({"secret": "env:HOOK"}),
    graph=Notifications(client_state="env:STATE"),
    max_body=1 << 20,
)
PUSH = {"Authorization": "Bearer push-secret"}
HOOK = {"Authorization": "hook-secret"}


@pytest.fixture
def lake() -> Iterator[Lake]:
    with running() as found:
        yield found


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def client(lake: Lake, counts: Counts) -> Iterator[TestClient]:
    with TestClient(app(SETTINGS, lake.intake, Surroundings(ENVIRONMENT, counts=counts))) as found:
        yield found


ROWS = [row(number) for number in range(3)]
LINES = [json.dumps(one) for one in ROWS]
SYSLOG = [f"<38>Mar  2 21:14:0{second} web1 sshd[7]: Failed" for second in range(2)]
PAGE = json.dumps({"value": ROWS}, indent=1)
BODIES: dict[str, tuple[str, list[str]]] = {
    "one object": (LINES[0], LINES[:1]),
    "a pretty object": (json.dumps(ROWS[0], indent=2), [json.dumps(ROWS[0], indent=2)]),
    "lines": ("\n".join(LINES) + "\n", LINES),
    "lines of Windows": ("\ufeff" + "\r\n".join(LINES), LINES),
    "objects one after another": ("".join(LINES), LINES),
    "an array": (json.dumps(ROWS), LINES),
    "a pretty array": ("[\n" + ",\n".join(LINES) + "\n]\n", LINES),
    "a page": (PAGE, [PAGE]),
    "syslog": ("\n".join(SYSLOG), SYSLOG),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_every_form_of_body_is_taken_apart_and_kept_before_the_answer(client: TestClient, lake: Lake, name: str) -> None:
    body, texts = BODIES[name]
    answer = client.post("/v1/ingest", content=body.encode(), headers=PUSH)
    assert (answer.status_code, answer.json()) == (200, {"accepted": len(texts)})
    assert lake.texts == texts


@pytest.mark.parametrize("name", [name for name in BODIES if name != "syslog"])
def test_what_was_taken_apart_is_read_as_the_whole_body_would_be(tmp_path: Path, name: str) -> None:
    body, _ = BODIES[name]
    (tmp_path / "whole.json").write_text(body, "utf-8")
    for number, text in enumerate(records(body).texts):
        (tmp_path / f"part-{number}.json").write_text(text, "utf-8")
    whole, parts = read(tmp_path / "whole.json")[0], read(*sorted(tmp_path.glob("part-*.json")))[0]
    assert sorted(one["event_id"] for one in parts) == sorted(one["event_id"] for one in whole) != []


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_packed_bodies_are_unpacked(client: TestClient, lake: Lake, name: str, pack: Any) -> None:
    assert client.post("/v1/ingest", content=pack(LINES[0].encode()), headers={**PUSH, "Content-Encoding": name}).json() == {"accepted": 1}
    assert lake.texts == LINES[:1]


def test_bad_lines_are_kept_and_reported(client: TestClient, lake: Lake) -> None:
    lines = [LINES[0], '{"uuid": "x', "what", LINES[1]]
    answer = client.post("/v1/ingest/okta", content="\n".join(lines), headers=PUSH)
    why = "neither JSON nor a line of syslog"
    assert answer.json() == {"accepted": 4, "unreadable": 2, "first_unreadable": [{"line": 2, "why": why}, {"line": 3, "why": why}]}
    assert lake.texts == lines


def test_bytes_that_are_no_utf8_are_kept(client: TestClient, lake: Lake) -> None:
    text = '{"city": "Köln"}'
    client.post("/v1/ingest", content=text.encode("latin-1") + b"\n" + text.encode(), headers=PUSH)
    assert lake.texts == [text, text]


def test_the_provider_is_that_of_the_path_or_of_the_token(client: TestClient, lake: Lake) -> None:
    for path, token in (("/v1/ingest", "push"), ("/v1/ingest/okta", "push"), ("/v1/ingest", "duo"), ("/v1/ingest/okta", "duo")):
        client.post(path, content=LINES[0], headers={"Authorization": f"Bearer {token}-secret"})
    assert [(lot.source, lot.provider) for lot in lake.lots] == [("push", None), ("push", "okta"), ("duo", "duo"), ("duo", "okta")]


def test_an_unknown_provider_is_told_the_known_ones(client: TestClient) -> None:
    answer = client.post("/v1/ingest/octa", content=LINES[0], headers=PUSH)
    assert answer.status_code == 404
    assert answer.json()["known"] == sorted(registry())


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/v1/ingest", {}, "{}", 401),
        ("/v1/ingest", {"Authorization": "Basic push-secret"}, "{}", 401),
        ("/v1/ingest", {"Authorization": "Bearer push-secre"}, "{}", 403),
        ("/v1/ingest/nothing", {}, "{}", 401),
        ("/v1/ingest", PUSH, " \n", 400),
        ("/v1/ingest", PUSH, "x" * ((1 << 20) + 1), 413),
        ("/v1/ingest", {**PUSH, "Content-Encoding": "br"}, "x", 415),
        ("/v1/okta/events", {}, "{}", 401),
        ("/v1/okta/events", HOOK, "x", 400),
        ("/v1/okta/events", HOOK, '{"data": ' * 100_000, 400),
        ("/v1/graph/notifications", {}, "{}", 400),
        ("/v1/graph/notifications", {}, '{"value": [{"clientState": "other"}]}', 403),
        ("/v1/graph/notifications", {}, '{"value": [{"clientState": "state-secret"}, {}]}', 403),
        ("/v1/graph/notifications?validationToken=", {}, "", 400),
        ("/v1/nothing", {}, "", 404),
    ],
)
def test_errors_are_json_and_nothing_is_taken(client: TestClient, lake: Lake, path: str, headers: dict[str, str], body: str, status: int) -> None:
    answer = client.post(path, content=body, headers=headers)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert "secret" not in answer.text.replace("state-secret", "")
    assert not lake.lots


def test_a_full_intake_makes_the_sender_wait() -> None:
    intake = Intake(rows=1)
    with running(intake, is_stuck=True), TestClient(app(SETTINGS.model_copy(update={"confirm_within_s": 0.1}), intake, Surroundings(ENVIRONMENT))) as client:
        answers = [client.post("/v1/ingest", content=LINES[0], headers=PUSH) for _ in range(2)]
        assert [(answer.status_code, "retry-after" in answer.headers) for answer in answers] == [(503, True)] * 2


def test_oktas_one_time_verification_is_answered(client: TestClient) -> None:
    answer = client.get("/v1/okta/events", headers={**HOOK, "X-Okta-Verification-Challenge": "abc"})
    assert answer.json() == {"verification": "abc"}
    assert client.get("/v1/okta/events", headers=HOOK).status_code == 400


def test_every_event_of_an_okta_hook_is_one_text(client: TestClient, lake: Lake, tmp_path: Path) -> None:
    hook = {
        "eventType": "com.okta.event_hook",
        "eventTypeVersion": "1.0",
        "eventId": "e",
        "source": "https://x.okta.com/api/v1/eventHooks/who",
        "data": {"events": ROWS},
    }
    assert client.post("/v1/okta/events", json=hook, headers=HOOK).json() == {"accepted": 3}
    assert [json.loads(text) for text in lake.texts] == ROWS
    assert {(lot.source, lot.provider) for lot in lake.lots} == {("okta-hook", "okta")}
    (tmp_path / "hook.jsonl").write_text("\n".join(lake.texts), "utf-8")
    assert len(read(tmp_path / "hook.jsonl")[0]) == 3


def test_an_okta_hook_waits_a_moment_for_room() -> None:
    intake = Intake(rows=1)
    with running(intake, is_stuck=True) as lake, TestClient(app(SETTINGS, intake, Surroundings(ENVIRONMENT))) as client:
        client.post("/v1/okta/events", json={"data": {"events": ROWS[:1]}}, headers=HOOK)
        late = client.post("/v1/okta/events", json={"data": {"events": ROWS[1:]}}, headers=HOOK)
        assert late.status_code == 503
        lake.is_stuck = False
        until(lambda: client.post("/v1/okta/events", json={"data": {"events": ROWS[1:]}}, headers=HOOK).status_code == 200)


def test_the_handshake_of_a_graph_subscription_gives_the_token_back_as_text(client: TestClient) -> None:
    answer = client.post("/v1/graph/notifications?validationToken=Validation%3A%20Testing+%3Cb%3E")
    assert (answer.status_code, answer.text) == (200, "Validation: Testing <b>")
    assert answer.headers["content-type"].startswith("text/plain")


def test_notifications_are_taken_with_the_right_state_which_is_not_kept(client: TestClient, lake: Lake) -> None:
    items = [{"clientState": "state-secret", "resourceData": {"id": str(number)}} for number in range(2)]
    answer = client.post("/v1/graph/notifications", json={"value": items})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    assert lake.texts == ['{"resourceData":{"id":"0"}}', '{"resourceData":{"id":"1"}}']


def test_counts_tell_what_came_and_what_did_not(client: TestClient, counts: Counts) -> None:
    client.post("/v1/ingest", content="\n".join(LINES), headers=PUSH)
    client.post("/v1/graph/notifications", json={"value": [{}]})
    found = counts.snapshot()
    assert (found["push"].accepted, found["push"].size, found["push"].refused) == (3, sum(map(len, LINES)), 0)
    assert found["push"].last_at is not None
    assert (found["graph-notifications"].accepted, found["graph-notifications"].refused) == (0, 1)


def test_two_senders_cannot_have_one_token() -> None:
    twice = SETTINGS.model_copy(update={"push": (push("a", "env:PUSH"), push("b", "env:PUSH"))})
    with pytest.raises(UnusableInputError, match="each needs its own"):
        app(twice, Intake(), Surroundings(ENVIRONMENT))


@given(
    st.lists(
        st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(lambda inner: {"a": inner}),
        max_size=4,
    )
)
def test_nothing_of_a_body_is_lost(parts: list[dict[str, Any]]) -> None:
    for body in (
        "\n".join(map(json.dumps, parts)),
        "".join(map(json.dumps, parts)),
        json.dumps(parts),
        "\n".join(json.dumps(part, indent=1) for part in parts),
    ):
        assert [json.loads(text) for text in records(body).texts] == parts


@given(st.text() | st.text(alphabet='{}[]",: \\a1\n'))
def test_no_letter_of_any_text_is_lost(text: str) -> None:
    kept = "".join(records(text).texts)
    assert [letter for letter in kept if letter.isalnum()] == [letter for letter in text if letter.isalnum()]
