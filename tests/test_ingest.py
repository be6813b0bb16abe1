"""Reading: any form, any wrapping, any damage; what is not an event is unread, with the place and the reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from unbidden import engine, ingest
from unbidden.errors import UnusableInputError
from unbidden.providers import registry


def row(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A refused push of a made-up person, as Okta's API gives it."""
    event = {
        "event_id": f"id-{number}", "occurred_at": datetime(2026, 3, 2, 21) + timedelta(seconds=number), "login": "dana@example.com", "user_id": "00u1",
        "kind": "answer", "factor": "push", "outcome": "denied", "ip": "203.0.113.77", "country": "NG", "flow_id": "af-1", "intent": "login", **changes,
    }  # fmt: skip
    return registry()["okta"].render(event)[0]


def flat(record: dict[str, Any], path: str = "") -> dict[str, Any]:
    """A row in the flattened columns of a Sentinel table."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            out |= flat(value, f"{name}_")
        else:
            out[f"{name}_s"] = json.dumps(value) if isinstance(value, list) else "" if value is None else str(value)
    return out


def as_csv(records: list[dict[str, Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def snake(record: Any) -> Any:
    """A row with keys in snake_case."""
    if isinstance(record, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(value) for key, value in record.items()}
    return [snake(item) for item in record] if isinstance(record, list) else record


def read(*paths: Path | str, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    con = engine.connect()
    ingest.read(con, [str(path) for path in paths], **options)
    found = (engine.records(con, f"SELECT * FROM {table} ORDER BY source") for table in ("event", "unread", "source"))
    return next(found), next(found), next(found)


ROWS = [row(0), row(1)]
TEXT = "\n".join(map(json.dumps, ROWS))
FORMS: dict[str, Callable[[], str]] = {
    "json lines": lambda: TEXT,
    "one object": lambda: json.dumps(ROWS[0]),
    "pretty objects one after another": lambda: "\n".join(json.dumps(one, indent=2) for one in ROWS),
    "array": lambda: json.dumps(ROWS),
    "pretty array": lambda: json.dumps(ROWS, indent=4),
    "value": lambda: json.dumps({"@odata.context": "x", "value": ROWS}),
    "a row a line in a page": lambda: '{"@odata.context":"x","value":[\n' + ",\n".join(map(json.dumps, ROWS)) + "\n]}\n",
    "one row in a page, on a line of its own": lambda: '{"stat":"OK","response":{"authlogs":[\n' + json.dumps(ROWS[0]) + '\n],"metadata":{}}}\n',
    "a row a line in an array": lambda: "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "records": lambda: json.dumps({"records": ROWS}),
    "events": lambda: json.dumps({"events": ROWS}),
    "authlogs": lambda: json.dumps({"stat": "OK", "response": {"authlogs": ROWS, "metadata": {"total_objects": 2}}}),
    "splunk result": lambda: "\n".join(json.dumps({"preview": False, "offset": 1, "result": one}) for one in ROWS),
    "splunk raw": lambda: json.dumps([{"result": {"_time": "2026-03-02", "user": "x", "_raw": json.dumps(one)}} for one in ROWS]),
    "elasticsearch": lambda: json.dumps({"hits": {"hits": [{"_index": "logs", "_source": one} for one in ROWS]}}),
    "eventbridge": lambda: "\n".join(json.dumps({"version": "0", "source": "aws.partner/okta.com", "detail-type": "SystemLog", "detail": one}) for one in ROWS),
    "event hook": lambda: json.dumps({"eventType": "com.okta.event_hook", "eventTime": "2026-03-02T21:00:00Z", "data": {"events": ROWS}}),
    "sentinel columns": lambda: json.dumps([flat(one) for one in ROWS]),
    "sentinel columns in a csv file": lambda: "\ufeff" + as_csv([flat(one) for one in ROWS]),
    "semicolons": lambda: as_csv([flat(one) for one in ROWS], ";"),
    "snake case": lambda: json.dumps(snake(ROWS)),
    "upper case": lambda: json.dumps([{key.upper(): value for key, value in one.items()} for one in ROWS]),
    "after a syslog header": lambda: "\n".join(f"<134>Mar  2 21:00:00 host okta: {json.dumps(one)}" for one in ROWS),
    "json in a string": lambda: json.dumps([{"time": "x", "message": json.dumps(one)} for one in ROWS]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_wrapping_gives_the_same_event(form: str, tmp_path: Path) -> None:
    file = tmp_path / "export.whatever"
    file.write_text(FORMS[form](), "utf-8")
    events, unread, sources = read(file)
    assert unread == []
    assert len(events) == (1 if form.startswith("one ") else 2)
    for event in events:
        told = {key: event[key] for key in ("provider", "login", "kind", "factor", "outcome", "ip", "country", "flow_id", "certainty")}
        assert told == {
            "provider": "okta", "login": "dana@example.com", "kind": "answer", "factor": "push", "outcome": "denied", "ip": "203.0.113.77", "country": "NG",
            "flow_id": "af-1", "certainty": "explicit",
        }  # fmt: skip
    assert sources[0]["events"] == len(events)


def test_packed_files_folders_and_patterns_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(json.dumps(row(0)).encode()))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b").write_bytes(zstandard.compress(json.dumps(row(1)).encode()))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("inside/x.json", json.dumps(row(2)))
    (tmp_path / "wide.txt").write_text(json.dumps(row(3)), "utf-16")
    (tmp_path / ".hidden").write_text(json.dumps(row(4)))
    events, unread, sources = read(tmp_path)
    assert {event["event_id"] for event in events} == {f"okta:id-{number}" for number in range(4)}
    assert unread == []
    assert any(source["path"].endswith("c.zip!inside/x.json") for source in sources)
    assert len(read(f"{tmp_path}/*.gz", f"{tmp_path}/a.gz")[0]) == 1


def test_one_bad_line_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "log"
    bad = [b'{"eventType": "user.', b"\xff\xfe garbage", b"not json at all {", b"[" * 5000, b'{"a": "\\ud800"}', b"17"]
    lines = [json.dumps(row(n)).encode() for n in range(4)]
    file.write_bytes(b"\n".join([lines[0], bad[0], lines[1], bad[1], bad[2], b"", lines[2], bad[3], bad[4], bad[5], lines[3]]))
    events, unread, sources = read(file)
    assert len(events) == 4
    assert [piece["line"] for piece in unread] == [2, 4, 5, 8, 9, 10]
    assert all(piece["why"] and piece["path"] == str(file) for piece in unread)
    assert sources[0]["rows"] == 10


def test_a_damaged_end_keeps_what_comes_before(tmp_path: Path) -> None:
    whole = json.dumps([row(n) for n in range(5)], indent=1)
    (tmp_path / "cut.json").write_text(whole[:-200], "utf-8")
    (tmp_path / "cut.gz").write_bytes(gzip.compress("\n".join(json.dumps(row(n)) for n in range(10, 400)).encode())[:-40])
    events, unread, _ = read(tmp_path)
    ids = {event["event_id"] for event in events}
    assert {f"okta:id-{number}" for number in range(4)} <= ids
    assert "okta:id-10" in ids
    assert any("damaged" in piece["why"] for piece in unread)
    assert any(piece["path"].endswith("cut.json") for piece in unread)


def test_a_huge_line_and_a_binary_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "huge").write_text(json.dumps(row(0)) + "\n" + '{"x": "' + "y" * 34_000_000 + '"}\n' + json.dumps(row(1)) + "\n", "utf-8")
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "empty").write_bytes(b"")
    events, unread, _ = read(tmp_path)
    assert len(events) == 2
    why = {Path(piece["path"]).name: (piece["line"], piece["why"]) for piece in unread}
    assert why["huge"] == (2, "the line is longer than 32 MiB")
    assert why["picture"][1] == "a binary file, not a log"
    assert why["empty"][1] == "the file is empty"


def test_a_large_file_with_odd_lines_is_read_whole_and_loses_nothing(tmp_path: Path) -> None:
    lines = [json.dumps(row(n)) for n in range(600)]
    lines[100] = "broken {"
    lines[200] = json.dumps(snake(row(200)))
    lines[300] = json.dumps({"result": row(300)})
    lines[400] = ""
    lines[500] = json.dumps({**row(500), "published": "yesterday"})
    (tmp_path / "big.jsonl").write_text("\n".join(lines), "utf-8")
    for bulk in (True, False):
        events, unread, sources = read(tmp_path / "big.jsonl", bulk=bulk)
        assert {event["event_id"] for event in events} == {f"okta:id-{n}" for n in range(600) if n not in (100, 400, 500)}
        assert sorted((piece["line"] or 0) for piece in unread) == [101, 501]
        assert sources[0]["rows"] == 599


def test_unknown_event_types_are_kept(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(json.dumps({**row(0), "eventType": "app.brand_new.thing"}), "utf-8")
    events, unread, _ = read(tmp_path / "x")
    assert [event["kind"] for event in events] == ["other"]
    assert unread == []


def test_what_is_no_log_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name,town,age,shoe\n" + "\n".join(f"a{n},b,{n},40" for n in range(50)), "utf-8")
    events, unread, _ = read(tmp_path / "people.csv", tmp_path / "nowhere")
    assert events == []
    assert {Path(piece["path"]).name for piece in unread} == {"people.csv", "nowhere"}
    assert len(unread) == 2


def test_a_provider_can_be_forced(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(json.dumps(row(0)), "utf-8")
    events, unread, _ = read(tmp_path / "x", provider="duo")
    assert events == []
    assert unread[0]["why"] == "not a row of duo"
    with pytest.raises(UnusableInputError, match=r"the known ones are: .*okta"):
        read(tmp_path / "x", provider="octa")


def test_a_cut_archive_says_so_and_gives_what_came_before(tmp_path: Path) -> None:
    text = "\n".join(json.dumps(row(n)) for n in range(3000)).encode()
    (tmp_path / "cut.zst").write_bytes(zstandard.compress(text)[:-2000])
    (tmp_path / "begun.zst").write_bytes(zstandard.compress(json.dumps(row(9000)).encode())[:40])
    (tmp_path / "two.zst").write_bytes(zstandard.compress(json.dumps(row(9001)).encode() + b"\n") + zstandard.compress(json.dumps(row(9002)).encode()))
    events, unread, _ = read(tmp_path)
    why = {Path(piece["path"]).name: piece["why"] for piece in unread if piece["line"] is None}
    assert why["cut.zst"] == why["begun.zst"] == "the packed file is damaged: it ends in the middle"
    assert "two.zst" not in why
    ids = {event["event_id"] for event in events}
    assert {"okta:id-0", "okta:id-9001", "okta:id-9002"} <= ids
    assert len(ids) < 3002


def test_a_file_without_rows_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(json.dumps({"value": [], "@odata.context": "x"}), "utf-8")
    (tmp_path / "table.csv").write_text("published,eventType,actor.alternateId,uuid\r\n,,,\r\n", "utf-8")
    events, unread, _ = read(tmp_path)
    assert events == []
    assert [Path(piece["path"]).name for piece in unread if "holds no rows" in piece["why"]] == ["page.json", "table.csv"]


def test_a_row_with_an_empty_list_under_the_name_of_a_page_is_no_empty_page(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(json.dumps({**row(0), "eventType": None, "published": None, "result": []}), "utf-8")
    events, unread, _ = read(tmp_path / "x")
    assert events == []
    assert len(unread) == 1


def test_what_stands_beside_a_row_in_its_page_is_never_lost(tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(json.dumps({"records": [row(0), {"what": "is this"}, row(1)], "meta": {"count": 3}}), "utf-8")
    events, unread, sources = read(tmp_path)
    assert len(events) == 2
    assert len(unread) == 1
    assert sources[0]["rows"] == 3


def test_the_type_line_of_powershell_is_no_header(tmp_path: Path) -> None:
    text = as_csv([flat(one) for one in ROWS])
    (tmp_path / "typed.csv").write_text("\ufeff#TYPE Deserialized.System.Object\r\n" + text + "x" * 40 + "\n", "utf-8")
    events, unread, _ = read(tmp_path)
    assert len(events) == 2
    assert [piece["line"] for piece in unread] == [5]


def test_a_file_that_was_read_before_still_says_whose_it_is(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(TEXT, "utf-8")
    events, _, sources = read(tmp_path)
    assert len(events) == 2
    assert [(source["provider"], source["events"], source["repeated"]) for source in sources] == [("okta", 2, 0), ("okta", 2, 2)]


def test_a_comma_before_a_closing_bracket_loses_no_row(tmp_path: Path) -> None:
    lines = [json.dumps(row(0)), json.dumps(row(1))[:-1] + ",}"]
    (tmp_path / "lines").write_text("\n".join([*lines, "[,]", "[[],]", '{"value": [],}']), "utf-8")
    (tmp_path / "page").write_text('{"value": [' + ",".join(json.dumps(row(n)) for n in (2, 3)) + ",],}", "utf-8")
    events, unread, _ = read(tmp_path)
    assert len(events) == 4
    assert [piece["line"] for piece in unread] == [3, 4, 5]


@pytest.mark.parametrize("mebibytes", [33, 70])
def test_a_huge_line_in_a_large_file_costs_no_other_row(mebibytes: int, tmp_path: Path) -> None:
    lines = [json.dumps(row(n)) for n in range(400)]
    lines[200] = '{"x": "' + "y" * (mebibytes << 20) + '"}'
    (tmp_path / "large.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    events, unread, sources = read(tmp_path / "large.jsonl")
    assert len(events) == 399
    assert [(piece["line"], piece["why"]) for piece in unread] == [(201, "the line is longer than 32 MiB")]
    assert sources[0]["rows"] == 400
