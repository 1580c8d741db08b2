# SPDX-License-Identifier: MIT
"""Comparisons as text, Markdown, CSV and JSON."""

import csv
import io
import json
from collections import Counter
from typing import Any

from downhill_report.numbers import plural

from .guard import remarks
from .levels import MATTERS
from .matrix import Matrix
from .runs import Run
from .verdicts import (
    MIN_FLOOR,
    ONLY_IN_A,
    ONLY_IN_B,
    SIGNIFICANT,
    Comparison,
    Judged,
    Mean,
    Verdict,
    in_cycles,
    means,
)
from .winners import ABSENT, Grid, legend

# With more rows than this, the output mentions the correction for multiple tests.
MANY = 20


def percent(ratio: float) -> str:
    """Formats by how much longer or shorter the second run takes."""
    return f"{100 * (ratio - 1):+.1f} %"


def microseconds(ns: float) -> str:
    return f"{ns / 1e3:.4g}"


NONE = "-"


def name_of(row: Judged) -> str:
    """Returns the name of a row; without the level, if its levels differ."""
    return row.first.name if row.first.isa == row.second.isa else "/".join(row.first.work)


def cells(row: Judged) -> list[str]:
    r = row.ratio
    return [
        name_of(row), microseconds(row.first.median), microseconds(row.second.median),
        f"{r.estimate:.4f}", f"{r.low:.4f} to {r.high:.4f}", percent(r.estimate),
        NONE if row.floor is None else f"{100 * row.floor:.2f}",
        f"{row.verdict.value} ({row.note})" if row.note else row.verdict.value,
    ]  # fmt: skip


HEADINGS = ["row", "A us", "B us", "B/A time", "95 % CI", "B takes", "floor %", "verdict"]
COLUMNS = [
    "row", "a_median_ns", "b_median_ns", "time_ratio", "ci95_low", "ci95_high", "p_adjusted",
    "noise_floor", "verdict", "note",
]  # fmt: skip


def source_of(run: Run) -> str:
    return f"{run.path}, commit {run.commit}, {run.document['context']['date']}, {run.cpu}"


def heading(comparison: Comparison) -> list[str]:
    a, b = comparison.first, comparison.second
    measured = any(row.first.floor or row.second.floor for row in comparison.rows)
    source = (
        "larger of both runs, and at least"
        if measured
        else "not measured, with one pass per row; assumed to be"
    )
    if a.side:
        return [
            f"A: {a.side}, B: {b.side}, both of {source_of(a)}",
            "Ratios are times of B over times of A in the same run: above 1, B is slower. "
            f"Differences below {MATTERS:.0%} are ignored.",
        ]
    return [
        f"A: {source_of(a)}",
        f"B: {source_of(b)}",
        "Ratios are times of B over times of A: above 1, B is slower. Floor: noise floor of the "
        f"row ({source} {MIN_FLOOR:.0%}).",
        *(
            ["Where the times of both runs followed a wandering clock, ratios are of cycles."]
            if any(in_cycles(row.first, row.second) for row in comparison.rows)
            else []
        ),
    ]


def footing(comparison: Comparison) -> list[str]:
    counts = Counter(row.verdict for row in comparison.rows)
    rows = plural(len(comparison.rows), "row")
    out = [", ".join(f"{counts[v]} {v.value}" for v in Verdict) + f" of {rows}"]
    if len(comparison.rows) > MANY:
        out.append(
            "With many rows some differ by chance: the false discovery rate over all "
            f"{len(comparison.rows)} rows is limited to {SIGNIFICANT:.0%} (Benjamini and Hochberg)."
        )
    only = [
        sum(why.startswith(side) for _, why in comparison.left_out)
        for side in (ONLY_IN_A, ONLY_IN_B)
    ]
    if any(only):
        out.append(f"Rows only in A: {only[0]}, only in B: {only[1]}; they are listed below")
    sides = [comparison.first] if comparison.first.side else [comparison.first, comparison.second]
    return out + remarks(sides)


MEAN_HEADINGS = ["geometric means of", "B/A time", "B takes", "rows"]


def mean_cells(mean: Mean) -> list[str]:
    names = [", ".join(short(name) for name in mean.rows)] if mean.rows else []
    left_out = f"{mean.unsure} UNSURE left out" if mean.unsure else ""
    rows = "; ".join([": ".join([str(len(mean.rows)), *names]), *([left_out] if left_out else [])])
    if mean.ratio is None:
        return [mean.kernel, NONE, NONE, rows]
    return [mean.kernel, f"{mean.ratio:.4f}", percent(mean.ratio), rows]


def short(name: str) -> str:
    """Returns the name without the kernel, which the line already names."""
    return name.partition("/")[2]


def table(headings: list[str], lines: list[list[str]], text_columns: tuple[int, ...]) -> str:
    widths = [max(len(line[i]) for line in [headings, *lines]) for i in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in text_columns else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in [headings, *lines]
    )


def text(comparisons: list[Comparison]) -> str:
    parts = []
    for comparison in comparisons:
        parts.append("\n".join(heading(comparison)))
        parts.append(table(HEADINGS, [cells(row) for row in comparison.rows], (0, 7)))
        parts.append("\n".join(footing(comparison)))
        parts.append(table(MEAN_HEADINGS, [mean_cells(mean) for mean in means(comparison)], (0, 3)))
        if comparison.left_out:
            lines = [f"  {name}: {why}" for name, why in comparison.left_out]
            parts.append("\n".join(["Not compared:", *lines]))
    return "\n\n".join(parts) + "\n"


