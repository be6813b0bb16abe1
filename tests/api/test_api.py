"""The API: what it says, to whom, and how it says no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from tests.api.surroundings import HEALTH, VIEWERS, Around, client
from tests.desk.fixtures import AT, Incident, file_desk, found, result
from tests.desk.incidents import incident
from unbidden.access import SCOPES
from unbidden.api.application import application
from unbidden.desk import Desk
from unbidden.detect import detections

__all__ = ["file_desk", "found", "result"]

READS = ["/v1/incidents", "/v1/incidents/a", "/v1/incidents/a/prompts", "/v1/incidents/a/signals", "/v1/incidents/a/handling", "/v1/people", "/v1/people/ana",
         "/v1/sources", "/v1/detections", "/v1/verdicts", "/v1/openapi.json"]  # fmt: skip
CHANGES: list[tuple[str, str, Any]] = [
    ("PATCH", "/v1/incidents/a/handling", {"state": "closed"}), ("POST", "/v1/incidents/a/notes", {"text": "x"}),
    ("POST", "/v1/incidents/a/links", {"reference": "SEC-1"}), ("DELETE", "/v1/incidents/a/links/1", None),
]  # fmt: skip


@pytest.fixture
def desk(file_desk: Desk) -> Desk:
    """A desk with some incidents."""
    file_desk.record([], [incident("a", "approved high"), *(incident(f"b{number}", user=f"u{number}", hour=number) for number in range(5))], AT)
    return file_desk


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An admin who asks for one incident, which nobody changes."""
    with Desk.open(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'desk.db'}") as desk:
        desk.record([], [incident("a")], AT)
        yield client(desk, "admin")


def test_a_list_goes_on_by_its_links(desk: Desk) -> None:
    asked, found, path = client(desk), [], "/v1/incidents?limit=4&severity=high&severity=medium"
    while path:
        page = asked.get(path).json()
        found += [one["id"] for one in page["items"]]
        path = page["next"]
        assert path is None or path.startswith("/v1/incidents?limit=4&severity=high&severity=medium&after=")
    assert found == ["a", "b4", "b3", "b2", "b1", "b0"]


def test_one_incident_with_its_parts(desk: Desk) -> None:
    asked = client(desk)
    told = asked.get("/v1/incidents/a").json()
    assert told["document"] == incident("a", "approved high")
    assert (told["summary"], told["decision"]["revision"], told["changes"][0]["what"]) == ("ana was asked three times.", 0, "opened")
    assert asked.get("/v1/incidents/a/prompts").json()["items"] == told["document"]["timeline"]
    assert asked.get("/v1/incidents/a/signals").json() == {"items": told["document"]["signals"], "evidence": told["document"]["evidence"]}


def test_incidents_as_scan_finds_them(file_desk: Desk, found: list[Incident]) -> None:
    file_desk.record([one["user"] for one in found], found, AT)
    asked = client(file_desk)
    rows = asked.get("/v1/incidents?limit=200").json()["items"]
    assert {row["id"]: (row["user"], row["summary"], row["risk"]) for row in rows} == {one["id"]: (one["user"], one["story"][0], one["risk"]) for one in found}
    for one in found:
        told = asked.get(f"/v1/incidents/{one['id']}").json()
        assert told["document"] == one
        assert len(asked.get(f"/v1/incidents/{one['id']}/prompts").json()["items"]) == one["prompts"]["sent"]
        assert asked.get(f"/v1/incidents/{one['id']}/signals").json() == {"items": one["signals"], "evidence": one["evidence"]}


