# SPDX-License-Identifier: MIT
"""Verdict SAME, FASTER, SLOWER or UNSURE per row that two runs have in common.

FASTER or SLOWER: the ratio differs from 1 significantly, after the correction for many rows; the
estimate differs from 1 by more than `differs` and the interval by more than a quarter of it; and
the same holds in clock cycles, because a machine that was slower as a whole says nothing about the
code. SAME: the whole interval of the ratio lies within SAME_WITHIN, or within the noise floor of
the row if that is larger. UNSURE: neither.

The benchmark scales rows whose times followed a wandering clock to one clock (bench/passes.c).
Where both runs did, the ratio is that of cycles; the times only must not contradict it, as they
would if new code was faster in cycles but lowered the clock.

An interval from passes contains the noise of the row and an allowance for what the passes of a
process share, so `differs` is MIN_FLOOR. An interval from samples of a single pass does not, so
`differs` is the floor. tests/test_verdicts.py simulates how often each verdict is wrong."""

import math
from dataclasses import dataclass
from enum import Enum

from . import statistics
from .runs import Row, Run

SIGNIFICANT = 0.05
# The interval must exclude 1 by at least this share of the floor.
CLEAR = 0.25
# Minimum floor; smaller differences are ignored.
MIN_FLOOR = 0.01
# The allowance for what the passes of a process share makes the interval of a quiet row 3 % wide on
# either side, so a smaller limit would call no quiet row SAME.
SAME_WITHIN = 0.05
# With a larger floor a row is not called SAME: the differences would be too large.
MAX_FLOOR = 0.1
# Minimum relative difference of the clocks of two runs that is worth a note.
SAME_CLOCK = 0.01
# Minimum number of samples for an interval.
MIN_SAMPLES = 5
ONLY_IN_A, ONLY_IN_B = "only in A", "only in B"


class Verdict(Enum):
    SAME = "SAME"
    FASTER = "FASTER"
    SLOWER = "SLOWER"
    UNSURE = "UNSURE"


@dataclass(frozen=True)
class Judged:
    first: Row
    second: Row
    ratio: statistics.Ratio
    p_adjusted: float
    floor: float | None  # None: the rows are of one run
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    first: Run
    second: Run
    rows: list[Judged]
    left_out: list[tuple[str, str]]  # (row of either run, reason)


def floor_of(first: Row, second: Row) -> float:
    """Returns the larger noise floor of the two rows, but at least MIN_FLOOR."""
    return max(MIN_FLOOR, first.floor or 0.0, second.floor or 0.0)


def ratio_of(first: Row, second: Row) -> statistics.Ratio:
    if first.figure and second.figure:
        scale = clocks(first, second) if in_cycles(first, second) else 1.0
        median, low, high = (scale * end for end in second.figure)
        passes = len(first.passes), len(second.passes)
        return statistics.ratio_of_figures(first.figure, (median, low, high), passes)
    return statistics.ratio(list(first.times), list(second.times))


def in_cycles(first: Row, second: Row) -> bool:
    """Returns whether the ratio of two rows is that of their clock cycles."""
    return first.at_clock and second.at_clock


def clocks(first: Row, second: Row) -> float | None:
    """Returns the clock of the second row over that of the first; None if one is unknown."""
    return second.clock_ghz / first.clock_ghz if first.clock_ghz and second.clock_ghz else None


def differs_from(first: Row, second: Row, floor: float) -> float:
    """Returns from which relative difference on rows can be FASTER or SLOWER."""
    return MIN_FLOOR if first.figure and second.figure else floor


def same_within(first: Row, second: Row, floor: float) -> float:
    """Returns the relative difference within which rows are SAME."""
    return max(floor, SAME_WITHIN) if first.figure and second.figure else floor


def judge(
    ratio: statistics.Ratio, p_adjusted: float, same: float, differs: float | None = None
) -> Verdict:
    """Judges a ratio. `differs` is `same` unless given."""
    differs = same if differs is None else differs
    clear = 1 + CLEAR * differs
    if p_adjusted < SIGNIFICANT and ratio.low > clear and ratio.estimate > 1 + differs:
        return Verdict.SLOWER
    if p_adjusted < SIGNIFICANT and ratio.high < 1 / clear and ratio.estimate < 1 / (1 + differs):
        return Verdict.FASTER
    high, low = 1 + same, 1 / (1 + same)
    if low <= ratio.low and ratio.high <= high and same <= MAX_FLOOR:
        return Verdict.SAME
    return Verdict.UNSURE


