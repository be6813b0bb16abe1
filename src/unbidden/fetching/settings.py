"""What a user says of each connector: one table `[source.NAME]` each, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from unbidden.credentials import is_reference

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
DAY_S = 86_400


def _url(text: str) -> str:
    parts = urlsplit(text)
    if not parts.hostname or parts.query or parts.fragment or parts.username or not (parts.scheme == "https" or parts.hostname in _LOOPBACK):
        raise ValueError("write an address that begins with https:// and has neither query nor credentials")
    return text.rstrip("/")


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError("a secret is named by env:NAME or file:/path; it is never written into the configuration itself")
    return text


Url = Annotated[str, AfterValidator(_url)]
Reference = Annotated[str, AfterValidator(_reference)]


class Polled(BaseModel):
    """What all connectors have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interval_s: float = Field(default=60, ge=1, description="Seconds from the end of one round to the beginning of the next.")
    lookback_s: int = Field(default=DAY_S, ge=0, description="At the very first start, rows of so many seconds ago are fetched.")
    overlap_s: int = Field(default=600, ge=0, description="Each round reads so many seconds of the one before again, for rows that the vendor wrote late.")


class Okta(Polled):
    """Okta's System Log API."""

    kind: Literal["okta"] = Field(default="okta", description="The connector.")
    url: Url = Field(description="The address of the org: https://example.okta.com.")
    token: Reference | None = Field(default=None, description="An API token (SSWS) of a read-only administrator. Either this, or client_id and private_key.")
    client_id: str | None = Field(default=None, description="The client id of an API services app that is granted okta.logs.read and nothing more.")
    private_key: Reference | None = Field(default=None, description="The private key of that app, as PEM or JWK: Okta grants its scopes for no client secret.")
    key_id: str | None = Field(default=None, description="The key's id (kid), if the app has several keys.")
    page_size: int = Field(default=1000, ge=1, le=1000, description="Rows of a page.")

    @model_validator(mode="after")
    def _has_one_credential(self) -> Okta:
        if (self.token is None) == (self.private_key is None) or (self.private_key is None) != (self.client_id is None):
            raise ValueError("give either token, or client_id and private_key")
        return self


class _Microsoft(Polled):
    """An application of Microsoft Entra ID that signs in with a secret."""

    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]+$", description="The tenant's id, or one of its domains.")
    client_id: str = Field(description="The application's (client) id.")
    client_secret: Reference = Field(description="The application's client secret.")
    authority: Url = Field(default="https://login.microsoftonline.com", description="Where tokens are had; national clouds have their own.")


GraphStream: TypeAlias = Literal["interactive", "non_interactive", "service_principal", "managed_identity", "audits", "risks"]


class Graph(_Microsoft):
    """Microsoft Entra ID's sign-ins, directory audits and risk detections, from Microsoft Graph."""

    kind: Literal["graph"] = Field(default="graph", description="The connector.")
    url: Url = Field(default="https://graph.microsoft.com", description="The address of Microsoft Graph; national clouds have their own.")
    streams: tuple[GraphStream, ...] = Field(
        default=("interactive", "non_interactive", "audits", "risks"), min_length=1, description="Which logs: the kinds of sign-ins, audits, risks."
    )
    page_size: int = Field(default=1000, ge=1, le=1000, description="Rows of a page, for the logs of which Graph lets one choose.")
    lag_s: int = Field(default=120, ge=0, description="Rows of the last so many seconds are left for the next round: they are still being written.")


ContentType: TypeAlias = Literal["Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"]


class M365(_Microsoft):
    """Microsoft 365's unified audit log, from the Office 365 Management Activity API. An hour or more behind: a back-fill, no alarm."""

    kind: Literal["m365"] = Field(default="m365", description="The connector.")
    url: Url = Field(default="https://manage.office.com", description="GCC: https://manage-gcc.office.com; GCC High: https://manage.office365.us.")
    publisher: str = Field(default="", description="Your own tenant's id as the publisher, for a quota of your own.")
    streams: tuple[ContentType, ...] = Field(
        default=("Audit.AzureActiveDirectory", "Audit.Exchange"), min_length=1, description="Which kinds of content; those not yet subscribed to are."
    )
    interval_s: float = Field(default=300, ge=1, description="Seconds from the end of one round to the beginning of the next.")
    overlap_s: int = Field(default=3600, ge=0, description="Each round lists so many seconds again, for content that was listed late; it is fetched once.")


DuoStream: TypeAlias = Literal["authentication", "telephony", "activity", "administrator", "trust_monitor"]


class Duo(Polled):
    """Cisco Duo's logs, from its Admin API."""

    kind: Literal["duo"] = Field(default="duo", description="The connector.")
    url: Url = Field(description="The API hostname of the Admin API application: https://api-XXXXXXXX.duosecurity.com.")
    integration_key: str = Field(description="The integration key of that application.")
    secret_key: Reference = Field(description="The secret key of that application.")
    signature: Literal["v5", "v2"] = Field(default="v5", description="How requests are signed: v5 (HMAC-SHA512), or v2 (HMAC-SHA1) for old API hosts.")
    streams: tuple[DuoStream, ...] = Field(
        default=("authentication", "telephony", "activity", "administrator"), min_length=1, description="Which logs; trust_monitor is no longer sold."
    )
    page_size: int = Field(default=1000, ge=1, le=1000, description="Rows of a page.")
    interval_s: float = Field(default=120, ge=120, description="Seconds from the end of one round to the beginning of the next: Duo asks for two minutes.")
    overlap_s: int = Field(default=120, ge=0, description="Each round reads so many seconds of the one before again.")
    lag_s: int = Field(default=120, ge=120, description="Duo gives no rows of the last two minutes.")


PrivacyIdeaStream: TypeAlias = Literal["authentication_log", "audit"]


class PrivacyIdea(Polled):
    """The two logs of a privacyIDEA server."""

    kind: Literal["privacyidea"] = Field(default="privacyidea", description="The connector.")
    url: Url = Field(description="The address of the server.")
    user: str | None = Field(default=None, description="An administrator whose policies allow auditlog and authentication_log_read, and nothing more.")
    password: Reference | None = Field(default=None, description="That administrator's password. Either user and password, or token.")
    token: Reference | None = Field(default=None, description="A token made for that administrator on the server, in place of user and password.")
    streams: tuple[PrivacyIdeaStream, ...] = Field(
        default=("authentication_log", "audit"), min_length=1, description="Which logs; the authentication log is there since version 3.14."
    )
    page_size: int = Field(default=500, ge=1, le=1000, description="Rows of a page.")
    overlap_s: int = Field(default=60, ge=0, description="Each round reads so many seconds of the one before again.")

    @model_validator(mode="after")
    def _has_one_credential(self) -> PrivacyIdea:
        if (self.token is None) == (self.password is None) or (self.password is None) != (self.user is None):
            raise ValueError("give either token, or user and password")
        return self


Source: TypeAlias = Annotated[Okta | Graph | M365 | Duo | PrivacyIdea, Field(discriminator="kind")]
"""One of the models by its `kind`: what a table `[source.NAME]` of the configuration holds."""

KINDS: dict[str, type[Polled]] = {"okta": Okta, "graph": Graph, "m365": M365, "duo": Duo, "privacyidea": PrivacyIdea}
