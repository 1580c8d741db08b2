# SPDX-License-Identifier: MIT
"""Fonts and colours (those of the report's figures), axes, marks and captions that the pictures
share, and the conversion to a file. There is one set of colours, because a PNG cannot adapt to a
dark page."""

import io
import math
import re
import textwrap
import warnings
from typing import Any

from downhill_report import kinds
from downhill_report.figures import style
from downhill_report.figures.style import DASHES, MARKERS, WIDTH, at

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

__all__ = ["DASHES", "MARKERS", "WIDTH", "at"]

# Names come from files, where "$" does not start a formula.
matplotlib.rcParams["text.parse_math"] = False
# For example about missing glyphs, which the picture shows anyway.
warnings.filterwarnings("ignore")

PNG_DPI = 150
DECADES = 100  # ratio of largest to smallest value from which an axis is logarithmic
SMALLEST = 1e-100  # minimum on a logarithmic axis; with smaller values its margins would reach 0
TEXT, MUTED, GRID, PAPER = (
    style.COLOURS[name][1] for name in (style.TEXT, style.MUTED, style.GRID, style.PAPER)
)
# Ordered so that neighbours also differ in lightness.
LINES = [style.COLOURS[style.LEVEL_COLOURS[i]][1] for i in (2, 5, 8, 3, 6, 7, 0)]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str, max_length: int = 200) -> str:
    """Puts text on one line, shortened and without characters that XML forbids."""
    text = " ".join(NOT_IN_XML.sub("\ufffd", text).split())
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def number(value: float, digits: int = 4) -> str:
    """Formats with this many significant digits, and powers of ten as 10⁻³."""
    text = f"{value:.{digits}g}"
    if "e" in text:
        factor, power = text.split("e")
        tens = "10" + str(int(power)).translate(SUPERSCRIPTS)
        text = tens if factor == "1" else f"{factor}×{tens}"
    return text.replace("-", "−")


def new(title: str, caption: str = "", width: float = WIDTH, height: float = 4.6) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    letters = int(width * 11)  # characters per line of the title
    figure.suptitle(
        textwrap.fill(printable(title), letters), x=0.01, ha="left", fontsize=11, color=TEXT
    )
    if caption:
        figure.supxlabel(
            textwrap.fill(printable(caption, 600), int(letters * 1.25)), x=0.01, ha="left",
            fontsize=8.5, color=MUTED,
        )  # fmt: skip
    return figure


def dress(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, color=TEXT)
    axes.set_ylabel(y, color=TEXT)
    axes.set_axisbelow(True)
    axes.grid(color=GRID, linewidth=0.7)
    axes.tick_params(colors=MUTED, labelcolor=TEXT, which="both")
    for spine in axes.spines.values():
        spine.set_color(MUTED)


def logarithmic(axis: Any, low: float, high: float) -> None:
    """Makes an axis (axes.xaxis or axes.yaxis) of numbers from low to high logarithmic."""
    wide = high / low >= DECADES
    style.logarithmic(axis)
    axis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def spans_decades(values: Any) -> bool:
    """Returns whether finite numbers are best shown on a logarithmic axis."""
    return min(values) >= SMALLEST and max(values) / min(values) >= DECADES


def mark(axes: Axes, x: float, y: float, text: str, below: bool = True) -> None:
    """Marks a point with a text, by default below it, where a minimum leaves room under its
    curve."""
    low, high = (axes.transData.inverted().transform(axes.transAxes.transform(p))[0]
                 for p in ((0.25, 0), (0.75, 0)))  # fmt: skip
    side = "left" if x < low else "right" if x > high else "center"
    axes.plot(
        [x], [y], marker="o", markersize=8, linestyle="none", markerfacecolor=PAPER,
        markeredgecolor=TEXT, markeredgewidth=1.6, zorder=5, clip_on=False, gid="mark",
    )  # fmt: skip
    axes.annotate(
        text, (x, y), xytext=(0, -9 if below else 9), textcoords="offset points", ha=side,
        va="top" if below else "bottom", fontsize=9, color=TEXT, zorder=6,
        bbox={
            "boxstyle": "square,pad=0.15", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.85,
        },
    )  # fmt: skip


def legend(axes: Axes, handles: list[Any]) -> None:
    """Adds a legend to the right of the drawing, with handles long enough to show dashes."""
    axes.legend(
        handles=handles, frameon=False, labelcolor=TEXT, fontsize=8.5, loc="upper left",
        bbox_to_anchor=(1.01, 1), handlelength=3,
    )  # fmt: skip


def to_bytes(figure: Figure, suffix: str) -> bytes:
    """Returns the file of a figure. It is reproducible: it has no dates or version names."""
    buffer = io.BytesIO()
    if suffix == ".png":
        figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": kinds.PNG_SOFTWARE})
        return buffer.getvalue()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue().decode()
    # Embedded images are placed by small factors, which must keep their digits.
    return style.marked(svg if "<image" in svg else style.terse(svg), kinds.PICTURE_MARK).encode()


def finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