def judged(first: Row, second: Row, ratio: statistics.Ratio, p: float) -> Judged:
    floor = floor_of(first, second)
    verdict, note = verdict_of(first, second, ratio, p, floor)
    return Judged(first, second, ratio, p, floor, verdict, note)


def verdict_of(
    first: Row, second: Row, ratio: statistics.Ratio, p: float, floor: float
) -> tuple[Verdict, str]:
    """Returns the verdict and a note on it, which names the reason if it could not be trusted."""
    differs, same = differs_from(first, second, floor), same_within(first, second, floor)
    verdict = judge(ratio, p, same, differs)
    if verdict is not Verdict.UNSURE and (first.shared or second.shared):
        sides = (("A", first), ("B", second))
        note = "; ".join(f"{side}: {row.shared}" for side, row in sides if row.shared)
        return Verdict.UNSURE, note
    scale = clocks(first, second)
    if verdict is Verdict.UNSURE or not scale:
        return verdict, ""
    ran = f"the clock ran at {first.clock_ghz:.2f} and {second.clock_ghz:.2f} GHz"
    if in_cycles(first, second):
        time = ratio.estimate / scale
        if (verdict is Verdict.SLOWER and time < 1) or (verdict is Verdict.FASTER and time > 1):
            return Verdict.UNSURE, f"only in clock cycles: {ran}"
        return verdict, ran if abs(math.log(scale)) > SAME_CLOCK else ""
    cycles = statistics.Ratio(*(scale * end for end in (ratio.estimate, ratio.low, ratio.high)), p)
    # Memory has its own clock.
    if first.bound != "DRAM" and judge(cycles, p, same, differs) is not verdict:
        return Verdict.UNSURE, f"not in clock cycles: {ran}"
    return verdict, ""


def compare(first: Run, second: Run, wanted: set[str]) -> Comparison:
    pairs, left_out = [], []
    for name in dict.fromkeys((*first.rows, *second.rows)):
        if name not in wanted:
            continue
        if why := why_not(first, second, name):
            left_out.append((name, why))
        else:
            pairs.append((first.rows[name], second.rows[name]))
    ratios = [ratio_of(a, b) for a, b in pairs]
    adjusted = statistics.adjusted([r.p for r in ratios])
    rows = [judged(a, b, r, p) for (a, b), r, p in zip(pairs, ratios, adjusted)]
    return Comparison(first, second, rows, left_out)


def why_not(first: Run, second: Run, name: str) -> str:
    """Returns why a row that at least one run has cannot be compared, or "" if it can."""
    why = []
    for run, side, other in ((first, "A", ONLY_IN_B), (second, "B", ONLY_IN_A)):
        if name not in run.rows:
            unusable = run.unusable(isa_of(name))
            why.append(f"{other} ({side}: {unusable})" if unusable else other)
        elif not run.rows[name].times:
            why.append(f"{side}: {run.rows[name].skipped}")
    if why:
        return "; ".join(why)
    a, b = first.rows[name], second.rows[name]
    if not (a.figure and b.figure) and min(len(a.times), len(b.times)) < MIN_SAMPLES:
        return f"fewer than {MIN_SAMPLES} samples"
    if (a.flops, a.bytes) != (b.flops, b.bytes):
        return "the credited operations or bytes differ: its formula has changed"
    return ""


def isa_of(name: str) -> str:
    """Returns the level of a row named kernel/isa/n:…"""
    return name.split("/")[1] if "/" in name else ""


@dataclass(frozen=True)
class Mean:
    """Geometric mean over the rows of one kernel, which has one type of features; a mean over
    several kernels would be meaningless. UNSURE rows are left out, because their ratios may be
    noise."""

    kernel: str
    ratio: float | None  # None: every row is UNSURE
    rows: list[str]  # names of the rows in the mean
    unsure: int


def means(comparison: Comparison) -> list[Mean]:
    by_kernel: dict[str, list[Judged]] = {}
    for row in comparison.rows:
        by_kernel.setdefault(row.first.kernel, []).append(row)
    out = []
    for kernel, rows in by_kernel.items():
        sure = [row for row in rows if row.verdict is not Verdict.UNSURE]
        ratio = statistics.geometric_mean([row.ratio.estimate for row in sure]) if sure else None
        out.append(Mean(kernel, ratio, [row.first.name for row in sure], len(rows) - len(sure)))
    return out
