# SPDX-License-Identifier: MIT
"""The weights of each class as a picture of the features that the class responds to."""

import math

import numpy
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from downhill_report.errors import Mismatch

from . import look
from .model import Model

MAX_CLASSES = 100
# Blue, white, red: distinguishable by colour-blind readers; in grey the distance from 0 is visible.
DIVERGING = "RdBu_r"
GREY_CAPTION = (
    "Each picture has its own scale, symmetric about 0 and up to the largest absolute weight, "
    "which is the number below it."
)
COLOUR_CAPTION = (
    "Each picture has its own scale, from its smallest weight (black) to its largest; the numbers "
    "below it are these weights."
)


def draw(model: Model, shape: tuple[int, int, int] | None, title: str | None) -> Figure:
    height, width, channels = shape_of(model.w.shape[1], shape)
    shown = min(len(model.w), MAX_CLASSES)
    columns = min(shown, 5 if shown <= 10 else 10)
    rows = -(-shown // columns)
    caption = GREY_CAPTION if channels == 1 else COLOUR_CAPTION
    if shown < len(model.w):
        caption += f" The first {shown} of {len(model.w)} classes."
    each = look.WIDTH / columns
    aspect = min(max(height / width, 0.2), 4.0)
    figure = look.new(title or heading(model), caption,
                      height=rows * (each * 0.86 * aspect + 0.5) + 1.3)  # fmt: skip
    panels = figure.subplots(rows, columns, squeeze=False)
    for j, axes in enumerate(panels.flat):
        if j >= shown:
            axes.axis("off")
        else:
            weights = model.w[j].reshape(channels, height, width)
            (grey if channels == 1 else colour)(axes, weights, j)
            name(axes, model.classes[j], weights, columns)
    if channels == 1:
        key(figure, panels)
    return figure


def heading(model: Model) -> str:
    return f"Weights of each class, {model.name}" if model.name else "Weights of each class"


def shape_of(d: int, asked: tuple[int, int, int] | None) -> tuple[int, int, int]:
    if asked is not None:
        if math.prod(asked) != d:
            text = "x".join(map(str, asked))
            raise Mismatch(
                f"--shape {text}: has {math.prod(asked)} features, but the model has {d}; "
                "give the shape of its pictures"
            )
        return asked
    for channels in (1, 3):
        side = math.isqrt(d // channels)
        if channels * side * side == d:
            return side, side, channels
    raise Mismatch(
        f"{d} features do not form a square picture in grey or three colours; "
        "give --shape HxW or HxWx3"
    )


def grey(axes: Axes, weights: numpy.ndarray, j: int) -> None:
    high = float(numpy.abs(weights).max()) or 1.0
    axes.imshow(
        weights[0], cmap=DIVERGING, vmin=-high, vmax=high, interpolation="none", gid=f"class-{j}"
    )


def colour(axes: Axes, weights: numpy.ndarray, j: int) -> None:
    low, high = float(weights.min()), float(weights.max())
    scaled = (weights - low) / (high - low) if high > low else numpy.full_like(weights, 0.5)
    axes.imshow(numpy.moveaxis(scaled, 0, -1), interpolation="none", gid=f"class-{j}")


def name(axes: Axes, text: str, weights: numpy.ndarray, columns: int) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(look.GRID)
    small = columns > 5
    axes.set_title(look.printable(text, 12 if small else 22), fontsize=7 if small else 9.5,
                   color=look.TEXT, pad=3)  # fmt: skip
    low, high = (f"{v:.2g}".replace("-", "−") for v in (weights.min(), weights.max()))
    span = f"{low} … {high}" if len(weights) == 3 else f"±{numpy.abs(weights).max():.2g}"
    axes.set_xlabel(span, fontsize=6 if small else 8, color=look.MUTED, labelpad=2)


def key(figure: Figure, panels: numpy.ndarray) -> None:
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), DIVERGING), ax=panels, orientation="horizontal",
        shrink=0.4, aspect=40, pad=0.02, ticks=[-1, 0, 1],
    )  # fmt: skip
    bar.ax.set_xticklabels(["− largest", "0", "+ largest"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=look.MUTED, labelcolor=look.TEXT, labelsize=8.5)
