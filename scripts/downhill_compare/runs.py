# SPDX-License-Identifier: MIT
"""Reads results files as runs to compare."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

from downhill_report import load, waited

# Minimum share of samples with a whole core; with fewer, the others were probably disturbed too, by
# a neighbour that was active only in the middle of them.
MIN_ALONE = 0.5


@dataclass(frozen=True)
class Row:
    name: str
    kernel: str
    isa: str
    n: int
    d: int
    c: int
    flops: float
    bytes: float
    times: tuple[float, ...]  # ns per call; empty if it was skipped
    skipped: str
    attainable: float | None
    clock_ghz: float | None = None  # while it was sampled; None: unknown
    shared: str = ""  # why its times are doubtful: too few samples had a whole core
    bound: str | None = None  # what limits it
    passes: tuple[float | None, ...] = ()  # median of each pass; empty: sampled once
    figure: tuple[float, float, float] | None = None  # from passes: median, ends of its interval
    floor: float | None = None  # its own noise floor, a share
    at_clock: bool = False  # figure and floor are those of passes scaled to clock_ghz

    @property
    def median(self) -> float:
        return self.figure[0] if self.figure else median(self.times)

    @property
    def gflop_per_s(self) -> float:
        return self.flops / self.median

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.n, self.d, self.c

    @property
    def work(self) -> tuple[str, str]:
        """The work without the level: the kernel, and what follows the level in the name."""
        return self.kernel, self.name.split("/", 2)[-1]


@dataclass(frozen=True)
class Run:
    path: pathlib.Path
    document: dict[str, Any]
    rows: dict[str, Row] = field(default_factory=dict)
    side: str = ""  # the level, where levels of one run are compared

    @property
    def cpu(self) -> str:
        return self.document["machine"]["cpu_name"]

    @property
    def machine(self) -> str:
        """The id of the machine, or CPU and host name in older results."""
        machine = self.document["machine"]
        return machine.get("id") or f"{machine['cpu_name']}, {machine['host_name']}"

    @property
    def commit(self) -> str:
        build = self.document["build"]
        return build["commit"] + (" with uncommitted changes" if build["dirty"] else "")

    @property
    def clock_ghz(self) -> float | None:
        return self.document.get("ceilings", {}).get("clock_ghz")

    def unusable(self, isa: str) -> str:
        """Returns why the machine could not run a level; "" if it could or if `isa` is not a
        level."""
        for level in self.document["machine"]["levels"]:
            if level["name"] == isa and not level["usable"]:
                return f"not usable: {level['missing']}"
        return ""

    def why_not(self, name: str, isa: str) -> str:
        """Returns why a row has no time in this run."""
        if name in self.rows:
            return self.rows[name].skipped
        return self.unusable(isa) or "not in the file"


def read(path: pathlib.Path) -> Run:
    document = load.read_benchmarks(path)
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in document["benchmarks"]:
        entries.setdefault(entry["run_name"], []).append(entry)
    groups, floors = waited.groups_of_rows(document), floors_of(document)
    return Run(
        path,
        document,
        {name: row_of(of, groups.get(name, []), floors(name)) for name, of in entries.items()},
    )


def floors_of(document: dict[str, Any]) -> Callable[[str], float | None]:
    """Returns a function of the name of a row that gives its noise floor in results that do not
    have one per row: there, the best level of a few kernels was timed four times at each shape, and
    the floor is the largest difference of these times. Other rows take the floor of the same kernel
    and shape, else the median of those of the same shape, of the same kernel, or of all."""
    floor = document.get("noise_floor", {})
    differences: dict[str, float] = {}
    for row in floor.get("rows", []):
        medians = [m for m in row["medians_ns"] if m]
        if len(medians) > 1:
            differences[row["run_name"]] = max(medians) / min(medians) - 1

    def alike(kernel: str | None, shape: list[str] | None) -> list[float]:
        return [
            difference
            for name, difference in differences.items()
            if kernel in (None, kernel_of(name)) and shape in (None, shape_of(name))
        ]

    def find(name: str) -> float | None:
        kernel, shape = kernel_of(name), shape_of(name)
        for found in (
            alike(kernel, shape), alike(None, shape), alike(kernel, None), alike(None, None)
        ):  # fmt: skip
            if found:
                return median(found)
        return floor.get("p95")

    return find


def kernel_of(name: str) -> str:
    return name.split("/")[0]


def shape_of(name: str) -> list[str]:
    """Returns the shape in the name of a row, kernel/isa/n:…/d:…/c:…, as text."""
    return name.split("/")[2:5]


def row_of(
    entries: list[dict[str, Any]], groups: list[dict[str, Any]], run_floor: float | None
) -> Row:
    summary = next((e for e in entries if e.get("aggregate_name") == "median"), {})
    figure = None
    if "pass_medians_ns" in summary and "ci95_low_ns" in summary:
        figure = (summary["real_time"], summary["ci95_low_ns"], summary["ci95_high_ns"])
    head = next(entry for entry in entries if "kernel" in entry)
    times = tuple(e["real_time"] for e in load.samples_of(entries)[0])
    usable = times if times and min(times) > 0 else ()
    return Row(
        head["run_name"], head["kernel"], head["isa"], head["n"], head["d"], head["c"],
        head["flops"], head["bytes"], usable,
        "" if usable else head.get("error_message", "no samples"),
        head.get("attainable_gflop_per_s"), summary.get("clock_ghz") or clock_of(groups),
        shared_of(entries, groups), head.get("bound"), tuple(summary.get("pass_medians_ns", ())),
        figure if usable else None, summary.get("noise_floor", run_floor),
        summary.get("scaled_to_clock", False) and "clock_ghz" in summary,
    )  # fmt: skip


def clock_of(groups: list[dict[str, Any]]) -> float | None:
    """Returns the mean of the clock before and after these groups."""
    clocks = [group[key] for group in groups for key in ("clock_before_ghz", "clock_after_ghz")]
    return mean(clocks) if clocks else None


def shared_of(entries: list[dict[str, Any]], groups: list[dict[str, Any]]) -> str:
    samples = [e for e in entries if e["run_type"] == "iteration"]
    alone = sum(e.get("alone", True) for e in samples)
    if any(entry.get("shared_core") for entry in entries):
        return waited.lacks(samples, groups) or "too few samples had a whole core"
    if alone < MIN_ALONE * len(samples):
        return f"only {alone} of {len(samples)} samples had a whole core"
    return ""
