"""The doctor: what it says of a server's parts, each of them real: a lake, a desk, ports, certificates, a played vendor."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from deltalake import DeltaTable
from typer.testing import CliRunner

from tests.vendors import Time, okta, serving
from unbidden.cli import app
from unbidden.desk import Desk
from unbidden.intake import Lot
from unbidden.lake import Lake, LakeError
from unbidden.lake.glance import count_of_day
from unbidden.live.doctor import Check, examine
from unbidden.live.doctor.certificates import certificate
from unbidden.live.doctor.machine import clocks

NOW = datetime.now(UTC)
ROWS = tuple(json.dumps({"number": number, "text": f"row {number} " * 20}) for number in range(200))


@dataclass(slots=True)
class Place:
    """A folder with a configuration in it, and the environment that the doctor sees."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, text: str) -> None:
        """Write the configuration; how the server is asked for is left to any port, for another server may run beside the tests."""
        (self.folder / "u.toml").write_text(text if "[health]" in text else f"{text}\n[health]\nport = 0\n", "utf-8")

    def fill(self) -> None:
        """A lake of two commits and an unread row, and a desk."""
        lake = Lake.open(f"{self.folder}/unbidden-lake")
        for number in range(2):
            lake.append([Lot("okta", ROWS, NOW, cursor={"at": str(number)})], NOW)
        lake.append_unread([(1, NOW, "okta", 3, "no JSON", "x")], 1, NOW)
        lake.close()
        Desk.open(f"sqlite:///{self.folder}/unbidden-desk.db").close()

    def look(self) -> list[Check]:
        """All that the doctor finds."""
        return list(examine(self.folder / "u.toml", self.environment))

    def problems(self, level: str = "problem") -> dict[str, str]:
        """What it finds wrong, by what it is about."""
        return {check.part: check.finding.text for check in self.look() if check.finding.level == level}

    def files(self, table: str) -> list[Path]:
        """The files of a table of the lake."""
        return sorted((self.folder / "unbidden-lake" / table).glob("day=*/*.parquet"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with the shortest configuration."""
    found = Place(tmp_path)
    found.configure("")
    return found


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a listener that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield int(taken.getsockname()[1])


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_that_could_be_started_has_no_problem(place: Place, port: int) -> None:
    place.fill()
    place.environment |= {"PUSH": "x", "KEY": "y"}
    (place.folder / "in").mkdir()
    (place.folder / "people.csv").write_text("user,department\na@example.com,IT\n", "utf-8")
    (place.folder / "trust.csv").write_text("203.0.113.0/24, office\n", "utf-8")
    with serving(okta.Played(Time(datetime.now(UTC)))) as vendor:
        place.environment |= vendor.environment
        vendor.fill()
        place.configure(f"""
            [judge]
            people = "people.csv"
            trust = "trust.csv"
            [doors.http]
            port = {free_port()}
            push = [{{source = "push", secret = "env:PUSH"}}]
            [[doors.folders]]
            path = "in"
            [source.okta]
            kind = "okta"
            url = "{vendor.url}"
            token = "env:OKTA_TOKEN"
            [alert.hook]
            kind = "webhook"
            url = "http://127.0.0.1:{port}/in"
            secret = "env:KEY"
        """)
        found = place.look()
    assert {check.part: check.finding.text for check in found if check.finding.level == "problem"} == {}
    texts = [f"{check.part}: {check.finding.text}" for check in found]
    for said in (
        "[judge] people: ",
        "source okta: system_log can be read",
        "source okta: the clock is right",
        "lake: raw: every file is whole",
        "alert hook: 127.0.0.1",
    ):
        assert any(text.startswith(said) for text in texts), said
    assert any("2 commits of rows" in text for text in texts)


@pytest.mark.parametrize(("changes", "why"), [({"is_writer": True}, "more than read"), ({"skew_s": 600.0}, "clock of this machine is")])
def test_a_vendor_that_is_not_right_is_a_problem(place: Place, changes: Mapping[str, object], why: str) -> None:
    with serving(okta.Played(Time(datetime.now(UTC)), **changes)) as vendor:  # type: ignore[arg-type]
        place.environment |= vendor.environment
        place.configure(f'[source.okta]\nkind = "okta"\nurl = "{vendor.url}"\ntoken = "env:OKTA_TOKEN"\n')
        assert why in place.problems()["source okta"]


def test_nothing_is_made_by_looking(place: Place) -> None:
    place.configure('[lake]\nroot = "deep/lake"\n[desk]\nurl = "sqlite:///desk.db"\n')
    assert place.problems() == {}
    assert [file.name for file in place.folder.iterdir()] == ["u.toml"]


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def _spoil(file: Path) -> None:
    """Bytes in the middle, with the size as it was."""
    bytes_ = bytearray(file.read_bytes())
    middle = len(bytes_) // 3
    bytes_[middle : middle + 64] = b"\xff" * 64
    file.write_bytes(bytes_)


def _end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-8] + b"\0" * 8)


@pytest.mark.parametrize("damage", [_cut, _spoil, _end, Path.unlink])
def test_a_damaged_file_of_the_lake_is_named(place: Place, damage: object) -> None:
    place.fill()
    file = place.files("raw")[0]
    assert callable(damage)
    damage(file)
    [(part, text)] = place.problems().items()
    assert (part, str(file) in text) == ("lake", True), text


def test_a_damaged_log_of_the_lake_is_a_problem(place: Place) -> None:
    place.fill()
    for log in (place.folder / "unbidden-lake/event/_delta_log").glob("*.json"):
        log.write_text("{", "utf-8")
    assert "cannot be opened" in place.problems()["lake"]


def test_a_lake_without_one_of_its_tables_says_which(place: Place) -> None:
    place.fill()
    shutil.rmtree(place.folder / "unbidden-lake" / "event")
    assert {part: "the table event is missing" in text for part, text in place.problems().items()} == {"lake": True}


def test_a_table_forgets_a_damaged_file_as_the_page_says(place: Place) -> None:
    place.fill()
    place.files("raw")[0].unlink()
    DeltaTable(f"{place.folder}/unbidden-lake/raw").repair()
    assert place.problems() == {}
    lake = Lake.open(f"{place.folder}/unbidden-lake")
    assert (lake.sequence, lake.cursor("okta")) == (2, {"at": "1"})
    assert lake.append([Lot("okta", ROWS, NOW)], NOW) == 3
    lake.close()


def test_of_a_remote_table_the_newest_day_is_read(place: Place) -> None:
    place.fill()
    table = DeltaTable(f"{place.folder}/unbidden-lake/raw")
    assert count_of_day("raw", table, NOW.date()) == 2 * len(ROWS)
    _cut(place.files("raw")[0])
    with pytest.raises(LakeError, match="raw: "):
        count_of_day("raw", table, NOW.date())


def test_a_lake_that_a_server_holds_is_only_read(place: Place) -> None:
    place.fill()
    held = Lake.open(f"{place.folder}/unbidden-lake")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place.configure(f"[doors.http]\nport = {taken.getsockname()[1]}\n")
        found = place.look()
    held.append([Lot("okta", ROWS, NOW)], NOW)
    held.close()
    texts = {check.part: check.finding for check in found}
    assert (texts["doors.http"].level, "as the server runs" in texts["doors.http"].text) == ("fine", True)
    assert any("a server runs and holds it" in check.finding.text for check in found)
    assert not any(check.finding.level == "problem" for check in found)


def test_a_port_that_somebody_else_has_is_a_problem(place: Place, port: int) -> None:
    place.configure(f"[doors.http]\nport = {port}\n[[doors.syslog.listeners]]\nport = {port}\n")
    assert {part: "in use by another program" in text for part, text in place.problems().items()} == {"doors.http": True, "doors.syslog.listeners tcp": True}


def test_tokens_in_the_clear_are_warned_of(place: Place) -> None:
    place.configure(f'[doors.http]\naddress = "0.0.0.0"\nport = {free_port()}\n')
    assert "in the clear" in place.problems("warning")["doors.http"]


def test_secrets_that_cannot_be_had_are_named_by_their_place(place: Place) -> None:
    (place.folder / "open").write_text("x", "utf-8")
    (place.folder / "open").chmod(0o644)
    place.configure(
        '[alert.a]\nkind = "teams"\nurl = "env:GONE"\n[alert.b]\nkind = "teams"\nurl = "file:open"\n[lake.options]\nAWS_SECRET_ACCESS_KEY = "plain"\n'
    )
    problems = place.problems()
    assert "GONE: the variable is not set" in problems["[alert.a] url"]
    assert "chmod 600" in problems["[alert.b] url"]
    assert "[lake.options] AWS_SECRET_ACCESS_KEY" in place.problems("warning")


def test_files_that_are_not_there_are_named(place: Place) -> None:
    place.configure("""
        [judge]
        people = "people.csv"
        trust = "trust.csv"
        lists = ["tor=exits.txt"]
        geo = ["city.mmdb"]
        detections = "own"
        [[doors.folders]]
        path = "in"
    """)
    problems = place.problems()
    assert set(problems) == {"[judge] people", "[judge] trust", "[judge] lists", "[judge] geo", "[judge] detections", "folder folder"}
    assert all(str(place.folder) in text for text in problems.values())


def test_a_server_for_replays_is_warned_of(place: Place) -> None:
    place.configure('[judge]\nclock = "events"\n')
    assert "replaying" in place.problems("warning")["[judge] clock"]
    assert "nobody is told" in " ".join(check.finding.text for check in place.look())


def test_every_fault_of_the_file_is_a_finding(place: Place) -> None:
    place.configure('[lake]\nrot = "x"\n[desk]\nulr = "y"\n')
    found = [check.finding.text for check in place.look() if check.part == "configuration"]
    assert [text.partition(": ")[2] for text in found] == [
        "[lake] rot: there is no such key; is root meant?",
        "[desk] ulr: there is no such key; is url meant?",
    ]


def test_a_desk_of_another_time_is_told(place: Place) -> None:
    place.fill()
    for step, level in (("0001", "warning"), ("9999", "problem")):
        with closing(sqlite3.connect(place.folder / "unbidden-desk.db")) as connection:
            [(newest,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            connection.execute("UPDATE alembic_version SET version_num = ?", [step])
            connection.commit()
        if newest != step:
            assert step in place.problems(level)["desk"]


def test_a_damaged_desk_is_a_problem(place: Place) -> None:
    place.fill()
    file = place.folder / "unbidden-desk.db"
    file.write_bytes(file.read_bytes()[:2048] + b"\xff" * 8192)
    assert "desk" in place.problems()


def test_a_target_is_tried_and_nothing_sent(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"siem": taken.getsockname()[1], "gone": free_port()}
        place.configure("\n".join(f'[alert.{name}]\nkind = "syslog"\nhost = "127.0.0.1"\nport = {number}' for name, number in ports.items()))
        assert set(place.problems()) == {"alert gone"}
        taken.settimeout(5)
        connection, _ = taken.accept()
        with connection:
            connection.settimeout(5)
            assert connection.recv(10) == b""


def test_a_full_disk_to_come_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fill()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert "the lake will grow" in place.problems()["lake"]


def test_certificates(tmp_path: Path) -> None:
    authority = trustme.CA()
    file, key, other = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "other.pem"
    for days, level, why in ((90, "fine", "door.example.com"), (5, "warning", "only"), (-1, "problem", "expired")):
        issued = authority.issue_cert("door.example.com", not_before=NOW - timedelta(days=200), not_after=NOW + timedelta(days=days))
        file.write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
        key.touch(0o600)
        key.write_bytes(issued.private_key_pem.bytes())
        [found] = certificate("door", file, key)
        assert (found.finding.level, why in found.finding.text) == (level, True), found
    authority.issue_cert("other.example.com").private_key_pem.write_to_path(other)
    assert [check.finding.text.endswith("does not belong to the certificate") for check in certificate("door", file, other)] == [True]
    assert [check.finding.text for check in certificate("door", file, tmp_path / "none.pem")] == [f"{tmp_path / 'none.pem'}: there is no such file"]


@pytest.mark.parametrize(
    ("wall", "ticks", "newest", "level"),
    [
        ((0.0, 0.2), (0.0, 0.2), -5.0, "fine"),
        ((0.0, 0.2), (0.0, 0.2), 3600.0, "problem"),
        ((0.0, 30.0), (0.0, 0.2), None, "problem"),
        ((-1e9, -1e9 + 0.2), (0.0, 0.2), None, "problem"),
    ],
)
def test_clocks_that_cannot_be_right(wall: tuple[float, float], ticks: tuple[float, float], newest: float | None, level: str) -> None:
    walls, monotonic = iter(wall), iter(ticks)
    kept = None if newest is None else NOW + timedelta(seconds=newest)
    assert clocks(lambda: NOW + timedelta(seconds=next(walls)), lambda: next(monotonic), lambda _: None, kept).finding.level == level


def test_the_command_says_all_and_ends_with_one_at_a_problem(place: Place) -> None:
    config = str(place.folder / "u.toml")
    done = CliRunner().invoke(app, ["doctor", "--config", config])
    assert (done.exit_code, "0 problems" in done.output) == (0, True), done.output
    place.configure('[[doors.folders]]\npath = "in"\n')
    done = CliRunner().invoke(app, ["doctor", "--config", config, "--format", "json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [(one["part"], one["todo"]) for one in found if one["level"] == "problem"] == [("folder folder", f"make it: mkdir -p {place.folder / 'in'}")]
