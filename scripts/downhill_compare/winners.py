# SPDX-License-Identifier: MIT
"""Draws which level wins for which numbers of classes and features."""

import string
from dataclasses import dataclass

from .verdicts import Comparison, Judged, Verdict

TIE, ABSENT = "=", "."


@dataclass(frozen=True)
class Grid:
    """One kernel and number of samples."""

    title: str
    classes: list[int]
    features: list[int]
    cells: dict[tuple[int, int], str]  # (features, classes) -> letter and factor


def letters(levels: list[str]) -> dict[str, str]:
    return dict(zip(levels, string.ascii_uppercase))


def legend(levels: list[str]) -> str:
    named = ", ".join(f"{letter} {level}" for level, letter in letters(levels).items())
    return (
        f"Fastest level: {named}; with the factor by which it beats {levels[0]}, or A the best "
        f"other. {TIE}: A and the best other are SAME or UNSURE; {TIE} BC: B and C beat A and are "
        f"alike. {ABSENT}: not timed."
    )


def grids(levels: list[str], comparisons: list[Comparison]) -> list[Grid]:
    """Returns the grids that have more than one cell."""
    works: dict[tuple[str, int, str], dict[tuple[int, int], list[tuple[str, Judged]]]] = {}
    for level, comparison in zip(levels[1:], comparisons):
        for row in comparison.rows:
            n, d, c = row.first.shape
            more = "/".join(
                part for part in row.first.work[1].split("/")[3:] if part != "sweep:map"
            )
            cells = works.setdefault((row.first.kernel, n, more), {})
            cells.setdefault((d, c), []).append((level, row))
    return [
        grid(levels, f"{kernel}, {n} samples{', ' + more if more else ''}", cells)
        for (kernel, n, more), cells in works.items()
        if len({c for _, c in cells}) > 1 and len({d for d, _ in cells}) > 1
    ]


def grid(
    levels: list[str], title: str, cells: dict[tuple[int, int], list[tuple[str, Judged]]]
) -> Grid:
    return Grid(
        title,
        sorted({c for _, c in cells}),
        sorted({d for d, _ in cells}),
        {shape: winner(levels, judged) for shape, judged in cells.items()},
    )


def winner(levels: list[str], judged: list[tuple[str, Judged]]) -> str:
    """Returns the letter of the fastest level and its factor. The best of the other levels is
    chosen by its estimate, and compared with the first; two others whose intervals overlap tie."""
    level, best = min(judged, key=lambda item: item[1].ratio.estimate)
    near = [name for name, row in judged if row.ratio.low <= best.ratio.high]
    if best.verdict is Verdict.FASTER and len(near) > 1:
        return f"{TIE} {''.join(letters(levels)[name] for name in near)}"
    if best.verdict is Verdict.FASTER:
        return f"{letters(levels)[level]} {1 / best.ratio.estimate:.2f}"
    if best.verdict is Verdict.SLOWER:
        return f"{letters(levels)[levels[0]]} {best.ratio.estimate:.2f}"
    return TIE
