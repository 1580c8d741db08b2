# SPDX-License-Identifier: MIT
"""Formats numbers."""

import math
from collections.abc import Sequence
from typing import Any

from .rows import Ratio

NONE = "–"


def number(value: float, digits: int = 3) -> str:
    """Formats with this many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = int(
        f"{value:.{digits - 1}e}".partition("e")[2]
    )  # after rounding: 99.99 counts as 100
    places = max(0, digits - 1 - exponent)
    return f"{value:,.{places}f}"


def optional(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else number(value, digits)


def microseconds(ns: float, digits: int = 3) -> str:
    return number(ns / 1e3, digits)


def bytes_text(value: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{value} B"


def times(value: Ratio | float | None) -> str:
    if value is None:
        return NONE
    ratio = value.value if isinstance(value, Ratio) else value
    return f"{ratio:.2f}×" if ratio < 9.995 else f"{ratio:.1f}×"


def interval(value: Ratio | None) -> str:
    """Formats a speed-up with its 95 % interval."""
    return f"{times(value)} ({value.low:.2f} to {value.high:.2f})" if value else NONE


def setting(value: Any) -> str:
    """Formats a setting as the user gave it, without the digits that an f32 added."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def rate(per_s: float) -> str:
    """Formats a rate per second: 987, 5.67 k or 8.90 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_s >= size:
            return f"{number(per_s / size)} {unit}"
    return number(per_s)


def percent(share: float | None, places: int = 1) -> str:
    return NONE if share is None else f"{100 * share:.{places}f} %"


def yes_no(value: bool | None) -> str:
    return "not asked" if value is None else "yes" if value else "no"


def plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def joined(words: Sequence[str]) -> str:
    """Joins words as in "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
