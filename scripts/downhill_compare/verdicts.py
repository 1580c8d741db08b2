# SPDX-License-Identifier: MIT
"""Verdict SAME, FASTER, SLOWER or UNSURE per row that two runs have in common.

FASTER or SLOWER: the ratio differs from 1 significantly, after the correction for many rows; the
estimate differs from 1 by more than the noise floor and the interval by more than a quarter of it;
and the same holds in clock cycles, because a machine that was slower as a whole says nothing about
the code. SAME: the whole interval of the ratio lies within the floor. UNSURE: neither.

The medians of the same code differ by more than the floor in one pair of passes in twenty, so a
larger difference is a false alarm about that often. The quarter allows for the error of the floor
itself: of simulated pairs that are alike (tests/test_compare.py) 3 in 100 are called different
instead of 5, and of pairs with one 5 % slower, 3 in 100 are missed instead of 2."""

from dataclasses import dataclass
from enum import Enum

from . import statistics
from .runs import Row, Run

SIGNIFICANT = 0.05
# The interval must exclude 1 by at least this share of the floor.
CLEAR = 0.25
# Minimum floor. A measured one may be too low, because buffers of one process often keep their
# addresses.
MIN_FLOOR = 0.01
# With a larger floor no row is called SAME: the differences would be too large.
MAX_FLOOR = 0.1
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
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    first: Run
    second: Run
    floor: float
    floor_measured: bool
    rows: list[Judged]
    left_out: list[tuple[str, str]]  # (row of either run, reason)


def floor_of(runs: list[Run]) -> tuple[float, bool]:
    """Returns (largest measured floor, but at least MIN_FLOOR; whether any was measured)."""
    floors = [run.floor for run in runs if run.floor is not None]
    return max([*floors, MIN_FLOOR]), bool(floors)


def judge(ratio: statistics.Ratio, p_adjusted: float, floor: float) -> Verdict:
    high, low, clear = 1 + floor, 1 / (1 + floor), 1 + CLEAR * floor
    if p_adjusted < SIGNIFICANT and ratio.low > clear and ratio.estimate > high:
        return Verdict.SLOWER
    if p_adjusted < SIGNIFICANT and ratio.high < 1 / clear and ratio.estimate < low:
        return Verdict.FASTER
    if low <= ratio.low and ratio.high <= high and floor <= MAX_FLOOR:
        return Verdict.SAME
    return Verdict.UNSURE


def judged(first: Row, second: Row, ratio: statistics.Ratio, p: float, floor: float) -> Judged:
    verdict = judge(ratio, p, floor)
    if verdict is not Verdict.UNSURE and (first.shared or second.shared):
        note = "; ".join(
            f"{side}: {row.shared}" for side, row in (("A", first), ("B", second)) if row.shared
        )
        return Judged(first, second, ratio, p, Verdict.UNSURE, note)
    a, b = first.clock_ghz, second.clock_ghz
    # Memory has its own clock.
    if verdict is not Verdict.UNSURE and a and b and first.bound != "DRAM":
        scale = b / a
        ends = (ratio.estimate * scale, ratio.low * scale, ratio.high * scale)
        cycles = statistics.Ratio(*ends, ratio.p)
        if judge(cycles, p, floor) is not verdict:
            note = f"not in clock cycles: the clock ran at {a:.2f} and {b:.2f} GHz"
            return Judged(first, second, ratio, p, Verdict.UNSURE, note)
    return Judged(first, second, ratio, p, verdict)


def compare(first: Run, second: Run, wanted: set[str]) -> Comparison:
    floor, measured = floor_of([first, second])
    pairs, left_out = [], []
    for name in dict.fromkeys((*first.rows, *second.rows)):
        if name not in wanted:
            continue
        if why := why_not(first, second, name):
            left_out.append((name, why))
        else:
            pairs.append((first.rows[name], second.rows[name]))
    ratios = [statistics.ratio(list(a.times), list(b.times)) for a, b in pairs]
    adjusted = statistics.adjusted([r.p for r in ratios])
    rows = [judged(a, b, r, p, floor) for (a, b), r, p in zip(pairs, ratios, adjusted)]
    return Comparison(first, second, floor, measured, rows, left_out)


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
    if min(len(a.times), len(b.times)) < MIN_SAMPLES:
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
