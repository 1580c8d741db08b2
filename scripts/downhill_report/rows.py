# SPDX-License-Identifier: MIT
"""Rows of a benchmark: what was timed, how long it took, and how precise that is."""

import statistics
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy

from . import passes
from .load import samples_of
from .rounds import RESAMPLED, resampled_medians
from .waited import CORE, CPU, lack_of

# Minimum number of samples for a 95 % interval of the median, as in the benchmark itself.
INTERVAL_MIN = 6
# A row whose MAD exceeds this share of its median is noisy.
NOISY_MAD = 0.05
# Minimum number of passes for an interval over them.
PASSES_MIN = 3


@dataclass(frozen=True)
class Level:
    name: str
    kind: str  # baseline, auto, hand, or peer: another library
    auto_of: str | None  # of an auto level: the hand-written level with the same flags


@dataclass(frozen=True)
class Shape:
    n: int
    d: int
    c: int

    def __str__(self) -> str:
        return f"{self.n}×{self.d}×{self.c}"


@dataclass(frozen=True)
class Row:
    """One kernel, level and shape. Times are nanoseconds per call, 0 if the row was skipped."""

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
    bound: str | None = None  # what limits it: FMA, another peak or a level of memory
    cold: bool = False  # each call uses other buffers
    sweep: str | None = None  # batch, size or map; None: not part of a sweep
    brief: bool = False  # samples and time limit are a quarter of those of other rows
    holds: float | None = None  # bytes of the working set
    times: tuple[float, ...] = ()
    rounds: tuple[int, ...] = ()  # of each sample; (): unknown, or in several passes
    ended_s: tuple[float, ...] = ()  # when each sample ended, since the start of the run
    left_out: tuple[
        tuple[float, float], ...
    ] = ()  # (end, time) of samples with less than a whole core
    shared: bool = False  # too few samples had a whole core, so the times are those of all samples
    lacked: tuple[int, int] = (0, 0)  # samples that waited for the CPU; that shared their core
    low: float | None = None  # 95 % interval of the median
    high: float | None = None
    stopped: str | None = None  # what ended its sampling
    above_roof: bool = False
    counters: dict[str, float | None] | None = None  # per call
    pass_medians: tuple[float | None, ...] = ()  # if it was timed in several passes
    noise_floor: float | None = None  # share by which 95 % of pairs of single passes differ at most
    clock: float | None = None  # GHz, while the row was sampled
    at_clock: bool = False  # median, interval and noise floor are at this clock (bench/passes.c)
    cycles_per_sample: float | None = None
    operations_per_cycle: float | None = None
    energy: float | None = None  # joules per call

    @cached_property
    def resampled(self) -> numpy.ndarray:
        """Medians of the bootstrap resamples. The seed is the row's name, so they are
        reproducible."""
        random = numpy.random.default_rng(zlib.crc32(self.name.encode()))
        times = numpy.asarray(self.times)
        return numpy.median(
            times[random.integers(len(times), size=(RESAMPLED, len(times)))], axis=1
        )

    @property
    def group(self) -> tuple[str, Shape, int, bool, str | None]:
        """Identifies the rows that were sampled in turn, one sample of each in each round."""
        return self.kernel, self.shape, self.threads, self.cold, self.sweep

    @property
    def precision(self) -> float | None:
        """Half the width of the 95 % interval over the median."""
        return (self.high - self.low) / 2 / self.median if self.low and self.high else None

    @property
    def share(self) -> float | None:
        """Share of the attainable GFLOP/s."""
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
        """Number of samples, including those left out."""
        return self.samples + len(self.left_out)

    @property
    def is_noisy(self) -> bool:
        return self.relative_mad > NOISY_MAD

    @property
    def is_doubtful(self) -> bool:
        """Whether a warning says that the median is only rough."""
        return self.is_noisy or self.shared

    @property
    def intensity(self) -> float:
        """Operations per byte of the working set: each byte must come at least once from the memory
        that holds the set; repeated reads may hit a nearer cache. Older results have the credited
        bytes only."""
        return self.flops / (self.holds or self.bytes)


@dataclass(frozen=True)
class Ratio:
    """How many times as fast one row is as another, with the 95 % interval."""

    value: float
    low: float
    high: float
    is_doubtful: bool = False  # because one of its rows is


