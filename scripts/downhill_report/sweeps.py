# SPDX-License-Identifier: MIT
"""The sweeps of batch and size, and whether a batch of a power of two is special."""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy
import scipy.stats

from .rows import Ratio, Row

# Below, a sample more or less is a large part of the batch whatever the number.
LEAST_BATCH = 8


@dataclass(frozen=True)
class Sweep:
    """One kernel and level, by growing size."""

    kernel: str
    isa: str
    rows: list[Row]


@dataclass(frozen=True)
class Verdict:
    """How many times faster a sample of a batch of a power of two is, on geometric average."""

    beside: Ratio | None  # than in batches of one sample more or fewer
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
    """By the time of the whole batch, which grows evenly with its size whatever it costs to begin: what lies
    between two sizes is interpolated."""
    time = {row.shape.n: row.median for row in sweep.rows}
    doubtful = {row.shape.n for row in sweep.rows if row.is_doubtful}
    powers = [n for n in time if is_power(n) and n >= LEAST_BATCH]
    beside, between = {}, {}  # by the sizes that each is of
    for n in powers:
        if {n - 1, n + 1} <= time.keys():
            beside[n - 1, n, n + 1] = math.log((time[n - 1] + time[n + 1]) / 2 / time[n])
    for m in time:
        at = bisect.bisect(powers, m)
        if m >= LEAST_BATCH and not adjoins(m) and 0 < at < len(powers):
            low, high = powers[at - 1], powers[at]
            part = (m - low) / (high - low)
            between[low, m, high] = math.log(time[m] / (time[low] * (1 - part) + time[high] * part))
    return Verdict(mean(beside, doubtful), mean(between, doubtful))


def adjoins(n: int) -> bool:
    """A power of two, or one off it."""
    return any(is_power(m) for m in (n - 1, n, n + 1))


def mean(of: dict[tuple[int, ...], float], doubtful: set[int]) -> Ratio | None:
    """e to the mean of the logarithms, with the interval of Student over the sizes: each has buffers of its
    own, and what these do to it no number of samples would average out."""
    logarithms = list(of.values())
    if len(logarithms) < 3:
        return None
    value = numpy.mean(logarithms)
    error = numpy.std(logarithms, ddof=1) / math.sqrt(len(logarithms))
    half = scipy.stats.t.ppf(0.975, len(logarithms) - 1) * error
    is_doubtful = not doubtful.isdisjoint(n for sizes in of for n in sizes)
    return Ratio(math.exp(value), math.exp(value - half), math.exp(value + half), is_doubtful)
