"""Serving: the service from a configuration file to its end by a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from unbidden import line
from unbidden.commands.shell import read_catalogue, working
from unbidden.live.service import Service
from unbidden.people import read_list
from unbidden.places import read_listing
from unbidden.settings import JudgeSettings, read_settings
from unbidden.trust import read_trust


def run(config: Path) -> None:
    """Serve until SIGINT or SIGTERM; SIGHUP begins again with the configuration read anew."""
    while _serve_once(config):
        Console(stderr=True).print("The configuration is read anew.")


def _serve_once(config: Path) -> bool:
    """Run until a signal; whether it was the one to begin again with a new configuration."""
    settings = read_settings(config)
    service = Service(settings, options_of(settings.judge), os.environ, _teller())
    ended, is_again = threading.Event(), threading.Event()
    with working() as progress:
        service.start(progress)
    try:
        for number, also in ((signal.SIGINT, None), (signal.SIGTERM, None), (signal.SIGHUP, is_again)):
            signal.signal(number, _setting(ended, also))
        _say_where(service)
        while not ended.wait(1.0):
            pass
    finally:
        service.close()
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


def _teller() -> Callable[[str], None]:
    console = Console(stderr=True)
    return lambda text: console.print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}", markup=False, highlight=False, soft_wrap=True)


def _say_where(service: Service) -> None:
    Console(stderr=True).print(
        f"unbidden serves: {', '.join(f'{name} at port {port}' for name, port in service.ports.items()) or 'no door is open'}"
        f"{', fetches ' + ', '.join(service.feeds) if service.feeds else ''}; the lake is {service.lake.root}, the desk {service.desk.url}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