def markdown_table(headings: list[str], lines: list[list[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows)


def markdown(comparisons: list[Comparison]) -> str:
    parts = []
    for comparison in comparisons:
        parts.append("\n".join(f"- {line}" for line in heading(comparison)))
        parts.append(markdown_table(HEADINGS, [cells(row) for row in comparison.rows]))
        parts.append("\n".join(f"- {line}" for line in footing(comparison)))
        parts.append(
            markdown_table(MEAN_HEADINGS, [mean_cells(mean) for mean in means(comparison)])
        )
        if comparison.left_out:
            parts.append("\n".join(f"- not compared: {n}: {why}" for n, why in comparison.left_out))
    return "\n\n".join(parts) + "\n"


def values(row: Judged) -> list[Any]:
    r = row.ratio
    return [
        name_of(row), row.first.median, row.second.median, r.estimate, r.low, r.high,
        row.p_adjusted, row.floor, row.verdict.value, row.note,
    ]  # fmt: skip


def comma_separated(comparisons: list[Comparison]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["a", "b", *COLUMNS])
    for comparison in comparisons:
        sides = [run.side or run.path for run in (comparison.first, comparison.second)]
        for row in comparison.rows:
            writer.writerow([*sides, *values(row)])
    return out.getvalue()


def as_json(comparisons: list[Comparison]) -> str:
    document = [
        {
            "a": str(comparison.first.path),
            "b": str(comparison.second.path),
            "a_commit": comparison.first.commit,
            "b_commit": comparison.second.commit,
            "a_level": comparison.first.side or None,
            "b_level": comparison.second.side or None,
            "rows": [dict(zip(COLUMNS, values(row))) for row in comparison.rows],
            "geometric_means": [
                {
                    "kernel": m.kernel,
                    "time_ratio": m.ratio,
                    "rows": m.rows,
                    "unsure_left_out": m.unsure,
                }
                for m in means(comparison)
            ],
            "not_compared": [{"row": name, "why": why} for name, why in comparison.left_out],
            "remarks": remarks([comparison.first, comparison.second]),
        }
        for comparison in comparisons
    ]
    return json.dumps({"schema_version": 1, "comparisons": document}, indent=1) + "\n"


FORMATS = {"text": text, "markdown": markdown, "csv": comma_separated, "json": as_json}


# ---- levels of one run ----


def grid_table(grid: Grid) -> tuple[list[str], list[list[str]]]:
    headings = ["features \\ classes", *map(str, grid.classes)]
    return headings, [
        [str(d), *(grid.cells.get((d, c), ABSENT) for c in grid.classes)] for d in grid.features
    ]


def grids_text(levels: list[str], grids: list[Grid]) -> str:
    if not grids:
        return ""
    parts = [f"{grid.title}\n{table(*grid_table(grid), ())}" for grid in grids]
    return "\n" + "\n\n".join([legend(levels), *parts]) + "\n"


def grids_markdown(levels: list[str], grids: list[Grid]) -> str:
    if not grids:
        return ""
    parts = [f"{grid.title}:\n\n{markdown_table(*grid_table(grid))}" for grid in grids]
    return "\n" + "\n\n".join([legend(levels), *parts]) + "\n"


# Formats that are read by programs have no drawings.
GRID_FORMATS = {"text": grids_text, "markdown": grids_markdown}


# ---- several machines ----


def matrix_text(matrix: Matrix) -> str:
    lines = [[name, *cells_of] for name, cells_of in matrix.lines]
    parts = [
        "\n".join(matrix.legend),
        matrix.title,
        table(["row", *matrix.columns], lines, (0,)),
    ]
    if matrix.missing:
        parts.append("\n".join(["–:", *(f"  {name}: {why}" for name, why in matrix.missing)]))
    return "\n\n".join(parts) + "\n"


def matrix_markdown(matrix: Matrix) -> str:
    lines = [[name, *cells_of] for name, cells_of in matrix.lines]
    parts = [
        "\n".join(f"- {line}" for line in matrix.legend),
        f"{matrix.title}:",
        markdown_table(["row", *matrix.columns], lines),
    ]
    if matrix.missing:
        parts.append("\n".join(f"- – {name}: {why}" for name, why in matrix.missing))
    return "\n\n".join(parts) + "\n"


def matrix_csv(matrix: Matrix) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["row", *matrix.columns])
    writer.writerows([name, *("" if c == "–" else c for c in line)] for name, line in matrix.lines)
    return out.getvalue()


def matrix_json(matrix: Matrix) -> str:
    document = {
        "schema_version": 1,
        "view": matrix.title,
        "machines": dict(zip(matrix.columns, matrix.legend)),
        "rows": [
            {"row": name}
            | {m: None if c == "–" else float(c) for m, c in zip(matrix.columns, line)}
            for name, line in matrix.lines
        ],
        "missing": [{"row": name, "why": why} for name, why in matrix.missing],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


MATRIX_FORMATS = {
    "text": matrix_text, "markdown": matrix_markdown, "csv": matrix_csv, "json": matrix_json,
}  # fmt: skip
