# SPDX-License-Identifier: MIT
"""The noise floor: how far repeated measurements of a row differ."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .rows import Ratio, Row


@dataclass(frozen=True)
class Floor:
    """The noise floor of one row."""

    share: float
    passes: int  # in which the row was timed
    # True: 95 % of pairs of passes differ by less than the share, as the benchmark estimated.
    # False: no two passes differed by more (older results).
    is_estimate: bool


def floors_of(results: dict[str, Any], rows: Iterable[Row]) -> dict[str, Floor]:
    """Returns row name -> its noise floor, without rows that were timed once."""
    found = {}
    for row in results.get("noise_floor", {}).get("rows", []):
        medians = [median for median in row["medians_ns"] if median]
        if len(medians) > 1:
            share = max(medians) / min(medians) - 1
            found[row["run_name"]] = Floor(share, len(medians), False)
    passes = results.get("context", {}).get("passes", 0)
    for row in rows:
        if row.noise_floor is not None:
            found[row.name] = Floor(row.noise_floor, len(row.pass_medians) or passes, True)
    return found


def are_estimates(floors: dict[str, Floor]) -> bool:
    """Returns whether the floors are limits for 95 % of pairs of passes, not differences that were
    observed."""
    return all(floor.is_estimate for floor in floors.values())


def median(floors: dict[str, Floor]) -> float:
    return statistics.median(floor.share for floor in floors.values())


def worst(floors: dict[str, Floor], count: int) -> list[tuple[str, Floor]]:
    """Returns the rows that repeat worst, worst first."""
    return sorted(floors.items(), key=lambda item: -item[1].share)[:count]


def of_ratio(floors: Iterable[Floor | None]) -> float | None:
    """Returns the share by which a ratio of two rows may differ from 1 by noise alone. A floor is
    that of a difference of two measurements of one row, so each of two rows contributes half of its
    square. A row that was timed once is taken to be as noisy as the other one."""
    known = [floor.share for floor in floors if floor]
    return math.sqrt(sum(share**2 for share in known) / len(known)) if known else None


def exceeds(over: Ratio, floors: Iterable[Floor | None]) -> bool:
    """Returns whether the difference of two rows is larger than their noise, as far as it is
    known."""
    noise = of_ratio(floors)
    return noise is None or gap(over) > noise


def gap(over: Ratio) -> float:
    """Returns the difference as a share of the faster row's time."""
    return max(over.value, 1 / over.value) - 1
