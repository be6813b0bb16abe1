"""A lake in a folder and in S3: what is kept comes back, with the cursors, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from deltalake import DeltaTable, write_deltalake

from tests.lake.conftest import Place
from tests.lake.rows import NOW, add_events, lot, rows, texts
from unbidden import engine
from unbidden.lake import LakeError, log, tables


def test_rows_and_cursors_come_back_after_a_restart(place: Place) -> None:
    lake = place.open()
    assert lake.append([lot("a", "ü\n\x00'\"", cursor=1), lot("b", source="duo"), lot(cursor=7, source="empty")], NOW) == 1
    assert lake.append([lot("c", cursor=2)], NOW + timedelta(days=1)) == 2
    lake = place.open()
    assert (lake.sequence, lake.cursor("okta"), lake.cursor("empty"), lake.cursor("duo")) == (2, {"page": "2"}, {"page": "7"}, None)
    assert texts(lake) == [(1, "okta", ("a", "ü\n\x00'\"")), (1, "duo", ("b",)), (2, "okta", ("c",))]
    assert texts(lake, 1) == [(2, "okta", ("c",))]
    assert [kept.lots[0].received_at for kept in lake.kept_after(1)] == [NOW]
    assert not place.told


def test_a_table_is_read_from_a_day_on(place: Place) -> None:
    lake = place.open()
    lake.append([lot("old", days=3), lot("new")], NOW)
    add_events(lake, range(3), 1, day=3)
    add_events(lake, range(3, 5), 2)
    lake.append_unread([(2, NOW, "okta", 1, "no log", "x"), (2, NOW - timedelta(days=3), "okta", 2, "no log", "y")], 2, NOW)
    for table, expected in (("raw", 1), ("event", 2), ("unread", 1)):
        with engine.plain() as con:
            lake.view(con, table, (NOW - timedelta(days=1)).date())
            assert engine.one(con, f"SELECT count(*) FROM {table}") == expected, table
            lake.view(con, table, (NOW + timedelta(days=1)).date())
            assert engine.one(con, f"SELECT count(*) FROM {table}") == 0, table
    with engine.plain() as con:
        lake.load(con, "event", "past")
        assert engine.one(con, "SELECT count(*) FROM past WHERE login = 'müller' AND occurred_at = TIMESTAMP '2026-11-28 12:00:00'") == 2
    assert (lake.reached("event"), lake.reached("unread")) == (2, 2)
    add_events(lake, range(9), 2)
    assert len(rows(lake, "event", "event_id")) == 5, "what reaches as far already is not added again"


def test_receipts_are_looked_for_in_recent_days_only(place: Place) -> None:
    lake = place.open()
    lake.append([lot("a", receipt="r1", days=5), lot("b", receipt="r2"), lot("c")], NOW)
    assert lake.receipts(["r1", "r2", "r3"]) == {"r1", "r2"}
    assert lake.receipts(["r1", "r2", "r3"], NOW.date()) == {"r2"}


def test_old_days_go_wholly_and_the_cursors_stay(place: Place) -> None:
    lake = place.open()
    for day in (5, 4, 3, 2, 1, 0):
        lake.append([lot(f"day {day}", cursor=day, source=f"s{day}", days=day)], NOW)
    lake.forget({"raw": 2}, NOW)
    assert [row[3] for row in rows(lake)] == ["day 2", "day 1", "day 0"]
    lake.compact()
    lake = place.open()
    assert [sequence for sequence, _, _ in texts(lake, 4)] == [5, 6]
    assert [sequence for sequence, _, _ in texts(lake)] == [4, 5, 6]
    assert [lake.cursor(f"s{day}") for day in range(6)] == [{"page": str(day)} for day in range(6)]
    assert lake.append([lot("next", cursor=9)], NOW) == 7


def test_what_others_do_to_the_tables_disturbs_nothing(place: Place) -> None:
    lake = place.open()
    for number in range(1, 6):
        lake.append([lot(f"row {number}", cursor=number)], NOW)
    other = DeltaTable(tables.place(place.root, "raw"), storage_options=place.options or None)
    other.optimize.compact()
    assert lake.append([lot("row 6", cursor=6)], NOW) == 6
    other.update_incremental()
    with engine.plain() as con:
        lake.view(con, "raw")
        foreign = con.sql("SELECT * REPLACE (99 AS number, 'theirs' AS body, NULL AS cursor), DATE '2026-11-28' AS day FROM raw WHERE sequence = 6")
        write_deltalake(other, foreign, mode="append")
    for _ in range(40 if place.is_local else 2):
        other.alter.set_table_description("mine")
    assert lake.append([lot("row 7", cursor=7)], NOW) == 7
    for _ in range(40 if place.is_local else 2):
        other.alter.set_table_description("mine")
    other.create_checkpoint()
    lake = place.open()
    assert (lake.sequence, lake.cursor("okta"), len(rows(lake))) == (7, {"page": "7"}, 8)


def test_cursors_come_from_the_rows_when_the_log_was_cut_short(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = place.open()
    lake.append([lot("a", cursor=1), lot("b", cursor=2, source="duo")], NOW)
    lake.append([lot("c", cursor=3)], NOW)
    monkeypatch.setattr(log, "_word", lambda _commit: log.Word())
    lake = place.open()
    assert (lake.sequence, lake.cursor("okta"), lake.cursor("duo")) == (2, {"page": "3"}, {"page": "2"})
    assert lake.append([lot("d", cursor=4)], NOW) == 3


def test_upkeep_that_says_an_older_word_is_not_believed(place: Place) -> None:
    lake = place.open()
    lake.append([lot("a", cursor=1)], NOW)
    old = log.Word(1, {"okta": {"page": "1"}}, lake.writer).properties()
    lake.append([lot("b", cursor=2)], NOW)
    DeltaTable(tables.place(place.root, "raw"), storage_options=place.options or None).optimize.compact(commit_properties=old)
    lake = place.open()
    assert (lake.sequence, lake.cursor("okta")) == (2, {"page": "2"})


def test_the_second_server_is_refused_and_the_first_is_not_disturbed(bucket: Place) -> None:
    first, second = bucket.open(), type(bucket)(bucket.root, bucket.options).open()
    first.append([lot("a", cursor=1)], NOW)
    for _ in range(2):
        with pytest.raises(LakeError, match="another server writes this lake"):
            second.append([lot("x", cursor=100)], NOW)
        second.compact()
    assert first.append([lot("b", cursor=2)], NOW) == 2
    with pytest.raises(LakeError, match="another server writes this lake"):
        second.append([lot("x", cursor=100)], NOW)
    assert texts(first) == [(1, "okta", ("a",)), (2, "okta", ("b",))]
    assert bucket.open().cursor("okta") == {"page": "2"}


def test_a_folder_is_locked(folder: Place) -> None:
    folder.open()
    with pytest.raises(LakeError, match="another server writes this lake; stop it first"):
        type(folder)(folder.root, folder.options).open()


def test_a_place_that_cannot_be_reached_is_named(store: str) -> None:
    options = {"AWS_ENDPOINT_URL": store, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    with pytest.raises(LakeError, match="s3://no-such-bucket/lake: the lake cannot be opened: ") as caught:
        Place("s3://no-such-bucket/lake", options).open()
    assert "unknown" not in str(caught.value)
