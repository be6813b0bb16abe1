"""Detections in others' languages: what the languages' own parsers say of the texts, and that every number in them is the detection's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule, SigmaCorrelationType

from tests.test_cli import unbidden
from unbidden.detect import LIVE, Detection, detections
from unbidden.errors import ContentError
from unbidden.exports import LANGUAGES, Bundle, export
from unbidden.exports.ask import ask_of
from unbidden.exports.rows import LANGUAGES as TEXTS
from unbidden.exports.vendors import VENDORS
from unbidden.providers import registry
from unbidden.steps import numbers


@cache
def bundle(language: str) -> Bundle:
    return export(language, detections())


def changed(name: str, **params: object) -> dict[str, Detection]:
    return {name: replace(detections()[name], changed=params)}


@pytest.mark.parametrize("language", TEXTS)
def test_every_detection_has_a_text_or_a_reason(language: str) -> None:
    found = bundle(language)
    assert {name.split(".")[0] for name in found.files} | set(found.left_out) == set(detections())
    assert all(found.left_out.values())
    asked = {name for name, one in detections().items() if ask_of(one)}
    assert len(asked) >= 16
    assert {reason for name, reason in found.left_out.items() if name in asked} <= {f"no provider's log says enough of it in {language}"}


@pytest.mark.parametrize("language", TEXTS)
def test_every_text_says_what_is_lost_and_where_it_is_from(language: str) -> None:
    for name, text in bundle(language).files.items():
        detection = detections()[name.split(".")[0]]
        for part in ("Lost in this text", "It knows no habits", "alone", f"version {detection.version}", *detection.about["attack"]):
            assert part in " ".join(text.split()), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_catalogue_gives_the_same_texts(language: str) -> None:
    there = {name: detections()[name] for name in sorted(detections(), reverse=True)}
    again = export(language, {name: there[name] for name in sorted(there)})
    assert dict(again.files) == dict(bundle(language).files)


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("name", sorted(name for name, one in detections().items() if "at_least" in one.about.get("export", {})))
def test_thresholds_are_the_detection_s_own(language: str, name: str) -> None:
    """A number that is set otherwise is in the text, and nothing else of the text changes."""
    param = detections()[name].about["export"]["at_least"]
    before, after = export(language, {name: detections()[name]}), export(language, changed(name, **{param: 7919}))
    for file, text in after.files.items():
        assert "7919" in text
        assert text.replace("7919", str(detections()[name].params[param])) == before.files[file]


@pytest.mark.parametrize("language", TEXTS)
def test_windows_are_the_detection_s_own(language: str) -> None:
    span = {"sigma": "timespan: 7919s", "kql": "let window = 7919s;", "spl": "time_window=7919s", "esql": "DATE_TRUNC(7919 seconds, @timestamp)"}
    for text in export(language, changed("one_source_crowd", window_s=7919)).files.values():
        assert span[language] in text


def test_words_and_providers_are_ours() -> None:
    assert {vendor.name for vendor in VENDORS} <= set(registry())
    for vendor in VENDORS:
        for ways in vendor.ways.values():
            for way in ways:
                assert {field for field, _, _ in way.matches} <= set(vendor.logs[way.log].fields)
        assert all({"person", "source"} <= set(log.fields) for log in vendor.logs.values())


def test_sigma_is_read_by_its_own_library() -> None:
    for name, text in bundle("sigma").files.items():
        collection = SigmaCollection.from_yaml(text)
        assert collection.errors == [], name
        collection.resolve_rule_references()
        assert len({str(rule.id) for rule in collection.rules}) == len(collection.rules)
    together = SigmaCollection.from_yaml("---\n".join(bundle("sigma").files.values()))
    assert together.errors == []
    assert len({str(rule.id) for rule in together.rules}) == len(together.rules)
    assert len({rule.name for rule in together.rules}) == len(together.rules)


@pytest.mark.parametrize(
    ("file", "kind", "gte", "seconds"),
    [
        ("refused_flood.okta.yml", SigmaCorrelationType.EVENT_COUNT, "refusals", numbers("moments")["minutes_15_s"]),
        ("one_source_crowd.duo.yml", SigmaCorrelationType.VALUE_COUNT, "people", detections()["one_source_crowd"].params["window_s"]),
        ("approval_after_refusals.entra.yml", SigmaCorrelationType.TEMPORAL_ORDERED, None, numbers("moments")["hour_1_s"]),
        ("factor_after_approval.entra.yml", SigmaCorrelationType.TEMPORAL_ORDERED, None, detections()["factor_after_approval"].params["window_s"]),
    ],
)
def test_sigma_correlates_as_the_detection_does(file: str, kind: SigmaCorrelationType, gte: str | None, seconds: object) -> None:
    rule = SigmaCollection.from_yaml(bundle("sigma").files[file]).rules[-1]
    assert isinstance(rule, SigmaCorrelationRule)
    assert rule.type is kind
    assert rule.timespan is not None
    assert rule.timespan.seconds == seconds
    if gte is not None:
        assert rule.condition is not None
        assert rule.condition.count == detections()[file.split(".", maxsplit=1)[0]].params[gte]  # type: ignore[union-attr]


def test_a_sequence_of_two_logs_is_grouped_by_the_same_person() -> None:
    rule = SigmaCollection.from_yaml(bundle("sigma").files["factor_after_approval.entra.yml"]).rules[-1]
    assert isinstance(rule, SigmaCorrelationRule)
    [alias] = rule.aliases.aliases.values()
    assert set(alias.mapping.values()) == {"UserPrincipalName", "TargetResources.userPrincipalName"}


@cache
def kusto() -> Path:
    """The folder with Microsoft's grammar in it; the test is skipped where it cannot be had."""
    folder = Path(__file__).parent / "kusto"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not on this machine, and Microsoft's grammar of KQL runs in node")
    if not (folder / "node_modules").exists():
        try:
            subprocess.run([npm, "ci", "--ignore-scripts"], cwd=folder, check=True, capture_output=True, timeout=300)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"Microsoft's grammar of KQL could not be installed from npm: {error}")
    return folder


