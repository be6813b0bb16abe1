"""Settings of the doors. Secrets are references (`env:NAME`, `file:/path`), never texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from unbidden.credentials import is_reference
from unbidden.providers import registry

MIB = 1 << 20
# What in a Kafka client's options is a secret, and so may only be a reference.
KAFKA_SECRETS = frozenset({"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"})
# What keeps rows from being lost is not for options to change.
KAFKA_FIXED = frozenset({"bootstrap.servers", "group.id", "enable.auto.commit", "enable.auto.offset.store"})


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError("a secret is named by env:NAME or file:/path; it is never written into the configuration itself")
    return text


def _provider(text: str | None) -> str | None:
    if text is not None and text not in registry():
        raise ValueError(f"there is no provider '{text}'; the known ones are: {', '.join(registry())}")
    return text


Reference = Annotated[str, AfterValidator(_reference)]
Provider = Annotated[str | None, AfterValidator(_provider)]


class _Settings(BaseModel):
    # An error shows no input, for it may be a secret that was written where its name belongs.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Token(_Settings):
    """A sender that may push over HTTP, known by its token."""

    source: str = Field(description="The name under which its rows are kept and counted.", min_length=1)
    secret: Reference = Field(description="The token: env:NAME or file:/path.")
    provider: Provider = Field(default=None, description="Take every row as this provider's; without it rows are recognised.")


class HecToken(Token):
    """A sender that speaks the protocol of Splunk's HTTP Event Collector."""

    acknowledges: bool = Field(
        default=False,
        description="Answer at once with an ackId, and tell at /services/collector/ack when the rows are kept. Without it the answer waits until they are.",
    )


class OktaHook(_Settings):
    """Okta event hooks."""

    source: str = Field(default="okta-hook", description="The name under which its rows are kept and counted.", min_length=1)
    secret: Reference = Field(description="What Okta sends in the Authorization header: env:NAME or file:/path.")


class Notifications(_Settings):
    """Change notifications of Microsoft Graph."""

    source: str = Field(default="graph-notifications", description="The name under which its rows are kept and counted.", min_length=1)
    client_state: Reference = Field(description="The clientState of the subscriptions: env:NAME or file:/path.")
    provider: Provider = Field(default=None, description="Take every row as this provider's; without it rows are recognised.")


