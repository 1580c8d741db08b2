# SPDX-License-Identifier: MIT
"""Compares ISA levels, or libraries, within one run. Rows of the same kernel and shape were sampled
in turn, so drift and neighbours hit both alike, and their ratio needs no noise floor: a difference
below MATTERS is ignored."""

from dataclasses import replace

from downhill_report import passes
from downhill_report.errors import Mismatch

from . import statistics
from .runs import Row, Run
from .verdicts import MIN_SAMPLES, Comparison, Judged, judge

# Smaller differences between levels are ignored even if they are significant.
MATTERS = 0.01


def compare(run: Run, levels: list[str], wanted: set[str]) -> list[Comparison]:
    """Compares each further level with the first one, in the rows that both have."""
    known = {row.isa: None for row in run.rows.values()}
    for level in levels:
        if level not in known:
            raise Mismatch(
                f"--levels: {level}: {run.path} has no rows of it; it has {', '.join(known)}"
            )
    first = rows_of(run, levels[0], wanted)
    return [
        compare_two(run, levels[0], level, first, rows_of(run, level, wanted))
        for level in levels[1:]
    ]


def rows_of(run: Run, level: str, wanted: set[str]) -> dict[tuple[str, str], Row]:
    return {r.work: r for name, r in run.rows.items() if r.isa == level and name in wanted}


def compare_two(
    run: Run,
    first: str,
    second: str,
    a: dict[tuple[str, str], Row],
    b: dict[tuple[str, str], Row],
) -> Comparison:
    pairs, left_out = [], []
    for work in dict.fromkeys((*a, *b)):
        why = why_not(first, second, a.get(work), b.get(work))
        if why:
            left_out.append(("/".join((work[0], f"{first}|{second}", work[1])), why))
        else:
            pairs.append((a[work], b[work]))
    ratios = ratios_of(pairs)
    adjusted = statistics.adjusted([ratio.p for ratio in ratios])
    rows = [
        Judged(one, other, ratio, p, None, judge(ratio, p, MATTERS))
        for (one, other), ratio, p in zip(pairs, ratios, adjusted)
    ]
    return Comparison(replace(run, side=first), replace(run, side=second), rows, left_out)


def why_not(first: str, second: str, a: Row | None, b: Row | None) -> str:
    for level, row in ((first, a), (second, b)):
        if row is None:
            return f"no row of {level}"
        if not row.times:
            return f"{level}: {row.skipped}"
    if not (passes_of(a, b) or min(len(a.times), len(b.times)) >= MIN_SAMPLES):
        return f"fewer than {MIN_SAMPLES} samples"
    return ""


def passes_of(a: Row, b: Row) -> list[tuple[float, float]]:
    """Returns the medians of the passes that both rows have, or [] if there are fewer than two."""
    pairs = passes.pairs_of(a.passes, b.passes)
    return pairs if len(pairs) > 1 else []


def ratios_of(pairs: list[tuple[Row, Row]]) -> list[statistics.Ratio]:
    found = [passes_of(a, b) for a, b in pairs]
    variances = [statistics.paired_variance(p) for p in found if p]
    alike = statistics.typical_variance(variances, max(map(len, found), default=0))
    return [
        statistics.paired_ratio(p, alike) if p else statistics.ratio(list(a.times), list(b.times))
        for p, (a, b) in zip(found, pairs)
    ]
