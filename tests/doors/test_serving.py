"""The real server: TLS, ports, slow senders, stopping in the middle, speed."""

from __future__ import annotations

import json
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
import trustme

from tests.doors.lake import Lake, hec, running, until
from tests.test_ingest import row
from unbidden.doors.http import Surroundings, app
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.errors import UnusableInputError

SETTINGS = Http(port=0, hec=(hec("plain", "env:PLAIN"), hec("acked", "env:ACKED", acknowledges=True)))
PLAIN = {"Authorization": "Splunk one"}
ACKED = {"Authorization": "Splunk two", "X-Splunk-Request-Channel": "0" * 32}
PATH = "/services/collector/event"
EVENT = json.dumps({"event": row(1)})


@contextmanager
def serving(lake: Lake, settings: Http = SETTINGS) -> Iterator[Serving]:
    found = Serving(app(settings, lake.intake, Surroundings({"PLAIN": "one", "ACKED": "two"}, lake.is_kept)), settings)
    found.start()
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def lake() -> Iterator[Lake]:
    with running() as found:
        yield found


def test_events_arrive_through_the_real_server_and_a_stopped_one_is_gone(lake: Lake) -> None:
    with serving(lake) as server:
        answer = httpx2.post(f"http://127.0.0.1:{server.port}{PATH}", content=EVENT * 3, headers=PLAIN)
        assert answer.json() == {"text": "Success", "code": 0}
        assert lake.texts == [EVENT] * 3
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), 1)


def test_it_starts_again_at_the_same_port_at_once(lake: Lake) -> None:
    with serving(lake) as server:
        httpx2.post(f"http://127.0.0.1:{server.port}{PATH}", content=EVENT, headers=PLAIN)
    with serving(lake, SETTINGS.model_copy(update={"port": server.port})) as again:
        assert again.port == server.port
        assert httpx2.post(f"http://127.0.0.1:{again.port}{PATH}", content=EVENT, headers=PLAIN).status_code == 200


def test_a_port_that_is_taken_is_refused_even_by_another_of_ours(lake: Lake) -> None:
    with serving(lake) as server, pytest.raises(UnusableInputError, match="in use"), serving(lake, SETTINGS.model_copy(update={"port": server.port})):
        pass


