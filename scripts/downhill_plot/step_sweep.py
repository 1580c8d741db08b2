# SPDX-License-Identifier: MIT
"""The loss after one gradient step, by step size."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import look
from .read import Part


def draw(part: Part, title: str | None) -> Figure:
    points = sorted(part.table("points", 1, 1))
    if any(step != 0 and step < look.SMALLEST for step, _ in points):
        raise part.get("points").wrong(f"has a step size below {look.SMALLEST} that is not 0")
    before = [loss for step, loss in points if step == 0 and math.isfinite(loss)]
    steps = [(step, loss) for step, loss in points if step > 0]
    finite = [(step, loss) for step, loss in steps if math.isfinite(loss)]
    if not finite:
        raise part.get("points").nothing("has no step whose loss is finite")
    samples = f"{part.number('samples'):.0f} samples of {part.text('dataset')}"
    out = len(steps) - len(finite)
    figure = look.new(
        title or f"Loss after one step, {samples}",
        f"Left out: {out} steps after which the loss is not finite." if out else "",
    )
    axes = figure.subplots()
    axes.margins(x=0.03, y=0.14)
    axes.plot(
        [step for step, _ in steps], [loss for _, loss in steps], color=look.LINES[0],
        marker="o", markersize=3.5, linewidth=1.4, gid="curve",
    )  # fmt: skip
    look.logarithmic(axes.xaxis, steps[0][0], steps[-1][0])
    losses = [loss for _, loss in finite] + before
    if look.spans_decades(losses):
        look.logarithmic(axes.yaxis, min(losses), max(losses))
    look.dress(
        axes, "step size (learning rate)", f"mean {part.text('loss')} loss, with the penalty"
    )
    if before:
        reference(axes, before[0])
    best, lowest = min(finite, key=lambda point: point[1])
    if before and lowest >= before[0]:
        text = f"no step lowers the loss: {look.number(lowest)} at {look.number(best, 2)}"
    else:
        text = f"lowest: {look.number(lowest)} after a step of {look.number(best, 2)}"
    look.mark(axes, best, lowest, text)
    return figure


def reference(axes: Axes, loss: float) -> None:
    """Draws the loss without a step. The text is above the line at the left, where the curve of the
    smallest steps is at or below the line."""
    axes.axhline(loss, color=look.TEXT, linewidth=1.0, linestyle=(0, (5, 3)), gid="no-step")
    axes.annotate(
        f"without a step: {look.number(loss)}", (0.01, loss),
        xycoords=axes.get_yaxis_transform(), xytext=(0, 4), textcoords="offset points",
        ha="left", va="bottom", fontsize=9, color=look.TEXT,
    )  # fmt: skip
