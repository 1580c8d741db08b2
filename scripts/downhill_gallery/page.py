# SPDX-License-Identifier: MIT
"""Fills the template of the gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from downhill_report import kinds
from downhill_report.numbers import percent, plural, times
from downhill_report.templates import render

from . import bought, content, explorer, figure, machines, words
from .entry import Entry
from .features import FEATURES, Feature, Family

# Upper end of a ratio -> class of the cell's colour, from orange (slower) to blue (faster).
SHADES = ((0.85, "m1"), (0.97, "m2"), (1.03, "m3"), (1.35, "m4"), (3.0, "m5"))
FASTEST = "m6"
# The parts of the step that the first table shows, each by the first operation that was measured:
# with bf16, the gradient of the step is that of the hinge loss.
PARTS = (("scores", ("scores",)), ("gradient", ("gradient, hinge loss", "gradient")))


Drawn = list[tuple[Feature, list[tuple[Entry, bought.Mean]]]]


@dataclass(frozen=True)
class Cell:
    """A cell of the first table."""

    value: str = ""
    interval: str = ""
    more: tuple[str, ...] = ()  # the means of the parts of the step
    shade: str = ""
    why: str = ""  # instead of a value


@dataclass(frozen=True)
class Line:
    feature: Feature
    words: str
    cells: list[Cell]


def cell_of(entry: Entry, feature: Feature) -> tuple[bought.Mean | None, Cell]:
    means = bought.means_of(bought.ratios_of(entry, feature))
    mean = bought.headline(feature, means)
    if mean is None:
        return None, Cell(why=bought.why_missing(entry, feature))
    ratio = mean.ratio
    more = []
    for name, operations in PARTS:
        found = [means.get(Family(o, mean.family.data_type)) for o in operations]
        if other := next(filter(None, found), None):
            more.append(f"{name} {times(other.ratio.value)}")
    low, high = (times(end).rstrip("×") for end in (ratio.low, ratio.high))
    return mean, Cell(
        f"{times(ratio.value)}{' †' if ratio.doubtful else ''}",
        f"{low} to {high}",
        tuple(more),
        next((shade for end, shade in SHADES if ratio.value < end), FASTEST),
    )


def order(entries: Sequence[Entry]) -> list[Entry]:
    """Returns the entries with the most usable ISA levels first; among those with equally many the
    later generation, which has the higher number."""

    def key(entry: Entry) -> tuple[int, str]:
        return sum(level["usable"] for level in entry.levels.values()), entry.title

    return sorted(entries, key=key, reverse=True)


def first_table(entries: Sequence[Entry]) -> tuple[list[Line], Drawn]:
    """Returns the lines of the first table, and the means for the figure."""
    lines, drawn = [], []
    for feature in FEATURES:
        cells = [cell_of(entry, feature) for entry in entries]
        found = [(entry, mean) for entry, (mean, _) in zip(entries, cells)]
        lines.append(Line(feature, words.answer(feature, found), [cell for _, cell in cells]))
        if measured := [(entry, mean) for entry, mean in found if mean is not None]:
            drawn.append((feature, measured))
    return lines, drawn


def shapes_of(drawn: Drawn) -> str:
    """Names the shapes that the means of the first table cover."""
    sets = {frozenset(work.shape for work in mean.rows) for _, of in drawn for _, mean in of}
    counts = sorted({len(shapes) for shapes in sets})
    if len(sets) == 1:
        return plural(counts[0], "shape")
    return (
        f"{counts[0]} to {counts[-1]} shapes (not the same everywhere)" if counts else "the shapes"
    )


def caveats(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Returns (subject, text) of what a reader has to know about the figures."""
    commits = {entry.commit for entry in entries}
    out = []
    if len(commits) > 1:
        out.append((
            "Different versions of the code.",
            "Both sides of a ratio are from one run of one version. The versions under the names "
            "differ, so a difference between two columns may be due to the code instead of the "
            "CPU. Absolute figures of different versions compare CPUs only roughly, and code not "
            "at all.",
        ))  # fmt: skip
    virtual = [entry.short_title for entry in entries if entry.machine["hypervisor"]]
    if virtual:
        out.append((
            "Virtual machines.",
            f"{words.listed(virtual)}: other guests share caches, memory and perhaps cores, and "
            "the hypervisor may hide features that the CPU has.",
        ))  # fmt: skip
    in_one = [entry for entry in entries if not entry.in_passes]
    if in_one:
        floors = [
            f"{percent(floor['p95'], 0)} on {entry.short_title}"
            for entry in in_one
            if (floor := entry.document["noise_floor"]) and floor["p95"] is not None
        ]
        known = (
            f" Two measurements of one row differ by less than {words.listed(floors)} in 95 % of "
            "cases; means over several shapes differ by less."
            if floors
            else ""
        )
        out.append((
            "Intervals of one run.",
            f"{words.listed([entry.short_title for entry in in_one])} were measured in one pass: "
            "the intervals contain the spread of the samples, but not what changes between two "
            f"runs, such as the addresses of buffers.{known}",
        ))  # fmt: skip
    return out


def make(entries: Sequence[Entry]) -> str:
    """Returns the page."""
    entries = order(entries)
    lines, drawn = first_table(entries)
    context: dict[str, Any] = {
        "page_mark": kinds.GALLERY_MARK,
        "entries": entries,
        "lines": lines,
        "doubtful": any("†" in cell.value for line in lines for cell in line.cells),
        "caveats": caveats(entries),
        "shapes": shapes_of(drawn),
        "figure": figure.draw(drawn) if drawn else None,
        "features": content.features(entries),
        "peers": content.peers(entries),
        "machines": machines.lines_of(entries),
        "own": content.own(),
        "data": Markup(explorer.text(entries)),
        "zip": zip,
        "figures": {},
    }
    return render("gallery.html.j2", context, autoescape=True)
