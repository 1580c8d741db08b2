# SPDX-License-Identifier: MIT
"""Draws each figure with matplotlib. A figure is drawn once, in stand-in colours; paint() turns
them into CSS variables for the page, which follows light and dark, or into fixed colours for a
file. Nothing is told by colour alone: bars and curves are labelled, points differ in fill."""

import io
import logging
import re

# It would tell in six lines that it cannot keep a cache where HOME is not writable.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

import matplotlib  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

from .model import Model  # noqa: E402
from .rows import Ratio, Row, Shape  # noqa: E402
from .training import PHASES, Group  # noqa: E402

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

# Stand-in -> (CSS variable, colour in a file). style.css has the same colours for light and dark.
TEXT, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#fdfefe"
LEVEL_COLOURS = [f"#0a000{i}" for i in range(1, 10)]
PHASE_COLOURS = ["#0b0001", "#0b0002", "#0b0003", "#0b0004", "#0b0005", "#0b0006"]
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
}
LEVEL_MARKERS = ["o", "v", "s", "<", "^", "D", ">", "P", "X"]
PHASE_HATCHES = ["", "", "----", "////", "xxxx", ""]
KERNEL_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]


def paint(svg: str, name: str, inline: bool) -> str:
    """The SVG for the page, or for a file of its own."""
    for stand_in, (variable, colour) in COLOURS.items():
        svg = svg.replace(stand_in, f"var({variable})" if inline else colour)
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    if not inline:
        # Dark text must be readable on the dark page that shows the file.
        paper = COLOURS[PAPER][1]
        opened = svg.index(">", svg.index("<svg")) + 1
        background = f'<rect width="100%" height="100%" fill="{paper}"/>'
        return f"{svg[:opened]}\n {background}{svg[opened:]}"
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
        self.marker = {
            name: LEVEL_MARKERS[i % len(LEVEL_MARKERS)] for i, name in enumerate(all_levels)
        }
        hand = [level.name for level in model.levels if level.kind == "hand"]
        # Hollow, then half, then full: the last level is the one that is looked for.
        self.fill = {name: "left" for name in hand[:-1]} | {name: "full" for name in hand[-1:]}

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
                    edgecolor=PAPER, linewidth=0.5, ecolor=TEXT,
                    xerr=[[max(r.value - r.low, 0)], [max(r.high - r.value, 0)]],
                    error_kw={"elinewidth": 0.8},
                )  # fmt: skip
                after = max(r.high, 1) + longest * 0.012  # not across the line at 1
                axes.text(
                    after, y, f"{significant(r.value)}  {isa}", va="center", fontsize=7.5,
                    color=TEXT,
                )  # fmt: skip
                y += 1
            ticks.append(((first + y - 1) / 2, label))
            y += 0.9
        axes.set_yticks([at for at, _ in ticks], [label for _, label in ticks])
        axes.set_xlim(0, longest * 1.34)
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
        count = max(sum(len(bars) + 0.9 for _, bars in side) for side in (over_scalar, over_auto))
        figure = Figure(figsize=(9.2, 0.7 + 0.17 * max(count, 6)), layout="constrained")
        sides = [
            ("times faster than scalar", over_scalar),
            ("times faster than the compiler at the same flags", over_auto),
        ]
        sides = [side for side in sides if side[1]]
        columns = figure.subplots(1, len(sides) or 1, squeeze=False)[0]
        for axes, (title, groups) in zip(columns, sides):
            self.bars(axes, groups)
            axes.set_title(title, loc="left", fontsize=10, color=TEXT)
        if not sides:
            columns[0].axis("off")
            columns[0].text(0, 0.5, "nothing to compare with at this shape", color=TEXT)
        return to_svg(figure)

    def roofline(self) -> str:
        """Points under the measured roofs, where the run has them."""
        figure = Figure(figsize=(9.2, 5.2), layout="constrained")
        axes = figure.subplots()
        kernels = [
            kernel
            for kernel in self.model.kernels
            if not kernel.startswith(("chain_", "epoch_")) and "_met" not in kernel
        ]
        shown = [
            row
            for row in self.model.alone
            if row.kernel in kernels and self.model.level(row.isa).kind in ("baseline", "hand")
        ]
        series: dict[tuple[str, str], list[Row]] = {}
        for row in shown:
            series.setdefault((row.kernel, row.isa), []).append(row)
        for (kernel, isa), rows in series.items():
            axes.plot(
                [row.intensity for row in rows], [row.gflop_per_s for row in rows],
                marker=KERNEL_MARKERS[kernels.index(kernel) % 8], **self.point(isa),
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        if self.model.ceilings and shown:
            self.roofs(axes, [row.intensity for row in shown])
        axes.set_xlabel("operations per byte, by the formulas", color=TEXT)
        axes.set_ylabel("GFLOP/s (median)", color=TEXT)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=30))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
        dress(axes, grid="both")
        handles = [
            Line2D([], [], marker=KERNEL_MARKERS[i % 8], color=MUTED, linestyle="none",
                   label=kernel.removesuffix("_f32"))
            for i, kernel in enumerate(kernels)
        ] + [
            Line2D([], [], marker="o", label=isa, **self.point(isa))
            for isa in dict.fromkeys(row.isa for row in shown)
        ]  # fmt: skip
        axes.legend(
            handles=handles, frameon=False, labelcolor=TEXT, fontsize=9, loc="center left",
            bbox_to_anchor=(1.01, 0.5),
        )  # fmt: skip
        return to_svg(figure)

    def roofs(self, axes: Axes, intensities: list[float]) -> None:
        ceilings = self.model.ceilings
        left, right = min(intensities) / 1.5, max(intensities) * 2
        found = {
            **{f"FMA {k}": v for k, v in ceilings["fma_f32_gflop_per_s"].items()},
            **{f"BF16 {k}": v for k, v in ceilings.get("dot_bf16_gflop_per_s", {}).items()},
        }
        peaks = {what: peak for what, peak in found.items() if peak}
        highest = max(peaks.values(), default=None)
        line = {"color": MUTED, "linewidth": 0.9, "zorder": 1}
        for level in ceilings["read"]:
            bandwidth = level["read_gb_per_s"]
            end = min(right, highest / bandwidth) if highest else right
            axes.plot([left, end], [left * bandwidth, end * bandwidth], **line)
            axes.annotate(
                f"{level['level']} {bandwidth:.0f} GB/s", (left, left * bandwidth), fontsize=8,
                color=MUTED, xytext=(2, 3), textcoords="offset points", va="bottom",
            )  # fmt: skip
        fastest = max(level["read_gb_per_s"] for level in ceilings["read"])
        for whose, peak in together(peaks):
            axes.plot([peak / fastest, right], [peak, peak], **line)
            axes.annotate(
                f"{whose} {peak:.0f} GFLOP/s", (right, peak), fontsize=8, color=MUTED,
                xytext=(0, 3), textcoords="offset points", ha="right", va="bottom",
            )  # fmt: skip

    def point(self, isa: str) -> dict[str, object]:
        return {
            "color": self.colour[isa], "fillstyle": self.fill.get(isa, "none"),
            "markerfacecoloralt": PAPER, "markeredgecolor": self.colour[isa],
            "markeredgewidth": 0.9, "markersize": 6.5, "linestyle": "none",
        }  # fmt: skip

    def phases(self) -> str:
        """Seconds per epoch, cut into what they were spent on; a part per group of runs, because
        the slowest run of one would flatten the other."""
        groups = self.model.groups
        count = sum(len(group.runs) for group in groups)
        height = 0.9 + 0.55 * len(groups) + 0.27 * count
        figure = Figure(figsize=(9.2, height), layout="constrained")
        parts = figure.subplots(
            len(groups), 1, squeeze=False,
            gridspec_kw={"height_ratios": [len(group.runs) + 0.5 for group in groups]},
        )[:, 0]  # fmt: skip
        for axes, group in zip(parts, groups):
            self.phase_bars(axes, group)
        parts[-1].set_xlabel("milliseconds per epoch (median)", color=TEXT)
        parts[0].legend(frameon=False, labelcolor=TEXT, fontsize=9, loc="upper left",
                        bbox_to_anchor=(1.01, 1), handleheight=1.4)  # fmt: skip
        return to_svg(figure)

    def phase_bars(self, axes, group: Group) -> None:
        longest = 1e3 * max(run.seconds_per_epoch for run in group.runs)
        for y, run in enumerate(group.runs):
            left = 0.0
            for i, phase in enumerate(PHASES):
                width = 1e3 * run.seconds_per_epoch * run.phases[phase]
                axes.barh(y, width, 0.8, left=left, color=PHASE_COLOURS[i], edgecolor=PAPER,
                          hatch=PHASE_HATCHES[i], linewidth=0.4,
                          label=phase if y == 0 else None)  # fmt: skip
                left += width
            axes.text(left + longest * 0.01, y, f"{significant(1e3 * run.seconds_per_epoch)} ms",
                      va="center", fontsize=8, color=TEXT)  # fmt: skip
        axes.set_yticks(range(len(group.runs)), [run.isa for run in group.runs])
        axes.set_xlim(0, longest * 1.12)
        axes.set_title(self.name_of(group), loc="left", fontsize=10, color=TEXT)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        dress(axes, grid="x")

    def name_of(self, group: Group) -> str:
        """The loss, with the batch where the loss does not tell the groups apart."""
        if len(self.model.losses) == len(self.model.groups):
            return group.loss
        return f"{group.loss}, batch {group.settings['batch']}, rate {group.settings['lr']:g}"

    def curves(self) -> str:
        """Loss and test accuracy by epoch; one curve for all levels where they agree."""
        figure = Figure(figsize=(9.2, 3.2), layout="constrained")
        columns = figure.subplots(1, 2)
        handles = []
        for i, group in enumerate(self.model.groups):
            together = group.curves_agree and len(group.runs) > 1
            for run in group.runs[:1] if together else group.runs:
                who = f"{len(group.runs)} levels alike" if together else run.isa
                look = {
                    "linestyle": ("-", "--", ":", "-.")[i % 4],
                    "color": TEXT if together else self.colour[run.isa],
                    "marker": LEVEL_MARKERS[i % len(LEVEL_MARKERS)] if together else self.marker[run.isa],
                }
                epochs = [e["epoch"] for e in run.epochs]
                for axes, key in zip(columns, ("train_loss", "test_accuracy")):
                    (line,) = axes.plot(
                        epochs, [e[key] for e in run.epochs], markersize=3.5, linewidth=1.2,
                        label=f"{self.name_of(group)}:\n{who}", **look,
                    )  # fmt: skip
                handles.append(line)
        columns[0].set_ylabel("mean training loss", color=TEXT)
        columns[1].set_ylabel("test accuracy", color=TEXT)
        for axes in columns:
            axes.set_xlabel("epoch", color=TEXT)
            dress(axes, grid="both")
            axes.xaxis.get_major_locator().set_params(integer=True)
        columns[1].legend(handles=handles, frameon=False, labelcolor=TEXT, fontsize=9,
                          loc="center left", bbox_to_anchor=(1.01, 0.5))  # fmt: skip
        return to_svg(figure)


def significant(value: float) -> str:
    """Three digits that count."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def together(peaks: dict[str, float]) -> list[tuple[str, float]]:
    """(names, peak): roofs too close to be told apart in a drawing share a label."""
    out: list[tuple[str, float]] = []
    for name, peak in sorted(peaks.items(), key=lambda item: item[1]):
        if out and peak < 1.1 * out[-1][1]:
            out[-1] = (f"{out[-1][0]}, {name}", out[-1][1])
        else:
            out.append((name, peak))
    return out


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
    for shape in model.drawn_shapes():
        name = "speedup" if not out else f"speedup-{shape.n}x{shape.d}x{shape.c}"
        out[name] = painter.speedup(shape)
    if model.timed:
        out["roofline"] = painter.roofline()
    if model.groups:
        out["phases"] = painter.phases()
        out["curves"] = painter.curves()
    return out
