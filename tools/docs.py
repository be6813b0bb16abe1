"""Write the reference pages of docs/reference from the content they describe, or check that they are up to date.

The sources: the tables in schema/*.sql, the numbers in */params.yml, the detections in detections/*.yml, what is asked of them in coverage.yml, the
published rules in published/*.yml, what the providers declare, and the models of the configuration.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from unbidden.providers import SIGHTS, Provider, registry
from unbidden.settings import Settings
from unbidden.settings.shapes import Key, tables_of

Document: TypeAlias = Mapping[str, Any]

ROOT = Path(__file__).resolve().parent.parent
CONTENT = ROOT / "src" / "unbidden"
PAGES = ROOT / "docs" / "reference"

_COLUMN = re.compile(r"^(\w+) (.+?)( NOT NULL)?( PRIMARY KEY)?$")
_PATH = re.compile(r"^(.*?) ?\[([^\]]*)\]$")
_BETWEEN_COLUMNS = re.compile(r",(?![^(]*\))")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table as its schema file describes it; `path` is its OCSF path, or empty."""

    name: str
    type: str
    is_required: bool
    meaning: str
    path: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a schema file: its columns in order, and the comment at the head of the file."""

    name: str
    meaning: str
    columns: tuple[Column, ...]


def table_of(sql: str) -> Table:
    """The table that a schema file creates. Raises ValueError when it creates none."""
    head, create, body = sql.partition("CREATE TABLE ")
    if not create:
        raise ValueError("there is no CREATE TABLE in it")
    meaning = " ".join(line.lstrip("- ").rstrip() for line in head.splitlines() if line.startswith("--"))
    name, _, body = body.partition("(")
    lines = body.rpartition(");")[0].splitlines()
    return Table(name.strip(), meaning, tuple(column for line in lines for column in _columns(line)))


def _columns(line: str) -> Iterable[Column]:
    """The columns of one line; a comment belongs to each of them."""
    code, _, comment = line.partition("--")
    found = _PATH.match(comment.strip())
    meaning, path = found.groups() if found else (comment.strip(), "")
    for part in _BETWEEN_COLUMNS.split(code):
        if match := _COLUMN.match(part.strip()):
            yield Column(match[1], match[2], bool(match[3] or match[4]), meaning, "" if path == "-" else path)


def tables_page() -> str:
    """The tables, each with its columns."""
    parts = ["# Tables", "What each stage of the line writes. Every time is UTC."]
    for file in sorted(CONTENT.glob("schema/*.sql")):
        table = table_of(file.read_text("utf-8"))
        has_paths = any(column.path for column in table.columns)
        heads = ["column", "type", "meaning", *(["OCSF path"] if has_paths else [])]
        rows = [
            [f"`{column.name}`", column.type + ("" if column.is_required else ", may be NULL"), column.meaning, *([_code(column.path)] if has_paths else [])]
            for column in table.columns
        ]
        parts += [f"## {table.name}", table.meaning, _grid(heads, rows)]
    return _page(parts)


def numbers_page() -> str:
    """The numbers of the stages, each with its reason."""
    parts = ["# Numbers", "The named numbers that the stages use, each with the reason for it. The numbers of the detections stand with the detections."]
    for file in sorted(CONTENT.glob("*/params.yml")):
        parts += [f"## {file.parent.name}", _params(_load(file))]
    return _page(parts)


def detections_page() -> str:
    """The detections: what each looks for, what it weighs and what it cannot see."""
    parts = ["# Detections", "Each detection adds its weight, in log-odds, to the risk of an incident; of one group only the strongest counts."]
    for file in sorted(CONTENT.glob("detections/*.yml")):
        if file.with_suffix(".sql").is_file():
            parts += [f"## {file.stem}", *_detection(_load(file))]
    return _page(parts)


def _detection(told: Document) -> list[str]:
    parts = [f"**{_text(told['title'])}**"] if "title" in told else []
    parts += [_text(told[key]) for key in ("why",) if key in told]
    weight = told.get("weight")
    given = weight if isinstance(weight, Mapping) else {"value": weight, "reason": told.get("reason")}
    facts = [
        ["group", _code(told.get("group"))],
        ["weight", f"{_text(given.get('value'))}: {_text(given.get('reason'))}"],
        ["ATT&CK", _text(told.get("attack"))],
    ]
    parts.append(_grid(["fact", "value"], facts))
    if told.get("params"):
        parts.append(_params(told["params"]))
    for key, title in (("blind_spots", "What it cannot see"), ("false_positives", "What else looks like this"), ("prevents", "What would have prevented it")):
        if told.get(key):
            parts += [f"{title}:", _bullets(told[key])]
    if told.get("sources"):
        parts += ["Sources:", _bullets(told["sources"])]
    return parts


def _params(params: Document) -> str:
    """A table of named numbers; a bare value has no unit and no reason."""
    rows = []
    for name, entry in params.items():
        told = entry if isinstance(entry, Mapping) else {"value": entry}
        rows.append([f"`{name}`", _text(told.get("value")), _text(told.get("unit")), _text(told.get("why") or told.get("reason"))])
    return _grid(["name", "value", "unit", "why"], rows)


_COVERAGE = {
    "technique": ("What the technique's text asks for", "ATT&CK T1621, its description and what it says of detection, in our words."),
    "analytics": ("The published analytics", "ATT&CK's detection strategy DET0160 and the analytic for Microsoft 365; their elements are parameters."),
    "mitigations": ("The mitigations", "What the technique names as mitigations."),
    "ideas": ("The ideas of public rules", "What all public rules for this technique, and those around it, look for: fifty-two ideas."),
    "gaps": ("What public rules do not cover", "Eight gaps of all of them together."),
}


def coverage_page() -> str:
    """What is asked of the detections, and what answers it."""
    told = _load(CONTENT / "coverage.yml")
    parts = [
        "# Coverage",
        "What is asked of a tool that finds MFA request generation, and which detections answer it. Each name leads to what the detection looks for.",
        "Each ▸ leads to its file, whose timelines prove it: what fires, what nearly does, and what does not. `unbidden detections test NAME` runs them.",
    ]
    for key, (title, about) in _COVERAGE.items():
        entries = told[key].items() if isinstance(told[key], Mapping) else ((entry.get("id", ""), entry) for entry in told[key])
        rows = [[str(number), _text(entry["asks"]), _answer(entry)] for number, entry in entries]
        has_numbers = any(row[0] for row in rows)
        heads = ["", "what", "answered by"] if has_numbers else ["what", "answered by"]
        parts += [f"## {title}", about, _grid(heads, rows if has_numbers else [row[1:] for row in rows])]
    return _page(parts)


def _answer(entry: Document) -> str:
    """What answers one thing: detections with their proof, what else does, and what does not."""
    names = [f"[{name}](detections.md#{name}) [▸](../../src/unbidden/detections/{name}.yml)" for name in entry.get("by", ())]
    said = [", ".join(names), _text(entry.get("with")), f"not by: {_text(entry['why_not'])}" if "why_not" in entry else ""]
    return "; ".join(part for part in said if part)


def published_page() -> str:
    """The published rules: what each counts, and what of it could not be kept."""
    told = {file.stem: _load(file) for file in sorted(CONTENT.glob("published/*.yml"))}
    rows = [[f"[{name}](#{name})", _text(rule["vendor"]), _text(rule["providers"]), _text(rule["title"])] for name, rule in told.items()]
    parts = [
        "# Published rules",
        "Rules of others, stated over our tables as they are published, with their defects, and run by the evaluation beside our own detections.",
        _grid(["rule", "rule set", "reads", "looks for"], rows),
    ]
    for name, rule in told.items():
        parts += [f"## {name}", f"**{_text(rule['title'])}** ({_text(rule['vendor'])})", _text(rule["as_written"])]
        parts += [_params(rule["params"]) if rule["params"] else "", f"What differs: {_text(rule['differs'])}", f"Source: {_text(rule['source'])}"]
    return _page(parts)


def providers_page() -> str:
    """The providers: what the log of each can show, and how long each waits for an answer."""
    known = registry()
    rows = [[f"[{provider.TITLE}](#{name})", *("yes" if provider.SIGHT[sight].can else "no" for sight in SIGHTS)] for name, provider in known.items()]
    parts = ["# Providers", "What the log of each provider can show.", _grid(["provider", *(sight.replace("_", " ") for sight in SIGHTS)], rows)]
    for name, provider in known.items():
        parts += [f"## {name}", *_provider(provider)]
    return _page(parts)


def _provider(provider: Provider) -> list[str]:
    sights = [[sight.replace("_", " "), "yes" if provider.SIGHT[sight].can else "no", provider.SIGHT[sight].note] for sight in SIGHTS]
    waits = [[_code(factor), str(wait.seconds), wait.source] for factor, wait in sorted(provider.PATIENCE.items())]
    return [
        f"**{provider.TITLE}**",
        _bullets(f"`{shape.name}`: a row needs {shape.needs}" for shape in provider.SHAPES),
        _grid(["what", "shown", "what follows"], sights),
        *(["How long a challenge can be answered:", _grid(["factor", "seconds", "source"], waits)] if waits else []),
    ]


def configuration_page() -> str:
    """The configuration file: every table with its keys, from the models that read it."""
    parts = [
        "# Configuration",
        "One TOML file holds the whole configuration; `unbidden init` writes one, and `unbidden doctor` says whether it works.",
        "A key that is not known is an error. Paths are relative to the file's folder. NAME is a name of yours.",
        "A reference names a secret: `env:NAME` is an environment variable, `file:/path` a file that only its owner can read. No secret stands in the file.",
    ]
    for table in tables_of(Settings):
        title = f"`{table.head}`" if table.head else "Before all tables"
        parts += [f"## {title}{f', kind `{table.kind}`' if table.kind else ''}", table.about]
        if table.keys:
            parts.append(_grid(["key", "type", "default", "what it says"], [[f"`{key.name}`", key.type, _default(key), key.about] for key in table.keys]))
    return _page(parts)


def _default(key: Key) -> str:
    if key.is_required:
        return "required"
    return f"`{key.default}`" if key.default is not None else "none"


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def _bullets(items: object) -> str:
    listed = [items] if isinstance(items, str | Mapping) else list(items) if isinstance(items, Iterable) else [items]
    return "\n".join(f"- {_text(item)}" for item in listed)


def _text(value: object) -> str:
    """A value of a content file as one line of prose."""
    match value:
        case None:
            return ""
        case str():
            return " ".join(value.split())
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return "; ".join(f"{key}: {_text(part)}" for key, part in value.items())
        case list():
            return ", ".join(_text(part) for part in value)
    return str(value)


def _code(value: object) -> str:
    return f"`{value}`" if value else ""


def _load(file: Path) -> Document:
    told = yaml.safe_load(file.read_text("utf-8"))
    return told if isinstance(told, Mapping) else {}


def _page(parts: Iterable[str]) -> str:
    return "<!-- Written by `make docs`. -->\n\n" + "\n\n".join(part for part in parts if part) + "\n"


WRITERS: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration_page,
    "coverage.md": coverage_page,
    "detections.md": detections_page,
    "numbers.md": numbers_page,
    "providers.md": providers_page,
    "published.md": published_page,
    "tables.md": tables_page,
}


def main() -> int:
    """Exit code 0, or 1 when `--check` finds a page that is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, name the pages that are not up to date")
    is_check = parser.parse_args().check
    stale = []
    for name, writer in WRITERS.items():
        file, text = PAGES / name, writer()
        if not file.is_file() or file.read_text("utf-8") != text:
            stale.append(name)
            if not is_check:
                PAGES.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
    for name in stale:
        print(f"docs/reference/{name} " + ("is not up to date: run make docs" if is_check else "written"))
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
