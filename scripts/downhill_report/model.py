# SPDX-License-Identifier: MIT
"""What the report says, worked out from the results; no drawing and no text layout here."""

import math
import re
import statistics
from dataclasses import dataclass
from typing import Any

# A hand-written variant within this of the compiler's is called no faster.
NO_FASTER = 1.03
# Spread above this share of the median is pointed out.
NOISY_MAD = 0.05
PHASES = ("gather", "score", "loss", "grad", "update", "other")
# Everything that two training runs must share for their times to be compared.
SETTINGS = (
    "loss", "dtype", "normalize", "shuffle", "dataset", "n_train", "d", "c", "batch", "lr", "reg",
    "delta", "seed", "threads",
)  # fmt: skip
# Kernels on bf16 features whose twin on f32 is not the same name with another ending.
TWINS = {"grad_hinge_bf16": "grad_f32"}
# The step and its parts, on every type of feature.
LADDER = re.compile(r"(score|hinge|softmax|grad|update|step_hinge|step_softmax)_(f32|bf16|u8)")
# Each is 60 KB of the page; the table has every shape.
MAX_SHAPES_DRAWN = 8


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


@dataclass(frozen=True)
class Group:
    """Training runs that differ in their ISA level alone."""

    loss: str
    settings: dict[str, Any]
    runs: list[TrainingRun]

    @property
    def best(self) -> TrainingRun:
        return min(self.runs, key=lambda run: run.seconds_per_epoch)

    @property
    def curves_agree(self) -> bool:
        """To the four places that are shown."""
        return len({curve_of(run) for run in self.runs}) == 1


def curve_of(run: TrainingRun) -> tuple[tuple[str, str], ...]:
    return tuple((f"{e['train_loss']:.4f}", f"{e['test_accuracy']:.4f}") for e in run.epochs)


@dataclass(frozen=True)
class Notice:
    what: str
    remedy: str
    rows: tuple[str, ...] = ()


