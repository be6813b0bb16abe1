"""Files: a folder of a user's own detections, read and checked, and joined with ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from unbidden import content
from unbidden.catalogue.changes import FILE, changed
from unbidden.catalogue.description import refuse_unless_described
from unbidden.catalogue.statement import refuse_unless_select
from unbidden.detect import LIVE, Catalogue, Detection, detections, version_of
from unbidden.errors import ContentError, UnusableInputError


def catalogue_of(folder: Path | None) -> Catalogue:
    """Our detections and, beside them, those of a folder; one of the name of ours takes its place. `params.yml` there changes numbers of any.

    The order is that of the names. Raises ContentError naming file and fault, UnusableInputError for a folder that cannot be read.
    """
    ours = detections()
    if folder is None:
        return ours
    if not folder.is_dir():
        raise UnusableInputError(f"{folder}: there is no such folder of detections")
    found = {**ours, **_read(folder)}
    told = folder / FILE
    if told.exists():
        found = changed(found, mapping_of(told), str(told))
    return {name: found[name] for name in sorted(found)}


def replaced(catalogue: Catalogue) -> list[str]:
    """Those of our detections whose place one of the user's takes."""
    return [name for name, detection in catalogue.items() if not detection.is_own and name in detections()]


def _read(folder: Path) -> dict[str, Detection]:
    files = [file for file in sorted(folder.iterdir()) if file.suffix in {".sql", ".yml"} and file.name != FILE and not file.name.startswith(".")]
    stems = sorted({file.stem for file in files})
    lacking = [f"{stem}{ending}" for stem in stems for ending in (".sql", ".yml") if folder / f"{stem}{ending}" not in files]
    if lacking:
        raise ContentError(f"{folder}: a detection is two files of one name; missing: {', '.join(lacking)}")
    return {stem: _detection(folder, stem) for stem in stems}


def _detection(folder: Path, stem: str) -> Detection:
    written = folder / f"{stem}.yml"
    if not stem.isidentifier() or not stem.islower():
        raise ContentError(f"{written}: a detection's name is made of small letters, digits and _, and begins with a letter")
    about = mapping_of(written)
    refuse_unless_described(about, str(written))
    file = folder / f"{stem}.sql"
    sql = text_of(file)
    refuse_unless_select(sql, str(file), set(about.get("params") or {}))
    return Detection(stem, sql, version_of(sql, text_of(written)), about, about.get("status", LIVE), folder=str(folder))


def text_of(file: Path) -> str:
    """The text of a content file. Raises ContentError for one that cannot be read."""
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(f"{file}: it cannot be read: {error}") from error


def mapping_of(file: Path) -> dict[str, Any]:
    """What a YAML file holds. Raises ContentError for one that is not YAML or holds no names with values."""
    try:
        told = content.loads(text_of(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ContentError(f"{file}{where}: it is not YAML: {getattr(error, 'problem', None) or error}") from error
    except ValueError as error:  # a date that is none
        raise ContentError(f"{file}: {error}") from error
    if told is None:
        return {}
    if not isinstance(told, dict) or not all(isinstance(key, str) for key in told):
        raise ContentError(f"{file}: names with values are wanted")
    return told
