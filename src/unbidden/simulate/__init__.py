"""Simulate: a made-up organisation living its days, its attackers, and the logs that would show it, with the truth beside them.

No rule reads the truth. Chance comes from the seed alone and the clock is never asked: the same call writes the same bytes.
"""

from __future__ import annotations

import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from unbidden.errors import UnbiddenError
from unbidden.simulate.export import LOGS, clear, collect, people_csv
from unbidden.simulate.history import Setting, Share, write_share
from unbidden.simulate.plan import PLANS, Plan
from unbidden.simulate.stories import all_attacks, all_traps, chosen
from unbidden.simulate.tickets import tickets_csv
from unbidden.simulate.truth import iso, told

__all__ = ("FIRST_DAY", "PLANS", "write")

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
# Fewer people than this a process are not worth starting it.
_SHARE = 500


def write(  # noqa: PLR0913 -- every option of the command is an argument of its function
    folder: Path, *, people: int = 300, days: int = 14, seed: int = 7, start: datetime = FIRST_DAY, attacks: str = "all", traps: str = "all",
    plan: Plan = PLANS["training"], faults: bool = True, jobs: int = 1,
) -> Path:  # fmt: skip
    """Write logs, `helpdesk/tickets.csv`, `people.csv`, `trust.csv` and `truth.json` into the folder and give it back.

    Logs lie in a folder for each provider, as its console or API gives them. `attacks` and `traps` are `all`, `none` or names and families, separated by
    commas; leaving out attacks changes no other row. In an organisation too small for a story, that story is left out. With `faults` some rows come
    twice, late or out of order, and a line is cut now and then. Up to `jobs` processes share the people; their number changes no byte. The logs of an
    earlier simulation in the folder go. Raises UnbiddenError for a start without a time zone, for nobody or no day, for a story that is not there, and
    for a folder that holds logs of anybody else.
    """
    if start.tzinfo is None:
        raise UnbiddenError("the first day of a simulation needs a time zone: use UTC")
    if people < 1 or days < 1:
        raise UnbiddenError(f"nothing to simulate: {people} people on {days} days; both must be 1 or more")
    chosen("attack", all_attacks(), attacks)
    chosen("trap", all_traps(), traps)
    setting = Setting(plan, people, days, seed, start.astimezone(UTC).replace(tzinfo=None), attacks, traps, faults)
    folder.mkdir(parents=True, exist_ok=True)
    clear(folder)
    with TemporaryDirectory(dir=folder, prefix=".runs-") as runs:
        shares, faults_seen = _write_logs(setting, max(1, min(jobs, people // _SHARE)), Path(runs), folder)
    _tell_truth(folder, setting, shares, {name: sum(seen[name] for seen in faults_seen) for name in faults_seen[0]})
    return folder


def _write_logs(setting: Setting, count: int, runs: Path, folder: Path) -> tuple[list[Share], list[dict[str, int]]]:
    """Every share of the people and then every log, by processes of their own when there are several. Gives the shares and the faults of the way."""
    # A process of its own keeps all its rows until they are written, so that looking for garbage among them is in vain: a third of the time.
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), gc.disable) if count > 1 else nullcontext() as pool:
        do = pool.map if pool else map
        shares = list(do(write_share, repeat(setting), range(count), repeat(count), repeat(runs)))
        merged = list(do(partial(collect, runs=runs, folder=folder, has_faults=setting.has_faults), range(len(LOGS))))
    return shares, [*(share.seen for share in shares), *merged]


def _tell_truth(folder: Path, setting: Setting, shares: list[Share], seen: dict[str, int]) -> None:
    """Write what stands beside the logs: who is who, what was announced, and what really happened."""
    world = setting.world()
    people_csv(folder / "people.csv", world.people)
    offices = "".join(f"{spot.ip}/32, egress of the office in {office.place.city}\n" for office in setting.plan.offices for spot in office.egress)
    exercise = f"{setting.plan.exercise.ip}/32, announced by the security team, exercise\n"
    (folder / "trust.csv").write_text(f"# What the defenders were told of.\n{exercise}# Their own.\n{offices}", "utf-8")
    facts = {
        "plan": setting.plan.name, "seed": setting.seed, "people": setting.people, "days": setting.days, "start": iso(world.start), "end": iso(world.end),
        "okta_classic_until": iso(world.classic_until), "faults": seen,
    }  # fmt: skip
    (folder / "helpdesk").mkdir(exist_ok=True)
    tickets_csv(folder / "helpdesk" / "tickets.csv", world, [case for share in shares for case in share.cases])
    cases, prompts = [case for share in shares for case in share.cases], [prompt for share in shares for prompt in share.prompts]
    (folder / "truth.json").write_bytes(orjson.dumps(told(cases, prompts, facts), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
