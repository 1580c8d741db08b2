# SPDX-License-Identifier: MIT
"""Draws each figure with matplotlib. A figure is drawn once, in stand-in colours; paint() turns them
into CSS variables for the page, which follows light and dark, or into fixed colours for a file."""

import io
import re

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from .model import PHASES, Model, Ratio, Row, Shape

matplotlib.use("svg")
matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "downhill",  # the same ids every time
        "font.size": 10,
        "hatch.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)

# Stand-in -> (CSS variable, colour in a file). Lightness alone tells the levels apart in grey-scale:
# the compiler's are light and hatched, the hand-written dark.
TEXT, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#fdfefe"
LEVEL_COLOURS = ["#0a0001", "#0a0002", "#0a0003", "#0a0004", "#0a0005"]
PHASE_COLOURS = ["#0b0001", "#0b0002", "#0b0003", "#0b0004", "#0b0005", "#0b0006"]
COLOURS = {
    TEXT: ("--text", "#1c2024"),
    MUTED: ("--muted", "#5b6570"),
    GRID: ("--grid", "#d9dee3"),
    PAPER: ("--paper", "#ffffff"),
    LEVEL_COLOURS[0]: ("--level-0", "#8a939c"),
    LEVEL_COLOURS[1]: ("--level-1", "#9cc3e6"),
    LEVEL_COLOURS[2]: ("--level-2", "#1f6db5"),
    LEVEL_COLOURS[3]: ("--level-3", "#f2bf8c"),
    LEVEL_COLOURS[4]: ("--level-4", "#b3500f"),
    PHASE_COLOURS[0]: ("--phase-0", "#8a939c"),
    PHASE_COLOURS[1]: ("--phase-1", "#1f6db5"),
    PHASE_COLOURS[2]: ("--phase-2", "#e0b23c"),
    PHASE_COLOURS[3]: ("--phase-3", "#b3500f"),
    PHASE_COLOURS[4]: ("--phase-4", "#4f9d69"),
    PHASE_COLOURS[5]: ("--phase-5", "#c9ced3"),
}
# Each is 60 KB of the page; the table has every shape.
MAX_SPEEDUP_FIGURES = 8
MARKERS = ["o", "v", "s", "^", "D"]
KERNEL_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]


def paint(svg: str, name: str, inline: bool) -> str:
    """The SVG for the page, or for a file of its own."""
    for stand_in, (variable, colour) in COLOURS.items():
        svg = svg.replace(stand_in, f"var({variable})" if inline else colour)
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    if not inline:
        return svg
    svg = svg[svg.index("<svg") :]
    # The ids of several figures in one page must not meet.
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)


def to_svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


