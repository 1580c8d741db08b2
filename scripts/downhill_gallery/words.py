# SPDX-License-Identifier: MIT
"""The answers of the first table in words, and the text of intervals."""

from downhill_report.numbers import joined, times

from .bought import Mean
from .entry import Entry, Ratio
from .features import CPU_FEATURE_NAMES, DATA_TYPE_NAMES, Family, Feature

# A ratio whose interval is within this distance of 1 is called equal.
EQUAL = 0.02
# With more CPUs, the words name the lowest and the highest ratio only.
NAMED_MAX = 2
OPERATIONS = {
    "step": "A training step", "scores": "Computing scores", "gradient": "Computing the gradient",
}  # fmt: skip


def ends(ratio: Ratio) -> str:
    """Returns the ends of the interval, as in "1.28 to 1.29", with as many digits as the ratio."""
    return spread(ratio.low, ratio.high).replace("×", "")


def spread(low: float, high: float) -> str:
    return f"{times(low)} to {times(high)}"


def amount(mean: Mean) -> str:
    ratio = mean.ratio
    if 1 - EQUAL <= ratio.low and ratio.high <= 1 + EQUAL:
        return "as fast"
    return f"{times(ratio.value).rstrip('×')} times as fast"


def amounts(measured: list[tuple[Entry, Mean]]) -> str:
    """Returns the predicate of the sentence: the figure of each CPU, or the range if there are more
    than NAMED_MAX."""
    if len(measured) <= NAMED_MAX:
        each = [f"{amount(mean)} on {entry.short_title}" for entry, mean in measured]
        return f"is {joined(each)}"
    ordered = sorted(measured, key=lambda pair: pair[1].ratio.value)
    (least, low), (most, high) = ordered[0], ordered[-1]
    if amount(low) == amount(high):
        return f"is {amount(low)} on {len(measured)} CPUs"
    return (
        f"is {times(low.ratio.value).rstrip('×')} ({least.short_title}) to "
        f"{times(high.ratio.value).rstrip('×')} times as fast ({most.short_title})"
    )


def answer(feature: Feature, family: Family | None, found: list[tuple[Entry, Mean | None]]) -> str:
    """Returns the answer of one line of the table, for all CPUs; `found` has the means of the
    family."""
    measured = [(entry, mean) for entry, mean in found if mean is not None]
    if family is None:
        parts = ["No machine here was measured with it."]
    else:
        subject = f"{OPERATIONS[family.operation]} on {DATA_TYPE_NAMES[family.data_type]}"
        parts = [f"{subject} {amounts(measured)}."]
    unmeasured = [
        entry.short_title
        for entry, mean in found
        if mean is None and feature.needs and all(entry.has(need) for need in feature.needs)
    ]
    if unmeasured:
        name = CPU_FEATURE_NAMES[feature.needs[-1]]
        have = "the CPU has" if len(unmeasured) == 1 else "the CPUs have"
        parts.append(f"Not measured on {joined(unmeasured)}, although {have} {name}.")
    return " ".join(parts)
