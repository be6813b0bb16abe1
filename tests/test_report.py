"""The doors: every format tells the same result, stays valid, and lets no text of a log act."""

from __future__ import annotations

import copy
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]
from rich.console import Console

from unbidden.report import FORMATS, words
from unbidden.report.drawing import bars, drawing
from unbidden.report.ocsf import findings
from unbidden.report.page import page
from unbidden.report.terminal import print_inventory, print_result
from unbidden.report.verdict import ordered, verdict

Result = dict[str, Any]
FIXTURE = Path(__file__).with_name("result.json")
FLOOD, CALLER, NIGHT, DRIP = "inc-7c1f0a9e42", "inc-02ab55d001", "inc-90de11aa77", "inc-33cc019f3b"
VOID = {"meta", "br"}


@pytest.fixture
def result() -> Result:
    loaded: Result = json.loads(FIXTURE.read_text("utf-8"))
    return loaded


def incident(result: Result, name: str) -> Result:
    return next(one for one in result["incidents"] if one["id"] == name)


def without_incidents(result: Result, **changes: Any) -> Result:
    return {**result, "incidents": [], **changes}


def schema() -> Result:
    loaded: Result = json.loads(resources.files("unbidden").joinpath("schema/result.schema.json").read_text("utf-8"))
    return loaded


def told(result: Result, width: int, **options: Any) -> str:
    stream = io.StringIO()
    print_result(result, Console(file=stream, width=width, **options))
    return stream.getvalue()


def flat(text: str) -> str:
    """The text without line breaks and repeated spaces, so that wrapping does not matter."""
    return re.sub(r"\s+", " ", text)


class Tags(HTMLParser):
    """Every tag with its attributes, and whether all tags were closed in order."""

    # The methods are those of HTMLParser.
    # ruff: noqa: D102 - a test's name is its docstring

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return tags


def test_the_schema_accepts_the_result_and_is_a_schema(result: Result) -> None:
    jsonschema_rs.meta.validate(schema())
    jsonschema_rs.Draft202012Validator(schema()).validate(result)
    jsonschema_rs.Draft202012Validator(schema()).validate(without_incidents(result))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of every object in the result; the free names of `numbers` are no part of the contract."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in items:
        if isinstance(value, dict):
            yield (*path, key)
        if key != "numbers":
            yield from places(inner, (*path, key))


def test_the_schema_refuses_every_missing_and_every_unknown_field(result: Result) -> None:
    validator = jsonschema_rs.Draft202012Validator(schema())
    one_of_each = {tuple("*" if isinstance(key, int) else key for key in path): path for path in places(result)}
    for path in one_of_each.values():
        changed = copy.deepcopy(result)
        inner: Any = changed
        for key in path[:-1]:
            inner = inner[key]
        taken = inner.pop(path[-1])
        assert not validator.is_valid(changed), path
        inner[path[-1]], inner["surprise"] = taken, 1
        assert not validator.is_valid(changed), path


