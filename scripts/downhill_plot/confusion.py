# SPDX-License-Identifier: MIT
"""The confusion matrix of a prediction: one row per label, one column per predicted class."""

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import look
from .read import Part

MAX_WITH_TEXT = 100  # classes; with more, names and counts would be unreadable


def draw(part: Part, title: str | None) -> Figure:
    names = [look.printable(o.text("name"), 24) for o in part.parts("classes")]
    if not names:
        raise part.get("classes").nothing("is empty")
    counts = counts_of(part, len(names))
    readable = len(names) <= MAX_WITH_TEXT
    side = max(cell(counts) * len(names), 2.4) if readable else 9.0
    caption = "Colour: share of the samples with that label."
    if not readable:
        caption += f" More than {MAX_WITH_TEXT} classes: shown by number, without counts."
    figure = look.new(title or heading(part), caption, side + 3.4, side + 2.1)
    axes = figure.subplots()
    share = counts / numpy.maximum(counts.sum(axis=1, keepdims=True), 1)
    drawn = cells(axes, share) if readable else axes.imshow(share, cmap="Blues", vmin=0, vmax=1,
                                                            interpolation="none")  # fmt: skip
    look.dress(axes, "predicted class", "label")
    axes.grid(False)
    if readable:
        name_axes(axes, names)
        write_counts(axes, counts, share)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.7)
    bar.set_label("share of the label's samples", color=look.TEXT)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=look.MUTED, labelcolor=look.TEXT)
    return figure


def heading(part: Part) -> str:
    accuracy = part.number_or_none("accuracy")
    words = {"train": "training", "all": "test and training"}
    which = words.get(part.text("set"), part.text("set"))
    of = f"{part.number('samples'):.0f} {which} samples of {part.text('dataset')}"
    return (
        f"Confusion, {of}: accuracy {accuracy:.4f}" if look.finite(accuracy) else f"Confusion, {of}"
    )


def counts_of(part: Part, classes: int) -> numpy.ndarray:
    if part.get("labelled").value is False:
        raise part.get("confusion").nothing("the samples had no labels")
    rows = part.parts("confusion")
    if len(rows) != classes:
        raise part.get("confusion").wrong(f"has not the {classes} rows of as many classes")
    counts = numpy.array([row.as_row(classes, 0) for row in rows])
    if (counts < 0).any() or (counts != numpy.round(counts)).any():
        raise part.get("confusion").wrong("has what is no count")
    if not counts.any():
        raise part.get("confusion").nothing("counts no sample")
    return counts


def cell(counts: numpy.ndarray) -> float:
    """Returns the size of a cell in inches, large enough for its count."""
    digits = len(f"{counts.max():.0f}")
    return max(0.13 * digits, 0.34) if len(counts) <= 25 else max(0.055 * digits, 0.2)


def cells(axes: Axes, share: numpy.ndarray):
    edges = numpy.arange(len(share) + 1) - 0.5
    drawn = axes.pcolormesh(
        edges, edges, share, cmap="Blues", vmin=0, vmax=1, edgecolor=look.PAPER, linewidth=0.6,
        gid="cells",
    )  # fmt: skip
    axes.set_aspect("equal")
    axes.invert_yaxis()
    return drawn


def name_axes(axes: Axes, names: list[str]) -> None:
    size = 9 if len(names) <= 25 else 6
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor",
                    fontsize=size)  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def write_counts(axes: Axes, counts: numpy.ndarray, share: numpy.ndarray) -> None:
    size = 8.5 if len(counts) <= 25 else 4.5
    for (row, column), count in numpy.ndenumerate(counts):
        dark = share[row, column] > 0.5
        axes.text(
            column, row, f"{count:.0f}", ha="center", va="center", fontsize=size,
            color=look.PAPER if dark else look.TEXT if count else look.MUTED,
        )  # fmt: skip
