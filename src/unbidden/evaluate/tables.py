"""Tables: an evaluation as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from unbidden.evaluate.budget import Limit
from unbidden.evaluate.evaluation import OURS, TOGETHER


def print_evaluation(result: Mapping[str, Any], console: Console) -> None:
    """Everything that was measured, the answer first."""
    ours, worlds = result["results"][OURS], result["worlds"]
    days = f"{ours['false_alerts']['person_days']:,.0f} person-days"
    told = f"Plan {worlds['plan']}, seeds {', '.join(map(str, worlds['seeds']))}: {worlds['people']} people for {worlds['days']} days each, {days}."
    console.print(told, highlight=False, soft_wrap=True)
    console.print(f"Judged content {result['made_with']['detections']}.", highlight=False)
    console.print(_answers(ours))
    for trait, title in (("difficulty", "By difficulty"), ("family", "By family"), ("story", "By attack"), ("variant", "By what the attacker won")):
        console.print(_recalls(ours, trait, title))
    console.print(_false(ours))
    console.print(_calibration(result["risk"]))
    if len(result["results"]) > 1:
        console.print(_comparison(result["results"]))
    _print_mistakes(result, console)


def percent(told: Mapping[str, Any]) -> str:
    """A share as `97 % (33 of 34)`; a dash when there was nothing."""
    return "–" if told["share"] is None else f"{100 * told['share']:.0f} % ({told['count']:,} of {told['of']:,})"


def _range(told: Mapping[str, Any]) -> str:
    return f"{100 * told['range'][0]:.0f}–{100 * told['range'][1]:.0f} %" if told["range"] else ""


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        is_name = number == 0
        table.add_column(column, justify="left" if is_name else "right", no_wrap=not is_name and column != "")
    return table


def _answers(ours: Mapping[str, Any]) -> Table:
    table = _table("What unbidden found", "measure", "value", "")
    false, lead, needed = ours["false_alerts"], ours["lead_minutes"], ours["prompts_needed"]
    table.add_row("attacks found", percent(ours["recall"]), _range(ours["recall"]))
    table.add_row("alerts that were right", percent(ours["precision"]), "")
    table.add_row("false alerts per 1,000 person-days", f"{false['per_1000_person_days']:.2f}", f"{false['count']} in all")
    table.add_row("alerted before the approval", percent(ours["before_approval"]), "of attacks that were approved")
    table.add_row("… after three prompts or more", percent(ours["before_approval_after_three"]), "of those with time to see it")
    table.add_row("minutes from the alert to the approval", spread(lead), "tenth, middle, nine tenths; less than 0 is too late")
    table.add_row("prompts until the alert", spread(needed), "tenth, middle, nine tenths")
    table.add_row("stage told rightly", percent(ours["stage_accuracy"]), "")
    table.add_row("alerts for each attack found", "–" if ours["alerts_per_attack"] is None else f"{ours['alerts_per_attack']:.2f}", "")
    for story, told in ours["other_attacks"].items():
        table.add_row(f"{story}: an attack, but no push bombing", percent(told), "alerted; neither found nor false")
    return table


def spread(told: Mapping[str, Any]) -> str:
    """Three quantiles in one cell."""
    return "–" if not told["count"] else " · ".join(f"{told[name]:.0f}" for name in ("p10", "median", "p90"))


def _recalls(ours: Mapping[str, Any], trait: str, title: str) -> Table:
    table = _table(title, trait, "found", "true share, likely")
    for name, told in ours[f"recall_by_{trait}"].items():
        table.add_row(name, percent(told), _range(told))
    return table


def _false(ours: Mapping[str, Any]) -> Table:
    table = _table("False alerts", "where", "alerts", "it happened")
    for story, told in ours["false_alerts"]["by_trap"].items():
        table.add_row(story, f"{told['alerts']}", "" if told["happened"] is None else f"{told['happened']} times")
    return table


def _calibration(risk: Mapping[str, Any]) -> Table:
    told = risk["calibration"]
    scores = (
        ""
        if told["brier"] is None
        else f" (average precision {risk['average_precision'] or 0:.3f}, Brier {told['brier']:.3f}, mean gap {told['mean_gap']:.3f})"
    )
    table = _table(f"What the risk is worth{scores}", "risk", "incidents", "said", "were attacks")
    for row in told["table"]:
        table.add_row(f"{row['from']}–{row['to']}", f"{row['incidents']}", f"{100 * row['said']:.0f} %", f"{100 * row['seen']:.0f} %")
    return table


def _comparison(results: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table("Compared with published rules", "detection", "found", "in logs", "ours", "false", "right", "early", "needed")
    table.columns[0].min_width, table.pad_edge = 20, False
    table.caption = (
        "found: of all attacks. in logs: of those that a log which the rule reads tells of; ours: unbidden's of the same. "
        "false: alerts per 1,000 person-days of all people. right: of its alerts. early: before the approval, of attacks that were approved. "
        "needed: prompts until the alert, in the middle."
    )
    table.caption_justify = "left"
    for told in in_order(results):
        needed = told["prompts_needed"]["median"]
        table.add_row(
            f"{told['vendor']}: {told['title']}" if told["vendor"] else told["title"],
            _briefly(told["recall"]), f"{told['recall_in_scope']['count']}/{told['recall_in_scope']['of']}",
            f"{told['ours_in_scope']['count']}" if "ours_in_scope" in told else "",
            f"{told['false_alerts']['per_1000_person_days']:.2f}", *(_briefly(told[name]) for name in ("precision", "before_approval")),
            "–" if needed is None else f"{needed:.0f}",
        )  # fmt: skip
    return table


def in_order(results: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Ours, all published rules at once, then each by what it found of all attacks and by its false alerts."""
    ranks = {OURS: 0, TOGETHER: 1}
    order = sorted(results, key=lambda name: (ranks.get(name, 2), -results[name]["recall"]["count"], results[name]["false_alerts"]["count"], name))
    return [results[name] for name in order]


