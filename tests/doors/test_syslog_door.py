"""The syslog door: framing, TCP, TLS and UDP through real sockets, and what happens when there is no room."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tests.doors.lake import Lake, running, until
from unbidden.doors.framing import Framer
from unbidden.doors.settings import Listener, Syslog
from unbidden.doors.syslog import Door
from unbidden.errors import UnusableInputError
from unbidden.intake import Intake

LINE = "<38>1 2026-03-02T21:14:03Z web1 sshd 7 - - Failed password for root"
OLD = "<38>Mar  2 21:14:03 web1 sshd[7]: Failed password for root"
JSON = '<38>Mar  2 21:14:03 proxy okta: {"uuid": "x"}'


def counted(*messages: str) -> bytes:
    return b"".join(f"{len(message.encode())} ".encode() + message.encode() for message in messages)


def lines(*messages: str) -> bytes:
    return "".join(message + "\n" for message in messages).encode()


@contextmanager
def opened(lake: Lake, *listeners: Listener, **settings: object) -> Iterator[tuple[Door, list[int]]]:
    door = Door(Syslog(listeners=listeners or (Listener(port=0),), batch_s=0.02, **settings), lake.intake)  # type: ignore[arg-type]
    ports = door.start()
    try:
        yield door, ports
    finally:
        door.stop()


@pytest.fixture
def lake() -> Iterator[Lake]:
    with running() as found:
        yield found


def send(port: int, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as out:
        out.sendall(data)


def refused(port: int, context: ssl.SSLContext) -> None:
    """With TLS 1.3 a client hears of its missing certificate when it reads."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as out, context.wrap_socket(out, server_hostname="127.0.0.1") as secret:
        secret.sendall(counted(OLD))
        assert secret.recv(1) == b""


@pytest.mark.parametrize(
    "data", [lines(LINE, OLD, JSON), counted(LINE, OLD, JSON), lines(LINE, OLD) + JSON.encode(), lines(LINE, "", OLD, JSON).replace(b"\n", b"\r\n")]
)
def test_either_framing_is_detected_and_every_line_is_kept(lake: Lake, data: bytes) -> None:
    with opened(lake) as (door, [port]):
        send(port, data)
        until(lambda: len(lake.texts) == 3)
        assert lake.texts == [LINE, OLD, JSON]
        assert door.counts.snapshot()["syslog"].accepted == 3


def test_each_connection_frames_as_it_likes(lake: Lake) -> None:
    with opened(lake) as (_, [port]):
        with socket.create_connection(("127.0.0.1", port), 5) as one, socket.create_connection(("127.0.0.1", port), 5) as other:
            one.sendall(lines("<1>Mar  2 21:14:03 a b: 1") + b"<1>Mar  2 21:14:03 a b")
            other.sendall(counted("<1>Mar  2 21:14:03 a b: 2"))
            until(lambda: len(lake.texts) == 2)
        until(lambda: len(lake.texts) == 3)
    assert sorted(lake.texts) == ["<1>Mar  2 21:14:03 a b", "<1>Mar  2 21:14:03 a b: 1", "<1>Mar  2 21:14:03 a b: 2"]


def test_a_datagram_is_a_line(lake: Lake) -> None:
    with opened(lake, Listener(transport="udp", port=0, source="udp", provider="linux")) as (_, [port]), socket.socket(type=socket.SOCK_DGRAM) as out:
        for text in (LINE, OLD + "\n", "", "\n"):
            out.sendto(text.encode(), ("127.0.0.1", port))
        until(lambda: len(lake.texts) == 2)
    assert lake.texts == [LINE, OLD]
    assert {(lot.source, lot.provider) for lot in lake.lots} == {("udp", "linux")}


def test_tls_is_spoken_and_a_client_without_a_certificate_is_refused_where_one_is_asked_for(lake: Lake, tmp_path: Path) -> None:
    authority = trustme.CA()
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("sender.example")
    server.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    listener = Listener(transport="tls", port=0, certificate=tmp_path / "server.pem", key=tmp_path / "server.pem", clients=tmp_path / "authority.pem")
    stranger, known = ssl.create_default_context(cafile=str(tmp_path / "authority.pem")), ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    client.configure_cert(known)
    with opened(lake, listener) as (_, [port]):
        with socket.create_connection(("127.0.0.1", port), 5) as out, known.wrap_socket(out, server_hostname="127.0.0.1") as secret:
            secret.sendall(counted(LINE))
            until(lambda: lake.texts == [LINE])
        refused(port, stranger)
    assert lake.texts == [LINE]


