# SPDX-License-Identifier: MIT
"""Colours, markers and axes that all figures share, and the conversion to SVG.

A figure is drawn once, in placeholder colours; paint() replaces them with CSS variables for the
page, which has a light and a dark theme, or with fixed colours for a file. No information depends
on colour alone: bars and curves are labelled, points differ in shape or fill."""

import io
import logging
import re
from typing import Any

# If HOME is not writable, matplotlib would warn in six lines that it cannot write its cache.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

import matplotlib  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

from .. import kinds  # noqa: E402
from ..model import Model  # noqa: E402
from ..rows import Level  # noqa: E402
from .compact import ROOT_ID, compact  # noqa: E402

matplotlib.use("svg")
matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "downhill",  # reproducible ids
        "font.size": 10,
        # Written into every text element; widths are computed with the first one.
        "font.sans-serif": ["DejaVu Sans", "Verdana"],
        "hatch.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)

# Placeholder -> (CSS variable, colour in a file). style.css defines the variables for both themes.
TEXT, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#fdfefe"
LEVEL_COLOURS = [f"#0a000{i}" for i in range(1, 10)]
PHASE_COLOURS = ["#0b0001", "#0b0002", "#0b0003", "#0b0004", "#0b0005", "#0b0006"]
# Background of a cell, from much slower to much faster; all are readable under TEXT.
MAP_COLOURS = ["#0c0000", "#0c0001", "#0c0002", "#0c0003", "#0c0004", "#0c0005", "#0c0006"]
COLOURS = {
    TEXT: ("--text", "#1c2024"),
    MUTED: ("--muted", "#5b6570"),
    GRID: ("--grid", "#d9dee3"),
    PAPER: ("--paper", "#ffffff"),
    LEVEL_COLOURS[0]: ("--level-0", "#8a939c"),
    LEVEL_COLOURS[1]: ("--level-1", "#9cc3e6"),
    LEVEL_COLOURS[2]: ("--level-2", "#2f7fc6"),
    LEVEL_COLOURS[3]: ("--level-3", "#123f73"),
    LEVEL_COLOURS[4]: ("--level-4", "#f2bf8c"),
    LEVEL_COLOURS[5]: ("--level-5", "#9a420a"),
    LEVEL_COLOURS[6]: ("--level-6", "#d4475f"),
    LEVEL_COLOURS[7]: ("--level-7", "#7b3fa0"),
    LEVEL_COLOURS[8]: ("--level-8", "#2e8b57"),
    PHASE_COLOURS[0]: ("--phase-0", "#8a939c"),
    PHASE_COLOURS[1]: ("--phase-1", "#1f6db5"),
    PHASE_COLOURS[2]: ("--phase-2", "#e0b23c"),
    PHASE_COLOURS[3]: ("--phase-3", "#b3500f"),
    PHASE_COLOURS[4]: ("--phase-4", "#4f9d69"),
    PHASE_COLOURS[5]: ("--phase-5", "#c9ced3"),
    # Orange and blue differ for every kind of colour blindness.
    MAP_COLOURS[0]: ("--map-0", "#e08214"),
    MAP_COLOURS[1]: ("--map-1", "#fdb863"),
    MAP_COLOURS[2]: ("--map-2", "#fee0b6"),
    MAP_COLOURS[3]: ("--map-3", "#f2f3f4"),
    MAP_COLOURS[4]: ("--map-4", "#d1e5f0"),
    MAP_COLOURS[5]: ("--map-5", "#92c5de"),
    MAP_COLOURS[6]: ("--map-6", "#4d9bc8"),
}
MARKERS = ["o", "v", "s", "<", "^", "D", ">", "P", "X", "*"]
DASHES = ["-", "--", ":", "-."]
WIDTH = 9.2  # inches, the width of the page


def paint(svg: str, name: str, inline: bool) -> str:
    """Returns the SVG with final colours, for the page or for a file of its own."""
    for placeholder, (variable, colour) in COLOURS.items():
        svg = svg.replace(placeholder, f"var({variable})" if inline else colour)
    if not inline:
        # The file has its own background, so that its dark text is readable on a dark page.
        paper = COLOURS[PAPER][1]
        opened = svg.index(">", svg.index("<svg")) + 1
        background = f'<rect width="100%" height="100%" fill="{paper}"/>'
        return marked(f"{svg[:opened]}\n {background}{svg[opened:]}", kinds.FIGURE_MARK)
    # The ids of several figures in one page must differ.
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    return svg.replace(f"#{ROOT_ID} ", f"#{name}-{ROOT_ID} ")