def _briefly(told: Mapping[str, Any]) -> str:
    return "–" if told["share"] is None else f"{100 * told['share']:.0f} %"


def _print_mistakes(result: Mapping[str, Any], console: Console) -> None:
    for attack in result["attacks"]:
        if not attack["found"]:
            facts = f"{attack['id']} ({attack['difficulty']}, {attack['prompts']} prompts, {attack['stage']})"
            console.print(f"missed: seed {attack['seed']}, {facts}, {attack['user']}", highlight=False, soft_wrap=True)
    for alert in result["false_alerts"]:
        console.print(
            f"false: seed {alert['seed']}, {alert['where']}, {alert['user']}, {alert['begin']}, risk {alert['risk']:.0f}", highlight=False, soft_wrap=True
        )


def print_limits(limits: Sequence[Limit], console: Console) -> None:
    """The budget, and whether it was kept; nothing without one."""
    if not limits:
        return
    table = _table("Budget", "measure", "limit", "measured", "")
    for limit in limits:
        value = "nothing to measure" if limit.value is None else f"{limit.value:.3f}"
        table.add_row(limit.name, f"at {'least' if limit.is_floor else 'most'} {limit.limit:g}", value, "kept" if limit.holds else "BROKEN")
    console.print(table)


def print_tuning(result: Mapping[str, Any], console: Console) -> None:
    """Old and new weights, and what both are worth on organisations that were not fitted to."""
    training, held_out = result["training"], result["held_out"]
    seeds = ", ".join(map(str, training["seeds"]))
    told = (
        f"Fitted to plan {training['plan']}, seeds {seeds}: {training['people']} people for {training['days']} days each, and {training['verdicts']} verdicts."
    )
    console.print(f"{told} The prior stays {result['prior']}.", highlight=False, soft_wrap=True)
    weights = _table("Weights", "detection", "group", "weight", "attacks", "harmless")
    weights.columns[0].min_width = 24
    for row in result["weights"]:
        weight = f"{row['before']:g}" if row["after"] == row["before"] else f"{row['before']:g} → {row['after']:g}"
        weights.add_row(row["detection"], row["group"], weight, *(f"{row[name]:,.0f}" if row[name] else "" for name in ("attacks", "harmless")))
    weights.caption = (
        "attacks, harmless: the episodes whose risk is made of it. Harmless ones are counted so that attacks are as rare among them as the prior says."
    )
    weights.caption_justify = "left"
    console.print(weights)
    table = _table(f"Held out: seeds {', '.join(map(str, held_out['seeds']))}", "measure", "before", "after")
    for name, show in _WORTH.items():
        table.add_row(name, *(show(result[side]) for side in ("before", "after")))
    console.print(table)


def print_written(files: Sequence[Path], console: Console, *, is_written: bool) -> None:
    """What was written, or how to."""
    if not is_written:
        console.print("Nothing was written. With --write the new weights go into the detections of a working copy.", highlight=False, soft_wrap=True)
        return
    console.print(f"Written: {len(files)} weights. Read their reasons again, then: make docs check test", highlight=False, soft_wrap=True)
    for file in files:
        console.print(f"  {file}", highlight=False, soft_wrap=True)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


_WORTH: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "attacks found": lambda told: percent(told["results"][OURS]["recall"]),
    "attacks found, hard ones": lambda told: percent(told["results"][OURS]["recall_by_difficulty"].get("hard", {"share": None})),
    "false alerts": lambda told: f"{told['results'][OURS]['false_alerts']['count']}",
    "alerted before the approval": lambda told: percent(told["results"][OURS]["before_approval"]),
    "stage told rightly": lambda told: percent(told["results"][OURS]["stage_accuracy"]),
    "average precision": lambda told: _number(told["risk"]["average_precision"]),
    "Brier score (less is better)": lambda told: _number(told["risk"]["calibration"]["brier"]),
    "logarithmic loss (less is better)": lambda told: _number(told["log_loss"]),
}
