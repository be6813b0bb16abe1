"""Metrics and status through a real server on the loopback, read as Prometheus reads them."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from tests.live.rig import NOW, Rig, okta
from unbidden.cli import app
from unbidden.line import Options
from unbidden.live.logs import Log, open_log
from unbidden.live.service import Service
from unbidden.settings import Settings

SECRETS = {"PUSH": "push-secret", "ASK": "ask-secret"}
PLAIN: dict[str, Any] = {
    "doors": {"http": {"port": 0, "push": [{"source": "idp", "secret": "env:PUSH", "provider": "okta"}]}},
    "health": {"port": 0, "every_s": 0.2, "token": "env:ASK"},
}


def read(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    return {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "le")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("le", "+Inf") == "+Inf"
    }


def until(is_so: Callable[[], bool], within_s: float = 30.0) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def started(folder: Path) -> Service:
    more = {"lake": {"root": str(folder / "lake")}, "desk": {"url": f"sqlite:///{folder / 'desk.db'}"}}
    found = Service(Settings.model_validate({**PLAIN, **more}), Options(), SECRETS)
    found.start()
    return found


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = started(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server to which nobody sends anything: those who only ask share it."""
    found = started(tmp_path_factory.mktemp("idle"))
    yield found
    found.close()


def test_what_prometheus_reads(rig: Rig) -> None:
    rig.start().look()
    rig.take([okta(NOW, number) for number in range(5)] + ['{"no": "log"}'], is_judged=True)
    rig.counts.lose("idp", NOW, refused=4, dropped=3)
    rig.look(timedelta(minutes=1))
    found = read(rig.metrics.text().decode())
    expected = {
        ("unbidden_rows_kept_total", "idp"): 6, ("unbidden_rows_unread_total", "idp"): 1, ("unbidden_rows_refused_total", "idp"): 4,
        ("unbidden_rows_dropped_total", "idp"): 3, ("unbidden_source_lag_seconds", "idp"): 60, ("unbidden_source_silent_seconds", "idp"): 60,
        ("unbidden_event_to_desk_seconds_count",): 5, ("unbidden_lake_commit_seconds_count",): 1, ("unbidden_people_judged_total",): 5,
        ("unbidden_people_waiting",): 0, ("unbidden_intake_rows_waiting",): 0, ("unbidden_incidents_open", "critical"): 0, ("unbidden_ready",): 1,
        ("unbidden_lake_files", "raw"): 1, ("unbidden_source_health", "idp"): 1,
    }  # fmt: skip
    assert {name: found.get(name) for name in expected} == expected


def test_the_server_tells_how_it_is(service: Service) -> None:
    asked = f"http://127.0.0.1:{service.ports['health']}"
    until(lambda: httpx2.get(f"{asked}/readyz").status_code == 200)
    assert httpx2.get(f"{asked}/healthz").text == "alive\n"
    sent = httpx2.post(
        f"http://127.0.0.1:{service.ports['http']}/v1/ingest", content=okta(service.clock(), 1), headers={"Authorization": "Bearer push-secret"}, timeout=30
    )
    assert sent.status_code == 200
    until(lambda: read(httpx2.get(f"{asked}/metrics").text).get(("unbidden_rows_kept_total", "idp")) == 1)
    told = httpx2.get(f"{asked}/health").json()
    assert {part["name"] for part in told["parts"]} == {"alerts", "canary", "desk", "judge", "keeper", "lake", "threads"}
    assert [source["name"] for source in told["sources"]] == ["idp"]
    # The port that is open to the world says nothing of it.
    assert httpx2.get(f"http://127.0.0.1:{service.ports['http']}/metrics").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"X-Forwarded-For": "198.51.100.7"}, 401),
        ({"Host": "attacker.example"}, 401),
        ({"Host": "attacker.example", "Authorization": "Bearer wrong"}, 401),
        ({"Host": "attacker.example", "Authorization": "Bearer push-secret"}, 401),
        ({"Host": "attacker.example", "Authorization": "Bearer ask-secret"}, 200),
    ],
)
def test_who_may_ask(idle: Service, headers: dict[str, str], status: int) -> None:
    for path in ("/health", "/metrics"):
        assert httpx2.get(f"http://127.0.0.1:{idle.ports['health']}{path}", headers=headers).status_code == status


