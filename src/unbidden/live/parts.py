"""Parts: how the keeper, the judge, the lake, the desk, the alerts and the threads are, each looked at by one function."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from unbidden.alerts.settings import Target
from unbidden.desk import Desk
from unbidden.lake import Lake
from unbidden.live.core import Core
from unbidden.live.health import Finding, PartHealth, worst
from unbidden.settings import HealthSettings

# What to do when a part cannot be reached.
AWAY = {
    "lake": "Look at its disk or object store: room, rights, network. Senders are told to wait meanwhile; nothing that was confirmed is lost.",
    "desk": "Look at its database. People are judged again when it is back; nothing is lost, but nobody is alerted meanwhile.",
    "alerts": "Look at the desk's database: what is to be sent is kept there.",
}
_MANY_PENDING = 100


def keeper_health(core: Core, settings: HealthSettings) -> PartHealth:
    """How the keeper is, which puts rows into the lake, and the reader behind it."""
    keeper = core.keeper
    problems = dict.fromkeys(filter(None, (keeper.problem, core.reader.problem)))
    found = [Finding("keeping", "problem", problem, AWAY["lake"]) for problem in problems]
    found += _stuck(core, min(keeper.moved_s, core.reader.moved_s or keeper.moved_s), settings)
    return _part("keeper", found, {"rows_waiting": core.intake.waiting, "batches_waiting": core.reader.batches.qsize()})


def judge_health(core: Core, settings: HealthSettings) -> PartHealth:
    """How the judge is."""
    found = []
    if not core.is_ready:
        found.append(Finding("catching_up", "warning", "the server reads what the lake has, and takes no rows yet", "Wait; the log says how far it is."))
    if core.problem:
        found.append(Finding("recording", "problem", core.problem, AWAY["desk"]))
    found += _stuck(core, core.moved_s, settings)
    return _part("judge", found, {"people_waiting": core.judge.due, "last_tick_at": core.last_tick_at})


def lake_health(lake: Lake) -> PartHealth:
    """How the lake is. Raises LakeError when it is away."""
    return _part("lake", [], {"root": lake.root, "commits": lake.sequence, "files": lake.counted()})


def desk_health(desk: Desk, alarms: int) -> PartHealth:
    """How the desk is. Raises DeskError when it is away."""
    return _part("desk", [], {"url": desk.url, "incidents_open": desk.open_by_severity(), "alarms_open": alarms})


def alerts_health(desk: Desk, targets: Mapping[str, Target]) -> PartHealth:
    """How the alerts get through. Raises DeskError when the desk is away."""
    found = []
    counts = {name: states for name, states in desk.outbox_counts().items() if name in targets}
    for name, states in counts.items():
        if states["dead"]:
            todo = f"`unbidden alerts list --state dead` says why, `unbidden alerts test {name}` whether it works again."
            found.append(Finding("dead", "problem", f"{states['dead']:,} alerts to {name} were given up", todo))
        elif states["pending"] > _MANY_PENDING:
            todo = f"`unbidden alerts test {name}` says whether it can be reached."
            found.append(Finding("pending", "warning", f"{states['pending']:,} alerts to {name} wait", todo))
    if not targets:
        found.append(Finding("nobody", "fine", "nobody is alerted", "Name somebody under [alert.NAME] if people are to be told."))
    return _part("alerts", found, {"outbox": counts})


def threads_health(threads: Sequence[threading.Thread]) -> PartHealth:
    """Whether every part that should run does."""
    ended = [thread.name for thread in threads if not thread.is_alive()]
    todo = "Look at the server's log for why, and restart the server; nothing that was confirmed is lost."
    return _part("threads", [Finding("ended", "problem", f"the part '{name}' has ended", todo) for name in ended], {"running": len(threads) - len(ended)})


def _stuck(core: Core, moved_s: float, settings: HealthSettings) -> list[Finding]:
    still_s = core.monotonic() - moved_s
    if not core.is_ready or not moved_s or still_s <= settings.stuck_after_s:
        return []
    return [Finding("stuck", "problem", f"it has not moved for {still_s:.0f} s", "Restart the server; nothing that was confirmed is lost.")]


def _part(name: str, found: Sequence[Finding], facts: Mapping[str, object]) -> PartHealth:
    return PartHealth(name, worst(finding.level for finding in found), tuple(found), facts)
