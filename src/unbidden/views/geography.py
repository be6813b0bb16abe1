"""Where requests came from and where the phones were: points and the ties between them, for a map."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import duckdb

from unbidden import engine

_MOST = 400
_KEPT_S, _KEPT = 600.0, 20_000
_PLACES: LiteralString = """
SELECT ip, any_value(lat) AS lat, any_value(lon) AS lon FROM (
  SELECT ip, lat, lon FROM main.event WHERE ip IN (SELECT unnest($ips)) AND lat IS NOT NULL
  UNION ALL SELECT answer_ip, answer_lat, answer_lon FROM main.event WHERE answer_ip IN (SELECT unnest($ips)) AND answer_lat IS NOT NULL)
GROUP BY ip
"""


@dataclass(frozen=True, slots=True)
class Spot:
    """One place on the map: `who` is requester, phone or usual. Without degrees only its country is known, and the map finds a place within it."""

    who: str
    label: str
    country: str | None
    lat: float | None
    lon: float | None
    prompts: int = 1
    is_approved: bool = False


class Places:
    """Where addresses are, as far as the logs say; what was found is kept, and what was not is looked for again after a while."""

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cursor, self._monotonic = cursor, monotonic
        self._known: dict[str, tuple[float, tuple[float, float] | None]] = {}
        self._lock = threading.Lock()

    def of(self, ips: Iterable[str]) -> dict[str, tuple[float, float]]:
        """Latitude and longitude of these addresses."""
        wanted = sorted(set(ips))[:_MOST]
        with self._lock:
            now_s = self._monotonic()
            unknown = [ip for ip in wanted if now_s - self._known.get(ip, (float("-inf"), None))[0] > _KEPT_S]
            if unknown:
                found = {row["ip"]: (row["lat"], row["lon"]) for row in engine.records(self._cursor(), _PLACES, {"ips": unknown})}
                if len(self._known) > _KEPT:
                    self._known.clear()
                self._known.update((ip, (now_s, found.get(ip))) for ip in unknown)
            return {ip: place for ip in wanted if (place := self._known.get(ip, (0.0, None))[1]) is not None}


def spots(document: Mapping[str, Any], degrees: Mapping[str, tuple[float, float]]) -> list[Spot]:
    """The places of an incident: who asked, who answered, and where the person's ordinary prompts come from."""
    asked: dict[str, int] = {}
    for entry in document["timeline"]:
        if entry["is_part"] and entry["kind"] in ("prompt", "approval") and entry["ip"]:
            asked[entry["ip"]] = asked.get(entry["ip"], 0) + 1
    approved = {entry["ip"] for entry in document["timeline"] if entry["is_part"] and entry["fate"] == "approved"}
    found = [_spot("requester", row, degrees, asked.get(row["ip"], 1), is_approved=row["ip"] in approved) for row in document["requesters"]]
    found += [_spot("phone", row, degrees) for row in document["answerers"]]
    own = [entry for entry in document["timeline"] if not entry["is_part"] and entry["country"]]
    usual: dict[tuple[Any, Any], Mapping[str, Any]] = {(entry["country"], entry["city"]): entry for entry in own}
    return found + [_spot("usual", entry, degrees) for entry in usual.values()]


def addresses(documents: Sequence[Mapping[str, Any]]) -> set[str]:
    """Every address of which a map of these incidents would like to know the place."""
    found = {row["ip"] for document in documents for row in (*document["requesters"], *document["answerers"])}
    return {ip for ip in found | {entry["ip"] for document in documents for entry in document["timeline"] if not entry["is_part"]} if ip}


def _spot(who: str, row: Mapping[str, Any], degrees: Mapping[str, tuple[float, float]], prompts: int = 1, *, is_approved: bool = False) -> Spot:
    lat, lon = degrees.get(row["ip"] or "", (None, None))
    return Spot(who, ", ".join(filter(None, (row["city"], row["country"]))) or str(row["ip"] or ""), row["country"], lat, lon, prompts, is_approved)