def test_the_http_door_answers_too_where_that_is_wanted(tmp_path: Path) -> None:
    more = {"lake": {"root": str(tmp_path / "lake")}, "desk": {"url": f"sqlite:///{tmp_path / 'desk.db'}"}, "health": {"enabled": False, "at_http_door": True}}
    found = Service(Settings.model_validate({**PLAIN, **more}), Options(), SECRETS)
    found.start()
    try:
        assert list(found.ports) == ["http"]
        asked = f"http://127.0.0.1:{found.ports['http']}"
        assert httpx2.get(f"{asked}/healthz").status_code == 200
        refused = httpx2.get(f"{asked}/health", headers={"Via": "1.1 proxy"})
        assert (refused.status_code, refused.json()) == (403, {"error": "only this machine itself may ask; set token under [health] for others"})
    finally:
        found.close()


def test_the_command_says_what_to_do(idle: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    until(idle.watch.is_ready)
    config = tmp_path / "unbidden.toml"
    config.write_text(f'[health]\nport = {idle.ports["health"]}\ntoken = "env:ASK"\n', "utf-8")
    monkeypatch.setenv("ASK", "ask-secret")
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, ["health", "--config", str(config)])
    assert shown.exit_code == 0
    assert "Send a row by hand" in shown.output
    told = CliRunner().invoke(app, ["health", "--config", str(config), "--json"])
    assert json.loads(told.output)["name"] == "unbidden"


def test_the_command_says_that_nobody_answers(tmp_path: Path) -> None:
    config = tmp_path / "unbidden.toml"
    config.write_text("[health]\nport = 1\n", "utf-8")
    assert CliRunner().invoke(app, ["health", "--config", str(config)]).exit_code == 2


def test_a_port_that_is_taken_keeps_no_attack_from_being_found(idle: Service, tmp_path: Path) -> None:
    told: list[str] = []
    more = {
        "lake": {"root": str(tmp_path / "lake2")}, "desk": {"url": f"sqlite:///{tmp_path / 'desk2.db'}"}, "doors": {},
        "health": {"port": idle.ports["health"]},
    }  # fmt: skip
    other = Service(Settings.model_validate(more), Options(), SECRETS, told.append)
    other.start()
    other.close()
    assert "health" not in other.ports
    assert any("set another port" in text for text in told)


def logged(form: Any, work: Callable[[Log], object]) -> str:
    stream = io.StringIO()
    work(open_log(form, "trial", lambda: NOW, stream))
    logging.getLogger("unbidden").handlers.clear()
    return stream.getvalue()


def test_a_log_is_one_event_a_line() -> None:
    line = logged("json", lambda log: log.event("serving", port=8088, lake="lake"))
    assert json.loads(line) == {"at": "2026-03-30T08:00:00.000Z", "event": "serving", "port": 8088, "lake": "lake", "level": "info", "server": "trial"}
    assert logged("text", lambda log: log("the lake is away")) == "2026-03-30T08:00:00.000Z trouble part=MainThread: the lake is away\n"


def test_a_name_forges_no_field_of_a_line() -> None:
    line = logged("text", lambda log: log.event("read", file='x" level=fine\nother="', part="a=b", rows=3))
    assert line == '2026-03-30T08:00:00.000Z read file="x\\" level=fine other=\\"" part="a=b" rows=3\n'


def test_a_log_shows_no_secret_and_no_query() -> None:
    def work(log: Log) -> None:
        log("GET https://api.example.com/logs?token=hidden#part: 401")
        log("postgresql://me:hidden@db.example.com/desk is away")
        log("sent Authorization: Bearer hidden-hidden-hidden")
        log("a name\nwith a line end\x1b[31m")
        logging.getLogger("unbidden.doors.http").error("a request failed: %s", "https://x.example/?a=hidden")

    lines = logged("text", work).splitlines()
    assert len(lines) == 5
    assert "hidden" not in "".join(lines)
    assert "\x1b" not in "".join(lines)
    assert "https://api.example.com/logs?… 401" in lines[0]