class Model:
    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results
        self.levels = [
            Level(o["name"], o["kind"], o["auto_of"]) for o in results["machine"]["levels"]
        ]
        self.peers = [Level(o["name"], "peer", None) for o in results.get("peers", [])]
        self.ceilings = results.get("ceilings")
        self.rows = rows_of(results.get("benchmarks", []))
        self.timed = [row for row in self.rows if not row.skipped]
        self.alone = [
            row for row in self.timed if row.threads == 1 and not row.cold and not row.sweep
        ]
        self._by_key = {(row.kernel, row.isa, row.shape): row for row in self.alone}
        self.shapes = list(dict.fromkeys(row.shape for row in self.rows))
        self.kernels = list(dict.fromkeys(row.kernel for row in self.rows))
        self.groups = groups_of(results.get("training", []), self.baseline)
        self.training = [run for group in self.groups for run in group.runs]
        self.losses = list(dict.fromkeys(run.loss for run in self.training))

    @property
    def baseline(self) -> str | None:
        return next((level.name for level in self.levels if level.kind == "baseline"), None)

    @property
    def main_shape(self) -> Shape | None:
        timed = list(dict.fromkeys(row.shape for row in self.timed))
        preferred = Shape(256, 3072, 10)
        return preferred if preferred in timed else next(iter(timed), None)

    def drawn_shapes(self) -> list[Shape]:
        timed = dict.fromkeys(row.shape for row in self.timed)
        main = self.main_shape
        return sorted(timed, key=lambda shape: shape != main)[:MAX_SHAPES_DRAWN]

    def left_out(self) -> list[Shape]:
        drawn = self.drawn_shapes()
        return [shape for shape in self.shapes if shape not in drawn]

    def level(self, name: str) -> Level:
        return next(level for level in (*self.levels, *self.peers) if level.name == name)

    def find(self, kernel: str, isa: str | None, shape: Shape) -> Row | None:
        return self._by_key.get((kernel, isa, shape)) if isa else None

    def timed_levels(self) -> list[Level]:
        present = {row.isa for row in self.timed} | {run.isa for run in self.training}
        return [level for level in self.levels if level.name in present]

    def against_peers(self) -> list[tuple[Row, list[Row | None], Ratio]]:
        """(our best row, each peer's, how many times faster than the best of them)."""
        out = []
        for shape in self.shapes:
            for kernel in self.kernels:
                ours = self.best(kernel, shape, ("baseline", "hand"))
                best = self.best(kernel, shape, ("peer",))
                if ours and best:
                    theirs = [self.find(kernel, peer.name, shape) for peer in self.peers]
                    out.append((ours, theirs, ratio(ours, best)))
        return out

    def over_scalar(self, row: Row) -> Ratio | None:
        scalar = self.find(row.kernel, self.baseline, row.shape)
        return ratio(row, scalar) if scalar else None

    def over_auto(self, row: Row) -> Ratio | None:
        """Over the compiler's vectorisation at the same flags; None if it is not hand-written."""
        auto = next((level.name for level in self.levels if level.auto_of == row.isa), None)
        twin = self.find(row.kernel, auto, row.shape)
        return ratio(row, twin) if twin else None

    def scaling(self) -> list[tuple[Row, Row, Ratio]]:
        """(a row of several threads, the same on one, how many times faster)."""
        pairs = [
            (row, self.find(row.kernel, row.isa, row.shape))
            for row in self.timed
            if row.threads > 1
        ]
        return [(many, one, ratio(many, one)) for many, one in pairs if one]

    def ladder(self) -> list[tuple[str, list[Row | None]]]:
        """(a kernel that every level has, its row on each level or on the one whose kernels that
        has) at the main shape; None: the level is not usable here."""
        usable = {o["name"] for o in self.results["machine"]["levels"] if o["usable"]}
        out = []
        for kernel in filter(LADDER.fullmatch, self.kernels):
            rows: list[Row | None] = []
            last: Row | None = None  # of a hand-written level
            for level in self.levels:
                row = self.find(kernel, level.name, self.main_shape) if self.main_shape else None
                row = row or (last if level.kind == "hand" and level.name in usable else None)
                last = row if row and level.kind != "auto" else last
                rows.append(row)
            if any(rows):
                out.append((kernel, rows))
        return out

    def unusable(self) -> list[tuple[str, str]]:
        """(a level, what it lacks here)."""
        return [(o["name"], o["missing"]) for o in self.results["machine"]["levels"] if o["missing"]]

    def halved(self) -> list[tuple[str, Row, list[tuple[Row, Ratio] | None]]]:
        """(a kernel on bf16 features, our best row of it on f32, for each level of bf16_levels() its
        row and how many times faster that is)."""
        out = []
        for shape in self.shapes:
            for kernel in filter(lambda name: name.endswith("_bf16"), self.kernels):
                twin = TWINS.get(kernel, kernel.removesuffix("_bf16") + "_f32")
                best = self.best(twin, shape, ("hand",))
                if best:
                    rows = [self.find(kernel, isa, shape) for isa in self.bf16_levels()]
                    pairs = [(row, ratio(row, best)) if row else None for row in rows]
                    out.append((kernel, best, pairs))
        return out

    def bf16_levels(self) -> list[str]:
        """The hand-written levels with a row on bf16 features."""
        present = {row.isa for row in self.alone if row.kernel.endswith("_bf16")}
        return [o.name for o in self.levels if o.kind == "hand" and o.name in present]

    def compared(self) -> int:
        """How many rows have one of the compiler's to be compared with."""
        return sum(self.over_auto(row) is not None for row in self.alone)

    def no_faster(self) -> list[tuple[Row, Ratio]]:
        pairs = ((row, self.over_auto(row)) for row in self.alone)
        return [(row, over) for row, over in pairs if over and over.value < NO_FASTER]

    def fused(self) -> list[tuple[Row, Row, Ratio]]:
        """(fused step, chain of calls, how much faster the step is)."""
        pairs = [
            (row, self.find("chain_hinge_f32", row.isa, row.shape))
            for row in self.alone
            if row.kernel == "step_hinge_f32"
        ]
        return [(step, chain, ratio(step, chain)) for step, chain in pairs if chain]

    def best(self, kernel: str, shape: Shape, kinds: tuple[str, ...]) -> Row | None:
        rows = [
            row
            for row in self.alone
            if row.kernel == kernel and row.shape == shape and self.level(row.isa).kind in kinds
        ]
        return min(rows, key=lambda row: row.median, default=None)

    def noisy(self) -> list[Row]:
        return [row for row in self.timed if row.relative_mad > NOISY_MAD]

    def warnings(self) -> list[Notice]:
        found = [
            Notice(
                text if text.endswith(".") else f"{text}.",
                "It comes from the run itself: mend the cause and run again.",
            )
            for text in self.results["warnings"]
        ]
        machine, context = self.results["machine"], self.results.get("context", {})
        if self.results["build"]["dirty"]:
            found.append(
                Notice("The source had uncommitted changes.", "Commit, build and run again.")
            )
        if self.results.get("verify", {}).get("failures"):
            found.append(
                Notice(
                    "Some variants are wrong: see the proof. Times of wrong code mean nothing.",
                    "Run downhill verify.",
                )
            )
        if machine["hypervisor"]:
            found.append(
                Notice(
                    f"The machine is virtual ({machine['hypervisor']}): other guests share caches, "
                    "memory and perhaps cores.",
                    "Compare ratios within this run; for absolute figures use bare metal.",
                )
            )
        if context.get("cpu_scaling_enabled"):
            found.append(
                Notice(
                    "The clock frequency was free to change.",
                    "Run cpupower frequency-set -g performance first.",
                )
            )
        load = (context.get("load_avg") or [0.0])[0]
        # Taken when the benchmark ends, which is itself a load of 1.
        if load > max(1.5, 0.5 * machine["pus"]):
            found.append(
                Notice(
                    f"The load average was {load:.1f} on {machine['pus']} CPUs.",
                    "Stop what else is running.",
                )
            )
        if noisy := self.noisy():
            found.append(
                Notice(
                    f"The spread (MAD) of {len(noisy)} of {len(self.timed)} rows is above "
                    f"{NOISY_MAD:.0%} of the median.",
                    "Run them again with --filter, more --repetitions or a longer --min-time.",
                    tuple(row.name for row in noisy),
                )
            )
        return found


