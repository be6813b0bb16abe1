"""The plot: recall against false alerts, our detections as a curve and published rules as points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.evaluate.evaluation import OURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMS = (".svg", ".png")
# Below this many false alerts per 1,000 person-days the axis is even, so that none at all has a place on it.
_EVEN_BELOW = 0.1
_MARKS = "sD^v<>pPX*hd8"
_INK, _OURS = "#24292f", "#c2410c"


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

    with rc_context({"svg.hashsalt": "unbidden", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "text.color": _INK}):
        figure = Figure(figsize=(9, 5), layout="constrained", facecolor="white")
        axes = figure.subplots()
        _frame(axes, result)
        _rules(axes, {name: told for name, told in result["results"].items() if name != OURS})
        _own(axes, result)
        figure.legend(loc="outside right upper", frameon=False, fontsize=8)
        figure.savefig(path, dpi=144, metadata={"Date": None} if path.suffix == ".svg" else None)


def _frame(axes: Axes, result: Mapping[str, Any]) -> None:
    worlds = result["worlds"]
    axes.set_title(f"{len(worlds['seeds'])} made-up companies of {worlds['people']} people, {worlds['days']} days, plan “{worlds['plan']}”", fontsize=9)
    axes.set_xscale("symlog", linthresh=_EVEN_BELOW)
    axes.set_xlabel("false alerts per 1,000 person-days (left is better)")
    axes.set_ylabel("attacks found, % (up is better)")
    axes.set_ylim(-2, 103)
    axes.grid(visible=True, color="#d0d7de", linewidth=0.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _own(axes: Axes, result: Mapping[str, Any]) -> None:
    """The curve of other lines of alert, and the point where the line is."""
    curve, ours = result["risk"]["curve"], result["results"][OURS]
    axes.plot([p["false_alerts"] for p in curve], [100 * (p["recall"] or 0) for p in curve], color=_OURS, linewidth=1.2, label="unbidden, other lines of alert")
    axes.scatter(*_place(ours, "recall"), s=90, color=_OURS, zorder=5, label="unbidden")


def _rules(axes: Axes, rules: Mapping[str, Mapping[str, Any]]) -> None:
    """Each rule at what it found of all attacks; hollow, at what it found of those that its logs show."""
    from matplotlib import colormaps  # noqa: PLC0415 -- only who plots needs it

    ordered = sorted(rules.values(), key=lambda told: (-(told["recall"]["share"] or 0), told["title"]))
    for number, told in enumerate(ordered):
        colour, mark = colormaps["tab20"](number % 20), _MARKS[number % len(_MARKS)]
        (x, found), (_, seen) = _place(told, "recall"), _place(told, "recall_in_scope")
        axes.plot([x, x], [found, seen], color=colour, linewidth=0.7)
        axes.scatter(x, seen, s=34, marker=mark, facecolors="white", edgecolors=[colour], linewidths=1, zorder=3)
        axes.scatter(x, found, s=38, marker=mark, color=[colour], zorder=4, label=told["title"])
    if ordered:
        axes.scatter([], [], s=34, marker="s", facecolors="white", edgecolors=_INK, linewidths=1, label="hollow: of the attacks in the rule's own log")


def _place(told: Mapping[str, Any], recall: str) -> tuple[float, float]:
    return told["false_alerts"]["per_1000_person_days"], 100 * (told[recall]["share"] or 0)
