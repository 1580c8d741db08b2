# SPDX-License-Identifier: MIT
"""The ISA ladder: what each level gains on the one before it."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..model import Model
from ..rows import Row

from .style import (
    DASHES, LEVEL_COLOURS, MARKERS, TEXT, WIDTH, at, dress, legend, logarithmic, short, title,
    to_svg,
)  # fmt: skip

TYPES = ("f32", "bf16", "u8")
# Colours of the kernels, in the order of the legend.
COLOURS = [LEVEL_COLOURS[i] for i in (2, 5, 8, 7, 6, 3, 0)]


def ladder(model: Model) -> str:
    """Draws one panel per type of feature: samples per second by level."""
    found = model.ladder()
    types = [o for o in TYPES if any(kernel.endswith(f"_{o}") for kernel, _ in found)]
    levels = [level.name for level in model.levels if any(rows_of(found, level.name))]
    figure = Figure(figsize=(WIDTH, 0.7 + 2.5 * len(types)), layout="constrained")
    for axes, element in zip(figure.subplots(len(types), 1, squeeze=False)[:, 0], types):
        kernels = [(k, rows) for k, rows in found if k.endswith(f"_{element}")]
        for i, (kernel, rows) in enumerate(kernels):
            line(axes, levels, kernel, rows, i)
        logarithmic(axes.yaxis, subs=(1,))
        axes.set_xlim(-0.3, len(levels) - 0.7)
        axes.set_xticks(range(len(levels)), levels)
        axes.set_ylabel("samples/s", color=TEXT)
        title(axes, f"{element} features, {model.main_shape}")
        dress(axes, grid="both")
        legend(axes)
    return to_svg(figure)


def rows_of(found: list[tuple[str, list[Row | None]]], level: str) -> list[Row]:
    return [row for _, rows in found for row in rows if row and row.isa == level]


def line(axes: Axes, levels: list[str], kernel: str, rows: list[Row | None], i: int) -> None:
    """Draws a line over the levels that have a kernel of their own, and points of the auto
    levels."""
    own = list({row.isa: row for row in rows if row}.values())
    hand = [row for row in own if not row.isa.startswith("auto_")]
    auto = [row for row in own if row.isa.startswith("auto_")]
    colour, marker = at(COLOURS, i), at(MARKERS, i)
    axes.plot(
        [levels.index(row.isa) for row in hand], [row.samples_per_s for row in hand],
        color=colour, marker=marker, markersize=5, linewidth=1.2, linestyle=at(DASHES, i // 7),
        label=short(kernel),
    )  # fmt: skip
    axes.plot(
        [levels.index(row.isa) for row in auto], [row.samples_per_s for row in auto],
        color=colour, marker=marker, markersize=5, markerfacecolor="none", linestyle="none",
    )  # fmt: skip
