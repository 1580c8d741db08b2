# SPDX-License-Identifier: MIT
"""Ratio of two samples of times, its confidence interval and p-value, and the correction for many
rows."""

import math
from dataclasses import dataclass

import numpy
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """Times of the second sample over those of the first."""

    estimate: float
    low: float
    high: float
    p: float  # p-value of the hypothesis that both are alike


def ratio(first: list[float], second: list[float]) -> Ratio:
    """Computes the Hodges-Lehmann estimate on logarithms: the median over all pairs of second over
    first, with the interval that the Mann-Whitney test does not reject (Hollander and Wolfe, 1999,
    4.2 and 4.3)."""
    x, y = numpy.log(first), numpy.log(second)
    pairs = numpy.sort((y[:, None] - x[None, :]).ravel())
    rank = interval_rank(len(x), len(y))
    low, high = (pairs[rank - 1], pairs[-rank]) if rank > 0 else (-math.inf, math.inf)
    p = stats.mannwhitneyu(x, y, alternative="two-sided").pvalue
    return Ratio(*(float(numpy.exp(v)) for v in (numpy.median(pairs), low, high)), float(p))


def interval_rank(n: int, m: int) -> int:
    """Returns the rank, from 1, of the pairs that bound the interval from both ends, or 0 if there
    are too few samples. Uses the normal approximation of U, which is within one rank of the exact
    value from 5 samples on."""
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    rank = math.floor(n * m / 2 - stats.norm.ppf(0.5 + CONFIDENCE / 2) * deviation)
    return max(rank, 0)


def adjusted(ps: list[float]) -> list[float]:
    """Adjusts p-values by Benjamini and Hochberg (1995): of the rows with a value below q, an
    expected share of at most q is wrongly called different."""
    if not ps:
        return []
    p = numpy.asarray(ps)
    order = numpy.argsort(p)
    scaled = p[order] * len(p) / numpy.arange(1, len(p) + 1)
    # An adjusted value must not exceed that of a row with a larger p.
    stepped = numpy.minimum.accumulate(scaled[::-1])[::-1]
    out = numpy.empty(len(p))
    out[order] = numpy.minimum(stepped, 1.0)
    return [float(value) for value in out]


def geometric_mean(ratios: list[float]) -> float:
    return float(stats.gmean(ratios))
