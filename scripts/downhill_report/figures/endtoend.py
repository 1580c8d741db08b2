# SPDX-License-Identifier: MIT
"""Test accuracy by seconds of training: downhill, scalar code, and other libraries."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ..content.endtoend import name_of
from ..endtoend import Comparison, Entry
from ..model import Model

from .style import (
    DASHES, MARKERS, MUTED, TEXT, WIDTH, Look, at, dress, legend, logarithmic, title, to_svg,
)  # fmt: skip

# Accuracies further below the lowest target are cut off, because they would flatten the curves.
SHOWN = 0.06


def endtoend(model: Model, look: Look) -> str:
    """Draws one panel per comparison."""
    drawn = [comparison for comparison in model.comparisons if comparison.drawn()]
    figure = Figure(figsize=(WIDTH, 0.4 + 2.9 * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for axes, comparison in zip(panels, drawn):
        title(axes, name_of(model, comparison))
        for entry in comparison.drawn():
            curve(axes, entry, style_of(look, comparison, entry))
        frame(axes, comparison)
        legend(axes)
    panels[-1].set_xlabel("seconds of training", color=TEXT)
    return to_svg(figure)


def style_of(look: Look, comparison: Comparison, entry: Entry) -> dict[str, Any]:
    """Returns the style of an entry; it does not depend on the other entries of the drawing."""
    if entry.isa is not None:
        dash = DASHES[0] if entry.dtype == "f32" else DASHES[1]
        return {
            "color": look.colour[entry.isa],
            "marker": look.marker[entry.isa],
            "linestyle": dash,
        }
    i = comparison.theirs.index(entry)
    return {"color": MUTED, "marker": at(MARKERS, -1 - i), "linestyle": at(DASHES, 2 + i)}


def curve(axes: Axes, entry: Entry, style: dict[str, Any]) -> None:
    seconds, accuracies = zip(*entry.curve())
    axes.plot(seconds, accuracies, label=entry.who, linewidth=1.2, markersize=4.5, **style)


def frame(axes: Axes, comparison: Comparison) -> None:
    for target in comparison.targets:
        axes.axhline(target, color=MUTED, linewidth=0.8, linestyle=":")
    found = [accuracy for entry in comparison.drawn() for _, accuracy in entry.curve()]
    top = max(*comparison.targets, *found)
    axes.set_ylim(max(min(found), min(comparison.targets) - SHOWN) - 0.005, top + 0.005)
    logarithmic(axes.xaxis)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.set_ylabel("test accuracy", color=TEXT)
    dress(axes, grid="both")
