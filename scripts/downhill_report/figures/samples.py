# SPDX-License-Identifier: MIT
"""The samples in the order of the run, which shows a drift of the machine."""

import math
from itertools import chain

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..model import Model
from ..rows import Row
from ..numbers import number, percent
from .style import (
    LEVEL_COLOURS,
    MUTED,
    TEXT,
    WIDTH,
    Look,
    dress,
    legend,
    short,
    title,
    to_svg,
)

# A point takes 15 bytes of the page. More would overlap.
MAX_POINTS = 2000
# Points of a strip, of 500 pixels.
MAX_STRIP_POINTS = 250
# Minimum half height of a strip, as a share of the median.
MIN_STRIP = 0.05
# Range of the axis; points outside are drawn at the edge.
LOWEST, HIGHEST = 0.75, 1.5
LINE = LEVEL_COLOURS[2]
FAULT = LEVEL_COLOURS[6]


def samples(model: Model) -> str:
    """Draws every sample over the median of its row, and the clock with a mark per disturbed
    group."""
    counted = [(s, t / o.median) for o in model.timed for s, t in zip(o.ended_s, o.times)]
    left_out = [(s, t / o.median) for o in model.timed for s, t in o.left_out]
    groups = model.conditions
    figure = Figure(figsize=(WIDTH, 4.4 if groups else 2.9), layout="constrained")
    parts = figure.subplots(
        2 if groups else 1, 1, squeeze=False, sharex=True,
        gridspec_kw={"height_ratios": [2, 1] if groups else [1]},
    )[:, 0]  # fmt: skip
    every = math.ceil((len(counted) + len(left_out)) / MAX_POINTS)
    for points, colour, marker, label in (
        (left_out, FAULT, "|", "with less than a whole core, left out"),
        (counted, LINE, "o", "samples"),
    ):
        if points:
            xs, ys = numpy.array(sorted(points)[::every]).T
            dots(parts[0], xs, numpy.clip(ys, LOWEST, HIGHEST), colour, marker, 0.012)
            parts[0].plot(
                [], [], color=colour, marker=marker, markersize=4, linestyle="none", label=label
            )
    if left_out:
        legend(parts[0], loc="upper right", ncols=2)
    parts[0].axhline(1, color=TEXT, linewidth=0.8)
    parts[0].set_ylim(LOWEST - 0.01, HIGHEST + 0.01)
    parts[0].set_ylabel("time / median of its row", color=TEXT)
    which = "every sample" if every == 1 else f"one sample in {every}"
    title(parts[0], f"{which}; values below {LOWEST} or above {HIGHEST} are drawn at the edge")
    if groups:
        clock(parts[1], model)
    for axes in parts:
        dress(axes, grid="both")
    parts[-1].set_xlabel("seconds since the start of the run", color=TEXT)
    return to_svg(figure)


def dots(
    axes: Axes,
    xs: numpy.ndarray,
    ys: numpy.ndarray,
    colour: str,
    marker: str,
    half: float,
    size: float = 2.2,
) -> None:
    """Draws the points as one path of short lines, with round caps for dots, or of half the given
    height for "|". A marker per point would take 50 bytes."""
    nothing = numpy.full(len(xs), numpy.nan)
    half = 0.0 if marker == "o" else half
    # matplotlib leaves out lines without length.
    length = 0.0 if half else 1e-4 * (numpy.ptp(xs) or 1.0)
    x = numpy.column_stack([xs, xs + length, nothing]).ravel()
    y = numpy.column_stack([ys - half, ys + half, nothing]).ravel()
    style = {"linewidth": 0.9} if half else {"linewidth": size, "solid_capstyle": "round"}
    (line,) = axes.plot(x, y, color=colour, alpha=0.7, **style)
    line.get_path().should_simplify = False


def clock(axes: Axes, model: Model) -> None:
    # One path of separate lines: a path per group, of which a run has thousands, would be long.
    nothing = [math.nan] * len(model.conditions)
    xs = zip((g.start_s for g in model.conditions), (g.end_s for g in model.conditions), nothing)
    ys = zip(
        (g.clock_before for g in model.conditions),
        (g.clock_after for g in model.conditions),
        nothing,
    )
    axes.plot([*chain(*xs)], [*chain(*ys)], color=TEXT, linewidth=1.4)
    highest = max(max(g.clock_before, g.clock_after) for g in model.conditions)
    faulty = [g for g in model.conditions if g.faults]
    axes.plot(
        [(g.start_s + g.end_s) / 2 for g in faulty], [highest * 1.15] * len(faulty), color=FAULT,
        marker="v", markersize=5, linestyle="none",
    )  # fmt: skip
    axes.set_ylim(0, highest * 1.3)
    axes.set_ylabel("clock, GHz", color=TEXT)
    if faulty:
        title(axes, "clock before and after each group; triangle: disturbed (see Conditions)")
    else:
        title(axes, "clock before and after each group")


def strips(model: Model, look: Look) -> str:
    """Draws the samples of the headline's rows, one strip per level and library. The height of a
    strip is the largest deviation from the median, but at least 5 %."""
    rows = model.strip_rows()
    figure = Figure(figsize=(WIDTH, 0.8 + 0.52 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, row in zip(panels, rows):
        strip(axes, look, row)
    title(panels[0], f"{short(rows[0].kernel)}, {rows[0].shape}")
    panels[-1].set_xlabel("samples in the order of the run", color=TEXT)
    return to_svg(figure)


def strip(axes: Axes, look: Look, row: Row) -> None:
    points = sorted([*zip(row.ended_s or range(len(row.times)), row.times), *row.left_out])
    largest = max(abs(time / row.median - 1) for _, time in points)
    points = points[:: math.ceil(len(points) / MAX_STRIP_POINTS)]
    left_out = {at for at, _ in row.left_out}
    times = numpy.array([time for _, time in points]) / 1e3
    if row.low and row.high:
        axes.axhspan(row.low / 1e3, row.high / 1e3, color=MUTED, alpha=0.25, linewidth=0)
    axes.axhline(row.median / 1e3, color=TEXT, linewidth=0.8)
    middle = row.median / 1e3
    half = middle * max(MIN_STRIP, largest)
    places = numpy.linspace(0, 1, len(times))
    kept = numpy.array([at not in left_out for at, _ in points])
    dots(axes, places[kept], times[kept], look.colour[row.isa], "o", 0.0, size=3.6)
    dots(axes, places[~kept], times[~kept], FAULT, "|", 0.2 * half)
    axes.set_ylim(middle - 1.2 * half, middle + 1.2 * half)
    axes.set_yticks([middle], [f"{row.isa}  {number(middle, 4)} µs"])
    axes.set_xticks([])
    axes.annotate(
        f"± {percent(largest)}", (1, 0.5), xycoords="axes fraction", fontsize=8, color=TEXT,
        xytext=(5, 0), textcoords="offset points", va="center", annotation_clip=False,
    )  # fmt: skip
    dress(axes, grid="y")
