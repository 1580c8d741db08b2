# SPDX-License-Identifier: MIT
"""The sweeps: one drawing per kernel, with the sizes at which the working set exceeds a cache."""

import math
from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from ..model import Model
from ..rows import Row
from ..sweeps import Sweep, is_power

from .style import (
    LEVEL_COLOURS, MUTED, TEXT, WIDTH, dress, legend, logarithmic, marks, plain, short, title,
    to_svg,
)  # fmt: skip

LINE = LEVEL_COLOURS[2]
# Returns the x coordinate of a row, or the factor from GFLOP/s to its y coordinate.
Size = Callable[[Row], float]


def batch(model: Model) -> str:
    return draw(
        model, model.batch_sweeps(), lambda row: row.shape.n,
        lambda row: row.shape.n / row.flops * 1e9, "samples in a batch", "samples/s", powers=True,
    )  # fmt: skip


def size(model: Model) -> str:
    return draw(
        model, model.size_sweeps(), lambda row: row.shape.d, lambda row: 1.0,
        "features", "GFLOP/s or GOP/s",
    )  # fmt: skip


def draw(
    model: Model, sweeps: list[Sweep], place: Size, scale: Size, xlabel: str, ylabel: str,
    powers: bool = False,
) -> str:  # fmt: skip
    figure = Figure(figsize=(WIDTH, 0.5 + 2.6 * len(sweeps)), layout="constrained")
    for axes, sweep in zip(figure.subplots(len(sweeps), 1, squeeze=False)[:, 0], sweeps):
        curve(axes, sweep, place, scale, powers)
        logarithmic(axes.xaxis, subs=(1, 2, 5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
        axes.set_ylim(bottom=0)
        caches(axes, model, sweep, place)
        axes.set_xlabel(xlabel, color=TEXT)
        axes.set_ylabel(ylabel, color=TEXT)
        first = sweep.rows[0].shape
        rest = f"{first.d} features" if powers else f"{first.n} samples"
        title(axes, f"{short(sweep.kernel)}, {sweep.isa}, {rest}, {first.c} classes")
        dress(axes, grid="y")
        legend(axes, handles(sweep, powers))
    return to_svg(figure)


def curve(axes: Axes, sweep: Sweep, place: Size, scale: Size, powers: bool) -> None:
    xs = [place(row) for row in sweep.rows]
    ys = [row.gflop_per_s * scale(row) for row in sweep.rows]
    axes.plot(xs, ys, color=LINE, linewidth=1, zorder=2)
    for row, x, y in zip(sweep.rows, xs, ys):
        if row.low and row.high:  # rates: the longest time is the lowest
            axes.vlines(
                x, y * row.median / row.high, y * row.median / row.low, color=TEXT, linewidth=1.1
            )
        axes.plot([x], [y], zorder=3, **marks(LINE, "o", not powers or is_power(row.shape.n), 5))
    if all(row.attainable for row in sweep.rows):
        axes.plot(
            xs, [row.attainable * scale(row) for row in sweep.rows], color=MUTED, linewidth=1,
            linestyle="--", zorder=1,
        )  # fmt: skip


def caches(axes: Axes, model: Model, sweep: Sweep, place: Size) -> None:
    """Draws a line where the working set is as large as a cache, interpolated between two sizes."""
    top = axes.get_ylim()[1]
    axes.set_ylim(0, top * 1.1)
    for name, holds in model.cache_sizes():
        for below, above in zip(sweep.rows, sweep.rows[1:]):
            if below.holds and above.holds and below.holds <= holds < above.holds:
                part = math.log(holds / below.holds) / math.log(above.holds / below.holds)
                x = place(below) * (place(above) / place(below)) ** part
                axes.axvline(x, color=MUTED, linewidth=0.9, linestyle=":")
                axes.annotate(
                    f"{name} full", (x, top * 1.1), fontsize=8, color=TEXT, xytext=(2, -2),
                    textcoords="offset points", va="top",
                )  # fmt: skip


def handles(sweep: Sweep, powers: bool) -> list[Line2D]:
    out = [Line2D([], [], label="power of two" if powers else "median", **marks(LINE, "o"))]
    if powers:
        out.append(Line2D([], [], label="other number", **marks(LINE, "o", False)))
    if all(row.low for row in sweep.rows):
        bar = {"marker": "|", "markersize": 9, "markeredgewidth": 1.1}
        out.append(Line2D([], [], color=TEXT, linestyle="none", label="95 % interval", **bar))
    if all(row.attainable for row in sweep.rows):
        out.append(Line2D([], [], color=MUTED, linestyle="--", linewidth=1, label="attainable"))
    return out
