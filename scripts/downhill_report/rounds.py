# SPDX-License-Identifier: MIT
"""Bootstrap of samples that were taken in rounds, one of each row of a group per round."""

import math
import warnings
import zlib
from collections.abc import Mapping, Sequence

import numpy

# Number of bootstrap resamples per interval.
RESAMPLED = 1000


def resampled_medians(
    group: str, rounds: Sequence[int], samples: Mapping[int, float]
) -> numpy.ndarray:
    """Returns the medians of bootstrap resamples of one row: of its samples by round, in rounds
    that are drawn from `rounds`; NaN if a resample contains none of them. The seed is the name of
    the group, so the draws are the same for each of its rows, and reproducible."""
    random = numpy.random.default_rng(zlib.crc32(group.encode()))
    drawn = random.integers(len(rounds), size=(RESAMPLED, len(rounds)))
    times = numpy.array([samples.get(number, math.nan) for number in rounds])
    with warnings.catch_warnings():
        # A resample may contain no sample of a row that was left out of most rounds.
        warnings.simplefilter("ignore", RuntimeWarning)
        return numpy.nanmedian(times[drawn], axis=1)