class Http(_Settings):
    """The HTTP door: Splunk HEC, plain pushes, Okta event hooks, notifications of Microsoft Graph."""

    address: str = Field(default="127.0.0.1", description="The address to listen at; 0.0.0.0 and :: are all of the machine's.")
    port: int = Field(default=8088, description="The port to listen at; 0 takes a free one.", ge=0, le=65535)
    certificate: Path | None = Field(default=None, description="The certificate with its chain, as PEM. Without it there is no TLS.")
    key: Path | None = Field(default=None, description="The certificate's private key, as PEM.")
    max_body: int = Field(default=16 * MIB, description="The largest body of a request, in bytes as sent.", ge=1)
    max_unpacked: int = Field(default=128 * MIB, description="The largest body of a request, in bytes as unpacked.", ge=1)
    header_within_s: int = Field(default=10, description="How long a sender may take for the head of a request, in seconds.", ge=1)
    body_within_s: float = Field(default=30.0, description="How long a sender may take for the body of a request, in seconds.", gt=0)
    confirm_within_s: float = Field(default=30.0, description="How long a request waits for its rows to be kept before the sender is told to try again.", gt=0)
    max_waiting: int = Field(default=4096, description="How many requests may wait for their rows to be kept at once.", ge=1)
    hec: tuple[HecToken, ...] = Field(default=(), description="Senders that speak Splunk HEC.")
    push: tuple[Token, ...] = Field(default=(), description="Senders that push JSON to /v1/ingest with a bearer token.")
    okta: OktaHook | None = Field(default=None, description="Okta event hooks at /v1/okta/events.")
    graph: Notifications | None = Field(default=None, description="Notifications of Microsoft Graph at /v1/graph/notifications.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("TLS needs both a certificate and its key")
        return self


class Listener(_Settings):
    """One socket at which lines of syslog arrive."""

    transport: Literal["tcp", "udp", "tls"] = Field(default="tcp", description="tcp, tls or udp. UDP loses lines when there is no room, TCP and TLS wait.")
    address: str = Field(default="127.0.0.1", description="The address to listen at.")
    port: int = Field(default=5514, description="The port to listen at; 0 takes a free one.", ge=0, le=65535)
    source: str = Field(default="syslog", description="The name under which its rows are kept and counted.", min_length=1)
    provider: Provider = Field(default=None, description="Take every row as this provider's; without it rows are recognised.")
    certificate: Path | None = Field(default=None, description="tls: the certificate with its chain, as PEM.")
    key: Path | None = Field(default=None, description="tls: the certificate's private key, as PEM.")
    clients: Path | None = Field(default=None, description="tls: the authorities whose client certificates are accepted; without it none is asked for.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.transport == "tls" and (self.certificate is None or self.key is None):
            raise ValueError("tls needs a certificate and its key")
        return self


class Syslog(_Settings):
    """The syslog door."""

    listeners: tuple[Listener, ...] = Field(default=(), description="Where to listen.")
    max_line: int = Field(default=MIB // 4, description="The longest line in bytes; what is longer is cut.", ge=480)
    max_connections: int = Field(default=1024, description="How many connections may be open at each listener.", ge=1)
    idle_s: float = Field(default=600.0, description="A connection that is silent for so long is closed, in seconds.", gt=0)
    batch_rows: int = Field(default=1000, description="Lines are handed on when there are so many.", ge=1)
    batch_s: float = Field(default=0.1, description="Lines are handed on at the latest after so long, in seconds.", gt=0)
    max_pending: int = Field(default=20_000, description="How many lines of a listener may wait for room.", ge=1)


class Folder(_Settings):
    """A watched folder."""

    path: Path = Field(description="The folder.")
    source: str = Field(default="folder", description="The name under which its rows are kept and counted.", min_length=1)
    provider: Provider = Field(default=None, description="Take every row as this provider's; without it rows are recognised.")
    pattern: str = Field(default="*", description="Which files, as a pattern of names: *.json, okta-*.gz.", min_length=1)
    is_deep: bool = Field(default=False, description="Look into the folders inside it, too.")
    every_s: float = Field(default=2.0, description="How often to look, in seconds.", gt=0)
    stable_s: float = Field(default=10.0, description="A document, a packed file or an unfinished last line is taken when nothing changed for so long.", ge=0)
    done: Path | None = Field(
        default=None,
        description="Documents and packed files are moved to this folder when their rows are kept; without it they stay. It must lie outside of it.",
    )
    lot_rows: int = Field(default=5000, description="How many rows are handed over at once.", ge=1)
    max_line: int = Field(default=8 * MIB, description="The longest line in bytes; what is longer is cut.", ge=1024)


class Kafka(_Settings):
    """A Kafka consumer; Azure Event Hubs are read the same way."""

    servers: str = Field(description="The brokers: host:port, several with commas.", min_length=1)
    topics: tuple[str, ...] = Field(description="The topics to read.", min_length=1)
    group: str = Field(default="unbidden", description="The consumer group: where to go on is kept for it by the brokers.", min_length=1)
    source: str = Field(default="kafka", description="The name under which its rows are kept and counted.", min_length=1)
    provider: Provider = Field(default=None, description="Take every row as this provider's; without it rows are recognised.")
    batch_messages: int = Field(default=1000, description="How many messages are handed over at once.", ge=1)
    max_outstanding: int = Field(default=8, description="How many batches may wait to be kept before no more is read.", ge=1)
    options: dict[str, str] = Field(
        default_factory=dict,
        description="More settings of librdkafka, such as security.protocol; a value env:NAME or file:/path stands for a secret.",
    )

    @field_validator("options")
    @classmethod
    def _are_safe(cls, options: dict[str, str]) -> dict[str, str]:
        if fixed := sorted(KAFKA_FIXED & options.keys()):
            raise ValueError(f"{', '.join(fixed)}: not for options to set")
        if told := sorted(name for name in KAFKA_SECRETS & options.keys() if not is_reference(options[name])):
            raise ValueError(f"{', '.join(told)}: a secret is named by env:NAME or file:/path; it is never written into the configuration itself")
        return options


class Doors(_Settings):
    """All doors; each is open when it is configured."""

    http: Http | None = Field(default=None, description="HTTP: Splunk HEC, plain pushes, Okta event hooks, notifications of Microsoft Graph.")
    syslog: Syslog | None = Field(default=None, description="Syslog over TCP, TLS and UDP.")
    folders: tuple[Folder, ...] = Field(default=(), description="Watched folders.")
    kafka: tuple[Kafka, ...] = Field(default=(), description="Kafka topics and Azure Event Hubs.")
