# SPDX-License-Identifier: MIT
"""Computes how many times as fast each CPU feature makes each CPU: the ratio of every row,
geometric means of families, and why a ratio is missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from downhill_report.numbers import joined

from .entry import Entry, Ratio, Row, Work
from .features import CPU_FEATURE_NAMES, DATA_TYPE_NAMES, F32, Family, Feature, families, family_of

NOT_MEASURED = "not measured"
NO_DATA = "no data yet"  # a newer version can be measured on this CPU


@dataclass(frozen=True)
class Mean:
    """Geometric mean over the rows of a family, hot and on one thread."""

    family: Family
    ratio: Ratio
    rows: dict[Work, Ratio]

    @property
    def lowest(self) -> float:
        return min(ratio.value for ratio in self.rows.values())

    @property
    def highest(self) -> float:
        return max(ratio.value for ratio in self.rows.values())


def mean_of(ratios: list[Ratio]) -> Ratio:
    """Returns the geometric mean. Its interval assumes that the errors of the rows are independent:
    each row is a group of its own, sampled at another time and on other buffers. Both sides are
    added as squares of logarithms. The interval is that of the measurement for exactly these rows;
    it does not say how much the ratio differs between shapes."""
    logs = [math.log(ratio.value) for ratio in ratios]
    mean = sum(logs) / len(logs)
    # An interval by fewer than six samples may start at 0.
    below = [log - math.log(max(ratio.low, 1e-9)) for log, ratio in zip(logs, ratios)]
    above = [math.log(ratio.high) - log for log, ratio in zip(logs, ratios)]
    low, high = (math.hypot(*half) / len(logs) for half in (below, above))
    doubtful = any(ratio.doubtful for ratio in ratios)
    return Ratio(math.exp(mean), math.exp(mean - low), math.exp(mean + high), doubtful)


def is_plain(work: Work) -> bool:
    """Returns whether a row may be part of a mean."""
    return work.cache == "hot" and work.threads == 1


def base_row(entry: Entry, feature: Feature, work: Work, row: Row) -> tuple[str, Row | None]:
    """Returns (base of the comparison, its row), or ("", None) if the row is not compared."""
    base = next((name for name in feature.bases if name in row.over), "")
    return base, entry.rows[work].get(base)


def ratios_of(entry: Entry, feature: Feature) -> dict[Work, Ratio]:
    """Returns the ratio of every group of rows that has one."""
    out = {}
    for work, rows in entry.rows.items():
        if F32 in feature.bases:
            if family_of(work.kernel) is None or not work.kernel.endswith(f"_{feature.level}"):
                continue
            row = next((row for row in rows.values() if F32 in row.over), None)
        else:
            row = rows.get(feature.level)
        if row is None:
            continue
        base, over = base_row(entry, feature, work, row)
        if base:
            ratio = row.over[base]
            doubtful = row.shared or (over is not None and over.shared)
            out[work] = Ratio(ratio.value, ratio.low, ratio.high, doubtful)
    return out


def means_of(ratios: dict[Work, Ratio]) -> dict[Family, Mean]:
    rows: dict[Family, dict[Work, Ratio]] = {}
    for work, ratio in ratios.items():
        if is_plain(work) and (family := family_of(work.kernel)) is not None:
            rows.setdefault(family, {})[work] = ratio
    return {
        family: Mean(family, mean_of(list(rows[family].values())), rows[family])
        for family in families()
        if family in rows
    }


def common_means(ratios: Sequence[dict[Work, Ratio]]) -> list[dict[Family, Mean]]:
    """Returns the means of one feature on several CPUs, given its ratios on each.

    The mean of a family is over the kernels and shapes that all CPUs with rows of the family have,
    so that the means can be compared: large entries leave some out. A CPU with fewer than half of
    the rows of the largest, as of a quick run, does not reduce those of the others. A CPU without a
    common row has the mean over its own rows."""
    all_means = [means_of(found) for found in ratios]
    out: list[dict[Family, Mean]] = [{} for _ in ratios]
    for family in families():
        row_sets = [set(means[family].rows) for means in all_means if family in means]
        largest = max(map(len, row_sets), default=0)
        large = [rows for rows in row_sets if 2 * len(rows) >= largest]
        common = set.intersection(*large) if large else set()
        for means, kept in zip(all_means, out):
            if family in means:
                rows = means[family].rows
                rows = {work: rows[work] for work in rows if work in common} or rows
                kept[family] = Mean(family, mean_of(list(rows.values())), rows)
    return out


def headline(feature: Feature, means: Sequence[dict[Family, Mean]]) -> Family | None:
    """Returns the family that the first table shows on all CPUs, given the means of each: the step
    on the most important data type that any of them was measured with."""
    for operation in ("step", "scores", "gradient"):
        for data_type in feature.data_types:
            family = Family(operation, data_type)
            if any(family in found for found in means):
                return family
    return None


def without_kernels(entry: Entry, feature: Feature) -> str:
    """Returns the CPU feature, ISA level or data type that the CPU can use but for which the
    version of the entry has no kernels; "" if there is none."""
    kernels, levels = entry.document["kernels"], entry.levels
    if not all(entry.has(need) for need in feature.needs) or unusable_level(entry, feature):
        return ""
    if feature.needs and feature.level not in levels:
        return CPU_FEATURE_NAMES[feature.needs[-1]]
    if F32 not in feature.bases and feature.bases[-1] not in levels:
        return feature.bases[-1]
    data_types = (feature.level,) if F32 in feature.bases else feature.data_types
    if not any(kernel.endswith(f"_{name}") for kernel in kernels for name in data_types):
        return DATA_TYPE_NAMES[data_types[0]]
    return ""


def why_missing(entry: Entry, feature: Feature) -> str:
    """Returns why a CPU has no ratio for a feature."""
    if lacking := [need for need in feature.needs if not entry.has(need)]:
        return without(entry, lacking[0])
    if name := without_kernels(entry, feature):
        return f"{NO_DATA}: {outdated(entry, [name])}"
    level = unusable_level(entry, feature)
    return unusable(entry, level) if level else NOT_MEASURED


def unusable_level(entry: Entry, feature: Feature) -> str:
    """Returns the level of a comparison that the CPU or system cannot use although the version has
    it; "" if there is none."""
    compared = (feature.level, feature.bases[-1])
    return next(
        (name for name in compared if name in entry.levels and not entry.levels[name]["usable"]), ""
    )


def outdated(entry: Entry, names: Sequence[str]) -> str:
    """Explains that an entry is of a version without kernels for these features, and the remedy."""
    return (
        f"the entry is of version {entry.build['commit'][:7]}, which has no kernels for "
        f"{joined(names)}; run scripts/bench --gallery {entry.name} there"
    )


def without(entry: Entry, feature: str) -> str:
    """Explains that a CPU does not report a feature. A hypervisor may hide it, so only a physical
    machine tells that the CPU lacks it."""
    name = CPU_FEATURE_NAMES[feature]
    return f"no {name} here" if entry.machine["hypervisor"] else f"the CPU has no {name}"


def unusable(entry: Entry, isa: str) -> str:
    """Returns why a level is not usable."""
    missing = entry.levels[isa]["missing"]  # as in "amx-tile (CPU), amx-int8 (CPU)"
    by_cpu = {part.strip().removesuffix(" (CPU)") for part in missing.split(",") if "(CPU)" in part}
    named = next((feature for feature in CPU_FEATURE_NAMES if feature in by_cpu), None)
    if named is not None:
        return without(entry, named)
    return f"not usable: {missing}" if missing else "not in this build"


def lacks(entry: Entry, isa: str, is_level: bool) -> str:
    """Returns why an entry has no row at all of an ISA level or, if is_level is False, of a
    library; "" if it may have one."""
    if (level := entry.levels.get(isa)) is not None:
        return "" if level["usable"] else unusable(entry, isa)
    peers = {peer["name"]: peer["missing"] for peer in entry.document["peers"]}
    if isa in peers:
        return peers[isa]
    if not is_level and not peers:
        return "not timed; run with --peers"
    return f"version {entry.build['commit'][:7]} has no {isa}"
