"""The console of a running server: who signs in sees what came, decides, and what they decided stands at the desk."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.live.servers import WORDS, Server
from unbidden import simulate
from unbidden.live.replay import timed_rows

_WITHIN_S = 90.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a console, two people who may sign in, and the rows of a company under attack."""
    folder = tmp_path_factory.mktemp("console")
    company = simulate.write(folder / "company", people=25, days=4, seed=3, attacks="uber_2022", traps="none")
    found = Server(folder, company, console="port = 0")
    try:
        found.start()
        for name, role in (("dana", "analyst"), ("vic", "viewer")):
            found.add_user(name, role)
        texts = [row.text for row in timed_rows([str(company)])]
        for start in range(0, len(texts), 500):
            assert found.send(texts[start : start + 500])
        yield found
    finally:
        found.end()


@contextmanager
def _signed_in(server: Server, name: str) -> Iterator[httpx2.Client]:
    url = server.console_url
    with httpx2.Client(base_url=url, headers={"Origin": url}, timeout=30) as client:
        client.post("/sign-in", data={"csrf": _csrf(client.get("/sign-in").text), "next": "/", "name": name, "password": WORDS})
        yield client


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" (?:value|content)="([^"]+)"', page)
    assert found, page
    return found[1]


def _attacked(client: httpx2.Client) -> str:
    """The id of the worst incident, once there is one."""
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        rows = client.get("/v1/incidents?severity=critical&severity=high").json()["items"]
        if rows:
            return str(rows[0]["id"])
        time.sleep(0.5)
    raise AssertionError("nothing was found in time")


def test_nobody_sees_anything_without_signing_in(server: Server) -> None:
    with _signed_in(server, "nobody") as client:
        for path in ("/", "/incidents", "/people/x", "/sources", "/detections", "/hunt", "/settings", "/account"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers.get("location", "").partition("?")[0]) == (303, "/sign-in"), path
        assert client.get("/v1/incidents").status_code == 401


def test_analyst_decides_and_the_api_and_the_audit_trail_know(server: Server) -> None:
    with _signed_in(server, "dana") as client:
        one = _attacked(client)
        page = client.get(f"/incidents/{one}")
        assert page.status_code == 200
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert one in client.get("/").text
        given = {"csrf": _csrf(page.text), "what": "state", "value": "investigate", "revision": "0"}
        assert client.post(f"/incidents/{one}/handling", data=given).status_code == 303
        handling = client.get(f"/v1/incidents/{one}/handling")
        assert (handling.json()["state"], handling.headers["etag"]) == ("investigate", '"1"')
        overtaken = client.post(f"/incidents/{one}/handling", data=given | {"value": "closed"}, headers={"HX-Request": "true"})
        assert overtaken.headers["x-outcome"] == "409"
        assert client.get(f"/v1/incidents/{one}/handling").json()["state"] == "investigate"
        assert client.post(f"/incidents/{one}/handling", data=given | {"csrf": "forged"}).status_code == 403
    verified = server.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_viewer_looks_and_changes_nothing(server: Server) -> None:
    with _signed_in(server, "vic") as client:
        one = _attacked(client)
        page = client.get(f"/incidents/{one}")
        assert page.status_code == 200
        before = client.get(f"/v1/incidents/{one}/handling").json()
        given = {"csrf": _csrf(page.text), "what": "state", "value": "closed", "revision": str(before["revision"])}
        assert client.post(f"/incidents/{one}/handling", data=given).status_code == 403
        patched = client.patch(f"/v1/incidents/{one}/handling", json={"state": "closed"}, headers={"If-Match": "*", "X-CSRF-Token": _csrf(page.text)})
        assert patched.status_code == 403
        assert client.get("/settings/people").status_code == 403
        assert client.get(f"/v1/incidents/{one}/handling").json() == before


def test_set_up_link_is_in_no_log(server: Server) -> None:
    assert any("nobody can sign in to the console yet" in line for line in server.said)
    assert not any("set-up?" in line for line in server.said)
