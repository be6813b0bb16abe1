"""The journal: acts become rows of the logs that would show them, and truth beside them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime

from unbidden.providers import Event, registry
from unbidden.simulate import channels
from unbidden.simulate.acts import Act, Challenge, Deed, guid, later
from unbidden.simulate.places import HOSTILE
from unbidden.simulate.truth import Aftermath, Case, Prompt
from unbidden.simulate.world import World

_TENANT = "0f0f0f0f-0000-4000-8000-00000000c0de"

# The names of a row are always told to the vendor: one that names its steps after the flow does not count it among what a row can hold.
_NAMES = frozenset({"event_id", "request_id", "flow_id"})


class Journal:
    """Every row of every log, in the order of the acts; and every prompt with its real fate. `spans` are the people of the traps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ids = random.Random()
        self.events: dict[str, list[Event]] = {}
        self.prompts: list[Prompt] = []
        self.spans: list[tuple[str, Case]] = []

    def record(self, stream: str, acts: Iterable[Act], case: Case | None = None) -> None:
        """Write the acts down; those outside the simulated days are in no log. Ids come from the stream's own chance."""
        self._ids = self._world.rng("ids", stream)
        for act in acts:
            if self._world.start <= act.at < self._world.end:
                if isinstance(act, Challenge):
                    self._challenge(act, case)
                else:
                    self._deed(act, case)

    def _deed(self, act: Deed, case: Case | None) -> None:
        row = self._row(act, act.at, (act.kind, act.factor, act.outcome), {"actor": act.actor})
        if row is None or case is None or act.way.by.spot.net not in HOSTILE:
            return
        case.sources.add(act.way.by.spot.ip)
        if act.kind != "password":
            case.aftermath.append(Aftermath(act.way.person.login, act.at, act.kind, act.outcome, row))

    def _challenge(self, act: Challenge, case: Case | None) -> None:
        provider, ends = act.way.provider, later(act.at, act.wait_s)
        key: dict[str, object] = {"prompt_key": f"{self._ids.getrandbits(64):020d}", "intent": "login"}
        phones = act.way.person.phones_at(act.at)[: None if act.factor in ("push", "number_push") else 1]
        rows = [self._row(act, later(act.at, n * 0.35), ("prompt", act.factor, "sent"), key) for n, _ in enumerate(phones)]
        if (word := channels.logged_fate(provider, act.factor, act.fate)) is not None:
            side = {"answer_device": phones[-1].device, "asked_at": act.at} | (act.phone.answerer() if act.phone else {})
            rows.append(self._row(act, ends, ("answer", act.factor, word), key | side))
        if act.fate == "reported" and channels.names_reports(provider):
            rows.append(self._row(act, later(ends, 20), ("report", None, "success"), {}))
        if act.factor in channels.PROMPTED and any(rows):
            self._remember(act, ends, [row for row in rows if row is not None], case)

    def _remember(self, act: Challenge, ends: datetime, rows: list[str], case: Case | None) -> None:
        way = act.way
        attack = case if case and way.cause == "attack" else None
        trap = next((trap for login, trap in self.spans if login == way.person.login and trap.span and trap.span[0] <= act.at <= trap.span[1]), None)
        prompt = Prompt(
            f"prompt-{guid(self._ids)}", way.person.login, way.provider, act.factor, act.at, act.fate, ends, way.cause,
            attack.case_id if attack else None, trap.case_id if trap else None, rows,
        )  # fmt: skip
        self.prompts.append(prompt)
        if attack:
            attack.sources.add(way.by.spot.ip)
        for owner in filter(None, (attack, trap)):
            owner.prompts.append(prompt)

    def _row(self, act: Act, at: datetime, what: tuple[str, str | None, str], more: Mapping[str, object]) -> str | None:
        """Keep one event in the columns that the provider's log has for it. Gives its id, or None when the log has no such row."""
        (kind, factor, outcome), way, flow = what, act.way, act.flow
        spelled = channels.spelling(way.provider, kind, factor, outcome)
        if spelled is None:
            return None
        row_id = guid(self._ids)
        full = {
            "event_id": row_id, "request_id": row_id, "occurred_at": at, "kind": kind, "factor": spelled[0], "outcome": outcome,
            "login": way.person.name_at(way.provider), "user_id": way.person.ids.get(way.provider), "tenant": _TENANT, "app": way.app, "risk": way.risk,
            "flow_id": flow.flow_id if flow else None, "session_id": flow.session_id if flow else None,
            **way.by.columns(way.provider), **more,
        }  # fmt: skip
        some = {key: value for key, value in full.items() if value is not None}
        carried = registry()[way.provider].carries(some)
        self.events.setdefault(way.provider, []).append({key: value for key, value in some.items() if key in carried or key in _NAMES})
        return f"{way.provider}:{row_id}"
