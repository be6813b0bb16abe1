"""Damage to a lake in a bucket: what is gone, cut or zeroed is named, repair takes it off the list, and its events are made again of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from tests.lake.conftest import Place
from tests.lake.rows import NOW, add_events, lot, texts
from tests.live.rig import okta
from unbidden import engine
from unbidden.ingest.arrive import arrive
from unbidden.lake import Lake, LakeError
from unbidden.lake.files import File
from unbidden.live.repair import repair


@dataclass(slots=True)
class Objects:
    """The objects of a bucket, as their owner can change them."""

    client: Any
    bucket: str

    def damage(self, file: File, how: str) -> None:
        """Do something to an object."""
        key = f"lake/{file.table}/{file.path}"
        if how == "gone":
            self.client.delete_object(Bucket=self.bucket, Key=key)
            return
        data = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        changed = data[: len(data) // 2] if how == "cut" else data[:4] + bytes(len(data) - 300) + data[-296:]
        self.client.put_object(Bucket=self.bucket, Key=key, Body=changed)

    def names(self, prefix: str) -> list[str]:
        """What there is."""
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])]


@pytest.fixture
def objects(bucket: Place, store: str) -> Iterator[Objects]:
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1", aws_access_key_id="dummy", aws_secret_access_key="dummy")  # noqa: S106 - it opens nothing
    yield Objects(client, bucket.root.removeprefix("s3://").partition("/")[0])
    client.close()


def _filled(lake: Lake) -> None:
    """Three commits of rows, and the events that they say."""
    con = engine.connect()
    for number in (1, 2, 3):
        one = lot(okta(NOW, number), cursor=number)
        lake.append([one], NOW)
        arrive(con, [one])
        lake.append_events(con, "event", number, NOW)
    con.close()


def _ids(lake: Lake) -> list[str]:
    with engine.plain() as con:
        lake.load(con, "event", "past")
        return [str(row[0]) for row in engine.rows(con, "SELECT event_id FROM past ORDER BY ALL")]


@pytest.mark.parametrize("how", ["gone", "cut", "zeroed"])
def test_a_damaged_object_of_events_is_taken_off_and_its_events_are_made_again(bucket: Place, objects: Objects, how: str) -> None:
    lake = bucket.open()
    _filled(lake)
    whole, hurt = _ids(lake), lake.reader.present("event")[1]
    objects.damage(hurt, how)
    lake = bucket.open()
    with pytest.raises(LakeError, match="unbidden lake repair"):
        _ids(lake)
    damages, count = repair(lake, NOW)
    assert ([damage.file.path for damage in damages], count) == ([hurt.path], 1)
    assert _ids(bucket.open()) == whole
    assert objects.names("lake/damaged/") == ([] if how == "gone" else [f"lake/damaged/event/{hurt.path}"])
    assert repair(bucket.open(), NOW) == ([], 0)


@pytest.mark.parametrize("how", ["gone", "cut"])
def test_a_damaged_object_of_rows_is_taken_off_and_the_rest_goes_on(bucket: Place, objects: Objects, how: str) -> None:
    lake = bucket.open()
    _filled(lake)
    hurt = next(file for file in lake.reader.present("raw") if file.last == 2)
    objects.damage(hurt, how)
    lake = bucket.open()
    with pytest.raises(LakeError, match="unbidden lake repair"):
        texts(lake)
    damages, count = repair(lake, NOW)
    assert ([damage.file.path for damage in damages], count) == ([hurt.path], 0)
    lake = bucket.open()
    assert [sequence for sequence, _, _ in texts(lake)] == [1, 3]
    assert (lake.cursor("okta"), len(_ids(lake))) == ({"page": "3"}, 3)
    assert lake.append([lot("row 4", cursor=4)], NOW) == 4


def test_a_store_that_is_away_is_no_damage(bucket: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = bucket.open()
    add_events(lake, range(2), 1)
    present: Callable[..., list[File]] = lake.reader.present
    found = present("event")
    monkeypatch.setattr(type(lake.reader), "present", lambda _self, _name: found)
    lake.reader.options = {**bucket.options, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "max_retries": "0", "retry_timeout": "1s"}
    with pytest.raises(LakeError, match="the lake cannot be read"):
        lake.reader.damaged("event")
