"""The configuration: one TOML file for the whole service. Every key is described where it stands; a key that nobody knows is an error."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from unbidden.access.settings import ConsoleSettings
from unbidden.alerts.settings import Target
from unbidden.credentials import secret_of
from unbidden.desk.settings import DeskSettings
from unbidden.doors.settings import Doors, Reference
from unbidden.errors import UnusableInputError
from unbidden.fetching.settings import Source
from unbidden.settings.faults import faults_of, syntax_of
from unbidden.settings.places import placed

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def _named(tables: dict[str, Any]) -> dict[str, Any]:
    if wrong := sorted(name for name in tables if not _NAME.fullmatch(name)):
        raise ValueError(f"{', '.join(wrong)}: a name is of small letters, digits, - and _")
    return tables


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LakeSettings(_Part):
    """Where every row is kept as it came, and what it says: Delta tables that anything can open."""

    root: str = Field(default="unbidden-lake", description="A folder, or s3://bucket/path.", min_length=1)
    options: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "For s3://: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a store that is not Amazon's, AWS_ENDPOINT_URL (with "
            'AWS_ALLOW_HTTP = "true" if it is http), as delta-rs knows them; env:NAME or file:/path names a secret. Commits are conditional puts '
            "(If-None-Match), which the store must know; never set AWS_S3_ALLOW_UNSAFE_RENAME."
        ),
    )
    keep_raw_days: int = Field(default=30, ge=1, description="Rows as they came are kept for so many days after their arrival.")
    keep_event_days: int = Field(default=400, ge=8, description="What they say is kept for so many days.")
    keep_unread_days: int = Field(default=90, ge=1, description="What could not be read is kept for so many days.")
    compact_every_s: float = Field(default=900.0, gt=0, description="How often many small files are made into few, in seconds.")

    def options_of(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The options with their secrets."""
        return {name: secret_of(value, environment).text if value.startswith(("env:", "file:")) else value for name, value in self.options.items()}


class JudgeSettings(_Part):
    """How people are judged; the same as the options of `unbidden scan`."""

    people: Path | None = Field(default=None, description="CSV of people: user, aliases (;), department, privileged, service, time_zone.")
    trust: Path | None = Field(default=None, description="Own egress and announced exercises: a CIDR or AS number, a comma, a note.")
    geo: tuple[Path, ...] = Field(default=(), description="Databases in MaxMind's format for addresses of which the logs say no place.")
    lists: tuple[str, ...] = Field(default=(), description="Addresses of a kind, one a line: tor=exits.txt.")
    detections: Path | None = Field(default=None, description="A folder of your own detections, run beside ours.")
    history_days: int = Field(default=30, ge=8, description="How far back people's habits are looked at.")
    lag_s: float = Field(
        default=0.0,
        ge=0,
        description="Judge so many seconds behind the clock, so that answers which come late are there before a prompt counts as unanswered.",
    )
    clock: Literal["wall", "events"] = Field(default="wall", description="wall judges as of now; events judges as of the newest event, for replaying old logs.")
    alert_within_s: float = Field(
        default=86_400.0,
        gt=0,
        description="Alert only on incidents that went on within so many seconds before they were found; the desk has older ones, too.",
    )


class HealthSettings(_Part):
    """How the server says how it is, and when it tells people that it has gone blind."""

    enabled: bool = Field(default=True, description="Answer /healthz, /readyz, /health and /metrics at an address of its own.")
    address: str = Field(default="127.0.0.1", description="The address to listen at for them.", min_length=1)
    port: int = Field(default=9187, ge=0, le=65535, description="The port to listen at; 0 takes a free one.")
    at_http_door: bool = Field(default=False, description="Answer them at the HTTP door, too: whoever can push to it can then ask how the server is.")
    token: Reference | None = Field(
        default=None,
        description="The bearer token for /health and /metrics: env:NAME or file:/path. Without it only this machine itself may ask.",
    )
    every_s: float = Field(default=15.0, gt=0, description="How often all is looked at, in seconds.")
    alarms: bool = Field(default=True, description="Alert when the server has gone blind: a silent source, an outcome that is no longer shown.")
    habit_days: int = Field(default=28, ge=8, description="The habits of sources are learnt from so many days of the lake.")
    patience: float = Field(default=3.0, ge=1, description="Silence is an alarm when it is so many times as long as usual silences, counted in rows missed.")
    silent_at_least_s: float = Field(default=900.0, ge=0, description="A shorter silence is never an alarm, in seconds.")
    silent_after_s: float = Field(default=259_200.0, gt=0, description="While the habit of a source is not known yet, so long a silence is an alarm.")
    stuck_after_s: float = Field(default=300.0, gt=0, description="The server is stuck when one of its parts has not moved for so long, in seconds.")


class CanarySettings(_Part):
    """A made-up bombing that goes through the whole server now and then, to see that it would be found. Nobody is alerted of it."""

    enabled: bool = Field(default=False, description="Send it. It is off in any case where [judge] clock is events.")
    every_s: float = Field(default=3600.0, ge=60, description="How often, in seconds.")
    person: str = Field(default="unbidden-canary@invalid", min_length=3, description="Whom it is about: nobody real.")
    within_s: float = Field(default=300.0, gt=0, description="It is an alarm when it is not found within so many seconds.")


class Settings(_Part):
    """The whole configuration."""

    name: str = Field(default="unbidden", description="What this server calls itself in alerts, logs and metrics.", min_length=1)
    log: Literal["json", "text"] = Field(default="text", description="How the server writes its own log, to standard error.")
    lake: LakeSettings = Field(default_factory=LakeSettings)
    desk: DeskSettings = Field(default_factory=DeskSettings)
    judge: JudgeSettings = Field(default_factory=JudgeSettings)
    doors: Doors = Field(default_factory=Doors)
    health: HealthSettings = Field(default_factory=HealthSettings)
    canary: CanarySettings = Field(default_factory=CanarySettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    source: Annotated[dict[str, Source], AfterValidator(_named)] = Field(default_factory=dict, description="What is fetched, by name.")
    alert: Annotated[dict[str, Target], AfterValidator(_named)] = Field(default_factory=dict, description="Who is told, by name.")


def read_settings(file: Path) -> Settings:
    """The settings of a TOML file, with its paths taken from the file's folder.

    Raises UnusableInputError with all that is wrong, one a line: the file, the place, why and, of a key that nobody knows, what may be meant.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    return settings_of(text, file)


def settings_of(text: str, file: Path) -> Settings:
    """The settings of a text that is, or is to be, that of a file. Raises UnusableInputError as `read_settings` does."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where, why = syntax_of(error, text)
        raise UnusableInputError(f"{file}{f', {where}' if where else ''}: {why}") from error
    try:
        return placed(Settings.model_validate(told), file.parent)
    except ValidationError as error:
        raise UnusableInputError("\n".join(f"{file}: {fault}" for fault in faults_of(error, Settings))) from error
