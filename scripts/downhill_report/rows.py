# SPDX-License-Identifier: MIT
"""The rows of a benchmark: what was timed, how long it took, and how sure that is."""

import statistics
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from .load import samples_of
from .waited import CORE, CPU, lack_of

# Fewer samples have no 95 % interval of the median, as in the benchmark itself.
INTERVAL_MIN = 6
# Spread above this share of the median is pointed out.
NOISY_MAD = 0.05
# How often samples are drawn again for an interval.
RESAMPLED = 1000


@dataclass(frozen=True)
class Level:
    name: str
    kind: str  # baseline, auto, hand, or peer: another library
    auto_of: str | None  # of an auto level: the hand-written one at the same flags


@dataclass(frozen=True)
class Shape:
    n: int
    d: int
    c: int

    def __str__(self) -> str:
        return f"{self.n}×{self.d}×{self.c}"


@dataclass(frozen=True)
class Row:
    """One kernel, level and shape; times in nanoseconds per call, 0 where it was skipped."""

    name: str
    kernel: str
    isa: str
    shape: Shape
    flops: float
    bytes: float
    median: float = 0.0
    min: float = 0.0
    mad: float = 0.0
    samples: int = 0
    skipped: str = ""
    threads: int = 1
    attainable: float | None = None  # GFLOP/s
    bound: str | None = None  # what sets it: FMA or a level of memory
    cold: bool = False  # other buffers for each call
    sweep: str | None = None  # batch or size; None: of the suite
    holds: float | None = None  # bytes of the working set
    times: tuple[float, ...] = ()
    ended_s: tuple[float, ...] = ()  # when each sample ended, since the start of the run
    left_out: tuple[tuple[float, float], ...] = ()  # (when it ended, time) with less than a whole core
    shared: bool = False  # too few samples with a whole core: the times are of all
    lacked: tuple[int, int] = (0, 0)  # samples without the CPU, and beside a neighbour on the core
    low: float | None = None  # 95 % interval of the median
    high: float | None = None
    stopped: str | None = None  # what ended its sampling
    above_roof: bool = False
    counters: dict[str, float | None] | None = None  # per call

    @cached_property
    def resampled(self) -> numpy.ndarray:
        """Medians of as many samples drawn from the samples, again and again; the same every time."""
        random = numpy.random.default_rng(zlib.crc32(self.name.encode()))
        times = numpy.asarray(self.times)
        return numpy.median(times[random.integers(len(times), size=(RESAMPLED, len(times)))], axis=1)

    @property
    def precision(self) -> float | None:
        """Half of the interval over the median."""
        return (self.high - self.low) / 2 / self.median if self.low and self.high else None

    @property
    def share(self) -> float | None:
        """Of what is attainable."""
        return self.gflop_per_s / self.attainable if self.attainable and self.median else None

    @property
    def gflop_per_s(self) -> float:
        return self.flops / self.median

    @property
    def gb_per_s(self) -> float:
        return self.bytes / self.median

    @property
    def samples_per_s(self) -> float:
        return self.shape.n * 1e9 / self.median

    @property
    def relative_mad(self) -> float:
        return self.mad / self.median

    @property
    def taken(self) -> int:
        """Samples, with those that are left out."""
        return self.samples + len(self.left_out)

    @property
    def is_noisy(self) -> bool:
        return self.relative_mad > NOISY_MAD

    @property
    def is_doubtful(self) -> bool:
        """A warning says that its median is a rough one."""
        return self.is_noisy or self.shared

    @property
    def intensity(self) -> float:
        """Operations per byte of the working set: each must come once from where the set is, and
        what is read again may come from nearer. Older results tell the credited bytes only."""
        return self.flops / (self.holds or self.bytes)


@dataclass(frozen=True)
class Ratio:
    """How many times faster, with its 95 % interval."""

    value: float
    low: float
    high: float
    is_doubtful: bool = False  # one of its rows is


def ratio(of: Row, over: Row) -> Ratio:
    """Of medians. The interval is the middle 95 % of what samples drawn again from the samples give
    (percentile bootstrap); of too few samples for that, everything between their extremes."""
    if min(len(of.times), len(over.times)) < INTERVAL_MIN:
        low, high = over.min / max(of.times), max(over.times) / of.min
    else:
        low, high = numpy.percentile(over.resampled / of.resampled, (2.5, 97.5))
    doubtful = of.is_doubtful or over.is_doubtful
    return Ratio(over.median / of.median, float(low), float(high), doubtful)


def rows_of(benchmarks: list[dict[str, Any]]) -> list[Row]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for entry in benchmarks:
        grouped.setdefault(entry["run_name"], []).append(entry)
    return [row_of(entries) for entries in grouped.values()]


def row_of(entries: list[dict[str, Any]]) -> Row:
    first = next(entry for entry in entries if "kernel" in entry)
    sampling: dict[str, Any] = next((e for e in entries if "stopped" in e), {})
    kind = {"threads": first["threads"], "cold": first.get("cache") == "cold"}
    kind |= {"sweep": first.get("sweep"), "holds": first.get("working_set_bytes")}
    shape = Shape(first["n"], first["d"], first["c"])
    head = (first["run_name"], first["kernel"], first["isa"], shape, first["flops"], first["bytes"])
    if first.get("error_occurred"):
        why = first.get("error_message") or "not timed"
        return Row(*head, skipped=why, **kind)
    counted, left_out = samples_of(entries)
    lacking = [lack_of(e) for e in entries if e["run_type"] == "iteration"]
    times = [e["real_time"] for e in counted]
    if not times or min(times) <= 0:
        return Row(*head, skipped="no samples", **kind)
    # From the samples, not from the file's aggregates, so that they can be checked against them.
    median = statistics.median(times)
    mad = statistics.median(abs(t - median) for t in times)
    return Row(
        *head, median, min(times), mad, len(times),
        attainable=first.get("attainable_gflop_per_s"), bound=first.get("bound"),
        times=tuple(times), ended_s=ended_of(counted), shared=sampling.get("shared_core", False),
        left_out=tuple((e["time_s"], e["real_time"]) for e in left_out if "time_s" in e),
        lacked=(lacking.count(CPU), lacking.count(CORE)), low=sampling.get("ci95_low_ns"),
        high=sampling.get("ci95_high_ns"), stopped=sampling.get("stopped"),
        above_roof=sampling.get("above_roof", False), counters=sampling.get("counters"), **kind,
    )  # fmt: skip


def ended_of(samples: list[dict[str, Any]]) -> tuple[float, ...]:
    """Nothing where one is not told."""
    return tuple(e["time_s"] for e in samples) if all("time_s" in e for e in samples) else ()