def test_a_full_intake_stops_the_reading_and_nothing_is_lost() -> None:
    # More than the buffers of the system take.
    count, long = 12_000, "x" * 2000
    with running(Intake(rows=500), is_stuck=True, delay_s=0) as lake, opened(lake, max_pending=1000, batch_rows=200) as (door, [port]):
        with socket.create_connection(("127.0.0.1", port), 5) as out:
            out.setblocking(False)
            data = memoryview(lines(*(f"{OLD} {number} {long}" for number in range(count))))
            sent = 0
            quiet = time.monotonic() + 0.3
            while time.monotonic() < quiet and sent < len(data):
                try:
                    sent += out.send(data[sent : sent + 65536])
                    quiet = time.monotonic() + 0.3
                except BlockingIOError:
                    time.sleep(0.01)
            assert sent < len(data)
            assert lake.intake.waiting <= 500
            lake.is_stuck = False
            out.setblocking(True)
            out.sendall(data[sent:])
        until(lambda: len(lake.texts) == count, 20)
    assert lake.texts == [f"{OLD} {number} {long}" for number in range(count)]
    assert door.counts.snapshot()["syslog"].dropped == 0


def test_udp_counts_what_it_drops() -> None:
    with running(Intake(rows=10), is_stuck=True) as lake, opened(lake, Listener(transport="udp", port=0), max_pending=10, batch_rows=5) as (door, [port]):
        with socket.socket(type=socket.SOCK_DGRAM) as out:
            for number in range(60):
                out.sendto(f"{OLD} {number}".encode(), ("127.0.0.1", port))
                time.sleep(0.001)
        until(lambda: door.counts.snapshot()["syslog"].dropped > 0)
        lake.is_stuck = False
        until(lambda: len(lake.texts) + door.counts.snapshot()["syslog"].dropped == 60)


def test_stopping_hands_on_what_was_read(lake: Lake) -> None:
    with opened(lake) as (door, [port]):
        out = socket.create_connection(("127.0.0.1", port), 5)
        out.sendall(lines(LINE) + OLD.encode())
        time.sleep(0.05)
        door.stop()
        out.close()
    until(lambda: lake.texts == [LINE, OLD])


def test_silent_and_surplus_connections_are_closed(lake: Lake) -> None:
    with opened(lake, idle_s=0.3, max_connections=1) as (door, [port]):
        with socket.create_connection(("127.0.0.1", port), 5) as first:
            first.sendall(OLD.encode())
            with socket.create_connection(("127.0.0.1", port), 5) as second:
                second.settimeout(2)
                assert second.recv(1) == b""
            first.settimeout(2)
            assert first.recv(1) == b""
        until(lambda: lake.texts == [OLD])
        assert door.counts.snapshot()["syslog"].refused == 1


def test_a_port_that_is_taken_is_told(lake: Lake) -> None:
    with opened(lake) as (_, [port]), pytest.raises(UnusableInputError, match=f"tcp 127.0.0.1:{port}"):
        Door(Syslog(listeners=(Listener(port=port),)), lake.intake).start()


def fed(framer: Framer, data: bytes, step: int) -> list[bytes]:
    found = [message for start in range(0, len(data), step) for message in framer.feed(data[start : start + step])]
    return found + framer.rest()


MESSAGES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=40).map(lambda text: "<38>" + text), max_size=6)


@given(MESSAGES, st.integers(1, 50))
def test_framing_loses_nothing_however_the_bytes_come(messages: list[str], step: int) -> None:
    wanted = [message.encode() for message in messages]
    assert fed(Framer(1000), lines(*messages), step) == wanted
    assert fed(Framer(1000), counted(*messages), step) == wanted


@given(st.binary() | st.text(alphabet="0123456789 <>\n{}a").map(str.encode), st.integers(1, 50))
def test_no_bytes_break_the_framer(data: bytes, step: int) -> None:
    framer = Framer(20)
    assert all(0 < len(message) <= 20 or not framer.cut for message in fed(framer, data, step))


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize("frame", [lines, counted])
def test_long_lines_are_cut_and_the_next_is_whole(frame: object, step: int) -> None:
    framer = Framer(10)
    assert fed(framer, frame("<1>0123456789abcdef", "<1>next"), step) == [b"<1>0123456", b"<1>next"]  # type: ignore[operator]
    assert framer.cut == 1


def test_lines_that_begin_with_a_year_are_no_counts() -> None:
    assert fed(Framer(100), b"2026-03-02T21:14:03Z web1 a: b\n2026-03-02T21:14:03Z web1 a: c\n", 3) == [
        b"2026-03-02T21:14:03Z web1 a: b",
        b"2026-03-02T21:14:03Z web1 a: c",
    ]


def test_a_count_that_is_none_is_read_as_a_line_and_the_rest_too() -> None:
    assert fed(Framer(100), counted("<1>a") + b"<1>b\n<1>c\n", 4) == [b"<1>a", b"<1>b", b"<1>c"]
