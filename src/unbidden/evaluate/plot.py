"""The plot: recall against false alerts, our detections as a curve and published rules as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.evaluate.evaluation import OURS, TOGETHER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMS = (".svg", ".png")
# Below this many false alerts per 1,000 person-days the axis is even, so that none at all has a place on it.
_EVEN_BELOW = 0.1
# How many rules are named; the others are dots.
_NAMED = 8
_INK, _OURS, _THEIRS, _TOGETHER = "#24292f", "#c2410c", "#1d4ed8", "#6b7280"
_PANELS = {"recall": "of all attacks", "recall_in_scope": "of the attacks in the logs that a rule reads"}


def refuse_if_impossible(path: Path) -> None:
    """Nothing when a plot can be written there. Raises UnusableInputError for another form, UnbiddenError where matplotlib is not installed."""
    if path.suffix not in FORMS:
        raise UnusableInputError(f"{path}: a plot is written as {' or '.join(FORMS)}")
    if find_spec("matplotlib") is None:
        raise UnbiddenError("a plot needs matplotlib: pip install 'unbidden[evaluate]'")


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write the plot of an evaluation, as SVG or PNG by the name of the file; the same document gives the same SVG."""
    refuse_if_impossible(path)
    from matplotlib import rc_context  # noqa: PLC0415 -- only who plots needs it
    from matplotlib.figure import Figure  # noqa: PLC0415 -- only who plots needs it

    worlds, rules = result["worlds"], _ordered(result)
    with rc_context({"svg.hashsalt": "unbidden", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "text.color": _INK}):
        figure = Figure(figsize=(10, 5.6), layout="constrained", facecolor="white")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (recall, title) in zip(panels, _PANELS.items(), strict=True):
            _frame(axes, title)
            _rules(axes, rules, recall)
            _own(axes, result)
            axes.set_xlim(left=-_EVEN_BELOW / 10)
        panels[0].set_ylabel("found, %")
        figure.suptitle(f"{len(worlds['seeds'])} made-up companies of {worlds['people']} people, {worlds['days']} days, plan “{worlds['plan']}”", fontsize=10)
        figure.legend(*_without_repeats(panels[0]), loc="outside lower left", frameon=False, fontsize=8, ncols=2)
        figure.savefig(path, dpi=144, metadata={"Date": None} if path.suffix == ".svg" else None)


def _ordered(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Published rules, those that find most first; of equal ones those with fewer false alerts."""
    rules = [told for name, told in result["results"].items() if name not in {OURS, TOGETHER}]
    return sorted(rules, key=lambda told: (-told["recall"]["count"], told["false_alerts"]["count"], told["title"]))


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("false alerts per 1,000 person-days of all people")
    axes.set_xscale("symlog", linthresh=_EVEN_BELOW)
    axes.set_ylim(-3, 104)
    axes.grid(visible=True, color="#d0d7de", linewidth=0.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _own(axes: Axes, result: Mapping[str, Any]) -> None:
    """The curve of other lines of alert, and the point where the line is; all published rules at once as one more point."""
    curve, results = result["risk"]["curve"], result["results"]
    axes.plot([p["false_alerts"] for p in curve], [100 * (p["recall"] or 0) for p in curve], color=_OURS, linewidth=1.2, label="unbidden, other lines of alert")
    axes.scatter(*_place(results[OURS], "recall"), s=90, color=_OURS, zorder=5, label="unbidden")
    if TOGETHER in results:
        axes.scatter(*_place(results[TOGETHER], "recall"), s=60, marker="s", color=_TOGETHER, zorder=4, label=results[TOGETHER]["title"].lower())


def _rules(axes: Axes, rules: Sequence[Mapping[str, Any]], recall: str) -> None:
    numbers: dict[tuple[float, float], list[str]] = {}
    for number, told in enumerate(rules, 1):
        is_named = number <= _NAMED
        place = _place(told, recall)
        axes.scatter(*place, s=26, color=_THEIRS, alpha=0.9 if is_named else 0.3, linewidths=0, label=None if is_named else "another published rule")
        if is_named:
            numbers.setdefault(place, []).append(str(number))
            axes.scatter([], [], s=0, label=f"{number}  {told['vendor']}: {told['title']}")
    for place, shared in numbers.items():
        axes.annotate(", ".join(shared), place, textcoords="offset points", xytext=(4, 3), fontsize=8, color=_THEIRS)


def _without_repeats(axes: Axes) -> tuple[list[Any], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    seen = dict(zip(reversed(labels), reversed(handles), strict=True))
    names = sorted(seen, key=lambda label: (label[0].isdigit(), label))
    return [seen[name] for name in names], names


def _place(told: Mapping[str, Any], recall: str) -> tuple[float, float]:
    return told["false_alerts"]["per_1000_person_days"], 100 * (told[recall]["share"] or 0)
