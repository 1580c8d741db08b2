# SPDX-License-Identifier: MIT
"""Several machines side by side: one line per row of the benchmark, one column per machine."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from downhill_report.numbers import plural

from .runs import Row, Run
from .verdicts import isa_of

NONE = "–"


@dataclass(frozen=True)
class Matrix:
    title: str
    columns: list[str]
    lines: list[tuple[str, list[str]]]  # (row, one cell per run)
    missing: list[tuple[str, str]]  # (row and machine, reason)
    legend: list[str]


def absolute(_: Run, row: Row) -> float | None:
    return row.gflop_per_s


def per_ghz(run: Run, row: Row) -> float | None:
    return row.gflop_per_s / run.clock_ghz if run.clock_ghz else None


def share_of_peak(_: Run, row: Row) -> float | None:
    return 100 * row.gflop_per_s / row.attainable if row.attainable else None


def over_scalar(run: Run, row: Row) -> float | None:
    """Returns the speed-up over the scalar level on the same machine."""
    scalar = run.rows.get(row.name.replace(f"/{row.isa}/", "/scalar/", 1))
    return scalar.median / row.median if scalar and scalar.times else None


VIEWS: dict[str, tuple[str, Callable[[Run, Row], float | None], str]] = {
    "absolute": ("GFLOP/s, medians", absolute, "no time"),
    "per-ghz": ("GFLOP/s per GHz of the measured clock", per_ghz, "the file has no ceilings"),
    "peak": (
        "% of what is attainable on that machine",
        share_of_peak,
        "the file has no ceiling for it",
    ),
    "ladder": ("speed-up over scalar code on that machine", over_scalar, "no scalar row"),
}


def names_of(runs: list[Run]) -> list[str]:
    """Returns M1, M2, …, which the legend explains."""
    return [f"M{i}" for i, _ in enumerate(runs, 1)]


def legend_of(runs: list[Run]) -> list[str]:
    return [
        f"{name} {run.machine}: {run.cpu}, commit {run.commit} ({run.path})"
        for name, run in zip(names_of(runs), runs)
    ]


def build(runs: list[Run], wanted: set[str], view: str) -> Matrix:
    title, value, lacking = VIEWS[view]
    lines, missing = [], []
    works = Counter(work for run in runs for work in {row.work for row in run.rows.values()})
    alone = 0
    for name, row in {name: row for run in runs for name, row in run.rows.items()}.items():
        if name not in wanted:
            continue
        if works[row.work] < 2:  # no other run has this work, on any level
            alone += 1
            continue
        cells = []
        for column, run in zip(names_of(runs), runs):
            row = run.rows.get(name)
            number = value(run, row) if row and row.times else None
            cells.append(NONE if number is None else f"{number:.4g}")
            if number is None:
                why = lacking if row and row.times else run.why_not(name, isa_of(name))
                missing.append((f"{name} on {column}", why))
        lines.append((name, cells))
    if alone:
        missing.append((plural(alone, "row"), "kernels and shapes that only one of the files has"))
    return Matrix(title, names_of(runs), lines, missing, legend_of(runs))
