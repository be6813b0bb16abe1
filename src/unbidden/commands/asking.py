"""Asking for what a configuration begins with, writing it, and saying what is left to do."""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.prompt import Confirm, Prompt

from unbidden.commands.shell import refuse_if_no_place, whole
from unbidden.errors import UnusableInputError
from unbidden.settings import Settings, settings_of
from unbidden.settings.beginning import ALERTS, CONSOLE, DOORS, SOURCES, Beginning, Open, open_of, put, told_of, variables
from unbidden.settings.shapes import toml_of
from unbidden.settings.written import text_of

_GROUPS: Mapping[str, tuple[str, Mapping[str, Beginning]]] = {
    "source": ("Which logs are fetched from their vendors?", SOURCES),
    "door": ("What is sent here by others?", DOORS),
    "alert": ("Who is told of an attack?", ALERTS),
    "console": ("Who else may reach the web console? Without more it is for this machine alone.", CONSOLE),
}


@dataclass(slots=True)
class Answers:
    """What the options say; what is empty was not answered."""

    output: Path
    sources: Sequence[str] = ()
    doors: Sequence[str] = ()
    alerts: Sequence[str] = ()
    console_ways: Sequence[str] = ()
    lake: str | None = None
    desk: str | None = None
    values: Sequence[str] = ()
    env_file: Path | None = None
    console: Console = field(default_factory=Console)


def begin(answers: Answers, *, is_forced: bool, is_asked: bool) -> None:
    """Write the files. Raises UnusableInputError, with nothing written, when a file is there already or an answer cannot be."""
    refuse_if_no_place(answers.output, answers.env_file)
    if answers.output.exists() and not is_forced:
        raise UnusableInputError(f"{answers.output}: the file is there already; --force writes over it, -o names another one")
    if answers.env_file is not None and answers.env_file.exists():
        raise UnusableInputError(f"{answers.env_file}: the file is there already, and may hold secrets; it is never written over")
    try:
        chosen = _chosen(answers, is_asked=is_asked)
        told, left = _filled(answers, chosen, is_asked=is_asked)
        secrets = variables(chosen)
        proposed = answers.output.with_suffix(".env")
        if (
            is_asked
            and secrets
            and answers.env_file is None
            and not proposed.exists()
            and Confirm.ask(f"Write {proposed} for the secrets, without values?", default=True)
        ):
            answers.env_file = proposed
    except EOFError as error:
        raise UnusableInputError("there is nobody to answer; with --yes nothing is asked") from error
    _refuse_unknown(told, answers.output)
    text = text_of(Settings, told, {one.path for one in left})
    settings_of(text, answers.output)
    with whole(answers.output) as stream:
        stream.write(text)
    if answers.env_file is not None:
        _write_secrets(answers.env_file, secrets)
    _conclude(answers, chosen, left, secrets)


def _chosen(answers: Answers, *, is_asked: bool) -> list[Beginning]:
    given = {"source": answers.sources, "door": answers.doors, "alert": answers.alerts, "console": answers.console_ways}
    found = []
    for group, (question, known) in _GROUPS.items():
        names = list(given[group])
        if not names and is_asked:
            names = _ask_names(answers.console, question, known)
        if wrong := sorted(set(names) - {*known, "none"}):
            raise UnusableInputError(f"--{group} {', '.join(wrong)}: there is none of that name; there are: {', '.join(known)}")
        found += [known[name] for name in dict.fromkeys(names) if name != "none"]
    return found


def _ask_names(console: Console, question: str, known: Mapping[str, Beginning]) -> list[str]:
    console.print(question, highlight=False)
    for name, one in known.items():
        console.print(f"  {name:12} {one.title}", highlight=False, markup=False)
    while True:
        names = [name.strip() for name in Prompt.ask("Names, with commas between them", default="none", console=console).split(",") if name.strip()]
        if not (wrong := [name for name in names if name not in {*known, "none"}]):
            return names
        console.print(f"There is no {', '.join(wrong)}.", highlight=False, markup=False)


