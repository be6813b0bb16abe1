"""Records are cut out of the JSON around them letter by letter."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbidden.fetching.records import document, elements
from unbidden.wire import Answer, WireError

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@settings(max_examples=40)
@given(st.lists(VALUES), st.sampled_from([None, 0, 2]), st.booleans(), VALUES)
def test_elements_are_the_texts_of_the_list(rows: list[object], indent: int | None, ascii_only: bool, other: object) -> None:
    text = json.dumps({"before": other, "a": {"x": [other], "rows": rows}, "after": other}, indent=indent, ensure_ascii=ascii_only)
    found = elements(text, "a", "rows")
    assert [json.loads(one) for one in found] == rows
    assert all(one in text for one in found)
    assert elements(json.dumps(rows, indent=indent)) == tuple(elements(json.dumps({"v": rows}, indent=indent), "v")) or indent is not None


@pytest.mark.parametrize(("text", "path"), [("{}", ("a",)), ('{"a": 1}', ("a",)), ('{"a": {"b": {}}}', ("a", "b")), ("[1]", ("a",)), ('"x"', ())])
def test_where_there_is_no_list_there_are_no_elements(text: str, path: tuple[str, ...]) -> None:
    assert elements(text, *path) == ()


def test_spelling_is_kept() -> None:
    assert elements('\n [ {"a" :1.00, "b":"\\u00e9"} ,\t[ ] ] ') == ('{"a" :1.00, "b":"\\u00e9"}', "[ ]")


@pytest.mark.parametrize("body", [b"<html>", b'{"a": [1', b"\xff\xfe", b""])
def test_what_is_no_json_is_an_error_of_the_wire(body: bytes) -> None:
    with pytest.raises(WireError, match="not JSON"):
        document(Answer(200, {}, body, datetime(2026, 1, 1, tzinfo=UTC)), "here")
