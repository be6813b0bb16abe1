"""The Kafka door: topics as a member of a consumer group; Azure Event Hubs the same way. Offsets are committed after the rows are kept, never before."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from unbidden.credentials import is_reference, secret_of
from unbidden.doors.bodies import records, text_of
from unbidden.doors.counts import Counts
from unbidden.doors.settings import Kafka
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.intake import FullError, Intake, Lot, Ticket

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition

Spot: TypeAlias = tuple[str, int]
"""Topic and partition."""

_LOG = logging.getLogger(__name__)
_POLL_S = 0.5
_ROOM_S = 0.2
# How long a partition that is taken away may wait for its rows to be kept.
_REVOKE_S = 10.0
_STOP_S = 5.0


class _Library(Protocol):
    """What is needed of confluent-kafka."""

    Consumer: type[Consumer]
    TopicPartition: type[TopicPartition]
    KafkaException: type[Exception]


@dataclass(slots=True)
class _Batch:
    """Messages that were handed over: where each partition began, and where to go on behind them."""

    ticket: Ticket
    first: dict[Spot, int]
    after: dict[Spot, int]


@dataclass(slots=True)
class Door:
    """One consumer. `run` reads until `stopping` is set, from any thread of its own. Raises UnbiddenError when it cannot go on."""

    settings: Kafka
    intake: Intake
    environment: Mapping[str, str]
    counts: Counts = field(default_factory=Counts)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    stopping: threading.Event = field(default_factory=threading.Event)
    _library: _Library | None = None
    _outstanding: deque[_Batch] = field(default_factory=deque)
    _mine: set[Spot] = field(default_factory=set)

    def run(self) -> None:
        """Read, hand over, and commit what is kept, until `stopping` is set."""
        library = self._library = _load()
        try:
            consumer = library.Consumer(self._configuration(), logger=_LOG)
        except library.KafkaException as error:
            raise UnusableInputError(f"kafka {self.settings.servers}: {error}") from error
        try:
            consumer.subscribe(list(self.settings.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
            while not self.stopping.is_set():
                self._confirm(consumer, 0)
                if len(self._outstanding) >= self.settings.max_outstanding:
                    self._confirm(consumer, _POLL_S)
                    self._keep_alive(consumer)
                else:
                    self._hand_over(consumer, consumer.consume(self.settings.batch_messages, _POLL_S))
            self._finish(consumer, _STOP_S)
        except library.KafkaException as error:
            raise UnbiddenError(f"kafka {self.settings.servers}: {error}") from error
        finally:
            consumer.close()

    def _configuration(self) -> dict[str, object]:
        options = {name: secret_of(value, self.environment).text if is_reference(value) else value for name, value in self.settings.options.items()}
        return {
            "auto.offset.reset": "earliest",
            "error_cb": lambda error: _LOG.warning("kafka: %s", error.code()),
            **options,
            "bootstrap.servers": self.settings.servers,
            "group.id": self.settings.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
        }

    def _hand_over(self, consumer: Consumer, messages: Sequence[Message]) -> None:
        good = [message for message in messages if self._is_good(message)]
        if not good:
            return
        texts: list[str] = []
        first: dict[Spot, int] = {}
        after: dict[Spot, int] = {}
        for message in good:
            spot, offset = (str(message.topic()), _number(message.partition())), _number(message.offset())
            first.setdefault(spot, offset)
            after[spot] = offset + 1
            value = message.value()
            texts += records(text_of(value)).texts if isinstance(value, bytes) else ()
        ticket = self._offer(consumer, Lot(self.settings.source, tuple(texts), self.clock(), self.settings.provider)) if texts else _kept()
        if ticket is not None:
            self._outstanding.append(_Batch(ticket, first, after))

    def _is_good(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal():
            raise UnbiddenError(f"kafka {self.settings.servers}: {error}")
        self.counts.lose(self.settings.source, self.clock(), problem=str(error))
        return False

    def _offer(self, consumer: Consumer, lot: Lot) -> Ticket | None:
        """The ticket, once there is room; nothing is read meanwhile. None when the door closes first: the messages come again."""
        while not self.stopping.is_set():
            try:
                ticket = self.intake.offer(lot, self.monotonic(), _ROOM_S)
            except FullError:
                self._confirm(consumer, 0)
                self._keep_alive(consumer)
                continue
            self.counts.accept(self.settings.source, len(lot.texts), sum(map(len, lot.texts)), lot.received_at)
            return ticket
        return None

    def _keep_alive(self, consumer: Consumer) -> None:
        """Stay a member of the group without being given messages."""
        held = consumer.assignment()
        if held:
            consumer.pause(held)
        stray = consumer.consume(1, 0.05)
        if held := consumer.assignment():
            consumer.resume(held)
        # What was on its way when reading paused is read again.
        for message in stray:
            if message.error() is None:
                self._seek(consumer, {(str(message.topic()), _number(message.partition())): _number(message.offset())})

    def _confirm(self, consumer: Consumer, timeout_s: float) -> None:
        """Commit the batches that are kept, in their order; go back to the first one that could not be kept."""
        after: dict[Spot, int] = {}
        while self._outstanding:
            batch = self._outstanding[0]
            try:
                if not batch.ticket.wait(0 if after else timeout_s):
                    break
            except UnbiddenError as error:
                self._go_back(consumer, str(error))
                break
            after |= batch.after
            self._outstanding.popleft()
        self._commit(consumer, after)

    def _commit(self, consumer: Consumer, after: Mapping[Spot, int]) -> None:
        library = self._library
        spots = [(topic, partition, offset) for (topic, partition), offset in sorted(after.items()) if (topic, partition) in self._mine]
        if library is None or not spots:
            return
        try:
            consumer.commit(offsets=[library.TopicPartition(*spot) for spot in spots], asynchronous=False)
        except library.KafkaException as error:
            # The rows are kept; the messages come once more, and are known by their ids.
            self.counts.lose(self.settings.source, self.clock(), problem=f"the offsets cannot be committed: {error}")

    def _go_back(self, consumer: Consumer, why: str) -> None:
        """Read again from the first batch that was not kept."""
        self.counts.lose(self.settings.source, self.clock(), problem=f"rows were not kept and are read again: {why}")
        first: dict[Spot, int] = {}
        for batch in self._outstanding:
            first = batch.first | first
        self._outstanding.clear()
        self._seek(consumer, first)

    def _seek(self, consumer: Consumer, spots: Mapping[Spot, int]) -> None:
        library = self._library
        if library is None:
            return
        for spot, offset in spots.items():
            if spot in self._mine:
                consumer.seek(library.TopicPartition(*spot, offset))

    def _finish(self, consumer: Consumer, within_s: float) -> None:
        deadline = self.monotonic() + within_s
        while self._outstanding and self.monotonic() < deadline:
            self._confirm(consumer, _ROOM_S)

    def _assigned(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._mine |= {(part.topic, part.partition) for part in partitions}

    def _revoked(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Commit what is kept before the partitions go to another member."""
        if not self.stopping.is_set():
            self._finish(consumer, _REVOKE_S)
        self._lost(consumer, partitions)

    def _lost(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Another member has the partitions: what is outstanding of them is its own to commit."""
        self._mine -= {(part.topic, part.partition) for part in partitions}


def _kept() -> Ticket:
    """A ticket for messages that hold no row."""
    ticket = Ticket(Lot("", (), datetime.fromtimestamp(0, UTC)), 0)
    ticket.keep()
    return ticket


def _number(value: int | None) -> int:
    return value if value is not None else -1


def _load() -> _Library:
    try:
        library: _Library = importlib.import_module("confluent_kafka")
    except ImportError as error:
        raise UnusableInputError("the Kafka door needs confluent-kafka; install unbidden[kafka]") from error
    return library
