"""Fetch what the console draws with, and put it where the console serves it from: `python tools/assets.py`.

`npm ci` takes exactly what package-lock.json names. What is copied stands beside its licence; the map becomes rings of degrees and a middle for each
country, so that no browser has to take a topology apart. Without Node nothing is copied: the console works without, and says what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pycountry

Ring: TypeAlias = list[tuple[float, float]]

CONSOLE = Path(__file__).resolve().parent.parent / "src" / "unbidden" / "console"
VENDOR = CONSOLE / "static" / "vendor"
PACKAGES = CONSOLE / "node_modules"
COPIED = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "echarts/LICENSE": "echarts.LICENSE",
    "echarts/NOTICE": "echarts.NOTICE",
    "world-atlas/LICENSE": "world.LICENSE",
}
# A ring smaller than this, in square degrees, is not seen on the map.
_SMALL = 0.4


def main() -> None:
    """Fetch, copy, say what came of it. Ends with 0 also where Node is missing: nothing else needs it."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not there (Node 20 or newer has it), so the console goes without htmx, charts and the map")
        return
    done = subprocess.run([npm, "ci", "--ignore-scripts", "--silent", *sys.argv[1:]], cwd=CONSOLE, check=False, env={**os.environ, "NODE_ENV": "development"})
    if done.returncode:
        print("npm could not fetch what the console draws with; the console goes without htmx, charts and the map")
        return
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in COPIED.items():
        shutil.copyfile(PACKAGES / source, VENDOR / name)
    atlas = PACKAGES / "world-atlas"
    world = {"land": _land(_read(atlas / "land-110m.json")), "countries": _middles(_read(atlas / "countries-50m.json"))}
    (VENDOR / "world.json").write_text(json.dumps(world, separators=(",", ":")), "utf-8")
    print(f"{len(list(VENDOR.iterdir()))} files are in {VENDOR.name}/")


def _read(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return loaded


def _arcs(topology: dict[str, Any]) -> list[Ring]:
    """The arcs of a topology in degrees: they are kept as steps on a grid (https://github.com/topojson/topojson-specification, 2.1.3)."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        points: Ring = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((round(x * sx + tx, 2), round(y * sy + ty, 2)))
        found.append(points)
    return found


def _ring(arcs: Sequence[Ring], numbers: Iterable[int]) -> Ring:
    """One closed line of several arcs; a negative number is an arc taken backwards."""
    ring: Ring = []
    for number in numbers:
        part = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring += part[1:] if ring else part
    return _unwrapped(ring)


def _unwrapped(ring: Ring) -> Ring:
    """The ring without a jump at the date line: the smaller part of it is drawn beyond 180 degrees, wherever the ring begins."""
    found = ring[:1]
    for lon, lat in ring[1:]:
        found.append((lon - 360 * round((lon - found[-1][0]) / 360), lat))
    lons = [lon for lon, _ in found]
    turns = 360 * round((min(lons) + max(lons)) / 720)
    return [(round(lon - turns, 2), lat) for lon, lat in found]


def _polygons(shape: dict[str, Any]) -> list[list[list[int]]]:
    if shape["type"] == "GeometryCollection":
        return [polygon for one in shape["geometries"] for polygon in _polygons(one)]
    if shape["type"] == "Polygon":
        return [shape["arcs"]]
    polygons: list[list[list[int]]] = shape.get("arcs", [])
    return polygons


def _land(topology: dict[str, Any]) -> list[Ring]:
    arcs = _arcs(topology)
    rings = [_ring(arcs, numbers) for polygon in _polygons(topology["objects"]["land"]) for numbers in polygon]
    return [ring for ring in rings if abs(_area(ring)[0]) > _SMALL and max(lat for _, lat in ring) > -60]


def _middles(topology: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """The middle of the largest part of each country, by its ISO 3166-1 alpha-2 code."""
    arcs, found = _arcs(topology), {}
    for shape in topology["objects"]["countries"]["geometries"]:
        country = pycountry.countries.get(numeric=str(shape.get("id", "")).zfill(3))
        polygons = _polygons(shape)
        if country is not None and polygons:
            _, lon, lat = max((_area(_ring(arcs, polygon[0])) for polygon in polygons), key=lambda one: abs(one[0]))
            found[country.alpha_2] = (round((lon + 180) % 360 - 180, 1), round(lat, 1))
    return found


def _area(ring: Ring) -> tuple[float, float, float]:
    """The signed area of a ring and its centre of gravity, as if degrees were flat."""
    total = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        total, x, y = total + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if not total:
        return 0.0, ring[0][0], ring[0][1]
    return total / 2, x / (3 * total), y / (3 * total)


if __name__ == "__main__":
    main()
