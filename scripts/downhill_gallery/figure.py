# SPDX-License-Identifier: MIT
"""The figure of the gallery: how many times as fast each feature makes each CPU, on a
logarithmic axis. SVG in the colours of the page (reports/template/style.css), which has a light and
a dark theme."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from downhill_report.numbers import times

from . import words
from .bought import Mean
from .entry import Entry
from .features import Feature

WIDTH, LEFT, RIGHT = 1000, 200, 70
LINE, GAP, TOP = 19, 10, 26
# Intervals that reach further than this factor beyond the shapes are cut off at the axis's ends.
REACH = 4
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)


def draw(lines: Sequence[tuple[Feature, Sequence[tuple[Entry, Mean]]]]) -> Markup:
    """Returns the SVG. Per mean: a thick bar for its interval, a thin one from the lowest to the
    highest of its rows, and a dot."""
    means = [mean for _, found in lines for _, mean in found]
    lowest = min([0.9, *(mean.lowest for mean in means)])
    highest = max([2.0, *(mean.highest for mean in means)])
    low = max(min([lowest, *(mean.ratio.low for mean in means)]), lowest / REACH)
    high = min(max([highest, *(mean.ratio.high for mean in means)]), highest * REACH)

    def x(value: float) -> str:
        value = min(max(value, low), high)
        share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    height = TOP + sum(LINE * (len(found) + 1) + GAP for _, found in lines) + 8
    out = [f'<svg viewBox="0 0 {WIDTH} {height}" font-size="12.5" fill="var(--text)">']
    for tick in TICKS:
        if low <= tick <= high:
            dash = "" if tick == 1 else ' stroke-dasharray="2 4"'
            colour = "--muted" if tick == 1 else "--grid"
            out.append(
                f'<line x1="{x(tick)}" x2="{x(tick)}" y1="{TOP - 6}" y2="{height - 4}" '
                f'stroke="var({colour})"{dash}/>'
                f'<text x="{x(tick)}" y="{TOP - 11}" text-anchor="middle" '
                f'fill="var(--muted)">{tick:g}×</text>'
            )
    y = TOP
    for feature, found in lines:
        y += GAP
        out.append(f'<text x="0" y="{y + 4}" font-weight="600">{escape(feature.title)}</text>')
        y += LINE
        for entry, mean in found:
            out.append(line(entry, mean, x, y))
            y += LINE
    return Markup("\n".join([*out, "</svg>"]))


def line(entry: Entry, mean: Mean, x: Callable[[float], str], y: int) -> str:
    ratio = mean.ratio
    title = f"{entry.title}, {mean.family}: {times(ratio.value)} ({words.ends(ratio)})"
    right = float(x(max(mean.highest, ratio.high)))
    return (
        f"<g><title>{escape(title)}</title>"
        f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(short_name(entry))}</text>'
        f'<line x1="{x(mean.lowest)}" x2="{x(mean.highest)}" y1="{y}" y2="{y}" '
        'stroke="var(--level-1)" stroke-width="3"/>'
        f'<line x1="{x(ratio.low)}" x2="{x(ratio.high)}" y1="{y}" y2="{y}" '
        'stroke="var(--accent)" stroke-width="7"/>'
        f'<circle cx="{x(ratio.value)}" cy="{y}" r="4.5" fill="var(--accent)"/>'
        f'<text x="{right + 9:.1f}" y="{y + 4}">{times(ratio.value)}</text></g>'
    )


def short_name(entry: Entry) -> str:
    return entry.title if len(entry.title) <= 24 else f"{entry.title[:23]}…"