def ratio(row: Row, over: Row) -> Ratio:
    """Returns how many times as fast `row` is as `over`. With enough passes, the geometric mean of
    the ratios of the passes and its interval. Otherwise the ratio of the medians with the middle
    95 % of the bootstrap ratios (percentile bootstrap), or, with too few samples for that, the
    extremes."""
    value = over.median / row.median
    pairs = passes.pairs_of(row.pass_medians, over.pass_medians)
    if len(pairs) >= PASSES_MIN:
        value, low, high = passes.ratio_of(pairs)
    elif min(len(row.times), len(over.times)) < INTERVAL_MIN:
        low, high = over.min / max(row.times), max(over.times) / row.min
    else:
        low, high = numpy.nanpercentile(bootstrap(row, over), (2.5, 97.5))
    doubtful = row.is_doubtful or over.is_doubtful
    return Ratio(value, float(low), float(high), doubtful)


def bootstrap(row: Row, over: Row) -> numpy.ndarray:
    """Returns bootstrap ratios. Rows that were sampled in turn are resampled together, by rounds,
    because a drift that both share cancels in the ratio."""
    if not row.rounds or not over.rounds or row.group != over.group:
        return over.resampled / row.resampled
    rounds = tuple(sorted({*row.rounds, *over.rounds}))
    mine, theirs = (medians_of_rounds(str(o.group), rounds, o.rounds, o.times) for o in (row, over))
    return theirs / mine


@lru_cache(maxsize=1024)
def medians_of_rounds(
    group: str, drawn: tuple[int, ...], rounds: tuple[int, ...], times: tuple[float, ...]
) -> numpy.ndarray:
    """Keeps the results of resampled_medians(), because a row is compared with several others."""
    return resampled_medians(group, drawn, dict(zip(rounds, times)))


def rows_of(benchmarks: list[dict[str, Any]]) -> list[Row]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for entry in benchmarks:
        grouped.setdefault(entry["run_name"], []).append(entry)
    return [row_of(entries) for entries in grouped.values()]


def row_of(entries: list[dict[str, Any]]) -> Row:
    first = next(entry for entry in entries if "kernel" in entry)
    aggregates = [e for e in entries if e.get("aggregate_name") == "median"]
    sampling: dict[str, Any] = aggregates[0] if aggregates else {}
    kind = {"threads": first["threads"], "cold": first.get("cache") == "cold"}
    kind |= {"sweep": first.get("sweep"), "holds": first.get("working_set_bytes")}
    kind["brief"] = first.get("brief", False)
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
    # Computed from the samples, so that the aggregates of the file can be checked against them.
    medians = passes.medians_of(counted, "real_time")
    at_clock = sampling.get("scaled_to_clock", False)
    figures = at_one_clock(medians, counted) if at_clock else medians
    at_clock = at_clock and figures is not medians
    median = statistics.median([m for m in figures if m] or times)
    mad = statistics.median(abs(t - median) for t in times)
    return Row(
        *head, median, min(times), mad, len(times),
        attainable=first.get("attainable_gflop_per_s"), bound=first.get("bound"),
        times=tuple(times), rounds=() if medians else rounds_of(counted),
        ended_s=ended_of(counted), shared=sampling.get("shared_core", False),
        left_out=tuple((e["time_s"], e["real_time"]) for e in left_out if "time_s" in e),
        lacked=(lacking.count(CPU), lacking.count(CORE)), low=sampling.get("ci95_low_ns"),
        high=sampling.get("ci95_high_ns"), stopped=sampling.get("stopped"),
        above_roof=sampling.get("above_roof", False), counters=sampling.get("counters"),
        pass_medians=medians, at_clock=at_clock, noise_floor=sampling.get("noise_floor"),
        clock=sampling.get("clock_ghz"), cycles_per_sample=sampling.get("cycles_per_sample"),
        operations_per_cycle=sampling.get("operations_per_cycle"),
        energy=sampling.get("energy_j"), **kind,
    )  # fmt: skip


def at_one_clock(
    medians: tuple[float | None, ...], samples: list[dict[str, Any]]
) -> tuple[float | None, ...]:
    """Scales the medians of the passes to the median clock of the row, as bench/passes.c does.
    Returns them unscaled if the clock of a sample is unknown."""
    if not all("clock_ghz" in sample for sample in samples):
        return medians
    clock = statistics.median(sample["clock_ghz"] for sample in samples)
    clocks = passes.medians_of(samples, "clock_ghz")
    return tuple(m * c / clock if m and c else None for m, c in zip(medians, clocks))


def rounds_of(samples: list[dict[str, Any]]) -> tuple[int, ...]:
    """Returns the round of each sample, or () if any lacks its number."""
    found = tuple(e["repetition_index"] for e in samples if "repetition_index" in e)
    return found if len(found) == len(samples) else ()


def ended_of(samples: list[dict[str, Any]]) -> tuple[float, ...]:
    """Returns when each sample ended, or () if any lacks its time."""
    return tuple(e["time_s"] for e in samples) if all("time_s" in e for e in samples) else ()
