"""The Kafka door, against the mock cluster of librdkafka: nothing is committed before it is kept, and a restart loses nothing."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import confluent_kafka
import pytest
from pydantic import ValidationError

from tests.doors.lake import Lake, running, until
from tests.test_ingest import row
from unbidden.doors.kafka import Door
from unbidden.doors.settings import Kafka
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.intake import Intake

TOPIC = "signins"
FAST = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "300", "fetch.wait.max.ms": "50", "topic.metadata.refresh.interval.ms": "500"}


@dataclass(slots=True)
class Cluster:
    """Brokers that live in this process."""

    producer: confluent_kafka.Producer
    servers: str

    def send(self, *values: str | None) -> None:
        """Send messages, and return when the brokers have them."""
        for value in values:
            self.producer.produce(TOPIC, value)
        assert self.producer.flush(10) == 0

    def committed(self, group: str = "unbidden") -> int:
        """How many messages the group has committed."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.servers, "group.id": group})
        try:
            spots = consumer.committed([confluent_kafka.TopicPartition(TOPIC, number) for number in range(4)], 10)
            return sum(max(spot.offset, 0) for spot in spots)
        finally:
            consumer.close()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    producer = confluent_kafka.Producer({"bootstrap.servers": "mock:1", "test.mock.num.brokers": 2, "linger.ms": 0, "log_level": 0})
    told = producer.list_topics(timeout=10)
    found = Cluster(producer, ",".join(f"{broker.host}:{broker.port}" for broker in told.brokers.values()))
    found.send(json.dumps(row(0)))
    yield found
    producer.flush(1)


@contextmanager
def reading(cluster: Cluster, lake: Lake, environment: Mapping[str, str] | None = None, **settings: object) -> Iterator[Door]:
    told = Kafka(servers=cluster.servers, topics=(TOPIC,), options=FAST, **settings)  # type: ignore[arg-type]
    door = Door(told, lake.intake, environment or {})
    thread = threading.Thread(target=door.run, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.stopping.set()
        thread.join(20)
        assert not thread.is_alive()


def test_records_lines_and_pages_are_taken_and_committed_when_they_are_kept(cluster: Cluster) -> None:
    page = json.dumps({"records": [row(3), row(4)]})
    cluster.send(json.dumps(row(1)) + "\n" + json.dumps(row(2)), page, None, "", "no json")
    with running() as lake, reading(cluster, lake, source="hub", provider="okta") as door:
        until(lambda: len(lake.texts) == 5, 30)
        until(lambda: cluster.committed() == 6, 10)
    assert sorted(lake.texts) == sorted([json.dumps(row(0)), json.dumps(row(1)), json.dumps(row(2)), page, "no json"])
    assert {(lot.source, lot.provider) for lot in lake.lots} == {("hub", "okta")}
    assert door.counts.snapshot()["hub"].accepted == 5


def test_a_restart_in_the_middle_loses_nothing(cluster: Cluster) -> None:
    sent = [json.dumps({"n": number}) for number in range(300)]
    cluster.send(*sent)
    with running(limit=3) as lake, reading(cluster, lake, batch_messages=20):
        until(lambda: lake.is_stuck, 30)
        # Nothing more is kept now; what was read meanwhile is not committed.
        until(lambda: cluster.committed() > 0, 10)
        committed, kept = cluster.committed(), list(lake.texts)
        assert committed <= len(kept) < 300
        lake.stop()
    with running() as after, reading(cluster, after, batch_messages=20):
        until(lambda: set(kept) | set(after.texts) >= set(sent), 30)
        until(lambda: cluster.committed() == 301, 10)
    assert len(kept) + len(after.texts) <= 301 + len(kept) - committed


def test_rows_that_could_not_be_kept_are_read_again(cluster: Cluster) -> None:
    sent = [json.dumps({"n": number}) for number in range(100)]
    cluster.send(*sent)
    with running(refuse=2) as lake, reading(cluster, lake, batch_messages=10) as door:
        until(lambda: set(lake.texts) >= set(sent), 30)
        until(lambda: cluster.committed() == 101, 10)
        assert "the disk is full" in door.counts.snapshot()["kafka"].problem


def test_a_full_intake_makes_the_reading_wait(cluster: Cluster) -> None:
    sent = [json.dumps({"n": number}) for number in range(100)]
    cluster.send(*sent)
    with running(Intake(rows=10), is_stuck=True) as lake, reading(cluster, lake, batch_messages=10):
        until(lambda: lake.intake.waiting == 10, 30)
        assert cluster.committed() == 0
        lake.is_stuck = False
        until(lambda: set(lake.texts) >= set(sent), 30)
        until(lambda: cluster.committed() == 101, 10)
    assert len(lake.texts) == 101


def test_two_members_of_a_group_lose_nothing_when_one_comes_and_goes(cluster: Cluster) -> None:
    sent = [json.dumps({"n": number}) for number in range(400)]
    with running() as one, running() as two, reading(cluster, one, batch_messages=10):
        cluster.send(*sent[:200])
        until(lambda: len(one.texts) > 50, 30)
        with reading(cluster, two, batch_messages=10):
            cluster.send(*sent[200:300])
            until(lambda: set(one.texts) | set(two.texts) >= set(sent[:300]), 60)
        cluster.send(*sent[300:])
        until(lambda: set(one.texts) | set(two.texts) >= set(sent), 60)


def test_secrets_are_references_and_go_to_the_client_alone() -> None:
    options = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "$ConnectionString", "sasl.password": "env:HUB"}
    door = Door(Kafka(servers="hub.example:9093", topics=("insights-logs-signinlogs",), options=options), Intake(), {"HUB": "Endpoint=sb://x"})
    found = door._configuration()  # noqa: SLF001 - what the client is given cannot be seen elsewhere
    assert found["sasl.password"] == "Endpoint=sb://x"
    assert found["enable.auto.commit"] is False
    assert "Endpoint" not in repr(door.settings)


@pytest.mark.parametrize("options", [{"sasl.password": "secret"}, {"enable.auto.commit": "true"}, {"group.id": "other"}])
def test_options_cannot_hold_secrets_nor_undo_what_keeps_rows(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Kafka(servers="x:1", topics=("a",), options=options)


def test_a_missing_library_and_a_bad_option_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnbiddenError, match=r"no\.such\.option"):
        Door(Kafka(servers="127.0.0.1:1", topics=("a",), options={"no.such.option": "1"}), Intake(), {}).run()
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(UnusableInputError, match=r"unbidden\[kafka\]"):
        Door(Kafka(servers="127.0.0.1:1", topics=("a",)), Intake(), {}).run()
