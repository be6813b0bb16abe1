"""Places from a user's database, kinds of addresses from a user's lists, browsers and tools from what clients call themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from unbidden import engine, line, places
from unbidden.agents import tool_of, word_of
from unbidden.errors import UnusableInputError
from unbidden.proving.timelines import insert

START = datetime(2026, 3, 2, 9)
LAGOS = {
    "city": {"names": {"en": "Lagos"}}, "country": {"iso_code": "NG"}, "location": {"latitude": 6.45, "longitude": 3.39},
    "subdivisions": [{"names": {"en": "Lagos"}}],
}  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City")
    writer.insert_network(IPSet(["203.0.113.0/24"]), LAGOS)
    writer.insert_network(IPSet(["2001:db8:1::/48"]), {"country": {"iso_code": "IS"}})
    writer.to_db_file(str(tmp_path / "city.mmdb"))
    return tmp_path / "city.mmdb"


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    writer = MMDBWriter(ip_version=4, database_type="Test-ASN")
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"autonomous_system_number": 64505, "autonomous_system_organization": "Example Hosting"})
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    return tmp_path / "asn.mmdb"


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"t:{number}", "occurred_at": START + timedelta(minutes=number), "provider": "duo", "source": 1, "step": 0, "login": "dana@example.com",
        "kind": "answer", "factor": "push", "outcome": "denied", "certainty": "explicit", **more,
    }  # fmt: skip


def judged(events: list[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    con = engine.connect()
    engine.create(con, "source", "unread", "event")
    insert(con, events)
    line.judge(con, line.Options(as_of=START.replace(tzinfo=UTC) + timedelta(days=1), **options))
    con.execute("SET search_path = 'part,main'")
    return engine.records(con, "SELECT * FROM moment WHERE phase = 'ended' ORDER BY instant")


def test_what_the_log_does_not_say_of_a_place_comes_from_the_databases(city: Path, numbers: Path) -> None:
    [moment] = judged([event(1, ip="203.0.113.7", answer_ip="2001:db8:1::5")], geo=[city, numbers])
    assert {key: moment[key] for key in ("country", "city", "lat", "asn", "org")} == {
        "country": "NG", "city": "Lagos", "lat": 6.45, "asn": 64505, "org": "Example Hosting",
    }  # fmt: skip
    assert (moment["answer_country"], moment["answer_city"]) == ("IS", None)


def test_what_the_vendor_says_of_a_place_stays(city: Path) -> None:
    [moment] = judged([event(1, ip="203.0.113.7", country="BJ", city="Cotonou")], geo=[city])
    assert (moment["country"], moment["city"], moment["lat"]) == ("BJ", "Cotonou", None)
    [moment] = judged([event(1, ip="203.0.113.7", country="NG", city="Lagos")], geo=[city])
    assert moment["lat"] == 6.45


def test_a_request_and_an_answer_far_apart_are_seen_with_a_database_alone(city: Path) -> None:
    [moment] = judged([event(1, ip="203.0.113.7", answer_ip="198.51.100.4", answer_country="DE", answer_lat=52.5, answer_lon=13.4)], geo=[city])
    assert moment["answer_km"] == pytest.approx(5195, abs=20)


@pytest.mark.parametrize("content", [b"", b"no database", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "geo.mmdb").write_bytes(content)
    with pytest.raises(UnusableInputError, match=r"geo\.mmdb: not a database in MaxMind's format"):
        judged([event(1, ip="203.0.113.7")], geo=[tmp_path / "geo.mmdb"])


def test_a_list_gives_addresses_their_kind(tmp_path: Path) -> None:
    (tmp_path / "exits.txt").write_text("# exits\n203.0.113.7\n198.51.100.0/25, rented\n2001:db8::/32\nAS64999 a hoster\n", "utf-8")
    listing = places.read_listing(f"tor={tmp_path / 'exits.txt'}")
    covered = {"203.0.113.7": None, "198.51.100.9": None, "2001:db8:9::1": None, "192.0.2.1": 64999}
    assert all(listing.covers(ip, asn) for ip, asn in covered.items())
    assert not any(listing.covers(ip, 64500) for ip in ("203.0.113.8", "198.51.100.200", "2001:db9::1", "fe80::1%eth0", "nonsense"))
    [moment] = judged([event(1, ip="203.0.113.7")], listings=[listing])
    assert moment["source_kind"] == "tor"
    assert judged([event(1, ip="203.0.113.9", is_proxy=True)])[0]["source_kind"] == "proxy"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exits.txt", "is no list: write a kind"), ("evil=exits.txt", "is no list: write a kind"), ("tor=absent.txt", "the list cannot be read"),
        ("tor=bad.txt", "bad.txt, line 2: 'nonsense' is neither an address"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_is_refused_with_its_line(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.txt").write_text("203.0.113.7\nnonsense\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableInputError, match=said):
        places.read_listing(text)


@pytest.mark.parametrize(
    ("words", "word", "tool"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36", "chrome on windows", None),
        ("CHROME on Windows 10", "chrome on windows", None), ("python-requests/2.32.3", "python requests", "python requests"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/144.0.0.0 Safari/537.36", "headless browser", "headless browser"),
        ("Cisco AnyConnect 5.1.2", "cisco anyconnect", None), ("Mozilla/5.0", "mozilla", None), ("BAV2ROPC", "password-grant client", "password-grant client"),
    ],
)  # fmt: skip
def test_clients_have_one_name_without_versions(words: str, word: str, tool: str | None) -> None:
    assert (word_of(words), tool_of(words)) == (word, tool)
