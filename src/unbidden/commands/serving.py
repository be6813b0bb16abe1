"""Serving: the service from a configuration file to its end by a signal."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from unbidden import line
from unbidden.commands.beside import Beside, open_beside
from unbidden.commands.heard import Heard, hearing
from unbidden.commands.shell import read_catalogue, working
from unbidden.errors import UnbiddenError
from unbidden.live.doctor import refuse_unless_ready
from unbidden.live.logs import Log, open_log
from unbidden.live.service import Service
from unbidden.people import read_list
from unbidden.places import read_listing
from unbidden.settings import JudgeSettings, Settings, read_settings
from unbidden.settings.places import changes
from unbidden.trust import read_trust

# Heard in place of a signal when a part of the server ended by an error.
_BROKEN = 0


@dataclass(slots=True)
class _Running:
    """A server, and the console beside it."""

    service: Service
    console: Beside | None = None

    def close(self) -> None:
        """End both, the console first."""
        if self.console is not None:
            self.console.close()
        self.service.close()


@dataclass(frozen=True, slots=True)
class Told:
    """What a configuration says, with the files that it names read."""

    settings: Settings
    options: line.Options


def run(config: Path) -> None:
    """Serve until SIGINT or SIGTERM. SIGHUP reads the configuration anew; one that is wrong is refused, and the server goes on as before."""
    with hearing(signal.SIGHUP) as heard:
        _run(config, heard)


def _run(config: Path, heard: Heard) -> None:
    told = read(config)
    log = open_log(told.settings.log, told.settings.name, lambda: datetime.now(UTC))
    running, got = _started(told, log, heard), int(signal.SIGTERM)
    try:
        heard.listen(signal.SIGINT, signal.SIGTERM)
        _say_where(running, log)
        while (got := heard.get()) == signal.SIGHUP:
            new = _read_anew(config, told, log)
            if new is not None:
                running.close()
                log = open_log(new.settings.log, new.settings.name, lambda: datetime.now(UTC))
                running, told = _replaced(new, told, log, heard)
                _say_where(running, log)
    finally:
        log.event("ending")
        running.close()
        log.event("ended")
    if got == _BROKEN:
        raise UnbiddenError("a part of the server ended by an error, which its log tells; start it again: it goes on from the lake")


def read(config: Path) -> Told:
    """What a file says. Raises UnbiddenError when it, or a file that it names, cannot be used."""
    settings = read_settings(config)
    return Told(settings, options_of(settings.judge))


def options_of(judge: JudgeSettings) -> line.Options:
    """What a run is told, from what the configuration says."""
    return line.Options(
        listed=read_list(judge.people) if judge.people else (),
        trusted=read_trust(judge.trust) if judge.trust else (),
        listings=[read_listing(text) for text in judge.lists],
        geo=judge.geo,
        catalogue=read_catalogue(judge.detections),
    )


def _read_anew(config: Path, old: Told, log: Log) -> Told | None:
    """The configuration as it is now, after saying what changed; None, after saying why, when the server is to go on with what it has."""
    try:
        settings = read_settings(config)
        refuse_unless_ready(settings, config, os.environ)
        new = Told(settings, options_of(settings.judge))
    except (UnbiddenError, OSError) as error:
        text = str(error) if isinstance(error, UnbiddenError) else f"{error.filename or config}: {error.strerror or error}"
        for one in text.splitlines():
            log(f"configuration refused: {one}")
        log("the server goes on with the configuration that it has")
        return None
    differences = list(changes(old.settings, new.settings))
    log(f"configuration read anew: {'; '.join(differences) or 'nothing changed in the file itself; the files that it names are read anew'}")
    return new


def _replaced(new: Told, old: Told, log: Log, heard: Heard) -> tuple[_Running, Told]:
    """A server with the new configuration; with the old one when the new one cannot be served. Raises UnbiddenError when neither can."""
    try:
        return _started(new, log, heard), new
    except (UnbiddenError, OSError) as error:
        log(f"configuration refused: {error}")
        log("the server begins again with the configuration that it had")
        return _started(old, log, heard), old


def _started(told: Told, log: Log, heard: Heard) -> _Running:
    """A server that runs. What was opened is closed again when it cannot be."""
    service = Service(told.settings, told.options, os.environ, log, lambda: heard.tell(_BROKEN))
    try:
        with working() as progress:
            service.start(progress)
        return _Running(service, open_beside(service, os.environ, log))
    except BaseException:
        _abandon(service)
        raise


def _abandon(service: Service) -> None:
    """Close a server that got no further than some of its parts."""
    if hasattr(service, "core"):
        service.close()
        return
    for part in ("desk", "lake"):
        if hasattr(service, part):
            getattr(service, part).close()


def _say_where(running: _Running, log: Log) -> None:
    service = running.service
    ports = service.ports | ({"console": running.console.port} if running.console else {})
    doors = ", ".join(f"{name} at port {port}" for name, port in ports.items()) or "no door is open"
    log.event("serving", text=f"unbidden serves: {doors}", fetches=",".join(service.feeds), lake=service.lake.root, desk=service.desk.url)
