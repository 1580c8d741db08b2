# SPDX-License-Identifier: MIT
"""Rooflines: one drawing per ISA level, with the roofs measured for it."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..model import Model
from ..rows import Row

from .style import (
    LEVEL_COLOURS, MUTED, PAPER, TEXT, WIDTH, at, dress, legend_above, logarithmic, marks, title,
    to_svg,
)  # fmt: skip

COLUMNS = 3
# Marker per kind of kernel.
FAMILIES = {
    "score": "o", "hinge": "^", "softmax": "v", "loss": "v", "grad": "s", "update": "P",
    "step": "D",
}  # fmt: skip
OTHER = "X"
# Colour per level of memory that holds the working set: L1, L2, L3, DRAM; farther is darker.
MEMORY = [LEVEL_COLOURS[4], LEVEL_COLOURS[8], LEVEL_COLOURS[7], LEVEL_COLOURS[3]]
STROKES = ["-", "--", "-.", ":"]
ABOVE = LEVEL_COLOURS[6]


def roofline(model: Model) -> str:
    shown = [row for row in model.timed if is_point(model, row)]
    levels = [o.name for o in model.levels if any(row.isa == o.name for row in shown)]
    lines = math.ceil(len(levels) / COLUMNS)
    columns = min(len(levels), COLUMNS)
    figure = Figure(figsize=(WIDTH, 0.9 + 3.3 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axes, isa in zip(panels, levels):
        points = [row for row in shown if row.isa == isa]
        draw_points(axes, model, points)
        title(axes, isa)
        logarithmic(axes.xaxis, subs=(1,) if columns > 1 else (1, 2, 5))
        logarithmic(axes.yaxis, subs=(1,) if columns > 1 else (1, 2, 5))
        dress(axes, grid="both")
    for axes, isa in zip(panels, levels):  # after all points, which set the common limits
        draw_roofs(axes, model, isa)
    for axes in panels[len(levels) :]:
        axes.axis("off")
    figure.supxlabel("operations per byte of the working set", color=TEXT, fontsize=10)
    figure.supylabel("GFLOP/s or GOP/s (median)", color=TEXT, fontsize=10)
    legend_above(figure, handles(model, shown), 7)
    return to_svg(figure)


def is_point(model: Model, row: Row) -> bool:
    """Returns whether the row is drawn: not for rows of several calls and variations of the
    step."""
    return (
        row.threads == 1
        and not row.sweep
        and model.level(row.isa).kind in ("baseline", "hand")
        and not row.kernel.startswith(("chain_", "epoch_"))
        and "_met" not in row.kernel
    )


def family(row: Row) -> str:
    return next((name for name in FAMILIES if row.kernel.startswith(name)), "other")


def memory_colour(model: Model, row: Row) -> str:
    where = model.memory_of(row)
    names = model.memory_names()
    return memory_look(names.index(where), len(names))["color"] if where else MUTED


def memory_look(i: int, count: int) -> dict[str, Any]:
    """Returns the style of level i of `count` levels of memory; the last level is always DRAM."""
    place = len(MEMORY) - count + i
    return {"color": at(MEMORY, place), "linestyle": at(STROKES, place)}


def draw_points(axes: Axes, model: Model, points: list[Row]) -> None:
    for row in points:
        style = marks(memory_colour(model, row), FAMILIES.get(family(row), OTHER), not row.cold, 5)
        axes.plot([row.intensity], [row.gflop_per_s], **style)
        if row.above_roof:
            axes.plot([row.intensity], [row.gflop_per_s], **marks(ABOVE, "o", False, 10) | {
                "markerfacecolor": "none", "markeredgewidth": 1.4,
            })  # fmt: skip


def draw_roofs(axes: Axes, model: Model, isa: str) -> None:
    if not model.ceilings:
        return
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    peaks = model.peaks_of(isa)
    line = {"linewidth": 1.1, "zorder": 1}
    highest = max(peaks.values(), default=top)
    bandwidths = model.bandwidths()
    for i, (_, bandwidth) in enumerate(bandwidths):
        start, end = max(left, bottom / bandwidth), min(right, highest / bandwidth)
        look = memory_look(i, len(bandwidths))
        axes.plot([start, end], [start * bandwidth, end * bandwidth], **look, **line)
    for what, bandwidth in together(dict(bandwidths), 1.5):
        start = max(left, bottom / bandwidth)
        note(axes, f"{what} GB/s", (start, start * bandwidth), (3, 6), "left")
    fastest = max(bandwidth for _, bandwidth in bandwidths)
    for peak in peaks.values():
        axes.plot([peak / fastest, right], [peak, peak], color=MUTED, **line)
    for what, peak in together(peaks, 1.2):
        note(axes, what, (right, peak), (-1, 2), "right")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, max(top, 1.6 * highest))


def note(
    axes: Axes, text: str, where: tuple[float, float], off: tuple[int, int], side: str
) -> None:
    axes.annotate(
        text, where, fontsize=7, color=TEXT, xytext=off, textcoords="offset points", ha=side,
        va="bottom", zorder=4,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.7, "pad": 0.3},
    )  # fmt: skip


def together(values: dict[str, float], apart: float) -> list[tuple[str, float]]:
    """Returns (names with values, highest value) per label; values within a factor `apart` share
    one."""
    out: list[tuple[str, float]] = []
    for name, value in sorted(values.items(), key=lambda item: item[1]):
        text = f"{name} {value:.0f}"
        if out and value < apart * out[-1][1]:
            out[-1] = (f"{text}, {out[-1][0]}", value)
        else:
            out.append((text, value))
    return out


def handles(model: Model, shown: list[Row]) -> list[Line2D]:
    present = {family(row) for row in shown}
    out = [
        Line2D([], [], label=name, **marks(MUTED, marker, size=5))
        for name, marker in (*FAMILIES.items(), ("other", OTHER))
        if name in present
    ]
    names = model.memory_names()
    used = {model.memory_of(row) for row in shown}
    for i, name in enumerate(names):
        if name in used:
            look = memory_look(i, len(names))
            out.append(Line2D([], [], label=f"set in {name}", linewidth=2, **look))
    if any(row.cold for row in shown):
        out.append(Line2D([], [], label="cold", **marks(TEXT, "o", False, 5)))
    if any(row.above_roof for row in shown):
        ring = marks(ABOVE, "o", False, 10) | {"markeredgewidth": 1.4}
        out.append(Line2D([], [], label="above its roof (suspect the ceiling)", **ring))
    return out
