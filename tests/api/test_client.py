"""The client and the command `unbidden incidents`, against a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.api.surroundings import Around, outer
from tests.desk.fixtures import AT, file_desk
from tests.desk.incidents import incident
from unbidden.api.client import ApiError, Client, ConflictError
from unbidden.commands.incidents import app
from unbidden.credentials import Secret
from unbidden.desk import Desk
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.doors.waiting import Confirmations
from unbidden.errors import UnusableInputError

__all__ = ["file_desk"]


@dataclass(frozen=True, slots=True)
class Place:
    """A running server and its desk."""

    desk: Desk
    url: str

    def client(self, who: str = "triager") -> Client:
        """Somebody who asks."""
        return Client(self.url, Secret(who, "env:X"))

    def run(self, *words: str, who: str = "triager", stdin: str = "") -> Result:
        """The command as a user runs it."""
        told = {"COLUMNS": "160", "UNBIDDEN_SERVER": self.url, "UNBIDDEN_TOKEN": who}
        return CliRunner().invoke(app, list(words), env=told, input=stdin)


@pytest.fixture
def place(file_desk: Desk) -> Iterator[Place]:
    """A running server with incidents."""
    file_desk.record([], [incident("a", "approved critical", user="ana\u202e"), *(incident(f"b{n:03d}", user=f"u{n}", hour=n) for n in range(250))], AT)
    served = outer(Around(file_desk))
    served.state.confirmations = Confirmations(1)
    server = Serving(served, Http(address="127.0.0.1", port=0))
    try:
        yield Place(file_desk, f"http://127.0.0.1:{server.start()}")
    finally:
        server.stop()


def test_the_client(place: Place) -> None:
    client, reader = place.client(), place.client("reader")
    rows = list(client.incidents())
    assert [row.id for row in rows] == ["a", *(f"b{n:03d}" for n in reversed(range(250)))]
    assert [row.id for row in client.incidents([("severity", "medium"), ("severity", "high")], 210)] == [f"b{n:03d}" for n in reversed(range(40, 250))]
    assert client.incident("a").document["story"]
    assert len(list(client.people())) == 251
    assert (client.sources().level, bool(client.detections().items)) == ("fine", True)
    assert client.note("a", "called").revision == 1
    assert client.link("a", "SEC-1").revision == 2
    done = client.decide("a", {"state": "closed", "verdict": "benign", "why": "x"}, 2)
    assert (done.state, done.closed_at, client.handling("a")) == ("closed", AT, done)
    with pytest.raises(ConflictError, match="by soar meanwhile"):
        client.decide("a", {"assignee": None}, 2)
    with pytest.raises(ApiError, match=r"404.*no such incident") as caught:
        client.incident("a b?#%")
    assert caught.value.status == 404
    assert [one.verdict for one in client.verdicts()] == ["benign"]
    with pytest.raises(ApiError, match=r"403.*role analyst"):
        reader.note("a", "x")
    reader.close()
    with pytest.raises(ApiError, match=r"422.*severity"):
        list(client.incidents([("severity", "none")]))
    client.close()


@pytest.mark.parametrize(
    "server", ["http://unbidden.example.com", "ftp://127.0.0.1", "unbidden", "", "https://eve:x@h", "https://", "http://[::", "http://localhost.example.com"]
)
def test_no_token_goes_to_such_an_address(server: str) -> None:
    with pytest.raises(UnusableInputError):
        Client(server, Secret("x", "env:X"))


def test_the_command(place: Place, tmp_path: Path) -> None:
    listed = place.run("list", "--limit", "3")
    assert (listed.exit_code, listed.stderr) == (0, "")
    assert [word in listed.stdout for word in ("critical", "ana[U+202E]", "b249", "b248", "b247")] == [True, True, True, True, False]
    told = place.run("list", "--format", "json", "--severity", "critical")
    assert [json.loads(line)["id"] for line in told.stdout.splitlines()] == ["a"]
    assert place.run("note", "a", "-", stdin="from a pipe").exit_code == 0
    assert place.run("assign", "a", "eve", "--state", "investigate").stdout == "a is assigned to eve now.\n"
    late = place.run("close", "a", "--verdict", "benign", "--why", "x", "--revision", "1")
    assert (late.exit_code, "changed by soar meanwhile" in late.stderr) == (2, True)
    assert place.run("close", "a", "--verdict", "benign").exit_code == 2
    assert place.run("close", "a", "--verdict", "benign", "--why", "her own phone").stdout == "a is closed: benign.\n"
    shown = place.run("show", "a").stdout
    assert [word in shown for word in ("closed, eve (revision 3)", "benign: her own phone", "from a pipe", "asked three times")] == [True] * 4
    assert json.loads(place.run("show", "a", "-f", "json").stdout)["decision"]["revision"] == 3
    token = tmp_path / "token"
    token.write_text("reader\n", "utf-8")
    token.chmod(0o600)
    assert place.run("list", "--token-from", f"file:{token}", who="").exit_code == 0
    refused = place.run("list", "--token-from", "triager")
    assert (refused.exit_code, "never an argument" in refused.stderr, "Traceback" in refused.stderr) == (2, True, False)
    assert "triager" not in refused.stderr


def test_a_server_that_is_not_there() -> None:
    client = Client("http://127.0.0.1:9", Secret("x", "env:X"))
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:9"):
        list(client.incidents())
    client.close()