def marked(svg: str, mark: str) -> str:
    """Inserts the mark by which kinds.py recognises the file before the picture."""
    start = svg.index("<svg")
    return f"{svg[:start]}{mark}\n{svg[start:]}"


def to_svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return compact(buffer.getvalue())


def terse(svg: str) -> str:
    """Truncates coordinates to a hundredth of a point. For a picture of its own (downhill plot),
    whose ids others may refer to; compact() removes them."""
    svg = re.sub(
        r' (d|x|y|transform)="[^"]*"',
        lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]),
        svg,
    )
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    return re.sub(r"\n\s+", "\n", svg).replace(" \n", "\n")


class Look:
    """Colour and marker of each level, the same in every figure of a report."""

    def __init__(self, model: Model) -> None:
        names = [level.name for level in model.levels]
        self.kinds = {level.name: level.kind for level in (*model.levels, *model.peers)}
        self.colour = colours_of(model.levels)
        self.colour |= {peer.name: MUTED for peer in model.peers}
        self.marker = {name: at(MARKERS, i) for i, name in enumerate(names)}
        self.marker |= {peer.name: at(MARKERS, i) for i, peer in enumerate(model.peers)}

    def hatch(self, isa: str) -> str:
        return "////" if self.kinds[isa] == "auto" else ""


def colours_of(levels: list[Level]) -> dict[str, str]:
    """Returns level -> colour: a level and the compiler's code with its flags have a strong and a
    pale one of the same hue, whichever other levels a version of the program has."""
    strong, pale = ([LEVEL_COLOURS[i] for i in indices] for indices in ((2, 5), (1, 4)))
    single = [LEVEL_COLOURS[i] for i in (3, 6, 7, 8)]
    pairs = [level for level in levels if level.auto_of]
    of_auto = {level.auto_of: i for i, level in enumerate(pairs)}
    alone = [o.name for o in levels if o.kind == "hand" and o.name not in of_auto]
    return (
        {level.name: LEVEL_COLOURS[0] for level in levels}
        | {level.name: at(pale, i) for i, level in enumerate(pairs)}
        | {name: at(strong, i) for name, i in of_auto.items()}
        | {name: at(single, i) for i, name in enumerate(alone)}
    )


def at(cycle: list[str], i: int) -> str:
    return cycle[i % len(cycle)]


def marks(colour: str, marker: str, filled: bool = True, size: float = 5.5) -> dict[str, Any]:
    """Returns the style of unconnected points."""
    return {
        "color": colour, "marker": marker, "markersize": size, "linestyle": "none",
        "markerfacecolor": colour if filled else PAPER, "markeredgecolor": colour,
        "markeredgewidth": 0.9,
    }  # fmt: skip


def significant(value: float) -> str:
    """Formats with three significant digits."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def short(kernel: str) -> str:
    """Returns the name without "_f32", the default type."""
    return kernel.removesuffix("_f32")


def dress(axes: Axes, grid: str) -> None:
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=GRID, linewidth=0.7)
    axes.tick_params(colors=MUTED, labelcolor=TEXT, which="both")
    for spine in axes.spines.values():
        spine.set_color(MUTED)


def title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10, color=TEXT)


def logarithmic(axis: Any, subs: tuple[float, ...] = (1, 2, 5)) -> None:
    """Makes an axis (axes.xaxis or axes.yaxis) logarithmic, with ticks without exponents."""
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=subs, numticks=30))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_formatter(NullFormatter())


def plain(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def legend(axes: Axes, handles: list[Any] | None = None, **where: Any) -> None:
    """Adds a legend, by default to the right of the drawing."""
    where = where or {"loc": "upper left", "bbox_to_anchor": (1.01, 1)}
    more = {} if handles is None else {"handles": handles}
    axes.legend(frameon=False, labelcolor=TEXT, fontsize=8.5, **more, **where)


def legend_above(figure: Figure, handles: list[Any], columns: int) -> None:
    """Adds a legend in a strip above the drawings of a figure with constrained layout."""
    lines = -(-len(handles) // columns)
    strip = (0.1 + 0.19 * lines) / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - strip))
    figure.legend(
        handles=handles, frameon=False, labelcolor=TEXT, fontsize=8.5, loc="upper center",
        ncols=columns, borderaxespad=0.1,
    )  # fmt: skip
