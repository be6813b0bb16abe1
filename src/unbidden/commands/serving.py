"""Serving: the service from a configuration file to its end by a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from unbidden import line
from unbidden.commands.shell import read_catalogue, working
from unbidden.live.logs import Log, open_log
from unbidden.live.service import Service
from unbidden.people import read_list
from unbidden.places import read_listing
from unbidden.settings import JudgeSettings, read_settings
from unbidden.trust import read_trust


def run(config: Path) -> None:
    """Serve until SIGINT or SIGTERM; SIGHUP begins again with the configuration read anew."""
    while _serve_once(config):
        pass


def _serve_once(config: Path) -> bool:
    """Run until a signal; whether it was the one to begin again with a new configuration."""
    settings = read_settings(config)
    log = open_log(settings.log, settings.name, lambda: datetime.now(UTC))
    service = Service(settings, options_of(settings.judge), os.environ, log)
    ended, is_again = threading.Event(), threading.Event()
    with working() as progress:
        service.start(progress)
    try:
        for number, also in ((signal.SIGINT, None), (signal.SIGTERM, None), (signal.SIGHUP, is_again)):
            signal.signal(number, _setting(ended, also))
        _say_where(service, log)
        while not ended.wait(1.0):
            pass
    finally:
        log.event("ending", is_again=is_again.is_set())
        service.close()
        log.event("ended")
    return is_again.is_set()


def options_of(judge: JudgeSettings) -> line.Options:
    """What a run is told, from what the configuration says."""
    return line.Options(
        listed=read_list(judge.people) if judge.people else (),
        trusted=read_trust(judge.trust) if judge.trust else (),
        listings=[read_listing(text) for text in judge.lists],
        geo=judge.geo,
        catalogue=read_catalogue(judge.detections),
    )


def _setting(ended: threading.Event, also: threading.Event | None) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        if also is not None:
            also.set()
        ended.set()

    return handle


def _say_where(service: Service, log: Log) -> None:
    doors = ", ".join(f"{name} at port {port}" for name, port in service.ports.items()) or "no door is open"
    log.event("serving", text=f"unbidden serves: {doors}", fetches=",".join(service.feeds), lake=service.lake.root, desk=service.desk.url)
