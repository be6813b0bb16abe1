"""The world that the map is drawn from has its continents where they are."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.console.conftest import VENDOR

WORLD = VENDOR.parent / "world.json"
# Longitude and latitude, far from any coast.
INLAND = {"Moscow": (37.6, 55.8), "Delhi": (77.2, 28.6), "Novosibirsk": (82.9, 55.0), "Kano": (8.5, 12.0), "Chicago": (-88.5, 41.5), "Brasilia": (-47.9, -15.8),
          "Alice Springs": (133.9, -23.7), "Madrid": (-3.7, 40.4)}  # fmt: skip
AT_SEA = {"the middle of the Atlantic": (-40.0, 30.0), "the middle of the Pacific": (-140.0, 10.0), "south of India": (78.0, -10.0)}

pytestmark = pytest.mark.skipif(not WORLD.exists(), reason="the map is not installed: python tools/assets.py")


def holds(ring: Sequence[Sequence[float]], lon: float, lat: float) -> bool:
    """Whether a place is within a ring: a line from it to the east crosses the ring an odd number of times."""
    edges = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum((y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1 for (x1, y1), (x2, y2) in edges) % 2 == 1


@pytest.mark.parametrize("place", [*INLAND, *AT_SEA])
def test_a_place_is_on_land_or_at_sea(place: str) -> None:
    land = json.loads(WORLD.read_text("utf-8"))["land"]
    assert any(holds(ring, *{**INLAND, **AT_SEA}[place]) for ring in land) == (place in INLAND)


def test_no_land_is_drawn_beyond_the_edges_of_the_map() -> None:
    world = json.loads(WORLD.read_text("utf-8"))
    assert all(-190 <= lon <= 195 and -90 <= lat <= 90 for ring in world["land"] for lon, lat in ring)
    assert {"NL", "US", "NG", "VN", "BR", "RU"} <= set(world["countries"])
