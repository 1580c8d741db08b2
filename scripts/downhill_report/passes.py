# SPDX-License-Identifier: MIT
"""Ratio of two rows from the passes of a run. The samples of a pass share its buffers and the state
of the machine, so they are not independent; the passes are, and what slows down a pass slows down
both rows."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy
from scipy import stats


def medians_of(samples: list[dict[str, Any]], key: str) -> tuple[float | None, ...]:
    """Returns the median of a value in each pass (None: no sample of it counts), or () if the
    samples are not of several passes."""
    found: dict[int, list[float]] = {}
    for sample in samples:
        if "pass" in sample:
            found.setdefault(sample["pass"], []).append(sample[key])
    if len(found) < 2:
        return ()
    return tuple(statistics.median(found[i]) if i in found else None for i in range(max(found) + 1))


def pairs_of(
    times: Sequence[float | None], over: Sequence[float | None]
) -> list[tuple[float, float]]:
    """Returns the medians of the passes in which both rows have one."""
    return [(a, b) for a, b in zip(times, over) if a and b]


def ratio_of(pairs: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Returns how many times the second of each pair is as long as the first: geometric mean and
    Student's 95 % interval, from one logarithm per pass. Needs two passes."""
    logarithms = numpy.log([over / time for time, over in pairs])
    error = numpy.std(logarithms, ddof=1) / math.sqrt(len(pairs))
    half = stats.t.ppf(0.975, len(pairs) - 1) * error
    mean = float(numpy.mean(logarithms))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)
