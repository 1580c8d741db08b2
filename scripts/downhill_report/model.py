# SPDX-License-Identifier: MIT
"""What the report says, worked out from the results; no drawing and no text layout here."""

import math
import statistics
from dataclasses import dataclass
from typing import Any

# A hand-written variant within this of the compiler's is called no faster.
NO_FASTER = 1.03
# Spread above this share of the median is pointed out.
NOISY_MAD = 0.05
PHASES = ("gather", "score", "loss", "grad", "update", "other")


@dataclass(frozen=True)
class Level:
    name: str
    kind: str  # baseline, auto or hand
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
    def intensity(self) -> float:
        return self.flops / self.bytes


@dataclass(frozen=True)
class Ratio:
    """How many times faster, with the MADs of both medians added in quadrature."""

    value: float
    spread: float


def ratio(of: Row, over: Row) -> Ratio:
    value = over.median / of.median
    return Ratio(value, value * math.hypot(of.relative_mad, over.relative_mad))


@dataclass(frozen=True)
class TrainingRun:
    isa: str
    loss: str
    seconds_per_epoch: float  # median
    samples_per_s: float
    speedup: float | None  # over scalar
    test_accuracy: float
    phases: dict[str, float]  # share of the time
    epochs: list[dict[str, Any]]


class Model:
    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results
        self.levels = [
            Level(o["name"], o["kind"], o["auto_of"]) for o in results["machine"]["levels"]
        ]
        self.rows = rows_of(results.get("benchmarks", []))
        self.timed = [row for row in self.rows if not row.skipped]
        self._by_key = {(row.kernel, row.isa, row.shape): row for row in self.timed}
        self.shapes = list(dict.fromkeys(row.shape for row in self.rows))
        self.kernels = list(dict.fromkeys(row.kernel for row in self.rows))
        self.training = training_of(results.get("training", []))
        self.losses = list(dict.fromkeys(run.loss for run in self.training))

    def level(self, name: str) -> Level:
        return next(level for level in self.levels if level.name == name)

    def find(self, kernel: str, isa: str | None, shape: Shape) -> Row | None:
        return self._by_key.get((kernel, isa, shape)) if isa else None

    def timed_levels(self) -> list[Level]:
        present = {row.isa for row in self.timed} | {run.isa for run in self.training}
        return [level for level in self.levels if level.name in present]

    def over_scalar(self, row: Row) -> Ratio | None:
        base = next((v.name for v in self.levels if v.kind == "baseline"), None)
        scalar = self.find(row.kernel, base, row.shape)
        return ratio(row, scalar) if scalar else None

    def over_auto(self, row: Row) -> Ratio | None:
        """Over the compiler's vectorisation at the same flags; None for what is not hand-written."""
        auto = next((level.name for level in self.levels if level.auto_of == row.isa), None)
        twin = self.find(row.kernel, auto, row.shape)
        return ratio(row, twin) if twin else None

    def no_faster(self) -> list[tuple[Row, Ratio]]:
        pairs = ((row, self.over_auto(row)) for row in self.timed)
        return [(row, over) for row, over in pairs if over and over.value < NO_FASTER]

    def fused(self) -> list[tuple[Row, Row, Ratio]]:
        """(fused step, chain of calls, how much faster the step is)."""
        pairs = [
            (row, self.find("chain_hinge_f32", row.isa, row.shape))
            for row in self.timed
            if row.kernel == "step_hinge_f32"
        ]
        return [(step, chain, ratio(step, chain)) for step, chain in pairs if chain]

    def best(self, kernel: str, shape: Shape, kinds: tuple[str, ...]) -> Row | None:
        rows = [
            row
            for row in self.timed
            if row.kernel == kernel and row.shape == shape and self.level(row.isa).kind in kinds
        ]
        return min(rows, key=lambda row: row.median, default=None)

    def noisy(self) -> list[Row]:
        return [row for row in self.timed if row.relative_mad > NOISY_MAD]

    def warnings(self) -> list[tuple[str, str]]:
        """(what is doubtful, what to try)."""
        found = [(text, "") for text in self.results["warnings"]]
        if self.results["build"]["dirty"]:
            found.append(
                ("The source had uncommitted changes.", "Commit, build and run again.")
            )
        machine, context = self.results["machine"], self.results.get("context", {})
        if machine["hypervisor"]:
            found.append(
                (
                    f"The machine is virtual ({machine['hypervisor']}): other guests share caches, "
                    "memory and perhaps cores.",
                    "Compare ratios within this run; for absolute figures use bare metal.",
                )
            )
        if context.get("cpu_scaling_enabled"):
            found.append(
                ("The clock frequency was free to change.", "cpupower frequency-set -g performance")
            )
        load = context.get("load_avg", [])
        if load and load[0] > 1.5:  # the benchmark itself is 1
            found.append((f"The load average was {load[0]:.1f}.", "Stop what else is running."))
        if noisy := self.noisy():
            names = ", ".join(row.name for row in noisy[:8])
            more = f" and {len(noisy) - 8} more" if len(noisy) > 8 else ""
            found.append(
                (
                    f"Spread (MAD) above {NOISY_MAD:.0%} of the median: {names}{more}.",
                    "Run them again with --filter, more --repetitions or a longer --min-time.",
                )
            )
        return found


def rows_of(benchmarks: list[dict[str, Any]]) -> list[Row]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for entry in benchmarks:
        grouped.setdefault(entry["run_name"], []).append(entry)
    return [row_of(entries) for entries in grouped.values()]


def row_of(entries: list[dict[str, Any]]) -> Row:
    first = entries[0]
    shape = Shape(first["n"], first["d"], first["c"])
    head = (first["run_name"], first["kernel"], first["isa"], shape, first["flops"], first["bytes"])
    if first.get("error_occurred"):
        return Row(*head, skipped=first.get("error_message", "skipped"))
    times = [e["real_time"] for e in entries if e["run_type"] == "iteration"]
    if not times or min(times) <= 0:
        return Row(*head, skipped="no samples")
    # From the samples, not from the file's aggregates, so that they can be checked against them.
    median = statistics.median(times)
    mad = statistics.median(abs(t - median) for t in times)
    return Row(*head, median, min(times), mad, len(times))


def training_of(runs: list[dict[str, Any]]) -> list[TrainingRun]:
    out: list[TrainingRun] = []
    runs = [run for run in runs if run["epochs"]]
    scalar = {
        run["loss"]: statistics.median(e["seconds"] for e in run["epochs"])
        for run in runs
        if run["isa"] == "scalar"
    }
    for run in runs:
        per_epoch = statistics.median(e["seconds"] for e in run["epochs"])
        all_phases = sum(run["phases"][f"{phase}_s"] for phase in PHASES)
        out.append(
            TrainingRun(
                isa=run["isa"],
                loss=run["loss"],
                seconds_per_epoch=per_epoch,
                samples_per_s=run["n_train"] / per_epoch,
                speedup=scalar[run["loss"]] / per_epoch if run["loss"] in scalar else None,
                test_accuracy=run["epochs"][-1]["test_accuracy"],
                phases={p: run["phases"][f"{p}_s"] / all_phases for p in PHASES},
                epochs=run["epochs"],
            )
        )
    return out
