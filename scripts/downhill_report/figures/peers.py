# SPDX-License-Identifier: MIT
"""Comparison with other libraries: how many times as fast downhill is as each, row by row."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..model import Model
from ..rows import Ratio, Row

from .style import (
    LEVEL_COLOURS, MARKERS, TEXT, WIDTH, at, dress, legend, logarithmic, marks, short, to_svg,
)  # fmt: skip

COLOURS = [LEVEL_COLOURS[2], LEVEL_COLOURS[5], LEVEL_COLOURS[8], LEVEL_COLOURS[7]]


def peers(model: Model) -> str:
    # Rows of one kernel next to each other, because readers compare those.
    found = sorted(model.against_peers(), key=lambda pair: model.kernels.index(pair[0].kernel))
    figure = Figure(figsize=(WIDTH, 0.8 + 0.24 * len(found)), layout="constrained")
    axes = figure.subplots()
    names = [peer.name for peer in model.peers]
    for y, (ours, ratios) in enumerate(found):
        points(axes, y, names, ratios)
    axes.set_yticks(range(len(found)), [f"{short(ours.kernel)}  {ours.shape}" for ours, _ in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.axvline(1, color=TEXT, linewidth=0.9, linestyle=(0, (4, 2)))
    logarithmic(axes.xaxis, subs=(1, 1.5, 2, 3, 5, 7))
    axes.set_xlabel(
        "times as fast as the library, our best level (right of 1: downhill is faster)", color=TEXT
    )
    axes.tick_params(axis="y", length=0)
    dress(axes, grid="both")
    handles = [
        Line2D([], [], label=model.title(name), **marks(at(COLOURS, i), at(MARKERS, i)))
        for i, name in enumerate(names)
    ]
    legend(axes, handles)
    return to_svg(figure)


def points(axes: Axes, y: int, names: list[str], ratios: list[tuple[Row, Ratio] | None]) -> None:
    for i, (name, pair) in enumerate(zip(names, ratios)):
        if pair:
            at_y, r = y + (i - (len(names) - 1) / 2) * 0.2, pair[1]
            axes.hlines(at_y, r.low, r.high, color=at(COLOURS, i), linewidth=1.1)
            axes.plot([r.value], [at_y], **marks(at(COLOURS, i), at(MARKERS, i), size=4.5))