def said_of(queries: dict[str, str]) -> dict[str, list[str]]:
    done = subprocess.run(
        [str(shutil.which("node")), "parse.js"], cwd=kusto(), input=json.dumps(queries).encode(), capture_output=True, check=True, timeout=120
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_kql_is_read_by_microsoft_s_own_grammar() -> None:
    said = said_of(dict(bundle("kql").files))
    assert {name: faults for name, faults in said.items() if faults} == {}
    assert len(said) == len(bundle("kql").files) > 40


def test_microsoft_s_grammar_would_notice() -> None:
    said = said_of(
        {"operator": "SigninLogs | wher true", "column": "SigninLogs | where Nothing == 1", "table": "Nothing | take 1", "fine": "SigninLogs | take 1"}
    )
    assert {name for name, faults in said.items() if faults} == {"operator", "column", "table"}


def outside_quotes(text: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


def test_esql_and_spl_are_whole() -> None:
    """No parser of either is at hand: brackets and quotes close, every stage begins with a command that there is, comments stand first."""
    commands = {"esql": {"FROM", "WHERE", "EVAL", "STATS", "KEEP"}, "spl": {"search", "eval", "sort", "streamstats", "where", "table"}}
    for language, known in commands.items():
        for name, text in bundle(language).files.items():
            body = re.sub(r"```.*?```|^//.*?$", "", text, flags=re.DOTALL | re.MULTILINE)
            bare = outside_quotes(body)
            assert bare.count('"') % 2 == 0, name
            assert all(bare.count(left) == bare.count(right) for left, right in ("()", "[]", "{}")), name
            stages = [stage.split()[0] for stage in bare.split("|")]
            assert set(stages) <= known, name
            assert stages[0] == ("FROM" if language == "esql" else "search"), name


def test_the_navigator_layer_counts_what_speaks_for_each_technique() -> None:
    layer: dict[str, Any] = json.loads(bundle("navigator").files["unbidden.json"])
    assert (layer["domain"], layer["versions"]["layer"]) == ("enterprise-attack", "4.5")
    told = {one["techniqueID"]: one for one in layer["techniques"]}
    assert len(told) == len(layer["techniques"])
    speaking = [one for one in detections().values() if one.status == LIVE and one.about["weight"] > 0 and "T1621" in one.about["attack"]]
    assert told["T1621"]["score"] == len(speaking) == layer["gradient"]["maxValue"]
    assert all(one.name in told["T1621"]["comment"] for one in speaking)
    assert all(technique.split(".")[0] in told for technique in told)


def test_the_page_names_every_detection_that_has_a_text(repository: Path) -> None:
    def providers(name: str, language: str) -> str:
        return ", ".join(file.split(".")[1] for file in bundle(language).files if file.split(".")[0] == name) or "–"

    rows = [f"| `{name}` | {' | '.join(providers(name, language) for language in TEXTS)} |" for name, one in detections().items() if ask_of(one)]
    page = (repository / "docs" / "exports.md").read_text("utf-8")
    assert [row for row in rows if row not in page] == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "`finds` or `counts` is wanted"),
        ({"counts": ["denied"], "at_least": "refusals"}, "what is counted needs `within`"),
        ({"counts": ["denied"], "at_least": "nothing", "within": "hour_1_s"}, "there is no whole number nothing"),
        ({"counts": ["refused"], "within": "hour_1_s"}, "a list of these is wanted"),
        ({"finds": ["denied"], "table": "x"}, "`finds` or `counts` is wanted"),
    ],
)
def test_a_statement_that_cannot_be_is_named(told: dict[str, Any], said: str) -> None:
    detection = detections()["refused_flood"]
    with pytest.raises(ContentError, match=re.escape(said)):
        ask_of(replace(detection, about={**detection.about, "export": told}))


def test_the_command_writes_files_or_to_the_screen(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = unbidden("detections", "export", "sigma", "-o", str(out))
    assert (done.returncode, done.stdout) == (0, "")
    assert {file.name for file in out.iterdir()} == set(bundle("sigma").files)
    assert "not in sigma: calm_trusted: it is calm evidence" in done.stderr
    shown = unbidden("detections", "export", "kql", "refused_flood", "sent_flood")
    assert shown.stdout == "\n".join(export("kql", {name: detections()[name] for name in ("refused_flood", "sent_flood")}).files.values())
    wrong = unbidden("detections", "export", "sql")
    assert (wrong.returncode, "there is no language 'sql'" in wrong.stderr) == (2, True)
