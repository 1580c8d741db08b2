# SPDX-License-Identifier: MIT
"""Fills the template of the gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from downhill_report import kinds
from downhill_report.numbers import joined, percent, plural, times
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
    shapes: str = ""  # the lowest and the highest shape
    parts: tuple[str, ...] = ()  # the means of the parts of the step
    shade: str = ""
    why: str = ""  # instead of a value
    details: str = ""


@dataclass(frozen=True)
class Line:
    feature: Feature
    words: str
    cells: list[Cell]


def cell_of(
    entry: Entry, feature: Feature, family: Family | None, means: dict[Family, bought.Mean]
) -> Cell:
    mean = means.get(family) if family else None
    if mean is None:
        return empty_cell(entry, feature, bool(means))
    ratio = mean.ratio
    parts = []
    for name, operations in PARTS:
        found = [means.get(Family(operation, mean.family.data_type)) for operation in operations]
        if other := next(filter(None, found), None):
            parts.append(f"{name} {times(other.ratio.value)}")
    passes = "" if entry.in_passes else ", measured in one pass"
    return Cell(
        f"{times(ratio.value)}{' †' if ratio.doubtful else ''}",
        f"{words.ends(ratio)}{'' if entry.in_passes else ' ‡'}",
        words.spread(mean.lowest, mean.highest),
        tuple(parts),
        next((shade for end, shade in SHADES if ratio.value < end), FASTEST),
        details=f"{mean.family}, geometric mean over {plural(len(mean.rows), 'shape')}: "
        f"{times(ratio.value)}, 95 % interval {words.ends(ratio)}{passes}; lowest and highest "
        f"shape: {words.spread(mean.lowest, mean.highest)}",
    )


def empty_cell(entry: Entry, feature: Feature, has_other_means: bool) -> Cell:
    if has_other_means:  # of families that the line does not show
        return Cell(why=bought.NOT_MEASURED)
    why = bought.why_missing(entry, feature)
    if bought.without_kernels(entry, feature):
        return Cell(why=bought.NO_DATA, details=why)
    return Cell(why=why)


def order(entries: Sequence[Entry]) -> list[Entry]:
    """Returns the entries with the most usable ISA levels first; among those with equally many, in
    descending order of their titles."""

    def key(entry: Entry) -> tuple[int, str]:
        return sum(level["usable"] for level in entry.levels.values()), entry.title

    return sorted(entries, key=key, reverse=True)


def first_table(entries: Sequence[Entry]) -> tuple[list[Line], Drawn]:
    """Returns the lines of the first table, and the means for the figure."""
    lines, drawn = [], []
    for feature in FEATURES:
        means = bought.common_means([bought.ratios_of(entry, feature) for entry in entries])
        family = bought.headline(feature, means)
        cells = [cell_of(entry, feature, family, own) for entry, own in zip(entries, means)]
        found = [(entry, own.get(family) if family else None) for entry, own in zip(entries, means)]
        lines.append(Line(feature, words.answer(feature, family, found), cells))
        if measured := [(entry, mean) for entry, mean in found if mean is not None]:
            drawn.append((feature, measured))
    return lines, drawn


def shapes_of(drawn: Drawn) -> str:
    """Names the shapes that the means of the first table cover."""
    sets = {frozenset(work.shape for work in mean.rows) for _, line in drawn for _, mean in line}
    counts = sorted({len(shapes) for shapes in sets})
    if not counts:
        return "the shapes"
    if len(sets) == 1:
        return plural(counts[0], "shape")
    if len(counts) == 1:
        return f"{plural(counts[0], 'shape')} (not the same in all cells)"
    return f"{counts[0]} to {counts[-1]} shapes (not the same in all cells)"


def notes(entries: Sequence[Entry], lines: Sequence[Line]) -> list[str]:
    """Returns the notes under the first table."""
    out = []
    if any("†" in cell.value for line in lines for cell in line.cells):
        out.append(
            "†: a row shared its core with another hardware thread, so its time is too long."
        )
    if any("‡" in cell.interval for line in lines for cell in line.cells):
        out.append(one_pass(entries))
    return out + no_data_yet(entries)


def one_pass(entries: Sequence[Entry]) -> str:
    """Explains the intervals of entries that were measured in one pass."""
    floors, unknown = [], []
    for entry in entries:
        floor = entry.document["noise_floor"]
        if entry.in_passes:
            continue
        if floor is None or floor["p95"] is None:
            unknown.append(entry.short_title)
        else:
            floors.append(f"{percent(floor['p95'], 0)} on {entry.short_title}")
    text = (
        "‡: measured in one pass. The interval is the spread within that run; it does not contain "
        "what changes between two runs, such as the addresses of buffers."
    )
    if floors:
        text += (
            f" Two measurements of one row differ by less than {joined(floors)} in 95 % of cases."
        )
    if unknown:
        text += f" The noise floor was not measured on {joined(unknown)}."
    return text


def no_data_yet(entries: Sequence[Entry]) -> list[str]:
    """Returns, per entry whose version has no kernels for some features, a note that names them."""
    out = []
    for entry in entries:
        names = [bought.without_kernels(entry, feature) for feature in FEATURES]
        if found := list(dict.fromkeys(filter(None, names))):
            out.append(
                f"{bought.NO_DATA.capitalize()} on {entry.short_title}: "
                f"{bought.outdated(entry, found)}."
            )
    return out


def caveats(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Returns (subject, text) of the limits of the figures."""
    found = (code_addresses(), versions(entries), virtual_machines(entries))
    return [caveat for caveat in found if caveat is not None]


def code_addresses() -> tuple[str, str]:
    return (
        "Addresses of code.",
        "These intervals do not include the effect of code addresses, which is constant within a "
        "process (0.3 to 1 %).",
    )


def versions(entries: Sequence[Entry]) -> tuple[str, str] | None:
    if len({entry.commit for entry in entries}) == 1:
        return None
    return (
        "Different versions of the code.",
        "Both sides of a ratio are from one run of one version. The versions under the names "
        "differ, so a difference between two columns may be due to the code instead of the CPU. "
        "Absolute figures of different versions compare CPUs only roughly and do not compare code "
        "at all.",
    )


def virtual_machines(entries: Sequence[Entry]) -> tuple[str, str] | None:
    virtual = [entry.short_title for entry in entries if entry.machine["hypervisor"]]
    if not virtual:
        return None
    return (
        "Virtual machines.",
        f"{joined(virtual)}: other guests share caches, memory and perhaps cores, and the "
        "hypervisor may hide features that the CPU has.",
    )


def make(entries: Sequence[Entry]) -> str:
    """Returns the page."""
    entries = order(entries)
    lines, drawn = first_table(entries)
    context: dict[str, Any] = {
        "page_mark": kinds.GALLERY_MARK,
        "entries": entries,
        "lines": lines,
        "notes": notes(entries, lines),
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
