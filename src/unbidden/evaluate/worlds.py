"""Worlds: made-up organisations, written, scanned and looked at one after the other, or several at once, and removed again."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from unbidden import line
from unbidden.detect import Catalogue
from unbidden.people import read_list
from unbidden.simulate import write
from unbidden.simulate.plan import PLANS
from unbidden.trust import read_trust

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class World:
    """Which organisation to make."""

    plan: str
    seed: int
    people: int
    days: int

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.plan}-{self.seed}-{self.people}x{self.days}"


def visit(
    worlds: Sequence[World],
    look: Callable[[line.Run, Path], Seen],
    *,
    jobs: int = 1,
    keep: Path | None = None,
    progress: line.Progress = lambda _: None,
    catalogue: Catalogue | None = None,
) -> list[Seen]:
    """What `look` sees in each world after its logs were scanned, in the order of the worlds.

    `look` gets the finished run and the folder with the truth. With several jobs it runs in other processes, so it and what it gives must be picklable.
    Worlds are written into `keep`, or into a temporary folder and removed.
    """
    with _home(keep) as home:
        visits = [_Visit(world, home, look, keep is not None, catalogue) for world in worlds]
        if min(jobs, len(worlds)) <= 1:
            return [_visit(one, progress) for one in visits]
        return _at_once(visits, jobs, progress)


@contextmanager
def _home(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
    else:
        with TemporaryDirectory(prefix="unbidden-worlds-") as folder:
            yield Path(folder)


@dataclass(frozen=True, slots=True)
class _Visit(Generic[Seen]):
    """One world, where it is written, and what is done there."""

    world: World
    home: Path
    look: Callable[[line.Run, Path], Seen]
    is_kept: bool
    catalogue: Catalogue | None


def _visit(visit: _Visit[Seen], progress: line.Progress) -> Seen:
    world, folder = visit.world, visit.home / visit.world.name
    progress(f"world {world.seed}: simulating")
    write(folder, people=world.people, days=world.days, seed=world.seed, plan=PLANS[world.plan])
    run = scan(folder, lambda stage: progress(f"world {world.seed}: scanning: {stage}"), visit.catalogue)
    progress(f"world {world.seed}: judging")
    with run.con:
        seen = visit.look(run, folder)
    if not visit.is_kept:
        shutil.rmtree(folder)
    return seen


def scan(folder: Path, progress: line.Progress = lambda _: None, catalogue: Catalogue | None = None) -> line.Run:
    """The run over a simulated organisation's logs, with what its identity team would give: the list of people, the announced sources."""
    trusted = folder / "trust.csv"
    options = line.Options(listed=read_list(folder / "people.csv"), trusted=read_trust(trusted) if trusted.exists() else (), catalogue=catalogue)
    return line.run([str(path) for path in sorted(folder.iterdir()) if path.is_dir()], options, progress)


def _at_once(visits: Sequence[_Visit[Seen]], jobs: int, progress: line.Progress) -> list[Seen]:
    context = multiprocessing.get_context("spawn")
    said: Queue[str] = context.Queue()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(said,)) as pool:
        futures = [pool.submit(_visit_there, visit) for visit in visits]
        try:
            _follow(futures, said, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
        return [future.result() for future in futures]


# What another process reports to; set once when that process begins.
_REPORTS_TO: list[Queue[str]] = []


def _begin(said: Queue[str]) -> None:
    """In another process: Ctrl-C is the business of the first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _REPORTS_TO.append(said)


def _visit_there(visit: _Visit[Seen]) -> Seen:
    return _visit(visit, _REPORTS_TO[0].put)


def _follow(futures: Sequence[Future[Seen]], said: Queue[str], progress: line.Progress) -> None:
    """Pass on what the other processes say until they are done or one fails."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        while not said.empty():
            progress(f"{said.get()} ({len(futures) - len(pending)} of {len(futures)} done)")
