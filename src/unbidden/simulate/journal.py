"""The journal: acts become rows of the logs that would show them, and truth beside them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime

from unbidden.providers import Event, registry
from unbidden.simulate import channels
from unbidden.simulate.acts import Act, Challenge, Deed, Flow, guid, later
from unbidden.simulate.truth import Aftermath, Case, Prompt
from unbidden.simulate.world import World

_TENANT = "0f0f0f0f-0000-4000-8000-00000000c0de"

# The names of a row are always told to the vendor: one that names its steps after the flow does not count it among what a row can hold.
# So is the vendor's own word for it, where it has several.
_NAMES = frozenset({"event_id", "request_id", "flow_id", "code"})
# A directory whose sign-ins a second log repeats, and that log.
_REPEATED = {"entra": "m365"}
# Where the row of an approved challenge is the row of the sign-in itself.
_ONE_ROW = ("entra",)


class Journal:
    """Every row of every log, in the order of the acts; and every prompt with its real fate. `traps` are what is to happen to whom."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ids = random.Random()
        self.events: dict[str, list[Event]] = {}
        self.prompts: list[Prompt] = []
        self.traps: dict[str, list[Case]] = {}
        self._approved: dict[Flow, str] = {}
        self._resets: set[Flow] = set()

    def add(self, other: Journal) -> None:
        """Take over what another journal holds."""
        self.prompts += other.prompts
        for provider, events in other.events.items():
            self.events.setdefault(provider, []).extend(events)

    def expect(self, trap: Case) -> None:
        """Remember that every prompt of the trap's people within its span is the trap's."""
        for login in trap.people:
            self.traps.setdefault(login, []).append(trap)

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
        row = self._approved.pop(act.flow, None) if act.flow and act.kind == "session" else None
        row = row or self._row(act, act.at, (act.kind, act.factor, act.outcome), {"actor": act.actor})
        if row is None or case is None or act.way.cause != "attack":
            return
        case.sources.add(act.way.by.spot.ip)
        # A reset that the prompt itself was about is the way in, not what keeps it.
        if act.kind not in ("password", "lockout", "risk") and not (act.kind == "recovery" and act.flow in self._resets):
            case.aftermath.append(Aftermath(act.way.person.login, act.at, act.kind, act.outcome, row))

    def _challenge(self, act: Challenge, case: Case | None) -> None:
        provider, ends = act.way.provider, later(act.at, act.wait_s)
        if act.intent == "recovery":
            self._resets.add(act.flow)
        key: dict[str, object] = {"prompt_key": f"{self._ids.getrandbits(64):020d}", "intent": act.intent}
        phones = act.way.person.phones_at(act.at)[: None if act.factor in ("push", "number_push") else 1]
        rows = [self._row(act, later(act.at, n * 0.35), ("prompt", act.factor, "sent"), key) for n, _ in enumerate(phones)]
        if (word := channels.logged_fate(provider, act.factor, act.fate)) is not None:
            device = channels.device_name(provider, act.factor, phones[-1].device)
            side = {"answer_device": device, "asked_at": act.at} | (act.phone.answerer() if act.phone else {})
            rows.append(self._row(act, ends, ("answer", act.factor, word), key | side))
        if provider in _ONE_ROW and act.fate == "approved" and rows[-1]:
            self._approved[act.flow] = rows[-1]
        if act.fate == "reported" and channels.names_reports(provider):
            rows.append(self._row(act, later(ends, 20), ("report", None, "success"), {}))
        if act.factor in channels.PROMPTED and any(rows):
            self._remember(act, ends, [row for row in rows if row is not None], case)

    def _remember(self, act: Challenge, ends: datetime, rows: list[str], case: Case | None) -> None:
        way = act.way
        attack = case if case and way.cause == "attack" else None
        trap = next((trap for trap in self.traps.get(way.person.login, ()) if trap.span and trap.span[0] <= act.at <= trap.span[1]), None)
        prompt = Prompt(
            f"prompt-{guid(self._ids)}", way.person.login, way.provider, act.factor, act.at, act.fate, ends, way.cause,
            attack.case_id if attack else None, trap.case_id if trap else None, rows,
        )  # fmt: skip
        self.prompts.append(prompt)
        if attack:
            attack.sources.add(way.by.spot.ip)
            attack.prompts.append(prompt)

    def _row(self, act: Act, at: datetime, what: tuple[str, str | None, str], more: Mapping[str, object]) -> str | None:
        """Keep one event in the columns that the provider's log has for it. Gives its id, or None when the log has no such row."""
        (kind, factor, outcome), provider = what, act.way.provider
        spelled = channels.spelling(provider, kind, factor, outcome)
        if spelled is None:
            return None
        row_id = guid(self._ids)
        full = {**self._columns(act, at, provider, row_id), "kind": kind, "factor": spelled[0], "outcome": outcome, **more}
        if provider == "okta" and at < self._world.classic_until:
            full |= channels.classic(kind, factor, outcome)
        self._keep(provider, full)
        if provider in _REPEATED:
            self._repeat(_REPEATED[provider], full, (kind, factor, outcome))
        return f"{provider}:{row_id}"

    def _columns(self, act: Act, at: datetime, provider: str, row_id: str) -> dict[str, object]:
        way, flow = act.way, act.flow
        return {
            "event_id": row_id, "request_id": row_id, "occurred_at": at, "login": way.person.name_at(provider), "user_id": way.person.ids.get(provider),
            "tenant": _TENANT, "app": way.app, "risk": way.risk, "flow_id": flow.flow_id if flow else None, "session_id": flow.session_id if flow else None,
            **way.by.columns(provider),
        }  # fmt: skip

    def _repeat(self, provider: str, told: Mapping[str, object], what: tuple[str, str | None, str]) -> None:
        """Keep the same request as the second log tells it, which has fewer words."""
        kind, factor, outcome = what
        for word in dict.fromkeys((factor, "unknown", None)):
            for end in dict.fromkeys((outcome, "failed")):
                if channels.shows(provider, kind, word, end):
                    self._keep(provider, {**told, "event_id": guid(self._ids), "factor": word, "outcome": end, "code": None})
                    return

    def _keep(self, provider: str, full: Mapping[str, object]) -> None:
        carried = registry()[provider].carries(full) | _NAMES
        self.events.setdefault(provider, []).append({key: value for key, value in full.items() if value is not None and key in carried})
