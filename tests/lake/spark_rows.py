"""What Spark reads of a lake. A program of its own, run by an interpreter that has Spark, and nothing of unbidden.

Arguments: how it is read (`sail`, `log`, `files`), the lake's folder, the file for the answer. Standard input: the files of each table, as JSON. The
answer holds for each table the names of its columns, its count, and its rows as texts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pyspark.sql import SparkSession  # type: ignore[import-not-found]

_LOG = "add struct<path: string>, remove struct<path: string>"
_LOCAL = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.log.level": "ERROR"}


@contextmanager
def sail() -> Iterator[Any]:
    """Spark's client at a server of Sail's."""
    from pysail.spark import SparkConnectServer  # type: ignore[import-not-found]  # noqa: PLC0415 - the others do without

    server = SparkConnectServer("127.0.0.1", 0)
    server.start()
    spark = SparkSession.builder.remote("sc://{}:{}".format(*server.listening_address)).getOrCreate()
    yield spark
    spark.stop()
    server.stop()


@contextmanager
def spark() -> Iterator[Any]:
    """Spark itself, in Java."""
    builder = SparkSession.builder.master("local[1]")
    for key, value in _LOCAL.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def by_delta(session: Any, table: Path, _files: list[str]) -> Any:
    """The table, as whoever knows Delta reads it."""
    return session.read.format("delta").load(str(table))


def by_files(session: Any, table: Path, files: list[str]) -> Any:
    """The table, from the files that somebody else has taken from its log."""
    return session.read.option("basePath", str(table)).parquet(*files)


def by_log(session: Any, table: Path, _files: list[str]) -> Any:
    """The table, from the files that its log has added and not removed: the last checkpoint and what came after it."""
    log, present, at = table / "_delta_log", set[str](), -1
    if (log / "_last_checkpoint").exists():
        at = json.loads((log / "_last_checkpoint").read_text("utf-8"))["version"]
        checkpoint = session.read.parquet(str(log / f"{at:020}.checkpoint.parquet"))
        present = {row.path for row in checkpoint.where("add IS NOT NULL").select("add.path").collect()}
    for entry in sorted(file for file in log.glob("*.json") if int(file.stem) > at):
        rows = session.read.schema(_LOG).json(str(entry)).collect()
        present -= {row.remove.path for row in rows if row.remove}
        present |= {row.add.path for row in rows if row.add}
    return by_files(session, table, [str(table / unquote(path)) for path in sorted(present)])


WAYS: dict[str, tuple[Any, Callable[[Any, Path, list[str]], Any]]] = {"sail": (sail, by_delta), "log": (spark, by_log), "files": (spark, by_files)}


def main(way: str, lake: Path, answer: Path) -> None:
    """Read every table that is named, and write down what is there."""
    begin, load = WAYS[way]
    found = {}
    with begin() as session:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        for name, files in json.load(sys.stdin).items():
            table = load(session, lake / name, files)
            rows = [[None if value is None else str(value) for value in row] for row in table.collect()]
            found[name] = {"columns": table.columns, "count": table.count(), "rows": rows}
    answer.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
