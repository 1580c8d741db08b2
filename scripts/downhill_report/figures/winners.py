# SPDX-License-Identifier: MIT
"""The fastest level by shape: a grid per type of features, each cell with its winner."""

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..content.marks import marked
from ..model import Model
from ..numbers import NONE
from ..winners import Grid, Winner, wins

from .style import (
    MAP_COLOURS, MUTED, PAPER, TEXT, WIDTH, Look, legend_above, short, significant, title, to_svg,
)  # fmt: skip

CELL = 0.25  # height in inches
# Hand-written levels and libraries have their colours of all figures, pale enough for the text in
# the cell.
ALPHA = 0.45
NO_WINNER, OURS_NOT_HAND = (MAP_COLOURS[i] for i in (3, 2))
PEER = to_rgba(MUTED, ALPHA)
# Longer names do not fit a cell of a grid with many columns.
MAX_COLUMNS_WITH_NAMES = 9


def winners(model: Model, look: Look) -> str:
    grids = model.winners
    lines = [len(grid.lines) for grid in grids]
    height = 0.3 + 0.75 * len(grids) + CELL * sum(lines)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    columns = figure.subplots(
        len(grids), 1, squeeze=False, gridspec_kw={"height_ratios": lines}
    )[:, 0]  # fmt: skip
    for axes, grid in zip(columns, grids):
        draw(axes, model, look, grid)
    legend_above(figure, handles(model, look), 6)
    return to_svg(figure)


def draw(axes: Axes, model: Model, look: Look, grid: Grid) -> None:
    for y, line in enumerate(grid.lines):
        for x, column in enumerate(grid.columns):
            cell = grid.cells.get((line, column))
            axes.text(
                x, y, label(model, cell) if cell else NONE, ha="center", va="center_baseline",
                fontsize=7.5 if len(grid.columns) <= MAX_COLUMNS_WITH_NAMES else 6.5,
                color=TEXT if cell else MUTED,
            )  # fmt: skip
            if cell:
                fill = colour(model, look, cell)
                axes.barh(y, 1, 1, x - 0.5, facecolor=fill, edgecolor=PAPER)
    axes.set_xlim(-0.5, len(grid.columns) - 0.5)
    axes.set_ylim(len(grid.lines) - 0.5, -0.5)
    element = grid.columns[0].rpartition("_")[2]
    names = [name.removesuffix(f"_{element}") for name in grid.columns]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(grid.lines)), grid.lines)
    axes.tick_params(length=0, labelcolor=TEXT, labelsize=8.5)
    axes.xaxis.tick_top()
    axes.set_ylabel(grid.down, color=MUTED, fontsize=8.5)
    axes.set_xlabel(grid.across, color=MUTED, fontsize=8.5)
    axes.xaxis.set_label_position("top")
    for spine in axes.spines.values():
        spine.set_visible(False)
    title(axes, short(grid.title))


def label(model: Model, cell: Winner) -> str:
    """Returns the winner and how many times as fast as the next it is; "≈" if that is not clear."""
    if not cell.is_clear:
        return f"≈ {cell.best.isa}"
    return marked(f"{cell.best.isa} {significant(cell.over.value)}", cell.over)


Colour = str | tuple[float, float, float, float]


def colour(model: Model, look: Look, cell: Winner) -> Colour:
    if not cell.is_clear:
        return NO_WINNER
    kind = model.level(cell.best.isa).kind
    if kind == "hand":
        return of_level(look, cell.best.isa)
    return PEER if kind == "peer" else OURS_NOT_HAND


def of_level(look: Look, isa: str) -> Colour:
    return to_rgba(look.colour[isa], ALPHA)


def hand_levels(model: Model) -> list[str]:
    """Returns the hand-written levels that win a cell, lowest first."""
    counted, _ = wins(model.winners)
    return [o.name for o in model.levels if o.kind == "hand" and counted[o.name]]


def handles(model: Model, look: Look) -> list[Patch]:
    texts = [(of_level(look, isa), f"{isa} wins") for isa in hand_levels(model)]
    texts += [
        (PEER, "a library wins"), (OURS_NOT_HAND, "compiled or scalar code wins"),
        (NO_WINNER, "≈: no clear winner"),
    ]  # fmt: skip
    return [Patch(facecolor=c, edgecolor=MUTED, linewidth=0.5, label=t) for c, t in texts]
