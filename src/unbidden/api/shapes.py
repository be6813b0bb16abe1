"""Shapes: what the API takes and gives, as models. Server and client share them; the client passes over what it does not know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from unbidden.desk import State, Verdict

Severity = Literal["low", "medium", "high", "critical"]
Stage = Literal["attempted", "approved", "persisted"]
# No database takes a NUL in a text.
Text = Annotated[str, StringConstraints(max_length=600, pattern=r"^[^\x00]*$")]
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _sensible(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise ValueError("a time between 1970 and 2200 is wanted")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_sensible)]


class Given(BaseModel):
    """What is sent to the API: nothing is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """What the API says."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Paging(Given):
    """Which page of a list."""

    after: str | None = Field(default=None, max_length=4000, description="Where the page begins: the cursor in `next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="At most so many.")


class Listing(Paging):
    """Which incidents are wanted; a filter that is left out lets all through, one that is given several times any of its values."""

    user: list[Text] = Field(default=[], max_length=100, description="Of these people, by their whole name.")
    severity: list[Severity] = Field(default=[], description="Of these severities.")
    stage: list[Stage] = Field(default=[], description="Of these stages.")
    state: list[State] = Field(default=[], description="In these states of handling.")
    verdict: list[Verdict] = Field(default=[], description="With one of these verdicts.")
    assignee: Text | None = Field(default=None, description="Assigned to this person; empty for nobody.")
    campaign: Text | None = Field(default=None, description="Of this campaign.")
    detection: Text | None = Field(default=None, description="That rest on this detection, among others.")
    since: Instant | None = Field(default=None, description="That lasted until this time or later.")
    until: Instant | None = Field(default=None, description="That began before this time.")
    text: Text = Field(default="", description="Whose user or id holds this text, in capital letters or not.")
    withdrawn: bool = Field(default=False, description="The withdrawn ones as well.")


class Finding(Paging):
    """Which people are wanted."""

    text: Text = Field(default="", description="Whose name holds this text.")


class Trail(Given):
    """Which rows of the audit trail are wanted."""

    before: int | None = Field(default=None, ge=0, lt=2**53, description="Those before this position.")
    limit: int = Field(default=50, ge=1, le=200, description="At most so many.")
    subject: Text | None = Field(default=None, description="Those about this, such as an incident's id.")


class Decision(Given):
    """What is decided. What is left out stays as it is; null takes it back."""

    state: State | None = Field(default=None, description="Where the work stands; it cannot be taken back, only changed.")
    assignee: str | None = Field(default=None, max_length=200, description="Who works on it.")
    verdict: Verdict | None = Field(default=None, description="What it was: an attack, an exercise that was announced, or nothing bad.")
    why: str | None = Field(default=None, max_length=10_000, description="Why this verdict; needed for exercise and benign.")


class NewNote(Given):
    """A note to be added."""

    text: str = Field(min_length=1, max_length=10_000)


class NewLink(Given):
    """A ticket to be linked."""

    reference: str = Field(min_length=1, max_length=2000, description="The ticket's URL, http or https, or its number.")


class Row(Told):
    """One incident in a list."""

    id: str
    user: str
    summary: str = Field(description="The first sentence of its story.")
    severity: Severity
    stage: Stage
    risk: int = Field(description="How likely it is an attack, in per cent.")
    first_at: datetime
    last_at: datetime
    approved_at: datetime | None
    state: State
    assignee: str | None
    verdict: Verdict | None
    campaign: str | None
    revision: int = Field(description="Counts up when the incident changes.")
    handling: int = Field(description="Counts up when people decide, note or link something, and when the incident rises.")
    updated_at: datetime


class Rows(Told):
    """A page of incidents: open before closed before withdrawn, by severity, the latest first."""

    items: list[Row]
    next: str | None = Field(description="Where the next page is; null at the end.")


class Handling(Told):
    """Where an incident stands with the people who work on it."""

    incident_id: str
    revision: int
    state: State
    assignee: str | None
    verdict: Verdict | None
    why: str | None
    decided_at: datetime | None
    decided_by: str | None
    closed_at: datetime | None


class Note(Told):
    """What somebody wrote about an incident."""

    position: int
    at: datetime
    who: str
    text: str


class Link(Told):
    """A ticket of an incident."""

    position: int
    at: datetime
    who: str
    reference: str


class Change(Told):
    """What became of an incident: opened, reopened, stage_raised, severity_raised, lowered, updated or withdrawn."""

    revision: int
    what: str
    before: str | None
    after: str | None
    at: datetime
    evidence_at: datetime


class Deed(Told):
    """A row of the audit trail. `hash` is over the row before it and this one."""

    position: int
    at: datetime
    who: str
    what: str
    subject: str
    detail: dict[str, Any]
    hash: str | None


class Incident(Row):
    """One incident with everything. `document` is that of `unbidden scan --format json`."""

    document: dict[str, Any]
    decision: Handling
    notes: list[Note]
    links: list[Link]
    changes: list[Change]
    deeds: list[Deed]
    withdrawn_reason: str | None
    superseded_by: str | None


class Marks(Told):
    """The prompts of an incident, in their order, as its document has them."""

    items: list[dict[str, Any]]


class Signals(Told):
    """What the detections found of an incident, and what its risk is made of."""

    items: list[dict[str, Any]]
    evidence: list[dict[str, Any]]


class Person(Told):
    """Somebody with incidents."""

    user: str
    incidents: int
    open: int
    worst: Severity | None = Field(description="The severity of the worst open incident; null when none is open.")
    last_at: datetime


class People(Told):
    """A page of people, by name."""

    items: list[Person]
    next: str | None


class Named(Told):
    """One person: how many incidents, and the first page of them."""

    user: str
    items: list[Row]
    next: str | None


class Sources(Told):
    """How the server and its sources are, as `unbidden health --json` says it."""

    level: str
    at: str | None
    sources: list[dict[str, Any]]


class Fired(Told):
    """In how many incidents of the last thirty days a detection fired, among others, and how many of these were judged to be what."""

    incidents: int
    true_positive: int
    exercise: int
    benign: int


class Detection(Told):
    """One detection of the catalogue as it runs."""

    name: str
    title: str
    why: str
    group: str
    weight: float
    status: str
    attack: list[str]
    version: str
    own: bool = Field(description="Whether it is one of ours, not of a folder of your own.")
    fired: Fired


class Detections(Told):
    """The catalogue."""

    items: list[Detection]


class Deeds(Told):
    """Rows of the audit trail, the latest first."""

    items: list[Deed]
    next: str | None


class Judged(Told):
    """An incident's verdict, and the evidence that weights can be fitted to."""

    id: str
    verdict: Verdict
    why: str | None
    who: str | None
    at: datetime | None
    evidence: list[dict[str, Any]]


class Verdicts(Told):
    """A page of verdicts, by the incident's id."""

    items: list[Judged]
    next: str | None


class Fault(Told):
    """One thing that is wrong with a request."""

    where: str
    what: str


class Problem(Told):
    """An error, as RFC 9457 has it. `revision` comes with 412: the handling's present one."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None
    revision: int | None = None