def test_deciding(desk: Desk) -> None:
    asked = client(desk)
    etag = asked.get("/v1/incidents/a/handling").headers["etag"]
    body = {"state": "closed", "verdict": "benign", "why": "her own", "assignee": "eve"}
    done = asked.patch("/v1/incidents/a/handling", json=body, headers={"If-Match": etag})
    assert (done.status_code, done.headers["etag"], done.json()["closed_at"]) == (200, '"1"', "2026-03-09T08:00:00Z")
    late = asked.patch("/v1/incidents/a/handling", json={"assignee": None}, headers={"If-Match": etag})
    assert (late.status_code, late.json()["revision"]) == (412, 1)
    assert asked.patch("/v1/incidents/a/handling", json={"assignee": None}).status_code == 428
    assert asked.patch("/v1/incidents/a/handling", json={"assignee": None}, headers={"If-Match": "*"}).json()["assignee"] is None
    assert asked.patch("/v1/incidents/a/handling", json={}, headers={"If-Match": "three"}).status_code == 400
    assert asked.get("/v1/verdicts").json()["items"][0]["evidence"] == incident("a")["evidence"]
    assert [deed["who"] for deed in desk.deeds()] == ["eve", "eve"]


def test_notes_and_links(desk: Desk) -> None:
    asked = client(desk, "triager")
    assert asked.post("/v1/incidents/a/notes", json={"text": "called"}).status_code == 201
    assert asked.post("/v1/incidents/a/notes", json={"text": "late"}, headers={"If-Match": '"0"'}).status_code == 412
    assert asked.post("/v1/incidents/a/links", json={"reference": "https://x/SEC-1"}).headers["etag"] == '"2"'
    assert asked.post("/v1/incidents/a/links", json={"reference": "javascript:alert(1)"}).status_code == 422
    told = asked.get("/v1/incidents/a").json()
    assert (told["notes"][0]["text"], told["links"][0]["reference"], told["notes"][0]["who"]) == ("called", "https://x/SEC-1", "soar")
    assert asked.delete(f"/v1/incidents/a/links/{told['links'][0]['position']}").status_code == 200
    assert asked.delete(f"/v1/incidents/a/links/{told['links'][0]['position']}").status_code == 404


def test_the_rest(desk: Desk) -> None:
    asked = client(desk, "admin")
    assert asked.get("/v1/sources").json()["sources"] == HEALTH["sources"]
    assert len(asked.get("/v1/detections").json()["items"]) == sum(one.status != "off" for one in detections().values())
    assert [one["user"] for one in asked.get("/v1/people?text=AN").json()["items"]] == ["ana"]
    assert asked.get("/v1/people/ana").json()["items"][0]["id"] == "a"
    desk.record([], [incident("s", user="HQ/ana b")], AT)
    assert asked.get("/v1/people/HQ%2Fana%20b").json()["items"][0]["id"] == "s"
    for number in range(3):
        desk.note_deed("x", f"did {number}", "y", AT)
    first = asked.get("/v1/audit?limit=2").json()
    assert [deed["what"] for deed in first["items"] + asked.get(first["next"]).json()["items"]] == ["did 2", "did 1", "did 0"]


def test_what_is_known_is_not_sent_again(desk: Desk) -> None:
    asked = client(desk)
    for path in READS[:-1]:
        first = asked.get(path)
        etag = first.headers["etag"]
        assert first.status_code == 200, path
        for known in (etag, f'"x", W/{etag}', "*"):
            again = asked.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), path
        assert asked.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    etag = asked.get("/v1/incidents").headers["etag"]
    desk.decide("a", {"assignee": "eve"}, "eve", AT)
    assert asked.get("/v1/incidents", headers={"If-None-Match": etag}).status_code == 200


def faulty() -> Iterator[tuple[str, str, dict[str, Any], int]]:
    for path in (*READS, "/v1/audit"):
        yield "GET", f"{path}?nothing=1", {}, 422 if path in ("/v1/incidents", "/v1/people", "/v1/people/ana", "/v1/verdicts", "/v1/audit") else 400
        yield "PUT", path, {}, 405
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/incidents/", "/v1/incidents/nobody", "/v1/incidents/nobody/prompts", "/v1/people/nobody", "/v1/a%00b"):
        yield "GET", path, {}, 404
    times = ("since=yesterday", "since=2026-01-01T00:00:00", "since=9999-12-31T23:59:59-12:00")
    for asked in ("limit=0", "limit=201", "limit=x", "severity=none", "state=gone", "withdrawn=perhaps", "user=" + "x" * 700, *times):
        yield "GET", f"/v1/incidents?{asked}", {}, 422
    for asked in ("limit=1&limit=2", "after=x", "text=a&text=b", "text=%00"):
        yield "GET", f"/v1/incidents?{asked}", {}, 400
    note, kind = "/v1/incidents/a/notes", {"Content-Type": "application/json"}
    for content, status in ((b"{", 422), (b"[]", 422), (b"[" * 60_000, 400), (b"x" * 70_000, 413), (b'{"text": ""}', 422), (b'{"text": "x", "more": 1}', 422),
                            (b'{"text": "\\ud800"}', 422), (b'{"text": "a\\u0000b"}', 422), (b"\xff", 400), (b"", 422)):  # fmt: skip
        yield "POST", note, {"content": content, "headers": kind}, status
    yield "POST", note, {"content": b'{"text": "x"}', "headers": {"Content-Type": "text/plain"}}, 422
    yield "GET", "/v1/stream", {"headers": {"Last-Event-ID": "x"}}, 400
    yield "GET", "/v1/stream?more=1", {}, 422


