# SPDX-License-Identifier: MIT
"""The example of three samples with one feature: piecewise linear losses and their mean."""

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import look
from .read import Part

Curve = tuple[list[float], list[float], list[float]]  # x, y, where it bends

SAME_SLOPE = 0.01  # tolerance relative to the steepest slope; the losses were computed in f32


def three_points(part: Part, title: str | None) -> Figure:
    table = numpy.array(part.table("points", 1, 4)).reshape(-1, 5)
    table = table[numpy.argsort(table[:, 0])]
    w, losses = table[:, 0], table[:, 1:].T
    if len(w) < 2 or w[0] == w[-1] or (numpy.diff(w) == 0).any():
        raise part.get("points").wrong("has fewer than two weights, or a weight twice")
    if not numpy.isfinite(losses).all():
        raise part.get("points").wrong("has a loss that is not finite")
    names = ["sample 0", "sample 1", "sample 2", "mean"]
    curves = [with_bends(w, y) for y in losses[:3]]
    curves.append(mean_of(curves))
    low, high = view(w, [x for _, _, bends in curves for x in bends])
    figure = look.new(
        title or "Three samples of three classes: hinge loss by one weight",
        "Dots: the bends, where a margin starts or stops being met. Outside the picture every line "
        "continues straight.",
    )
    axes = figure.subplots()
    for i, (x, y, bends) in enumerate(curves):
        draw_one(axes, i, x, y, bends)
    fit(axes, curves, low, high)
    look.dress(axes, "weight w0 of class 0", "hinge loss")
    for i, at in enumerate(label_places(w, losses, low, high, curves[3][2])):
        axes.text(
            w[at], losses[i][at], names[i], ha="center", va="center", fontsize=9.5, zorder=6,
            color=look.TEXT if i == 3 else look.LINES[i],
            bbox={"boxstyle": "square,pad=0.2", "facecolor": look.PAPER, "edgecolor": "none"},
        )  # fmt: skip
    return figure


def draw_one(axes: Axes, i: int, x: list[float], y: list[float], bends: list[float]) -> None:
    mean = i == 3
    colour = look.TEXT if mean else look.LINES[i]
    axes.plot(
        x, y, color=colour, linewidth=2.4 if mean else 1.5,
        linestyle="-" if mean else look.DASHES[i], zorder=3 if mean else 2, gid=f"loss-{i}",
    )  # fmt: skip
    axes.plot(
        bends, numpy.interp(bends, x, y), color=colour, linestyle="none", marker="o",
        markersize=5, zorder=4, gid=f"bends-{i}",
    )  # fmt: skip


def with_bends(w: numpy.ndarray, y: numpy.ndarray) -> Curve:
    """Returns the curve with its bends among the vertices, and the bends. A bend lies between two
    points, where two straight runs meet that are at most one interval apart."""
    slopes = numpy.diff(y) / numpy.diff(w)
    same = SAME_SLOPE * max(numpy.abs(slopes).max(), 1e-300)
    ends = [0, *(numpy.flatnonzero(numpy.abs(numpy.diff(slopes)) > same) + 1), len(slopes)]
    runs = [(i, j) for i, j in zip(ends, ends[1:]) if j - i > 1]
    x, out, bends = list(w), list(y), []
    for (_, i), (j, _) in zip(runs, runs[1:]):
        if j - i <= 1 and abs(slopes[j] - slopes[i - 1]) > same:
            gain = slopes[j] - slopes[i - 1]
            at = ((y[i] - slopes[i - 1] * w[i]) - (y[j] - slopes[j] * w[j])) / gain
            bends.append(float(at))
            x.append(at)
            out.append(y[i] + slopes[i - 1] * (at - w[i]))
    order = numpy.argsort(x)
    return [float(x[k]) for k in order], [float(out[k]) for k in order], bends


def mean_of(curves: list[Curve]) -> Curve:
    """Returns the mean of the curves. It bends wherever one of them bends, which may be more often
    than there are points."""
    x = sorted({at for xs, _, _ in curves for at in xs})
    y = numpy.mean([numpy.interp(x, xs, losses) for xs, losses, _ in curves], axis=0)
    return x, [float(o) for o in y], sorted(at for _, _, bends in curves for at in bends)


def view(w: numpy.ndarray, bends: list[float]) -> tuple[float, float]:
    """Returns the range of weights to show: the bends with a margin of 60 % of their range on each
    side."""
    if not bends:
        return float(w[0]), float(w[-1])
    low, high = min(bends), max(bends)
    margin = max(high - low, (w[-1] - w[0]) / 20) * 0.6
    return max(float(w[0]), low - margin), min(float(w[-1]), high + margin)


def fit(axes: Axes, curves: list[Curve], low: float, high: float) -> None:
    top = max(float(numpy.interp(at, x, y)) for x, y, _ in curves for at in (low, high))
    bottom = min(min(y) for _, y, _ in curves)
    margin = 0.05 * (top - bottom or 1.0)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom - margin, top + margin)


def label_places(
    w: numpy.ndarray, losses: numpy.ndarray, low: float, high: float, bends: list[float]
) -> list[int]:
    """Returns, per curve, the visible point farthest from all other curves and not close to a
    bend."""
    room = 0.06 * (high - low)
    inner = (w >= low + room) & (w <= high - room)
    for at in bends:
        inner &= numpy.abs(w - at) > room
    among = numpy.flatnonzero(inner) if inner.any() else numpy.arange(len(w))
    places = []
    for i, y in enumerate(losses):
        others = [abs(y - other) for k, other in enumerate(losses) if k != i]
        places.append(int(among[numpy.argmax(numpy.min(others, axis=0)[among])]))
    return places
