# SPDX-License-Identifier: MIT
"""The answers of the first table in words."""

from downhill_report.numbers import times

from .bought import Mean
from .entry import Entry
from .features import CPU_FEATURE_NAMES, Feature

# A ratio whose interval is within this distance of 1 is called equal.
EQUAL = 0.02
# With more CPUs, the words name the lowest and the highest ratio only.
NAMED_MAX = 2
STEP = {"step": "a training step", "scores": "scores", "gradient": "the gradient"}


def listed(words: list[str]) -> str:
    """Joins words with commas and a final "and"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def amount(mean: Mean) -> str:
    ratio = mean.ratio
    if 1 - EQUAL <= ratio.low and ratio.high <= 1 + EQUAL:
        return "as fast"
    return f"{times(ratio.value).rstrip('×')} times as fast"


def amounts(measured: list[tuple[Entry, Mean]]) -> str:
    """Returns the figure of each CPU, or the range if there are more than NAMED_MAX."""
    if len(measured) <= NAMED_MAX:
        return listed([f"{amount(mean)} on {entry.short_title}" for entry, mean in measured])
    ordered = sorted(measured, key=lambda pair: pair[1].ratio.value)
    (least, low), (most, high) = ordered[0], ordered[-1]
    if amount(low) == amount(high):
        return f"{amount(low)} on {len(measured)} CPUs"
    return (
        f"{times(low.ratio.value).rstrip('×')} times ({least.short_title}) to {amount(high)} "
        f"({most.short_title})"
    )


def answer(feature: Feature, found: list[tuple[Entry, Mean | None]]) -> str:
    """Returns the answer of one line of the table, for all CPUs."""
    measured = [(entry, mean) for entry, mean in found if mean is not None]
    parts = []
    if measured:
        family = measured[0][1].family
        what = f"{STEP[family.operation]} on {str(family).rpartition(' ')[2]}"
        parts.append(f"{what[0].upper()}{what[1:]} is {amounts(measured)}.")
    else:
        parts.append("No machine here was measured with it.")
    unmeasured = [
        entry.short_title
        for entry, mean in found
        if mean is None and feature.needs and all(entry.has(need) for need in feature.needs)
    ]
    if unmeasured:
        name = CPU_FEATURE_NAMES[feature.needs[-1]]
        parts.append(f"Not measured on {listed(unmeasured)}, although that CPU has {name}.")
    return " ".join(parts)
