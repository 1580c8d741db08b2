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
class Verdict:
    """How many times faster a sample is in a power-of-two batch, as geometric means."""

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
    beside, between = {}, {}  # keyed by the sizes compared
    for n in powers:
        if {n - 1, n + 1} <= time.keys():
            beside[n - 1, n, n + 1] = math.log((time[n - 1] + time[n + 1]) / 2 / time[n])
    for m in time:
        at = bisect.bisect(powers, m)
        if m >= MIN_BATCH and not adjoins(m) and 0 < at < len(powers):
            low, high = powers[at - 1], powers[at]
            part = (m - low) / (high - low)
            between[low, m, high] = math.log(time[m] / (time[low] * (1 - part) + time[high] * part))
    return Verdict(mean(beside, doubtful), mean(between, doubtful))


def adjoins(n: int) -> bool:
    """Returns whether n is a power of two or differs from one by 1."""
    return any(is_power(m) for m in (n - 1, n, n + 1))


def mean(by_sizes: dict[tuple[int, ...], float], doubtful: set[int]) -> Ratio | None:
    """Returns the geometric mean of ratios given as logarithms. The interval is Student's, over the
    sizes: each size has its own buffers, whose effect more samples would not average out."""
    logarithms = list(by_sizes.values())
    if len(logarithms) < 3:
        return None
    value = numpy.mean(logarithms)
    error = numpy.std(logarithms, ddof=1) / math.sqrt(len(logarithms))
    half = scipy.stats.t.ppf(0.975, len(logarithms) - 1) * error
    is_doubtful = not doubtful.isdisjoint(n for sizes in by_sizes for n in sizes)
    return Ratio(math.exp(value), math.exp(value - half), math.exp(value + half), is_doubtful)
