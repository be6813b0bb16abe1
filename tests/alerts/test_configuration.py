"""The tables of the configuration file, and the two commands that read them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alerts.receivers import hook
from tests.desk.fixtures import AT, Incident
from unbidden.alerts.settings import SlackTarget, WebhookTarget
from unbidden.desk import Desk, TargetRule
from unbidden.errors import UnusableInputError
from unbidden.settings import read_settings

WHOLE = """
[desk]
url = "sqlite:///desk.db"

[alert.soc]
kind = "webhook"
url = "https://soc.example.com/in"
secret = "env:KEY"
at_least = "high"
quiet = { time_zone = "Europe/Berlin", start = 22:00:00, end = "07:00" }

[alert.chat]
kind = "slack"
webhook = "file:/run/secrets/slack"

[alert.channel]
kind = "teams"
url = "env:TEAMS"

[alert.mail]
kind = "email"
host = "mail.example.com"
sender = "unbidden@example.com"
to = ["soc@example.com"]

[alert.siem]
kind = "syslog"
host = "siem.example.com"
port = 6514
transport = "tls"

[alert.pager]
kind = "apprise"
url = "env:PAGER"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "unbidden.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_whole_file(tmp_path: Path) -> None:
    told = read_settings(written(tmp_path, WHOLE))
    assert told.desk.url_of({}) == f"sqlite:///{tmp_path}/desk.db"
    assert [target.kind for target in told.alert.values()] == ["webhook", "slack", "teams", "email", "syslog", "apprise"]
    soc = told.alert["soc"]
    assert isinstance(soc, WebhookTarget)
    assert soc.quiet is not None
    assert soc.quiet.start.hour == 22
    assert isinstance(told.alert["chat"], SlackTarget)
    assert read_settings(written(tmp_path, "")).alert == {}
    secret = read_settings(written(tmp_path, '[desk]\nurl = "env:DESK"')).desk
    assert secret.url_of({"DESK": "postgresql://u:p@h/d"}) == "postgresql://u:p@h/d"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[alert.x]\nkind = "pigeon"', r"\[alert.x\] kind: .*apprise.*webhook"),
        ('[alert.x]\nkind = "webhook"\nurl = "https://h"\nsecret = "hunter2"', r"\[alert.x\] secret: a secret is named by env:NAME"),
        ('[alert.x]\nkind = "webhook"\nurl = "http://soc.example.com/"\nsecret = "env:K"', "in the clear"),
        ('[alert.x]\nkind = "webhook"\nurl = "soc.example.com"\nsecret = "env:K"', "https://"),
        ('[alert.x]\nkind = "slack"', "either webhook, or bot_token"),
        ('[alert.x]\nkind = "slack"\nbot_token = "env:T"', "needs the channel"),
        ('[alert.x]\nkind = "email"\nhost = "h"\nsender = "a@b"\nto = ["x@y\\nBcc: z@w"]', r"\[alert.x\] to"),
        ('[alert.x]\nkind = "teams"\nurl = "env:T"\ncolour = "red"', "colour"),
        ('[alert.x]\nkind = "teams"\nurl = "env:T"\nquiet = {time_zone = "Berlin", start = "22:00", end = "07:00"}', "no time zone Berlin"),
        ('[alert.x]\nkind = "teams"\nurl = "env:T"\nat_least = "low"', "at_least"),
        ("[alert", "unbidden.toml, line 1"),
        ("alert = 3", r"\[alert\]: "),
        ("[desk]\npath = 'x'", r"\[desk\] path"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UnusableInputError, match=why) as caught:
        read_settings(written(tmp_path, text))
    assert "hunter2" not in str(caught.value)


def run(folder: Path, repository: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(repository / "src"), "COLUMNS": "200", **environment}
    return subprocess.run([sys.executable, "-m", "unbidden", "alerts", *words], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_one_target_is_tried(tmp_path: Path, repository: Path) -> None:
    with hook([200, 403], body=b"no") as served:
        written(tmp_path, f'[alert.soc]\nkind = "webhook"\nurl = "{served.url}"\nsecret = "env:KEY"')
        done = run(tmp_path, repository, "test", "soc", "--config", "unbidden.toml", KEY="x")
        assert (done.returncode, done.stdout, done.stderr) == (0, "soc took the test message.\n", "")
        assert served.requests[0].json["kind"] == "test"
        assert served.requests[0].json["subject"].startswith("TEST: ")
        refused = run(tmp_path, repository, "test", "soc", KEY="x")
        assert refused.returncode == 2
        assert "answered 403" in refused.stderr
        unknown = run(tmp_path, repository, "test", "sock", KEY="x")
        assert (unknown.returncode, "there is no target [alert.sock]; there are: soc" in unknown.stderr) == (2, True)
        assert "the variable is not set" in run(tmp_path, repository, "test", "soc").stderr
        assert "No such file" in run(tmp_path, repository, "test", "soc", "--config", "other.toml").stderr


def test_the_outbox_is_shown(tmp_path: Path, repository: Path, found: list[Incident]) -> None:
    with Desk.open(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        desk.record([], [{**found[0], "user": "ana\x1b[31m[bold]"}, *found[1:4]], AT, [TargetRule("soc"), TargetRule("old")])
        parcel = desk.claim("soc", "me", AT)
        assert parcel is not None
        desk.mark_failed(parcel, "me", AT, None, "answered 500")
    written(tmp_path, WHOLE)
    done = run(tmp_path, repository, "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "answered 500" in done.stdout
    assert "not in this configuration" in done.stdout
    assert "ana[U+001B][31m[bold]" in done.stdout
    assert done.stdout.count("alert: opened") == 8
    assert run(tmp_path, repository, "list", "--state", "dead").stdout.count("alert: opened") == 1
    assert run(tmp_path, repository, "list", "--state", "lost").returncode == 2
    assert run(tmp_path, repository, "retry", "soc").stdout == "1 alert to soc will be tried again.\n"
    with Desk.open(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        assert desk.outbox_counts()["soc"]["dead"] == 0
        assert [(deed["what"], deed["subject"], deed["detail"]) for deed in desk.deeds()] == [("alerts retried", "soc", {"rows": 1})]
