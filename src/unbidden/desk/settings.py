"""The desk's part of the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from unbidden.credentials import is_reference, secret_of


class DeskSettings(BaseModel):
    """Where the desk is kept: the table `[desk]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="sqlite:///unbidden-desk.db",
        description="Where incidents and alerts are kept: sqlite:///file.db, or postgresql://user@host/database (needs unbidden[postgres]). "
        "A URL with a password is named by env:NAME or file:/path.",
    )

    keep_sent_days: int = Field(
        default=90,
        ge=1,
        description="What was sent, or given up, is kept for so many days, and never shorter than an incident is looked back on (history_days).",
    )

    keep_news_days: int = Field(
        default=30,
        ge=1,
        description="What live pages and streams are told is kept for so many days; whoever was away for longer is told to look at everything anew.",
    )

    def url_of(self, environment: Mapping[str, str]) -> str:
        """The URL itself. Raises UnusableInputError when it is a reference that leads nowhere."""
        return secret_of(self.url, environment).text if is_reference(self.url) else self.url
