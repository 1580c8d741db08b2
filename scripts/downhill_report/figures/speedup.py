# SPDX-License-Identifier: MIT
"""Bars: every level over scalar, and each hand-written one over the compiler with the same
flags."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..model import Model
from ..rows import Ratio, Shape
from .style import PAPER, TEXT, WIDTH, Look, dress, short, significant, title, to_svg

# Per kernel, the speed-up of each level.
Bars = list[tuple[str, list[tuple[str, Ratio]]]]


def speedup(model: Model, look: Look, shape: Shape) -> str:
    over_scalar, over_auto = ratios(model, shape)
    count = max(sum(len(bars) + 0.9 for _, bars in side) for side in (over_scalar, over_auto))
    figure = Figure(figsize=(WIDTH, 0.7 + 0.17 * max(count, 6)), layout="constrained")
    sides = [
        ("times as fast as scalar code", over_scalar),
        ("… as the compiler's, same flags", over_auto),
    ]
    sides = [side for side in sides if side[1]]
    columns = figure.subplots(1, len(sides) or 1, squeeze=False)[0]
    for axes, (what, groups) in zip(columns, sides):
        bars(axes, look, groups)
        title(axes, what)
    if not sides:
        columns[0].axis("off")
        columns[0].text(0, 0.5, "nothing to compare with at this shape", color=TEXT)
    return to_svg(figure)


def ratios(model: Model, shape: Shape) -> tuple[Bars, Bars]:
    """Returns (speed-ups over scalar, over the compiler), without kernels that have none."""
    over_scalar, over_auto = [], []
    for kernel in model.kernels:
        rows = [model.find(kernel, level.name, shape) for level in model.timed_levels()]
        rows = [row for row in rows if row]
        scalar = [(row.isa, model.over_scalar(row)) for row in rows]
        auto = [(row.isa, model.over_auto(row)) for row in rows]
        over_scalar.append(
            (short(kernel), [(isa, r) for isa, r in scalar if r and isa != "scalar"])
        )
        over_auto.append((short(kernel), [(isa, r) for isa, r in auto if r]))
    return [group for group in over_scalar if group[1]], [group for group in over_auto if group[1]]


def bars(axes: Axes, look: Look, groups: Bars) -> None:
    """Draws horizontal bars: a group per kernel, a bar per level, the value at its end."""
    y, ticks = 0.0, []
    longest = max((r.value for _, of in groups for _, r in of), default=1.0)
    for label, of in groups:
        first = y
        for isa, r in of:
            axes.barh(
                y, r.value, 0.86, color=look.colour[isa], hatch=look.hatch(isa),
                edgecolor=PAPER, linewidth=0.5, ecolor=TEXT,
                xerr=[[max(r.value - r.low, 0)], [max(r.high - r.value, 0)]],
                error_kw={"elinewidth": 0.8},
            )  # fmt: skip
            # Keep the text clear of the line at 1 and inside the drawing.
            after = min(max(r.high, 1), longest * 1.05) + longest * 0.012
            axes.text(
                after, y, f"{significant(r.value)}  {isa}", va="center", fontsize=7.5, color=TEXT
            )
            y += 1
        ticks.append(((first + y - 1) / 2, label))
        y += 0.9
    axes.set_yticks([at for at, _ in ticks], [label for _, label in ticks])
    axes.set_xlim(0, longest * 1.34)
    axes.set_ylim(y - 0.9 - 0.4, -0.6)
    axes.axvline(1, color=TEXT, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.tick_params(axis="y", length=0)
    dress(axes, grid="x")