def test_tls_is_spoken_with_the_given_certificate(lake: Lake, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with serving(lake, SETTINGS.model_copy(update={"certificate": tmp_path / "cert.pem", "key": tmp_path / "key.pem"})) as server:
        assert httpx2.post(f"https://127.0.0.1:{server.port}{PATH}", content=EVENT, headers=PLAIN, verify=context).status_code == 200
        with pytest.raises(httpx2.HTTPError):
            httpx2.post(f"http://127.0.0.1:{server.port}{PATH}", content=EVENT, headers=PLAIN)
    (tmp_path / "key.pem").write_text("nonsense", "utf-8")
    with (
        pytest.raises(UnusableInputError, match="cannot be opened"),
        serving(lake, SETTINGS.model_copy(update={"certificate": tmp_path / "cert.pem", "key": tmp_path / "key.pem"})),
    ):
        pass


def test_slow_heads_and_slow_bodies_are_cut_off(lake: Lake) -> None:
    with serving(lake, SETTINGS.model_copy(update={"header_within_s": 1, "body_within_s": 0.5})) as server:
        with socket.create_connection(("127.0.0.1", server.port), 5) as slow:
            slow.sendall(b"POST / HT")
            assert slow.recv(100) == b""
        with socket.create_connection(("127.0.0.1", server.port), 5) as slow:
            slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Splunk one\r\nContent-Length: 99\r\n\r\n{{".encode())
            assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_a_body_without_length_is_bounded(lake: Lake) -> None:
    with serving(lake, SETTINGS.model_copy(update={"max_body": 1000})) as server:
        answer = httpx2.post(f"http://127.0.0.1:{server.port}{PATH}", content=iter([EVENT.encode()] * 50), headers=PLAIN)
        assert answer.status_code == 413


def test_stopping_tells_those_who_wait_to_come_again(lake: Lake) -> None:
    lake.is_stuck = True
    answers: list[httpx2.Response] = []
    with serving(lake) as server:
        sender = threading.Thread(target=lambda: answers.append(httpx2.post(f"http://127.0.0.1:{server.port}{PATH}", content=EVENT, headers=PLAIN, timeout=10)))
        sender.start()
        until(lambda: lake.intake.waiting > 0)
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 4
    sender.join(5)
    assert [answer.status_code for answer in answers] == [503]


def test_stopping_does_not_wait_for_a_sender_that_says_nothing(lake: Lake) -> None:
    with serving(lake) as server:
        slow = socket.create_connection(("127.0.0.1", server.port), 5)
        slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Splunk one\r\nContent-Length: 99\r\n\r\n{{".encode())
        time.sleep(0.1)
        began = time.monotonic()
    slow.close()
    assert time.monotonic() - began < 6


def test_no_garbage_stops_the_server(lake: Lake) -> None:
    chance = random.Random(1)
    with serving(lake) as server:
        for _ in range(60):
            with socket.create_connection(("127.0.0.1", server.port), 5) as out:
                head = chance.choice(
                    [b"", b"GET / HTTP/1.1\r\n", f"POST {PATH} HTTP/1.1\r\nAuthorization: Splunk one\r\nTransfer-Encoding: chunked\r\n\r\n".encode()]
                )
                out.sendall(head + chance.randbytes(chance.randrange(200)))
        assert httpx2.post(f"http://127.0.0.1:{server.port}{PATH}", content=EVENT, headers=PLAIN).status_code == 200
    assert lake.texts == [EVENT]


@contextmanager
def killed(kept: Path, repository: Path, after_s: float) -> Iterator[str]:
    """A service of its own process and where it is; it is killed after so long, whatever it does."""
    with subprocess.Popen([sys.executable, "-m", "tests.doors.stand_in", str(kept)], cwd=repository, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        port = int(service.stdout.readline())
        killer = threading.Timer(after_s, service.kill)
        killer.start()
        with suppress(httpx2.TransportError):
            yield f"http://127.0.0.1:{port}"
        killer.cancel()
        service.kill()


def kept_by(file: Path) -> Counter[int]:
    """How many rows of each request are in the lake."""
    texts = [text for line in file.read_text("utf-8").splitlines() for text in json.loads(line)["texts"]]
    return Counter(json.loads(text)["event"]["n"] for text in texts)


def body_of(number: int) -> str:
    return "".join(json.dumps({"event": {"n": number, "part": part}}) for part in range(3))


def test_a_killed_service_has_kept_all_that_it_confirmed(tmp_path: Path, repository: Path) -> None:
    kept, confirmed, number = tmp_path / "lake.jsonl", [], 0
    for _ in range(2):
        with killed(kept, repository, 0.7) as place, httpx2.Client() as client:
            while True:
                number += 1
                if client.post(place + PATH, content=body_of(number), headers=PLAIN).status_code == 200:
                    confirmed.append(number)
    found = kept_by(kept)
    assert len(confirmed) > 4
    assert [one for one in confirmed if found[one] != 3] == []


def test_after_a_kill_exactly_what_is_kept_is_acknowledged(tmp_path: Path, repository: Path) -> None:
    kept, given, number = tmp_path / "lake.jsonl", dict[int, int](), 0
    for _ in range(2):
        with killed(kept, repository, 0.5) as place, httpx2.Client() as client:
            while True:
                number += 1
                given[client.post(place + PATH, content=body_of(number), headers=ACKED).json()["ackId"]] = number
    with killed(kept, repository, 20) as place:
        told = httpx2.post(place + "/services/collector/ack", json={"acks": list(given)}, headers=ACKED).json()["acks"]
    found = kept_by(kept)
    assert len(given) > 4
    assert {number for ack, number in given.items() if told[str(ack)]} == {number for number in given.values() if found[number]}
    assert any(told.values())


def test_two_thousand_events_a_second_pass(lake: Lake) -> None:
    body, count = EVENT * 500, 20
    with serving(lake) as server, httpx2.Client() as client:
        began = time.monotonic()
        for _ in range(count):
            assert client.post(f"http://127.0.0.1:{server.port}{PATH}", content=body, headers=PLAIN).status_code == 200
        took = time.monotonic() - began
    assert len(lake.texts) == 500 * count
    assert 500 * count / took > 2000
