# SPDX-License-Identifier: MIT
"""What the pictures share: the fonts and colours of the report's figures, axes, marks, captions, and how
a picture becomes a file. It has one set of colours, because a PNG cannot follow the page that shows it."""

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

# Names come from files, where "$" is a letter and not the start of a formula.
matplotlib.rcParams["text.parse_math"] = False
# Of letters that the font has not, say: lines on stderr for what the picture shows anyway.
warnings.filterwarnings("ignore")

PNG_DPI = 150
DECADES = 100  # from this ratio on, a logarithmic axis
SMALLEST = 1e-100  # on one; below, its margins would reach 0
TEXT, MUTED, GRID, PAPER = (
    style.COLOURS[name][1] for name in (style.TEXT, style.MUTED, style.GRID, style.PAPER)
)
# In an order in which neighbours differ in lightness too.
LINES = [style.COLOURS[style.LEVEL_COLOURS[i]][1] for i in (2, 5, 8, 3, 6, 7, 0)]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str, most: int = 200) -> str:
    """On one line, and of letters that a file of XML may hold."""
    text = " ".join(NOT_IN_XML.sub("\ufffd", text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def number(value: float, digits: int = 4) -> str:
    """So many digits, and powers of ten as they are written by hand."""
    text = f"{value:.{digits}g}"
    if "e" in text:
        factor, power = text.split("e")
        tens = "10" + str(int(power)).translate(SUPERSCRIPTS)
        text = tens if factor == "1" else f"{factor}×{tens}"
    return text.replace("-", "−")


def new(title: str, caption: str = "", width: float = WIDTH, height: float = 4.6) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    letters = int(width * 11)  # of the title's size, beside each other
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
    """axis: axes.xaxis or axes.yaxis, of numbers from low to high."""
    wide = high / low >= DECADES
    style.logarithmic(axis)
    axis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def spans_decades(values: Any) -> bool:
    """Whether they are best shown on a logarithmic axis; of numbers that are finite."""
    return min(values) >= SMALLEST and max(values) / min(values) >= DECADES


def mark(axes: Axes, x: float, y: float, text: str, below: bool = True) -> None:
    """A point with what is to be said of it: under it, where a lowest point has nothing of its curve."""
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
        bbox={"boxstyle": "square,pad=0.15", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip


def legend(axes: Axes, handles: list[Any]) -> None:
    """To the right of the drawing; a line is longer than a dash."""
    axes.legend(
        handles=handles, frameon=False, labelcolor=TEXT, fontsize=8.5, loc="upper left",
        bbox_to_anchor=(1.01, 1), handlelength=3,
    )  # fmt: skip


def to_bytes(figure: Figure, suffix: str) -> bytes:
    """The same for the same figure: without dates and names of versions."""
    buffer = io.BytesIO()
    if suffix == ".png":
        figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": kinds.PNG_SOFTWARE})
        return buffer.getvalue()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue().decode()
    # A picture in it is placed by small factors, which have to keep their digits.
    return style.marked(svg if "<image" in svg else style.terse(svg), kinds.PICTURE_MARK).encode()


def finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
