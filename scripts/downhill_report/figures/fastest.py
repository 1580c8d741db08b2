# SPDX-License-Identifier: MIT
"""The answer as bars: one kernel at the main shape, every ISA level and library."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ..model import Model
from ..numbers import microseconds, times
from ..rows import ratio
from .style import MUTED, PAPER, TEXT, WIDTH, Look, dress, plain, to_svg


def fastest(model: Model, look: Look) -> str:
    rows = sorted(model.strip_rows(), key=lambda row: row.median)
    scalar = next((row for row in rows if row.isa == model.baseline), None)
    figure = Figure(figsize=(WIDTH, 0.6 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    longest = 1e9 / rows[0].median
    for y, row in enumerate(rows):
        calls = 1e9 / row.median
        low, high = (1e9 / (time or row.median) for time in (row.high, row.low))
        axes.barh(
            y, calls, 0.78, color=look.colour[row.isa], hatch=look.hatch(row.isa), edgecolor=PAPER,
            linewidth=0.5, ecolor=TEXT, xerr=[[max(calls - low, 0)], [max(high - calls, 0)]],
            error_kw={"elinewidth": 0.8},
        )  # fmt: skip
        over = f",  {times(ratio(row, scalar))} scalar" if scalar and row is not scalar else ""
        axes.text(
            max(calls, high) + longest * 0.01, y, f"{microseconds(row.median)} µs{over}",
            va="center", fontsize=8.5, color=TEXT,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [model.title(row.isa) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, longest * 1.28)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axes.set_xlabel("calls per second: longer is faster", color=MUTED)
    axes.tick_params(axis="y", length=0)
    dress(axes, grid="x")
    return to_svg(figure)