def _filled(answers: Answers, chosen: list[Beginning], *, is_asked: bool) -> tuple[dict[str, Any], list[Open]]:
    """What the file says, and which of its values are still examples."""
    told = told_of(chosen)
    set_paths = [_set(told, text) for text in answers.values]
    left = [one for one in open_of(chosen) if one.path not in set_paths]
    if is_asked:
        left = [one for one in left if not _ask_value(answers.console, told, one)]
    for table, key, value, default in (("lake", "root", answers.lake, "unbidden-lake"), ("desk", "url", answers.desk, "sqlite:///unbidden-desk.db")):
        said = value
        if said is None and is_asked and (table, key) not in set_paths:
            said = Prompt.ask("Where are rows kept (the lake)?" if table == "lake" else "Where are incidents kept (the desk)?", default=default)
        if said is not None:
            put(told, (table, key), said)
    return told, left


def _ask_value(console: Console, told: dict[str, Any], one: Open) -> bool:
    """Whether the value was given; Enter leaves the example."""
    said = Prompt.ask(f"{one.place.replace('[', chr(92) + '[')} (Enter: later)", default="", show_default=False, console=console).strip()
    if said:
        put(told, one.path, [part.strip() for part in said.split(",")] if isinstance(one.example, list) else said)
    return bool(said)


def _set(told: dict[str, Any], text: str) -> tuple[str | int, ...]:
    """Do what a `--set` says; gives the path of what it set."""
    name, sign, value = text.partition("=")
    path = tuple(int(part) if part.isdigit() else part for part in name.strip().split("."))
    if not sign or not all(str(part) for part in path):
        raise UnusableInputError(f"--set {text}: write table.key=value")
    try:
        read: object = tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        read = value
    try:
        put(told, path, read)
    except KeyError as error:
        raise UnusableInputError(f"--set {text}: there is no table to put it into") from error
    return path


def _refuse_unknown(told: dict[str, Any], file: Path) -> None:
    """Hold what is told against the models: what they do not know would not be written."""
    settings_of("\n".join(f"{name} = {_inline(value)}" for name, value in told.items()), file)


def _inline(value: object) -> str:
    """A value of any depth on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {_inline(part)}' for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(part) for part in value) + "]"
    return toml_of(value) or '""'


def _write_secrets(file: Path, secrets: Mapping[str, str]) -> None:
    """A file of variables without values, which only its owner can read from its first moment on."""
    lines = ["# The secrets of unbidden: put each between its quotes. Keep this file out of version control."]
    lines += [line for name, what in secrets.items() for line in ("", f"# {what}", f"{name}=''")]
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")


def _conclude(answers: Answers, chosen: list[Beginning], left: list[Open], secrets: Mapping[str, str]) -> None:
    config, steps = shlex.quote(str(answers.output)), list[str]()
    if left:
        steps.append(f"Put your own values in {config}: {', '.join(one.place for one in left)}")
    steps += [f"{one.title[0].upper()}{one.title[1:]}: {one.todo}" for one in chosen if one.todo]
    if answers.env_file is not None and secrets:
        file = str(answers.env_file)
        steps.append(f"Fill in {file}, and read it: set -a; . {shlex.quote(file if '/' in file else f'./{file}')}; set +a")
    elif secrets:
        steps.append(f"Set the variables: {', '.join(f'{name} ({what})' for name, what in secrets.items())}")
    steps += [f"unbidden doctor --config {config} says whether all of it works", f"unbidden serve --config {config} begins to watch"]
    shown = {"markup": False, "highlight": False, "soft_wrap": True}
    answers.console.print(f"Wrote {answers.output}{f' and {answers.env_file}' if answers.env_file else ''}. What to do next:", **shown)  # type: ignore[arg-type]
    for number, step in enumerate(steps, 1):
        answers.console.print(f"{number:2}. {step}", **shown)  # type: ignore[arg-type]
