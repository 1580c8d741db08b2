# SPDX-License-Identifier: MIT
"""Thread scaling: speed-up over one thread, with that of the machine's FMA units and memory."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..model import Model
from ..rows import Ratio

from .style import (
    DASHES, LEVEL_COLOURS, MARKERS, MUTED, TEXT, WIDTH, at, dress, legend_above, short, title,
    to_svg,
)  # fmt: skip

COLUMNS = 3
COLOURS = [LEVEL_COLOURS[i] for i in (2, 5, 8, 7, 6, 3)]


def threads(model: Model) -> str:
    """Draws one panel per kernel with a line per shape."""
    kernels: dict[str, dict[str, list[tuple[int, Ratio]]]] = {}
    for many, _, over in model.scaling():
        shapes = kernels.setdefault(f"{short(many.kernel)}, {many.isa}", {})
        shapes.setdefault(str(many.shape), []).append((many.threads, over))
    lines = -(-len(kernels) // COLUMNS)
    figure = Figure(figsize=(WIDTH, 0.5 + 2.9 * lines), layout="constrained")
    panels = figure.subplots(lines, min(COLUMNS, len(kernels)), squeeze=False).flatten()
    max_threads = max(many.threads for many, _, _ in model.scaling())
    names = list(dict.fromkeys(name for shapes in kernels.values() for name in shapes))
    for axes, (kernel, shapes) in zip(panels, kernels.items()):
        title(axes, kernel)
        machine(axes, model, max_threads)
        for name, points in shapes.items():
            line(axes, name, names.index(name), sorted(points, key=lambda point: point[0]))
        axes.set_xticks(ticks(max_threads))
        axes.set_xlim(0.9, max_threads * 1.12)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("threads", color=TEXT)
        dress(axes, grid="both")
    panels[0].set_ylabel("times as fast as one thread", color=TEXT)
    for axes in panels[len(kernels) :]:
        axes.axis("off")
    labelled = {h.get_label(): h for axes in panels for h in axes.get_lines()}
    legend_above(figure, [h for text, h in labelled.items() if not text.startswith("_")], 5)
    return to_svg(figure)


def ticks(max_threads: int) -> list[int]:
    """Returns the powers of two up to max_threads, and max_threads."""
    return sorted({1 << i for i in range(max_threads.bit_length())} | {max_threads})


def line(axes: Axes, name: str, i: int, points: list[tuple[int, Ratio]]) -> None:
    xs, ys = [1, *(n for n, _ in points)], [1.0, *(r.value for _, r in points)]
    axes.plot(
        xs, ys, color=at(COLOURS, i), marker=at(MARKERS, i), linestyle=at(DASHES, i),
        markersize=4.5, linewidth=1.2, label=name,
    )  # fmt: skip
    for n, r in points:
        axes.vlines(n, r.low, r.high, color=at(COLOURS, i), linewidth=1.1)


def machine(axes: Axes, model: Model, max_threads: int) -> None:
    """Draws ideal scaling and the measured scaling of the FMA units and of the memory."""
    ends = [1, max_threads]
    axes.plot(ends, ends, color=MUTED, linewidth=0.9, linestyle=":", label="ideal")
    for what, gains in model.machine_scaling():
        axes.plot(
            [n for n, _ in gains], [gain for _, gain in gains], color=MUTED, linewidth=0.9,
            linestyle="-" if what.startswith("FMA") else "--", label=what,
        )  # fmt: skip
