# SPDX-License-Identifier: MIT
"""The map of classes × features: a grid of cells per kernel, coloured by who is faster."""

import bisect

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..content.marks import MARK, marked
from ..model import Model
from ..numbers import NONE, times
from ..shape_map import Cell, ShapeMap, is_behind, score_of

from .style import (
    MAP_COLOURS, MUTED, PAPER, TEXT, WIDTH, legend_above, short, significant, title, to_svg,
)  # fmt: skip

# Ratios at which the colour changes: one step is worth the same in both directions.
STEPS = [1 / 1.5, 1 / 1.2, 1 / 1.05, 1.05, 1.2, 1.5]
CELL = 0.25  # height in inches


def shape_map(model: Model) -> str:
    maps = [of for of in model.maps() if of.compared()]
    lines = [len(of.classes) for of in maps]
    height = 0.4 + 0.7 * len(maps) + CELL * sum(lines)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    columns = figure.subplots(
        len(maps), 1, squeeze=False, gridspec_kw={"height_ratios": lines}
    )[:, 0]  # fmt: skip
    for axes, of in zip(columns, maps):
        grid(axes, of)
    legend_above(figure, handles(), len(MAP_COLOURS))
    return to_svg(figure)


def grid(axes: Axes, of: ShapeMap) -> None:
    for y, classes in enumerate(of.classes):
        for x, features in enumerate(of.features):
            cell = of.cells.get((classes, features))
            over = cell.ratio if cell else None
            axes.text(
                x, y, label(cell) if over else NONE, ha="center", va="center_baseline",
                fontsize=8, color=TEXT if over else MUTED,
            )  # fmt: skip
            if over:
                axes.barh(y, 1, 1, x - 0.5, color=colour(over.value), edgecolor=PAPER)
    axes.set_xlim(-0.5, len(of.features) - 0.5)
    axes.set_ylim(len(of.classes) - 0.5, -0.5)
    axes.set_xticks(range(len(of.features)), [str(d) for d in of.features])
    axes.set_yticks(range(len(of.classes)), [str(c) for c in of.classes])
    axes.tick_params(length=0, labelcolor=TEXT)
    axes.set_xlabel("features", color=TEXT)
    axes.set_ylabel("classes", color=TEXT)
    for spine in axes.spines.values():
        spine.set_visible(False)
    score = score_of(of.compared())
    left_out = f" (without {score.left_out} marked {MARK})" if score.left_out else ""
    title(
        axes,
        f"{short(of.kernel)}, {of.samples} samples: ahead in {score.ahead} of {score.cells} cells, "
        f"geometric mean {times(score.mean)}{left_out}",
    )


def label(cell: Cell) -> str:
    """Returns the ratio, and the library if it is clearly faster."""
    over = cell.ratio
    who = f" {cell.best_peer.isa}" if is_behind(over) else ""
    return marked(f"{significant(over.value)}{who}", over)


def colour(ratio: float) -> str:
    return MAP_COLOURS[bisect.bisect_right(STEPS, ratio)]


def handles() -> list[Patch]:
    shown = [significant(step) for step in STEPS]
    ranges = [
        f"below {shown[0]}",
        *(f"{low} to {high}" for low, high in zip(shown, shown[1:])),
        f"above {shown[-1]}",
    ]
    return [
        Patch(facecolor=c, edgecolor=MUTED, linewidth=0.5, label=text)
        for c, text in zip(MAP_COLOURS, ranges)
    ]
