# SPDX-License-Identifier: MIT
"""What each CPU feature buys on each CPU: the ratio of every row, geometric means of families, and
why a ratio is missing."""

import math
from dataclasses import dataclass

from .entry import Entry, Ratio, Row, Work
from .features import CPU_FEATURE_NAMES, DATA_TYPE_NAMES, F32, Family, Feature, families, family_of


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


def headline(feature: Feature, means: dict[Family, Mean]) -> Mean | None:
    """Returns the mean that the first table shows: of the step on the most important data type."""
    for operation in ("step", "scores", "gradient"):
        for data_type in feature.data_types:
            if (mean := means.get(Family(operation, data_type))) is not None:
                return mean
    return None


def why_missing(entry: Entry, feature: Feature) -> str:
    """Returns why a CPU has no ratio for a feature."""
    version = f"version {entry.build['commit'][:7]}"
    if F32 in feature.bases:
        if not any(kernel.endswith(f"_{feature.level}") for kernel in entry.document["kernels"]):
            return f"{version} has no kernels on {DATA_TYPE_NAMES[feature.level]}"
        return "not measured"
    if lacking := [need for need in feature.needs if not entry.has(need)]:
        return without(entry, lacking[0])
    for name in (feature.level, *feature.bases[-1:]):
        if name not in entry.levels:
            has = CPU_FEATURE_NAMES[feature.needs[-1]]
            return f"the CPU has {has}, but {version} has no kernels for it"
        if not entry.levels[name]["usable"]:
            return unusable(entry, name)
    if not any(work.kernel.endswith(feature.data_types) for work in entry.rows):
        return f"{version} has no kernels on {DATA_TYPE_NAMES[feature.data_types[0]]}"
    return "not measured"


def without(entry: Entry, feature: str) -> str:
    """Explains that a CPU does not report a feature. A hypervisor may hide it."""
    name = CPU_FEATURE_NAMES[feature]
    virtual = entry.machine["hypervisor"]
    return f"no {name} in this virtual machine" if virtual else f"the CPU has no {name}"


def unusable(entry: Entry, isa: str) -> str:
    """Returns why a level is not usable."""
    missing = entry.levels[isa]["missing"]  # as in "amx-tile (CPU), amx-int8 (CPU)"
    by_cpu = {part.strip().removesuffix(" (CPU)") for part in missing.split(",") if "(CPU)" in part}
    named = next((feature for feature in CPU_FEATURE_NAMES if feature in by_cpu), None)
    if named is not None:
        return without(entry, named)
    return f"not usable: {missing}" if missing else "not in this build"


def lacks(entry: Entry, isa: str) -> str:
    """Returns why an entry has no row at all of a level or library; "" if it may have one."""
    if (level := entry.levels.get(isa)) is not None:
        return "" if level["usable"] else unusable(entry, isa)
    peers = {peer["name"]: peer["missing"] for peer in entry.document["peers"]}
    if isa in peers:
        return peers[isa]
    return f"version {entry.build['commit'][:7]} has no {isa}"
