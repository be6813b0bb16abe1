"""Upkeep of a lake, beside those who write and read it: few files of many, old days let go, damaged files taken off the list."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError

from unbidden.lake import files, objects, tables
from unbidden.lake.log import settle_on_disk

# What readers may still have open is kept for so long after it is no longer part of the table.
READERS_H = 1


def compact(table: DeltaTable, properties: CommitProperties) -> None:
    """Make few files of many, day by day, and let go of what nobody can read any more.

    A checkpoint lets the log begin anew, so that a commit takes as long as it took on the first day.
    """
    # Somebody else compacted the same files at the same time: then they are compacted.
    with contextlib.suppress(CommitFailedError):
        table.optimize.compact(commit_properties=properties, post_commithook_properties=tables.NO_HOOKS, writer_properties=tables.SMALL)
    table.create_checkpoint()
    table.cleanup_metadata()
    table.vacuum(
        retention_hours=READERS_H, dry_run=False, enforce_retention_duration=False, full=True,
        commit_properties=properties, post_commithook_properties=tables.NO_HOOKS,
    )  # fmt: skip


def forget(table: DeltaTable, before: datetime, properties: CommitProperties) -> None:
    """Let go of the days before that of an instant: whole files, none is written anew."""
    table.delete(f"day < '{before.date()}'", commit_properties=properties, post_commithook_properties=tables.NO_HOOKS)


def oldest(days: Mapping[str, int], now: datetime) -> dict[str, datetime]:
    """The instant of whose day each table keeps the rows, and of every later one."""
    return {name: now - timedelta(days=keep) for name, keep in days.items()}


def take_off(
    root: str, name: str, table: DeltaTable, damages: list[files.Damage], properties: CommitProperties, options: Mapping[str, str]
) -> list[str]:  # fmt: skip
    """Move damaged files into `damaged/` beside the tables and take whatever is gone off the list; gives the paths that were taken off."""
    for damage in damages:
        if "://" in root:
            objects.set_aside(root, options, damage)
            continue
        source = Path(damage.file.uri)
        if source.exists():
            aside = Path(root) / "damaged" / name / source.parent.name / source.name
            aside.parent.mkdir(parents=True, exist_ok=True)
            source.replace(aside)
    removed = table.repair(dry_run=False, commit_properties=properties, post_commithook_properties=tables.NO_HOOKS)["files_removed"]
    if removed and "://" not in root:
        settle_on_disk(root, name, table.version())
    return sorted(removed)
