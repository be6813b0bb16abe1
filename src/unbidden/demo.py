"""The demonstration: a made-up company, its logs scanned by the ordinary line, and what was found held against the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from unbidden import line
from unbidden.detect import Catalogue
from unbidden.people import read_list
from unbidden.report import FORMATS
from unbidden.result import document
from unbidden.simulate import write
from unbidden.trust import read_trust

# The real cases, and what no rule that counts can see: a drip, a first push approved, a single refusal.
ATTACKS = (
    "uber_2022,cisco_2022,lapsus_2022,okta_sitel_2022,apt29_2021,scattered_spider_2023,iranian_actors_2024,la_county_2024,gosecure_2022,"
    "apple_style_reset_2024,drip,first_prompt,one_refused"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a demonstration made."""

    folder: Path
    report: Path
    result: dict[str, Any]
    truth: dict[str, Any]
    run: line.Run


def run(folder: Path, progress: Callable[[str], None] = lambda _: None, catalogue: Catalogue | None = None) -> Shown:
    """Simulate into `folder/logs`, scan it, write `folder/report.html`."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    progress("simulating two weeks of a company of 300 people")
    write(logs, attacks=ATTACKS)
    options = line.Options(listed=read_list(logs / "people.csv"), trusted=read_trust(logs / "trust.csv"), catalogue=catalogue)
    done = line.run([str(path) for path in sorted(logs.iterdir()) if path.is_dir()], options, progress)
    result = document(done)
    report = folder / "report.html"
    report.write_text(FORMATS["html"](result), "utf-8")
    return Shown(folder, report, result, json.loads((logs / "truth.json").read_text("utf-8")), done)


def conclude(shown: Shown, console: Console) -> None:
    """Say how the result compares with what really happened, and what to try next."""
    alerts = [incident for incident in shown.result["incidents"] if incident["severity"] != "low"]
    victims = {victim for attack in shown.truth["attacks"] for victim in attack["victims"]}
    found = sorted(victims & {incident["user"] for incident in alerts})
    other = {person for trap in shown.truth["traps"] if trap["other_attack"] for person in trap["people"]} - victims
    false = sorted({incident["user"] for incident in alerts} - victims - other)
    console.rule("Held against the truth of the simulation")
    console.print(f"Attacked people: {len(victims)}, of these alerted: {len(found)}. Alerts about anybody else: {len(false)}.", highlight=False)
    for missed in sorted(victims - set(found)):
        console.print(f"  missed: {missed}", highlight=False)
    for wrong in false:
        console.print(f"  false: {wrong}", highlight=False)
    for relayed in sorted(other & {incident["user"] for incident in alerts}):
        console.print(f"  another kind of attack, alerted as well: {relayed} was phished through a relay", highlight=False)
    console.print(f"Report: {shown.report}", highlight=False)
    console.print(f"Try: unbidden sources {shown.folder}/logs", highlight=False, soft_wrap=True)
    told = f"--people {shown.folder}/logs/people.csv --trust {shown.folder}/logs/trust.csv"
    console.print(f"     unbidden scan {shown.folder}/logs {told}", highlight=False, soft_wrap=True)
    console.print("     unbidden scan YOUR-EXPORTS", highlight=False)