def rows_of(benchmarks: list[dict[str, Any]]) -> list[Row]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for entry in benchmarks:
        grouped.setdefault(entry["run_name"], []).append(entry)
    return [row_of(entries) for entries in grouped.values()]


def row_of(entries: list[dict[str, Any]]) -> Row:
    first = next(entry for entry in entries if "kernel" in entry)
    kind = {"threads": first["threads"], "cold": first.get("cache") == "cold"}
    kind["sweep"] = first.get("sweep")
    shape = Shape(first["n"], first["d"], first["c"])
    head = (first["run_name"], first["kernel"], first["isa"], shape, first["flops"], first["bytes"])
    if first.get("error_occurred"):
        why = first.get("error_message", "skipped")
        return Row(*head, skipped=why, **kind)
    times = [e["real_time"] for e in entries if e["run_type"] == "iteration"]
    if not times or min(times) <= 0:
        return Row(*head, skipped="no samples", **kind)
    # From the samples, not from the file's aggregates, so that they can be checked against them.
    median = statistics.median(times)
    mad = statistics.median(abs(t - median) for t in times)
    return Row(
        *head, median, min(times), mad, len(times),
        attainable=first.get("attainable_gflop_per_s"), bound=first.get("bound"), **kind,
    )  # fmt: skip


def groups_of(runs: list[dict[str, Any]], baseline: str | None) -> list[Group]:
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        if run["epochs"]:
            grouped.setdefault(tuple(run.get(name) for name in SETTINGS), []).append(run)
    return [group_of(runs, baseline) for runs in grouped.values()]


def group_of(runs: list[dict[str, Any]], baseline: str | None) -> Group:
    scalar = next((epoch_seconds(run) for run in runs if run["isa"] == baseline), None)
    settings = {name: value for name, value in runs[0].items() if name not in ("epochs", "phases")}
    return Group(label(runs[0]), settings, [training_run(run, scalar) for run in runs])


def label(run: dict[str, Any]) -> str:
    """The loss, and on what, where it is not f32."""
    return f"{run['loss']} ({run['dtype']})" if run.get("dtype", "f32") != "f32" else run["loss"]


def training_run(run: dict[str, Any], scalar: float | None) -> TrainingRun:
    per_epoch = epoch_seconds(run)
    all_phases = sum(run["phases"][f"{phase}_s"] for phase in PHASES)
    return TrainingRun(
        isa=run["isa"],
        loss=label(run),
        seconds_per_epoch=per_epoch,
        samples_per_s=run["n_train"] / per_epoch,
        speedup=scalar / per_epoch if scalar else None,
        test_accuracy=run["epochs"][-1]["test_accuracy"],
        phases={p: run["phases"][f"{p}_s"] / all_phases if all_phases > 0 else 0.0 for p in PHASES},
        epochs=run["epochs"],
    )


def epoch_seconds(run: dict[str, Any]) -> float:
    return statistics.median(epoch["seconds"] for epoch in run["epochs"])