@pytest.mark.parametrize(("method", "path", "more", "status"), list(faulty()))
def test_every_no_is_a_problem(asked: TestClient, method: str, path: str, more: dict[str, Any], status: int) -> None:
    answer = asked.request(method, path, **more)
    told = answer.json()
    assert (answer.status_code, told["status"], answer.headers["content-type"]) == (status, status, "application/problem+json")
    assert {"type", "title", "detail"} <= set(told)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("who", [None, "nobody", "sender"])
def test_strangers_see_nothing(desk: Desk, who: str | None) -> None:
    asked = client(desk, who)
    for path in (*READS, "/v1/audit", "/v1/stream"):
        answer = asked.get(path)
        assert answer.status_code == (403 if who == "sender" else 401), path
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.headers.get("www-authenticate") == "Bearer") is (who != "sender")


@pytest.mark.parametrize("who", [None, "viewer", "reader", "sender"])
def test_who_may_only_look_changes_nothing(desk: Desk, who: str | None) -> None:
    asked, before = client(desk, who), desk.last_news()
    for method, path, body in CHANGES:
        assert asked.request(method, path, json=body, headers={"If-Match": "*"}).status_code in (401, 403)
    assert (desk.deeds(), desk.last_news(), desk.notes("a"), desk.links("a")) == ([], before, [], [])
    assert asked.get("/v1/audit").status_code in (401, 403)


def test_no_machine_reads_the_audit_trail(desk: Desk) -> None:
    assert {who: client(desk, who).get("/v1/audit").status_code for who in VIEWERS} == {**dict.fromkeys(VIEWERS, 403), "admin": 200}


def test_every_route_says_who_may(desk: Desk) -> None:
    table: dict[tuple[str, str], Any] = {}
    for route in application(Around(desk)).routes:
        table.update(_needs(route))
    reads = {needs for (method, path), needs in table.items() if method == "GET" and path != "/audit"}
    assert reads == {("viewer", "read")}
    assert {needs for (method, _), needs in table.items() if method != "GET"} == {("analyst", "triage")}
    assert table["GET", "/audit"] == ("admin", None)
    assert {scope for _, scope in table.values()} - {None} <= set(SCOPES)
    assert len(table) == len(READS) + len(CHANGES) + 2


def _needs(route: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    """The routes behind one, each with the one dependency that says who may."""
    if not isinstance(route, APIRoute):
        for inner in getattr(getattr(route, "original_router", None), "routes", ()):
            yield from _needs(inner)
        return
    found = [needs for inner in route.dependant.dependencies if (needs := getattr(inner.call, "needs", None)) is not None]
    assert len(found) == 1, route.path
    for method in route.methods or ():
        yield (method, route.path), found[0]


def test_what_goes_wrong_inside_is_told_to_nobody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Any:
        raise RuntimeError("the password is hunter2")

    answer = client(desk, health=broken).get("/v1/sources")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "hunter2" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_a_desk_that_is_away(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    with Desk.open(f"sqlite:///{file}") as desk:
        desk.note_deed("x", "y", "z", AT)
    for one in tmp_path.glob("desk.db*"):
        one.unlink()
    file.mkdir()
    answer = client(desk).get("/v1/incidents")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert str(tmp_path) not in answer.text
