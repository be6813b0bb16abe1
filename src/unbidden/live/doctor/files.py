"""The files that the configuration names: whether they are there and can be used, and whether what it says makes sense together."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import maxminddb

from unbidden.catalogue import catalogue_of
from unbidden.errors import UnbiddenError
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning
from unbidden.people import read_list
from unbidden.places import read_listing
from unbidden.proving.running import refuse_unless_they_run
from unbidden.settings import Settings
from unbidden.trust import read_trust


def files(look: Look) -> Iterator[Check]:
    """The lists, databases and detections under [judge], the extras that are needed, and what is missing for anything to happen."""
    judge = look.settings.judge
    if judge.people is not None:
        yield _read("[judge] people", lambda: f"{judge.people}: {len(read_list(judge.people))} people" if judge.people else "")
    if judge.trust is not None:
        yield _read("[judge] trust", lambda: f"{judge.trust}: {len(read_trust(judge.trust))} entries" if judge.trust else "")
    for text in judge.lists:
        yield _read("[judge] lists", partial(_listing, text))
    for file in judge.geo:
        yield _read("[judge] geo", partial(_places, file))
    yield _read("[judge] detections", lambda: _detections(judge.detections))
    yield from _sense(look.settings)
    yield from _extras(look.settings)


def _sense(settings: Settings) -> Iterator[Check]:
    if settings.judge.clock == "events":
        yield warning("[judge] clock", "events: time goes by the newest event, which is for replaying old logs", "set it to wall, or leave it out")
    doors = settings.doors
    if not (settings.source or doors.http or doors.syslog or doors.folders or doors.kafka):
        yield warning("configuration", "there is neither a source nor a door: nothing will ever come in", "add a [source.NAME], or one of [doors]")
    if not settings.alert:
        yield warning("configuration", "nobody is told: what is found is kept on the desk only", "add an [alert.NAME]")


def _extras(settings: Settings) -> Iterator[Check]:
    if settings.doors.kafka:
        yield _extra("[[doors.kafka]]", "confluent_kafka", "kafka")
    if settings.desk.url.startswith("postgres"):
        yield _extra("[desk] url", "psycopg", "postgres")


def _extra(part: str, module: str, extra: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return problem(part, f"{module} is not installed", f"pip install 'unbidden[{extra}]'")
    return fine(part, f"{module} is installed")


def _listing(text: str) -> str:
    read_listing(text)
    return f"{text} can be read"


def _places(file: Path) -> str:
    with maxminddb.open_database(file) as reader:
        return f"{file}: {reader.metadata().database_type}"


def _detections(folder: Path | None) -> str:
    catalogue = catalogue_of(folder)
    refuse_unless_they_run(catalogue)
    own = sum(detection.is_own for detection in catalogue.values())
    return f"{len(catalogue)} detections run{f', {own} of them of {folder}' if folder else ''}"


def _read(part: str, read: Callable[[], str]) -> Check:
    try:
        return fine(part, read())
    except (UnbiddenError, maxminddb.InvalidDatabaseError, ValueError) as error:
        return problem(part, str(error), "mend the file, or take it out of the configuration")
    except OSError as error:
        return problem(part, f"{error.filename or part}: {error.strerror or error}", "name a file that is there and can be read")
