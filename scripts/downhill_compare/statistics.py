# SPDX-License-Identifier: MIT
"""Ratio of two rows, its confidence interval and p-value, and the correction for many rows."""

import math
from dataclasses import dataclass

import numpy
from scipy import stats

CONFIDENCE = 0.95
# Weight of other rows in the variance of a row, in degrees of freedom: as in bench/passes.c.
PRIOR = 4.0
# Standard deviation of what all passes of a run share: addresses of code, physical pages, the state
# of the machine. One run cannot show it. Between processes with the same code, `downhill ab` found
# 0.3 to 1 % on Zen 5, depending on the kernel.
RUN_DEVIATION = 0.01


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


def ratio_of_figures(
    first: tuple[float, float, float], second: tuple[float, float, float], passes: tuple[int, int]
) -> Ratio:
    """Computes the ratio of the medians of two runs from the intervals that the benchmark computed
    from the passes of each (bench/passes.c): (median, low, high). The errors are independent, so
    their variances add up, with the degrees of freedom of Welch and Satterthwaite."""
    variances, denominator = 2 * RUN_DEVIATION**2, 0.0
    for (_, low, high), count in zip((first, second), passes):
        # The passes give one less than their number; rows that are alike give PRIOR more.
        degrees = count - 1 + PRIOR
        variance = (math.log(high / low) / 2 / quantile(degrees)) ** 2
        variances += variance
        denominator += variance**2 / degrees
    degrees = variances**2 / denominator if denominator else math.inf
    error = quantile(degrees) * math.sqrt(variances)
    return of_normal(math.log(second[0] / first[0]), error, degrees)


def quantile(degrees: float) -> float:
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, degrees))


def of_normal(centre: float, error: float, degrees: float) -> Ratio:
    """Returns the ratio whose logarithm is `centre`, half of whose interval is `error`."""
    limit = quantile(degrees)
    p = 2 * float(stats.t.sf(abs(centre) / error * limit, degrees)) if error > 0 else 1.0
    return Ratio(*(math.exp(centre + shift) for shift in (0.0, -error, error)), p)


def paired_variance(pairs: list[tuple[float, float]]) -> float:
    """Returns the variance, over the passes, of the logarithm of the ratio of two rows."""
    return float(numpy.var([math.log(b / a) for a, b in pairs], ddof=1))


def typical_variance(variances: list[float], passes: int) -> float | None:
    """Returns the median of the variances of pairs of rows, without the bias that it has for few
    passes; None if there are too few pairs."""
    if len(variances) < 5:
        return None
    degrees = passes - 1
    return float(numpy.median(variances)) * degrees / float(stats.chi2.median(degrees))


def paired_ratio(pairs: list[tuple[float, float]], alike: float | None) -> Ratio:
    """Computes the ratio of two rows that were sampled in turn, from its values in each pass:
    whatever makes a pass slower, makes both slower. `alike` is the variance of other pairs, which
    counts like PRIOR more passes (Smyth, 2004)."""
    logs = [math.log(b / a) for a, b in pairs]
    own, weight = len(logs) - 1, PRIOR if alike is not None else 0.0
    variance = (own * paired_variance(pairs) + weight * (alike or 0.0)) / (own + weight)
    error = quantile(own + weight) * math.sqrt(variance / len(logs))
    return of_normal(float(numpy.mean(logs)), error, own + weight)


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