class Painter:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.levels = [level.name for level in model.timed_levels()]
        all_levels = [level.name for level in model.levels]
        self.colour = {
            name: LEVEL_COLOURS[i % len(LEVEL_COLOURS)] for i, name in enumerate(all_levels)
        }
        self.marker = {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(all_levels)}

    def hatch(self, isa: str) -> str:
        return "////" if self.model.level(isa).kind == "auto" else ""

    def bars(self, axes, groups: list[tuple[str, list[tuple[str, Ratio]]]]) -> None:
        """Horizontal bars: a group per kernel, a bar per level, the value at its end."""
        y, ticks = 0.0, []
        longest = max((r.value for _, bars in groups for _, r in bars), default=1.0)
        for label, bars in groups:
            first = y
            for isa, r in bars:
                axes.barh(
                    y, r.value, 0.86, color=self.colour[isa], hatch=self.hatch(isa),
                    edgecolor=PAPER, linewidth=0.5, xerr=r.spread, ecolor=TEXT,
                    error_kw={"elinewidth": 0.8},
                )  # fmt: skip
                axes.text(
                    r.value + r.spread + longest * 0.012, y, f"{r.value:.2f}", va="center",
                    fontsize=8, color=TEXT,
                )  # fmt: skip
                y += 1
            ticks.append(((first + y - 1) / 2, label))
            y += 0.9
        axes.set_yticks([at for at, _ in ticks], [label for _, label in ticks])
        axes.set_xlim(0, longest * 1.16)
        axes.set_ylim(y - 0.9 - 0.4, -0.6)
        axes.axvline(1, color=TEXT, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.tick_params(axis="y", length=0)
        dress(axes, grid="x")

    def speedup(self, shape: Shape) -> str:
        """Every level over scalar, and each hand-written one over the compiler's at its flags."""
        over_scalar, over_auto = [], []
        for kernel in self.model.kernels:
            rows = [self.model.find(kernel, isa, shape) for isa in self.levels]
            rows = [row for row in rows if row]
            scalar = [(row.isa, self.model.over_scalar(row)) for row in rows]
            auto = [(row.isa, self.model.over_auto(row)) for row in rows]
            label = kernel.removesuffix("_f32")
            over_scalar.append((label, [(isa, r) for isa, r in scalar if r and isa != "scalar"]))
            over_auto.append((label, [(isa, r) for isa, r in auto if r]))
        over_scalar = [group for group in over_scalar if group[1]]
        over_auto = [group for group in over_auto if group[1]]
        count = sum(len(bars) + 0.9 for _, bars in over_scalar)
        height = 0.8 + 0.165 * max(count, 6)
        figure = Figure(figsize=(9.2, height + 0.3), layout="constrained")
        places = figure.subplot_mosaic(
            [["left", "right"], ["legend", "legend"]], height_ratios=[height, 0.3],
            width_ratios=[1.35, 1],
        )  # fmt: skip
        left, right = places["left"], places["right"]
        self.bars(left, over_scalar)
        self.bars(right, over_auto)
        left.set_title("times faster than scalar", loc="left", fontsize=10, color=TEXT)
        right.set_title("times faster than the compiler", loc="left", fontsize=10, color=TEXT)
        handles = [
            Patch(facecolor=self.colour[isa], hatch=self.hatch(isa), edgecolor=PAPER, label=isa)
            for isa in self.levels
            if isa != "scalar"
        ]
        places["legend"].axis("off")
        places["legend"].legend(
            handles=handles, loc="center", ncol=len(handles), frameon=False, labelcolor=TEXT,
            fontsize=9,
        )  # fmt: skip
        return to_svg(figure)

    def roofline(self) -> str:
        """Points without roofs: the machine's ceilings are not measured."""
        figure = Figure(figsize=(9.2, 5.2), layout="constrained")
        axes = figure.subplots()
        kernels = [k for k in self.model.kernels if k != "chain_hinge_f32"]
        shown = [
            row
            for row in self.model.timed
            if row.kernel in kernels and self.model.level(row.isa).kind != "auto"
        ]
        for row in shown:
            axes.plot(
                row.intensity, row.gflop_per_s, KERNEL_MARKERS[kernels.index(row.kernel) % 8],
                color=self.colour[row.isa], markersize=6, markeredgecolor=PAPER,
                markeredgewidth=0.4, linestyle="none",
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("operations per byte, by the formulas", color=TEXT)
        axes.set_ylabel("GFLOP/s", color=TEXT)
        plain = FuncFormatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_major_formatter(plain)
        axes.yaxis.set_major_formatter(plain)
        dress(axes, grid="both")
        for i, kernel in enumerate(kernels):
            axes.plot([], [], KERNEL_MARKERS[i % 8], color=MUTED, label=kernel.removesuffix("_f32"))
        for isa in dict.fromkeys(row.isa for row in shown):
            axes.plot([], [], color=self.colour[isa], linewidth=5, label=isa)
        axes.legend(
            frameon=False, labelcolor=TEXT, fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5)
        )
        return to_svg(figure)

    def phases(self) -> str:
        """Seconds per epoch, cut into what they were spent on."""
        runs = self.model.training
        figure = Figure(figsize=(9.2, 1.2 + 0.3 * len(runs)), layout="constrained")
        axes = figure.subplots()
        longest = max(run.seconds_per_epoch for run in runs)
        for y, run in enumerate(runs):
            left = 0.0
            for i, phase in enumerate(PHASES):
                width = run.seconds_per_epoch * run.phases[phase]
                axes.barh(y, width, 0.8, left=left, color=PHASE_COLOURS[i], edgecolor=PAPER,
                          linewidth=0.4, label=phase if y == 0 else None)  # fmt: skip
                left += width
            axes.text(left + longest * 0.01, y, f"{run.seconds_per_epoch * 1e3:.3g} ms",
                      va="center", fontsize=8, color=TEXT)  # fmt: skip
        axes.set_yticks(range(len(runs)), [f"{run.loss}, {run.isa}" for run in runs])
        axes.set_xlim(0, longest * 1.12)
        axes.invert_yaxis()
        axes.set_xlabel("seconds per epoch (median)", color=TEXT)
        axes.tick_params(axis="y", length=0)
        dress(axes, grid="x")
        axes.legend(frameon=False, labelcolor=TEXT, fontsize=9, ncol=1, loc="center left",
                    bbox_to_anchor=(1.01, 0.5))  # fmt: skip
        return to_svg(figure)

    def curves(self) -> str:
        """Loss and test accuracy by epoch. Levels that agree lie on one another, and should."""
        figure = Figure(figsize=(9.2, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for run in self.model.training:
            epochs = [e["epoch"] for e in run.epochs]
            style = "-" if run.loss == "hinge" else "--"
            for axes, key in ((left, "train_loss"), (right, "test_accuracy")):
                axes.plot(epochs, [e[key] for e in run.epochs], style, color=self.colour[run.isa],
                          marker=self.marker[run.isa], markersize=3.5, linewidth=1.2)  # fmt: skip
        left.set_ylabel("mean training loss", color=TEXT)
        right.set_ylabel("test accuracy", color=TEXT)
        for axes in (left, right):
            axes.set_xlabel("epoch", color=TEXT)
            dress(axes, grid="both")
            axes.xaxis.get_major_locator().set_params(integer=True)
        for isa in dict.fromkeys(run.isa for run in self.model.training):
            right.plot([], [], color=self.colour[isa], marker=self.marker[isa], label=isa)
        for loss, style in (("hinge", "-"), ("softmax", "--")):
            if loss in self.model.losses:
                right.plot([], [], style, color=MUTED, label=loss)
        right.legend(frameon=False, labelcolor=TEXT, fontsize=9, loc="center left",
                     bbox_to_anchor=(1.01, 0.5))  # fmt: skip
        return to_svg(figure)


def dress(axes, grid: str) -> None:
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=GRID, linewidth=0.7)
    axes.tick_params(colors=MUTED, labelcolor=TEXT, which="both")
    for spine in axes.spines.values():
        spine.set_color(MUTED)


def draw(model: Model) -> dict[str, str]:
    """Figure name -> SVG in stand-in colours, in the order of the page."""
    painter = Painter(model)
    out: dict[str, str] = {}
    timed = [shape for shape in model.shapes if any(row.shape == shape for row in model.timed)]
    for shape in timed[:MAX_SPEEDUP_FIGURES]:
        name = "speedup" if not out else f"speedup-{shape.n}x{shape.d}x{shape.c}"
        out[name] = painter.speedup(shape)
    if model.timed:
        out["roofline"] = painter.roofline()
    if model.training:
        out["phases"] = painter.phases()
        out["curves"] = painter.curves()
    return out
