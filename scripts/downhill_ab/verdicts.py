# SPDX-License-Identifier: MIT
"""Verdict per row, from the ratios that each process measured.

A process has its own addresses of code and of buffers, and its ratio differs from that of another
by 0.1 to 1 % for the same code: the unit of the statistics is the process, not the slice. SLOWER or
FASTER: the ratio differs significantly from 1, after the correction for many rows, and by more than
the resolution. SAME: the whole interval lies within the resolution. UNSURE: neither.
tests/test_ab.py simulates how often each verdict is wrong."""

import math
from dataclasses import dataclass

import numpy
from downhill_compare.statistics import adjusted, quantile
from downhill_compare.verdicts import SIGNIFICANT, Verdict
from scipy import stats

from .measure import Row

# Share of the processes that is left out at each end, and at least one: one of 16 may have been
# disturbed throughout.
TRIM = 0.07


@dataclass(frozen=True)
class Judged:
    row: Row
    ratio: float  # time of new over that of old
    low: float
    high: float
    p: float
    layout: float  # standard deviation of the time of old over layouts, relative
    layout_ratio: float  # and of the ratio over processes
    verdict: Verdict


def interval(logs: list[float]) -> tuple[float, float, float]:
    """Returns (mean, half of the interval, p-value) of the mean of the processes. It is a trimmed
    mean (Yuen, 1974), with the variance from winsorised values, so a few wild processes count
    little."""
    ordered = numpy.sort(logs)
    n = len(ordered)
    cut = max(1, int(TRIM * n))
    kept = ordered[cut : n - cut]
    winsorised = numpy.clip(ordered, kept[0], kept[-1])
    error = float(winsorised.std(ddof=1)) / ((1 - 2 * cut / n) * math.sqrt(n))
    degrees = len(kept) - 1
    centre = float(kept.mean())
    if error == 0.0:
        return centre, 0.0, 0.0 if centre else 1.0
    half = quantile(degrees) * error
    return centre, half, 2 * float(stats.t.sf(abs(centre) / error, degrees))


def deviation(logs: numpy.ndarray) -> float:
    """Returns the standard deviation, estimated from the quartiles: a few wild values do not
    matter."""
    low, high = numpy.percentile(logs, (25, 75))
    return float(high - low) / (2 * float(stats.norm.ppf(0.75)))


def judge(centre: float, half: float, p: float, resolution: float) -> Verdict:
    """Judges a logarithm of a ratio with half of its interval and its adjusted p-value."""
    limit = math.log1p(resolution)
    if p < SIGNIFICANT and abs(centre) > limit and abs(centre) > half:
        return Verdict.SLOWER if centre > 0 else Verdict.FASTER
    return Verdict.SAME if abs(centre) + half <= limit else Verdict.UNSURE


def judged(rows: list[Row], resolution: float) -> list[Judged]:
    """Judges the rows that were timed."""
    timed = [row for row in rows if row.is_timed]
    found = [interval(row.process_ratios()) for row in timed]
    ps = adjusted([p for _, _, p in found])
    return [
        Judged(
            row, math.exp(centre), math.exp(centre - half), math.exp(centre + half), p,
            deviation(numpy.concatenate([*row.levels.values()])),
            deviation(numpy.asarray(row.process_ratios())),
            judge(centre, half, p, resolution),
        )
        for row, (centre, half, _), p in zip(timed, found, ps)
    ]  # fmt: skip
