"""Spark reads the same rows of the lake as DuckDB: with Sail, which knows Delta; and without Delta's jars, from the files that the log lists.

Asked for by UNBIDDEN_SPARK=1 (`make spark`): it is half a gigabyte of packages.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from tests.lab.install import CannotInstallError, alone, environment
from tests.live.rig import NOW, Rig, okta
from unbidden import engine
from unbidden.intake import Lot
from unbidden.lake import tables

HERE = Path(__file__).parent
TABLES = ("raw", "event")
OLDEST_JAVA = 17
_ENOUGH_S = 300
_CITIES = ("São Paulo", None, "", "Ōsaka", None)


@pytest.fixture(scope="module")
def python(repository: Path) -> Path:
    """The interpreter that has Spark."""
    if not os.environ.get("UNBIDDEN_SPARK"):
        pytest.skip("Spark was not asked for: UNBIDDEN_SPARK=1, or make spark")
    folder = repository / ".lab"
    folder.mkdir(exist_ok=True)
    try:
        with alone(folder / "lock"):
            environment(folder / "spark", HERE / "spark.lock")
    except CannotInstallError as error:
        pytest.skip(f"Spark cannot be installed here: {error}")
    return folder / "spark" / "bin" / "python"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of Okta's rows and of what cannot be read, with files that were compacted away and, after its checkpoint, a day that was let go of."""
    rig = Rig(tmp_path_factory.mktemp("spark")).start()
    try:
        _live(rig)
    finally:
        rig.stop()
    return rig.folder / "lake"


def _live(rig: Rig) -> None:
    for number in range(8):
        rig.now = NOW - timedelta(days=7 - number // 2, microseconds=1)
        rows = [okta(rig.now - timedelta(minutes=7 * one), 10 * number + one, city=city, lat=-23.5, lon=-46.6 * one) for one, city in enumerate(_CITIES)]
        rig.take([*rows, f"ü 'nothing' \"{number}\"\t\\"])
        if number == 4:
            rig.lake.compact()
    rig.lake.forget({"raw": 6, "event": 6}, NOW)
    rig.core.intake.offer(Lot("idp", (), rig.now, cursor={"page": "8"}), 0.0)
    rig.core.keeper.step(0)


def _as_duckdb_reads(lake: Path, name: str, files: list[str]) -> dict[str, Any]:
    with engine.plain() as con:
        con.execute("SET TimeZone = 'UTC'")
        told = con.execute(f"SELECT * FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'day': DATE}})")
        columns = [column[0] for column in told.description]
        naive = ", ".join(f"{one} AT TIME ZONE 'UTC'" if one == "received_at" else f'"{one}"' for one in columns)
        found = engine.rows(con, f"SELECT {naive} FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'day': DATE}})")
    assert len(files) < len(list((lake / name).rglob("*.parquet")))
    return {"columns": columns, "count": len(found), "rows": [[None if value is None else str(value) for value in row] for row in found]}


def _refuse_without_java() -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("Spark cannot run here: there is no java")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < OLDEST_JAVA:
        pytest.skip(f"Spark cannot run here: it needs Java {OLDEST_JAVA}, and there is {said.splitlines()[0] if said else 'something else'}")


@pytest.mark.parametrize("way", ["sail", "log", "files"])
def test_spark_reads_the_same_rows(python: Path, lake: Path, tmp_path: Path, way: str) -> None:
    if way != "sail":
        _refuse_without_java()
    files = {name: DeltaTable(tables.place(str(lake), name)).file_uris() for name in TABLES}
    wanted = {name: _as_duckdb_reads(lake, name, files[name]) for name in TABLES}
    environment = {**os.environ, "TZ": "UTC", "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": ""}
    said = subprocess.run(
        [str(python), str(HERE / "spark_rows.py"), way, str(lake), str(tmp_path / "answer.json")], cwd=tmp_path, env=environment, input=json.dumps(files),
        capture_output=True, text=True, check=False, timeout=_ENOUGH_S,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-3000:]
    found = json.loads((tmp_path / "answer.json").read_text("utf-8"))
    for name in TABLES:
        assert found[name]["count"] == wanted[name]["count"] == len(found[name]["rows"])
        assert _sorted(found[name]) == _sorted(wanted[name])
    assert (wanted["raw"]["count"], wanted["event"]["count"]) == (37, 30)


def _sorted(table: dict[str, Any]) -> list[dict[str, str]]:
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
