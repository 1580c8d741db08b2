# SPDX-License-Identifier: MIT
"""The loss along one direction or two: a curve, a surface, or the example of three points."""

import math
from pathlib import PurePath

import numpy
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import look
from .read import Part
from .three_points import three_points

DIRECTION = "length 1 in the space of weights"


def draw(part: Part, title: str | None) -> Figure:
    kinds = {"curve": curve, "surface": surface, "three points": three_points}
    kind = part.text("kind")
    if kind not in kinds:
        raise part.get("kind").wrong(f"'{kind}' is not one of {', '.join(kinds)}")
    return kinds[kind](part, title)


def heading(part: Part, what: str) -> str:
    model = part.get("model").value
    around = "random weights" if model is None else f"the model {PurePath(part.text('model')).name}"
    samples = f"{part.number('samples'):.0f} samples of {part.text('dataset')}"
    return f"{what} of {samples}, around {around}"


def loss_of(part: Part) -> str:
    return f"mean {part.text('loss')} loss, with the penalty"


def left_out(count: int) -> str:
    return f"Left out: {count} points where the loss is not finite." if count else ""


def curve(part: Part, title: str | None) -> Figure:
    points = sorted(part.table("points", 1, 1))
    finite = [(x, y) for x, y in points if math.isfinite(y)]
    if not finite:
        raise part.get("points").nothing("has no loss that is finite")
    figure = look.new(title or heading(part, "Loss along one direction"),
                      left_out(len(points) - len(finite)))  # fmt: skip
    axes = figure.subplots()
    axes.margins(x=0.02, y=0.14)
    axes.plot(
        [x for x, _ in points], [y for _, y in points], color=look.LINES[0], linewidth=1.6,
        gid="curve",
    )  # fmt: skip
    look.dress(axes, f"distance along a random direction (1 = {DIRECTION})", loss_of(part))
    x, y = min(finite, key=lambda point: point[1])
    look.mark(axes, x, y, f"lowest: {look.number(y)} at {look.number(x)}")
    return figure


def grid_of(part: Part) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Returns (a, b, loss by b and a). The points may be in any order."""
    table = numpy.array(part.table("points", 2, 1)).reshape(-1, 3)
    a, column = numpy.unique(table[:, 0], return_inverse=True)
    b, row = numpy.unique(table[:, 1], return_inverse=True)
    if len(a) < 2 or len(b) < 2:
        raise part.get("points").nothing("has no grid of 2 × 2 points or more")
    loss, there = numpy.full((len(b), len(a)), numpy.nan), numpy.zeros((len(b), len(a)), bool)
    loss[row, column], there[row, column] = table[:, 2], True
    if len(table) != there.size or not there.all():
        raise part.get("points").wrong(f"is no grid of {len(a)} × {len(b)} points, each there once")
    if not numpy.isfinite(loss).any():
        raise part.get("points").nothing("has no loss that is finite")
    return a, b, loss


def surface(part: Part, title: str | None) -> Figure:
    a, b, loss = grid_of(part)
    caption = left_out(int(numpy.isnan(loss).sum()))
    figure = look.new(title or heading(part, "Loss along two directions"), caption, 7.6, 6.4)
    axes = figure.subplots()
    low, high = float(numpy.nanmin(loss)), float(numpy.nanmax(loss))
    levels = MaxNLocator(14).tick_values(low, high)
    # cividis: lighter is higher, also for colour-blind readers and in grey.
    filled = axes.contourf(a, b, numpy.ma.masked_invalid(loss), levels=levels, cmap="cividis")
    axes.contour(filled, colors=look.PAPER, linewidths=0.4, alpha=0.6)
    look.dress(axes, f"along direction a (1 = {DIRECTION})", f"along direction b (1 = {DIRECTION})")
    axes.grid(False)
    axes.set_aspect("equal")
    bar = figure.colorbar(filled, ax=axes, shrink=0.85,
                          format=FuncFormatter(lambda value, _: look.number(value)))  # fmt: skip
    bar.set_label(loss_of(part), color=look.TEXT)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=look.MUTED, labelcolor=look.TEXT)
    row, column = numpy.unravel_index(numpy.nanargmin(loss), loss.shape)
    where = f"{look.number(a[column])}, {look.number(b[row])}"
    above = b[row] < b[0] + 0.15 * (b[-1] - b[0])
    look.mark(axes, a[column], b[row], f"lowest: {look.number(low)} at ({where})", below=not above)
    return figure
