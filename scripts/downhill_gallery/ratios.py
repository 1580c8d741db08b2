# SPDX-License-Identifier: MIT
"""Computes how many times as fast as another one a row is, with a 95 % interval, from all samples
of a run.

An entry of the gallery keeps these ratios, because their intervals cannot be computed from the
intervals of two medians: what slows down both rows at the same time cancels in the ratio.

Results in several passes: each pass uses new buffers, and gives one ratio of its two medians. The
interval is that of Student's t for the mean of the logarithms of these ratios.

Older results, in one pass: the rows of a group are sampled in turn, one sample of each row in each
round. The bootstrap resamples rounds, so both rows are resampled together. The interval does not
contain what differs between two runs, such as the addresses of buffers; the noise floor does.
Ratios between two groups, which share no rounds, resample each group by itself."""

from dataclasses import dataclass

import numpy
from scipy import stats

from downhill_report import passes
from downhill_report.rounds import resampled_medians
from downhill_report.rows import INTERVAL_MIN

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Timed:
    """The times of a row, in ns."""

    median: float
    rounds: dict[int, float]  # number of the round -> time of the sample that counts
    passes: tuple[float | None, ...]  # median of each pass; fewer than two: unknown
    resampled: numpy.ndarray | None = None  # medians of the bootstrap resamples


def resample(name: str, rows: dict[str, dict[int, float]]) -> dict[str, numpy.ndarray]:
    """Returns the medians of bootstrap resamples for all rows of a group, given the samples of each
    by round."""
    rounds = sorted({number for samples in rows.values() for number in samples})
    return {row: resampled_medians(name, rounds, samples) for row, samples in rows.items()}


def median_interval(times: list[float]) -> tuple[float, float] | None:
    """Returns the 95 % interval of the median by ranks, as the benchmark computes it; None with too
    few samples. For older results, which do not have it."""
    if len(times) < INTERVAL_MIN:
        return None
    # The largest rank with at most 5 % beyond both ends: ppf() returns the smallest rank at which
    # the tail reaches 2.5 %, so the ranks below it have less.
    rank = int(stats.binom.ppf((1 - CONFIDENCE) / 2, len(times), 0.5))
    ordered = sorted(times)
    return ordered[max(rank, 1) - 1], ordered[-max(rank, 1)]


def ratio(row: Timed, over: Timed) -> tuple[float, float, float]:
    """Returns (how many times as fast as `over` `row` is, ends of its interval)."""
    pairs = passes.pairs_of(row.passes, over.passes)
    if len(pairs) > 1:
        return passes.ratio_of(pairs)
    value = over.median / row.median
    if min(len(row.rounds), len(over.rounds)) < INTERVAL_MIN:
        mine, theirs = row.rounds.values(), over.rounds.values()
        return value, min(theirs) / max(mine), max(theirs) / min(mine)
    tail = 50 * (1 - CONFIDENCE)
    low, high = numpy.nanpercentile(over.resampled / row.resampled, (tail, 100 - tail))
    return value, float(low), float(high)
