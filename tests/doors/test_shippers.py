"""Real shippers out of Debian's packages: syslog-ng speaks Splunk HEC, rsyslog counted syslog; each is there before the door, and outlives its restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doors.lake import Lake, hec, running, until
from tests.lab import process
from tests.lab.install import PROGRAMS, CannotInstallError, alone, unpack
from tests.test_ingest import read
from unbidden.doors.http import Surroundings, app
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http, Listener, Syslog
from unbidden.doors.syslog import Door
from unbidden.intake import Intake

# The two exclude each other on a machine, so each has a root of its own.
PACKAGES = {"syslog-ng": ("syslog-ng-core", "syslog-ng-mod-http"), "rsyslog": ("rsyslog",)}
LINE = '<38>1 2026-03-02T21:14:{:02d}Z wéb1 sshd 7 - - Failed password for root from 203.0.113.7 port {} ssh2 "\\'

SYSLOG_NG = r"""
@version: 3.38
options {{ stats-freq(0); time-reopen(1); }};
source lines {{ file("{file}" follow-freq(0.1) flags(no-parse)); }};
destination unbidden {{
  http(
    url("http://127.0.0.1:{port}/services/collector/event")
    method("POST")
    headers("Authorization: Splunk one")
    body('$(format-json --scope none event="$MSG" sourcetype="syslog")')
    batch-lines(10) batch-timeout(100) delimiter("\n") retries(1000)
  );
}};
log {{ source(lines); destination(unbidden); flags(flow-control); }};
"""

RSYSLOG = r"""
global(workDirectory="{folder}")
module(load="imfile" mode="polling" pollingInterval="1")
input(type="imfile" file="{file}" tag="lines" ruleset="unbidden" freshStartTail="off")
template(name="raw" type="string" string="%rawmsg%")
ruleset(name="unbidden") {{
  action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted" template="raw"
         queue.type="LinkedList" action.resumeRetryCount="-1" action.resumeInterval="1")
}}
"""


@pytest.fixture(scope="module")
def roots(repository: Path) -> dict[str, Path]:
    """Where each shipper is unpacked."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the shippers cannot be installed here: not on this machine: {', '.join(missing)}")
    folder = repository / ".lab"
    folder.mkdir(exist_ok=True)
    found = {name: folder / f"debian-{name}" for name in PACKAGES}
    try:
        with alone(folder / "lock"):
            for name, root in found.items():
                unpack(folder, root, PACKAGES[name])
    except CannotInstallError as error:
        pytest.skip(f"the shippers cannot be installed here: {error}")
    return found


@contextmanager
def shipping(root: Path, words: tuple[str, ...], folder: Path) -> Iterator[None]:
    """The program runs, with the libraries beside it."""
    libraries = ":".join(sorted({str(library.parent) for library in root.rglob("*.so*")}))
    with process.running((str(root / words[0]), *words[1:]), folder / "said", {"LD_LIBRARY_PATH": libraries}, (folder / "said").exists):
        yield


@contextmanager
def collecting(lake: Lake, port: int) -> Iterator[int]:
    """The HTTP door."""
    settings = Http(port=port, hec=(hec("shipper", "env:ONE"),))
    server = Serving(app(settings, lake.intake, Surroundings({"ONE": "one"})), settings)
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def listening(lake: Lake, port: int) -> Iterator[int]:
    """The syslog door."""
    door = Door(Syslog(listeners=(Listener(port=port, source="shipper"),)), lake.intake)
    try:
        yield door.start()[0]
    finally:
        door.stop()


def append(file: Path, first: int, count: int) -> list[str]:
    lines = [LINE.format(number, number) for number in range(first, first + count)]
    with file.open("a", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)
    return lines


@pytest.mark.parametrize("name", PACKAGES)
def test_a_real_shippers_lines_arrive_and_a_restart_of_the_door_loses_none(roots: dict[str, Path], tmp_path: Path, name: str) -> None:
    root, file, told = roots[name], tmp_path / "in.log", tmp_path / "shipper.conf"
    door, template = (collecting, SYSLOG_NG) if name == "syslog-ng" else (listening, RSYSLOG)
    words = {
        "syslog-ng": ("usr/sbin/syslog-ng", "-F", "--no-caps", "-f", str(told), "-R", str(tmp_path / "kept"), "-c", str(tmp_path / "control"),
                      "-p", str(tmp_path / "pid"), f"--module-path={root}/usr/lib/syslog-ng/3.38"),
        "rsyslog": ("usr/sbin/rsyslogd", "-n", "-f", str(told), "-i", str(tmp_path / "pid"), "-M", f"{root}/usr/lib/x86_64-linux-gnu/rsyslog"),
    }  # fmt: skip
    wanted = append(file, 0, 25)
    with running(Intake()) as lake:
        with door(lake, 0) as port:
            told.write_text(template.format(file=file, port=port, folder=tmp_path), "utf-8")
        with shipping(root, words[name], tmp_path):
            with door(lake, port):
                until(lambda: len(lake.texts) >= 25, 30)
            wanted += append(file, 25, 15)
            with door(lake, port):
                until(lambda: len(set(lake.texts)) >= 40, 30)
    (tmp_path / "texts.jsonl").write_text("\n".join(lake.texts) + "\n", "utf-8")
    assert name == "syslog-ng" or sorted(set(lake.texts)) == sorted(wanted)
    assert len(read(tmp_path / "texts.jsonl")[0]) == 40