def test_every_field_of_the_schema_is_described() -> None:
    def fields(node: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(node, dict):
            yield from node.get("properties", {}).items()
            for name, inner in node.items():
                yield from fields(inner) if name not in ("if", "then", "else") else ()

    definitions = schema()["$defs"]
    bare = [
        name
        for name, field in fields(schema())
        if "description" not in field and "description" not in definitions.get(field.get("$ref", "").rpartition("/")[2], {})
    ]
    assert bare == []


def test_every_fate_and_every_kind_of_the_schema_has_its_own_sign() -> None:
    definitions = schema()["$defs"]
    assert set(definitions["fate"]["enum"]) == set(words.FATES)
    assert set(definitions["moment"]["properties"]["kind"]["enum"]) == set(words.EVENTS) | {"prompt"}
    for signs in (words.FATES, words.EVENTS):
        assert len({sign.glyph for sign in signs.values()}) == len({sign.letter for sign in signs.values()}) == len(signs)


def test_the_evidence_of_the_fixture_adds_up_to_its_risk(result: Result) -> None:
    for one in result["incidents"]:
        (*_, (_, reached)) = words.contributions(one)
        assert words.percent(reached) in (str(one["risk"]), "> 99")


def test_json_gives_the_result_back_and_is_safe_to_print(result: Result) -> None:
    result["incidents"][0]["user"] += "\x9b2J\ud800\u202e"
    text = FORMATS["json"](result)
    assert json.loads(text) == result
    assert "bô." in text
    assert "דנה" in text
    assert not [char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cs", "Cf")]
    text.encode()


def detection_finding() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0")).get_class_schema("detection_finding"))


def test_findings_are_valid_ocsf(result: Result) -> None:
    validator = detection_finding()
    result["incidents"][0]["requesters"] = [
        {"ip": ip, "asn": None, "org": None, "country": None, "city": None, "known": None} for ip in ("not an address", None, "2001:db8::7", "fe80::1%eth0")
    ]
    lines = FORMATS["ocsf"](result).splitlines()
    assert len(lines) == len(result["incidents"])
    for line in lines:
        assert [str(error) for error in validator.iter_errors(json.loads(line))] == []
    broken = json.loads(lines[0])
    del broken["finding_info"]
    assert not validator.is_valid(broken)


def test_a_finding_says_what_the_incident_says(result: Result) -> None:
    told_of = {finding["finding_info"]["uid"]: finding for finding in findings(result)}
    assert [finding["risk_score"] for finding in findings(result)] == sorted((one["risk"] for one in result["incidents"]), reverse=True)
    flood = told_of[FLOOD]
    assert (flood["class_uid"], flood["type_uid"], flood["severity_id"], flood["risk_score"], flood["count"]) == (2004, 200401, 5, 100, 25)
    assert flood["finding_info"]["first_seen_time"] == 1772496729000
    assert flood["finding_info"]["attacks"][0]["technique"]["uid"] == "T1621"
    assert flood["finding_info"]["attacks"][0]["tactic"]["uid"] == "TA0006"
    assert flood["finding_info"]["attacks"][2] == {
        "technique": {"uid": "T1098", "name": "Account Manipulation"},
        "sub_technique": {"uid": "T1098.005", "name": "Device Registration"},
        "tactic": {"uid": "TA0003", "name": "Persistence"},
    }
    assert {row["src_endpoint"]["ip"] for row in flood["evidences"] if "src_endpoint" in row} == {"203.0.113.77", "198.51.100.23", "192.0.2.200"}
    assert {name: told_of[name]["is_alert"] for name in told_of} == {FLOOD: True, CALLER: True, NIGHT: True, DRIP: False}


def test_an_unknown_technique_is_still_a_valid_finding(result: Result) -> None:
    result["incidents"][0]["attack"] = ["T9999", "T9999.001"]
    assert all(detection_finding().is_valid(finding) for finding in findings(result))


def test_no_incident_is_no_finding(result: Result) -> None:
    assert FORMATS["ocsf"](without_incidents(result)) == ""


def test_the_page_is_one_file_that_reaches_for_nothing(result: Result) -> None:
    tags = parsed(page(result))
    assert {tag for tag, _ in tags.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "foreignobject"} == set()
    for tag, attributes in tags.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style", "xlink:href")], (tag, attributes)
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(attributes["content"] for tag, attributes in tags.tags if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    css = page(result).partition("<style>")[2].partition("</style>")[0]
    assert "prefers-color-scheme: dark" in css
    assert "@media print" in css
    assert "url(" not in css
    assert "@import" not in css


def test_every_reference_inside_the_page_has_its_target(result: Result) -> None:
    tags = parsed(page(result)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"] for _, attributes in tags if "href" in attributes} <= {f"#{name}" for name in ids}
    assert {f"s-{sign.name}" for sign in (*words.FATES.values(), *words.EVENTS.values(), words.ALERT, words.FIRST, words.ORDINARY)} <= set(ids)


def test_the_page_shows_hostile_text_and_never_obeys_it(result: Result) -> None:
    html = page(result)
    for hostile in ("<script>alert", "<img src=x", "<b>Example</b>", "<i>x</i>", "\x1b", "\x07", "\u202e"):
        assert hostile not in html
    assert "&lt;script&gt;alert(&#34;bô&#34;)&lt;/script&gt;" in html
    assert "[bold]@example.com" in html


def test_any_text_of_a_result_can_be_hostile(result: Result) -> None:
    tag, closing = "<x-y>\x1b[31m</svg></style></title>", re.compile(r"</style>|</title>")

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoil(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner, key) for inner in value]
        keep = (key.endswith("at") and key != "format") or key in ("stage", "severity", "kind", "fate", "time_zone", "as_of", "attack")
        return value + tag if isinstance(value, str) and not keep else value

    spoilt = spoil(result)
    html = page(spoilt)
    assert "<x-y>" not in html
    assert "\x1b" not in html
    titles = html.count("<title>")
    assert len(closing.findall(html)) == titles + 1
    parsed(html)
    assert "\x1b" not in told(spoilt, 100)
    for format_name in FORMATS:
        assert "\x1b" not in FORMATS[format_name](spoilt)


def test_the_page_tells_story_times_steps_and_evidence(result: Result) -> None:
    tags = parsed(page(result))
    text = flat("".join(tags.text))
    for one in (one for one in result["incidents"] if one["severity"] != "low"):  # low ones are in the table only
        for sentence in (*one["story"], *(step["title"] for step in one["steps"]), *(entry["why"] for entry in one["evidence"]), *one["blind_spots"]):
            assert flat(words.clean(sentence)) in text
    assert "01:42:35 CET (00:42:35 UTC)" in text
    assert "01:31:00 JST (16:31:00 UTC)" in text
    assert "APPROVED 01:42:35 CET · 00:42:35 UTC" in text
    assert "line 812" not in text
    assert "not JSON: the line ends in the middle" in text


def test_approval_and_own_prompts_stand_out(result: Result) -> None:
    drawn = drawing(incident(result, FLOOD), "")
    approved = [shape for shape in drawn.shapes if shape.name == "approved" and not shape.is_grey]
    assert drawn.approval is not None
    assert len(approved) == 1
    assert abs(approved[0].x - drawn.approval.x) < 1
    assert sum(shape.count for shape in drawn.shapes if shape.is_grey) == 2
    factors = [shape for shape in drawn.shapes if shape.name == "factor"]
    assert all(shape.x > approved[0].x for shape in factors)
    assert drawing(incident(result, NIGHT), "").approval is None


def test_every_bar_begins_where_the_one_before_ended(result: Result) -> None:
    for one in result["incidents"]:
        rows = bars(one).rows
        assert rows[0].entry["group"] == "prior"
        assert [row.start for row in rows[1:]] == [row.end for row in rows[:-1]]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_terminal_tells_story_times_and_steps(result: Result, width: int) -> None:
    text = told(result, width)
    assert max(map(len, text.splitlines())) <= width
    squeezed = re.sub(r"[\s┃]+", "", text)
    for one in (one for one in result["incidents"] if one["severity"] != "low"):  # low ones are in the table only
        for sentence in (*one["story"], *(step["title"] for step in one["steps"]), *one["blind_spots"]):
            assert re.sub(r"\s+", "", words.clean(sentence)) in squeezed
    assert "01:42:35CET(00:42:35UTC)" in squeezed
    assert text.index("ana.silva") < text.index("bô.") < text.index("דנה") < text.index("cyril")


@pytest.mark.parametrize("options", [{}, {"force_terminal": True, "color_system": "truecolor"}, {"force_terminal": True, "no_color": True}])
def test_log_text_cannot_drive_the_terminal(result: Result, options: Result) -> None:
    text = told(result, 100, **options)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not [char for char in plain if char != "\n" and unicodedata.category(char) in ("Cc", "Cs")]
    assert not set(plain) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert "[bold]@example.com" in flat(plain)
    assert "[red]type[/red]" in plain
    assert "\x1b]8" not in text


def test_a_terminal_without_unicode_still_tells_everything(result: Result) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_result(result, Console(file=stream, width=80, legacy_windows=False))
    stream.flush()
    stream.seek(0)
    shown = stream.read()
    assert "denied" in shown
    assert "| + " in shown
    assert re.search(r"denied +x", shown)


def test_the_terminal_draws_the_approval_through_every_lane(result: Result) -> None:
    lines = told(result, 100).splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "TIMELINE")
    lanes = {line[4:20].strip(): line for line in lines[start + 4 : start + 14]}
    column = lanes["APPROVED"].index("◆")
    assert all(line[column] in "┃▶" for name, line in lanes.items() if name in ("denied", "unanswered", "factor change", "session"))
    assert lanes["factor change"].rindex("✚") > column


def test_the_inventory_says_what_the_inputs_are(result: Result) -> None:
    source = {**result["sources"][0], "first_at": "2026-03-01T00:00:00Z", "last_at": "2026-03-06T05:59:58Z", "people": 4}
    empty = {**result["sources"][4], "first_at": None, "last_at": None, "people": 0}
    found = {
        "sources": [source, empty],
        "kinds": [{"provider": "okta", "kind": "prompt", "outcome": "", "events": 1204}],
        "ambiguous": [{"person": "ana[bold]\x1b[0m", "could_be": ["ana.silva@example.com", "ana.ito@example.com"]}],
        "blind_spots": result["blind_spots"],
        "unread": result["unread"],
    }
    stream = io.StringIO()
    print_inventory(found, Console(file=stream, width=120))
    text = flat(stream.getvalue())
    for said in (
        "INPUTS, below logs",
        "okta.json: okta, 48,211 rows",
        "in all: 2 inputs",
        "Sun 1 Mar 2026 00:00:00 UTC to Fri 6 Mar 2026 05:59:58 UTC, 4 people",
        "no event",
        "1,204",
    ):
        assert said in text
    assert "ana[bold]\N{REPLACEMENT CHARACTER}[0m could be ana.silva@example.com and ana.ito@example.com" in text
    assert "not JSON: the line ends in the middle" in text
    print_inventory({**found, "sources": [], "kinds": [], "ambiguous": [], "blind_spots": [], "unread": []}, Console(file=stream, width=40))


def test_no_incident_reads_as_an_answer_with_its_limits(result: Result) -> None:
    quiet = without_incidents(result)
    for text in (flat(told(quiet, 160)), flat("".join(parsed(page(quiet)).text))):
        assert "Nobody was bombed, as far as these logs can show." in text
        assert "10,233 prompts to 388 of 412 people" in text
        assert "4 rows could not be read and were not judged" in text
        assert "A push that ran out leaves no row" in text


def test_logs_without_prompts_are_no_all_clear(result: Result) -> None:
    blind = without_incidents(result, people={"people": 3, "prompts": 0, "asked": 0}, blind_spots=[], sources=[], unread=[])
    for text in (flat(told(blind, 120)), flat("".join(parsed(page(blind)).text))):
        assert "Nobody was bombed" not in text
        assert "This is not an all-clear" in text


def test_the_headline_follows_the_worst_that_happened(result: Result) -> None:
    assert verdict(result).level == "breach"
    assert verdict(result).headline.startswith("2 people gave in")
    only = {name: {**result, "incidents": [incident(result, name)]} for name in (CALLER, NIGHT, DRIP)}
    assert verdict(only[CALLER]).headline.startswith("1 person gave in")
    assert (verdict(only[NIGHT]).level, verdict(only[DRIP]).level) == ("attack", "quiet")
    assert verdict(only[NIGHT]).headline == "1 person was bombed with prompts. Nobody gave in."
    assert any("1 incident of low risk" in sentence for sentence in verdict(only[DRIP]).sentences)


def test_incidents_are_told_highest_risk_first(result: Result) -> None:
    assert [one["id"] for one in ordered(result)] == [FLOOD, CALLER, NIGHT, DRIP]
