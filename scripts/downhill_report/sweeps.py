# SPDX-License-Identifier: MIT
"""The sweeps of batch and size, and whether a batch of a power of two is special."""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy

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
    cost = {row.shape.n: Cost(row) for row in sweep.rows}
    powers = [n for n in cost if is_power(n) and n >= LEAST_BATCH]
    beside = [
        [(cost[m], 1.0) for m in (n - 1, n + 1) if m in cost] + [(cost[n], -1.0)] for n in powers
    ]
    between = []
    for m in cost:
        at = bisect.bisect(powers, m)
        if m >= LEAST_BATCH and not adjoins(m) and 0 < at < len(powers):
            low, high = powers[at - 1], powers[at]
            part = math.log(m / low) / math.log(high / low)
            between.append([(cost[m], 1.0), (cost[low], part - 1.0), (cost[high], -part)])
    return Verdict(mean(beside), mean(between))


def adjoins(n: int) -> bool:
    """A power of two, or one off it."""
    return any(is_power(m) for m in (n - 1, n, n + 1))


class Cost:
    """Logarithm of the time of a sample, and of what it is with samples drawn again."""

    def __init__(self, row: Row) -> None:
        self.of = math.log(row.median / row.shape.n)
        self.resampled = numpy.log(row.resampled / row.shape.n)


def mean(contrasts: list[list[tuple[Cost, float]]]) -> Ratio | None:
    """e to the mean of sums of weighted logarithms; weights of one sign are shared out to ±1, so
    that each sum is the logarithm of a ratio."""
    contrasts = [even(terms) for terms in contrasts if len(terms) > 1]
    if not contrasts:
        return None
    value = numpy.mean([sum(w * c.of for c, w in terms) for terms in contrasts])
    found = numpy.mean([sum(w * c.resampled for c, w in terms) for terms in contrasts], axis=0)
    low, high = numpy.percentile(found, (2.5, 97.5))
    return Ratio(math.exp(value), math.exp(low), math.exp(high))


def even(terms: list[tuple[Cost, float]]) -> list[tuple[Cost, float]]:
    above = sum(w for _, w in terms if w > 0)
    below = -sum(w for _, w in terms if w < 0)
    return [(c, w / (above if w > 0 else below)) for c, w in terms]
