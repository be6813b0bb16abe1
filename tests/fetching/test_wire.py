"""The wire heeds what vendors say of their limits, and gives up where waiting is somebody else's business."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.vendors import START, Time
from unbidden.wire import MAX_WAIT_S, Wire, WireError, retry_after, said_at

HTTP_DATE = "Tue, 03 Mar 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0), ({"retry-after": "1.5"}, 1.5), ({"retry-after": "Tue, 03 Mar 2026 09:00:30 GMT", "date": HTTP_DATE}, 30.0),
        ({"retry-after": "Tue, 03 Mar 2026 08:00:00 GMT"}, 0.0), ({"retry-after": "soon"}, None), ({}, None),
        ({"x-rate-limit-reset": str(int(START.timestamp()) + 40)}, 40.0), ({"x-rate-limit-reset": str(int(START.timestamp()) - 40)}, 1.0),
        ({"x-rate-limit-reset": str(int(START.timestamp()) + 40), "date": "Tue, 03 Mar 2026 09:00:20 GMT"}, 20.0), ({"x-rate-limit-reset": "x"}, None),
        ({"x-rate-limit-reset": "1772528400000"}, None),
    ],
)  # fmt: skip
def test_how_long_an_answer_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, START) == seconds


@pytest.mark.parametrize(("text", "at"), [(HTTP_DATE, datetime(2026, 3, 3, 9, tzinfo=UTC)), ("yesterday", None), ("", None)])
def test_when_an_answer_was_given(text: str, at: datetime | None) -> None:
    assert said_at({"date": text}) == at


def wired(answer: Callable[[httpx2.Request], httpx2.Response]) -> tuple[Wire, Time]:
    """A wire whose other end is a function."""
    time = Time()
    return Wire(clock=time.now, sleep=time.sleep, transport=httpx2.MockTransport(answer)), time


def used_up(seconds: int) -> Callable[[httpx2.Request], httpx2.Response]:
    """An answer that says that nothing remains of the limit, which is full again so many seconds after the start."""
    reset = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int((START + timedelta(seconds=seconds)).timestamp()))}
    return lambda _: httpx2.Response(200, headers=reset)


def test_a_limit_that_is_used_up_is_waited_for_on_its_path_alone() -> None:
    wire, time = wired(used_up(45))
    wire.send("GET", "https://example.okta.com/api/v1/logs")
    wire.send("GET", "https://example.okta.com/api/v1/users")
    assert time.slept == []
    wire.send("GET", "https://example.okta.com/api/v1/logs?after=x")
    assert time.slept == [45.0]
    wire.close()


def test_a_limit_that_is_used_up_for_long_is_an_error_until_it_is_full_again() -> None:
    wire, time = wired(used_up(int(MAX_WAIT_S) + 600))
    wire.send("GET", "https://example.okta.com/api/v1/logs")
    for _ in range(2):
        with pytest.raises(WireError, match="used up") as caught:
            wire.send("GET", "https://example.okta.com/api/v1/logs")
        assert (caught.value.status, caught.value.retry_after_s) == (429, MAX_WAIT_S + 600)
    time.sleep(MAX_WAIT_S + 600)
    assert wire.send("GET", "https://example.okta.com/api/v1/logs").status == 200
    wire.close()


def test_headers_are_made_anew_for_each_try() -> None:
    seen = list[str]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["x-at"])
        return httpx2.Response(503 if len(seen) < 3 else 200)

    wire, time = wired(answer)
    wire.send("GET", "https://example.com/", headers=lambda: {"X-At": time.now().isoformat()})
    assert len(seen) == len(set(seen)) == 3
    wire.close()


def test_a_body_that_cannot_be_unpacked_is_asked_for_again() -> None:
    count = [0]

    def answer(_: httpx2.Request) -> httpx2.Response:
        count[0] += 1
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"} if count[0] == 1 else {}, stream=httpx2.ByteStream(b"no gzip"))

    wire, _ = wired(answer)
    assert wire.send("GET", "https://example.com/").body == b"no gzip"
    wire.close()
