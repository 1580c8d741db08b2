# SPDX-License-Identifier: MIT
"""Sweeps over the batch and the number of features; whether power-of-two batches are faster."""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy
import scipy.stats

from .rows import Ratio, Row

# In smaller batches one sample is a large part of the batch, power of two or not.
MIN_BATCH = 8


@dataclass(frozen=True)
class Sweep:
    """Rows of one kernel and level in order of size."""

    kernel: str
    isa: str
    rows: list[Row]


@dataclass(frozen=True)
class Term:
    """The logarithm of a ratio of times, and its derivative by the logarithm of each time."""

    logarithm: float
    weights: dict[int, float]  # keyed by the size


@dataclass(frozen=True)
class Verdict:
    """How many times as fast a sample is in a power-of-two batch, as geometric means."""

    beside: Ratio | None  # than in batches with one sample more or fewer
    between: Ratio | None  # than in batches well between two powers of two


def is_power(n: int) -> bool:
    return n & (n - 1) == 0


def sweeps_of(rows: list[Row], kind: str, size: Callable[[Row], int]) -> list[Sweep]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.sweep == kind and row.threads == 1 and not row.skipped:
            found.setdefault((row.kernel, row.isa), []).append(row)
    return [Sweep(*key, sorted(of, key=size)) for key, of in found.items() if len(of) > 2]


def batch_sweeps(rows: list[Row]) -> list[Sweep]:
    return sweeps_of(rows, "batch", lambda row: row.shape.n)


def size_sweeps(rows: list[Row]) -> list[Sweep]:
    return sweeps_of(rows, "size", lambda row: row.shape.d)


def verdict(sweep: Sweep) -> Verdict:
    """Compares times of whole batches, which are linear in the size (with a constant start-up
    cost), so that times between two sizes can be interpolated."""
    time = {row.shape.n: row.median for row in sweep.rows}
    doubtful = {row.shape.n for row in sweep.rows if row.is_doubtful}
    powers = [n for n in time if is_power(n) and n >= MIN_BATCH]
    beside, between = [], []
    for n in powers:
        if {n - 1, n + 1} <= time.keys():
            beside.append(term(time, n - 1, n, n + 1, sign=-1))
    for m in time:
        at = bisect.bisect(powers, m)
        if m >= MIN_BATCH and not adjoins(m) and 0 < at < len(powers):
            between.append(term(time, powers[at - 1], m, powers[at], sign=1))
    return Verdict(mean(beside, doubtful), mean(between, doubtful))


def term(time: dict[int, float], low: int, n: int, high: int, sign: int) -> Term:
    """Compares the time at a size (sign 1: over, -1: under) with the time interpolated between two
    other sizes."""
    part = (n - low) / (high - low)
    interpolated = time[low] * (1 - part) + time[high] * part
    weights = {
        low: -sign * time[low] * (1 - part) / interpolated,
        n: sign,
        high: -sign * time[high] * part / interpolated,
    }
    return Term(sign * math.log(time[n] / interpolated), weights)


def adjoins(n: int) -> bool:
    """Returns whether n is a power of two or differs from one by 1."""
    return any(is_power(m) for m in (n - 1, n, n + 1))


def mean(terms: list[Term], doubtful: set[int]) -> Ratio | None:
    """Returns the geometric mean of ratios. The interval is Student's, over the sizes: each size
    has its own buffers, whose effect more samples would not average out. Terms that share a size
    are not independent, so the error of the mean is computed from the deviation of the terms for
    errors of the sizes that are independent and equally large."""
    count = len(terms)
    if count < 3:
        return None
    logarithms = [o.logarithm for o in terms]
    sizes = sorted({n for o in terms for n in o.weights})
    weights = numpy.array([[o.weights.get(n, 0.0) for n in sizes] for o in terms])
    covariance = weights @ weights.T  # of the terms, if the variance of a size is 1
    of_mean = covariance.sum() / count**2
    of_terms = (numpy.trace(covariance) - covariance.sum() / count) / (count - 1)
    value = numpy.mean(logarithms)
    error = numpy.std(logarithms, ddof=1) * math.sqrt(of_mean / of_terms)
    half = scipy.stats.t.ppf(0.975, count - 1) * error
    is_doubtful = not doubtful.isdisjoint(sizes)
    return Ratio(math.exp(value), math.exp(value - half), math.exp(value + half), is_doubtful)
