# SPDX-License-Identifier: MIT
"""Derives what the report shows from the results. It neither draws nor lays out text."""

import re
from functools import cached_property
from typing import Any

from . import shape_map, sweeps, winners
from .answer import answer_of
from .conditions import conditions_of
from .endtoend import comparisons_of
from .noise import floors_of
from .rows import Level, Ratio, Row, Shape, ratio, rows_of
from .training import by_epochs, groups_of

# A hand-written variant counts as faster than the compiler's from this ratio on.
NO_FASTER = 1.03
# Kernels on bf16 features whose f32 counterpart does not have the same name with _f32.
F32_KERNELS = {"grad_hinge_bf16": "grad_f32"}
# The step and its parts, for every type of feature.
LADDER = re.compile(r"(score|hinge|softmax|grad|update|step_hinge|step_softmax)_(f32|bf16|u8)")
# Each takes 60 kB of the page; the table has every shape.
MAX_SHAPES_DRAWN = 8


class Model:
    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results
        self.levels = [
            Level(o["name"], o["kind"], o["auto_of"]) for o in results["machine"]["levels"]
        ]
        self.peers = [Level(o["name"], "peer", None) for o in results.get("peers", [])]
        self.ceilings = results.get("ceilings")
        self.topology_xml = results["machine"].get("topology_xml")
        self.conditions = conditions_of(results.get("groups", []))
        self.rows = rows_of(results.get("benchmarks", []))
        self.timed = [row for row in self.rows if not row.skipped]
        self.alone = [row for row in self.timed if self.is_plain(row)]
        self._by_key = {(row.kernel, row.isa, row.shape): row for row in self.alone}
        self.shapes = list(dict.fromkeys(row.shape for row in self.rows if not row.sweep))
        self.kernels = list(dict.fromkeys(row.kernel for row in self.rows))
        self.groups = groups_of(results.get("training", []), self.baseline)
        self.training = [run for group in self.groups for run in group.runs]
        self.other_methods = [o for o in results.get("training", []) if not by_epochs(o)]
        self.comparisons = comparisons_of(
            self.groups, results.get("peers_training", []), self.baseline
        )
        self.floors = floors_of(results, self.timed)
        self.answer = answer_of(self)
        self.losses = list(dict.fromkeys(run.loss for run in self.training))

    @staticmethod
    def is_plain(row: Row) -> bool:
        """Returns whether the row is single-threaded, hot and not part of a sweep; only such rows
        are compared with each other."""
        return row.threads == 1 and not row.cold and not row.sweep

    @property
    def baseline(self) -> str | None:
        return next((level.name for level in self.levels if level.kind == "baseline"), None)

    @cached_property
    def main_shape(self) -> Shape | None:
        timed = list(dict.fromkeys(row.shape for row in self.timed if not row.sweep))
        preferred = Shape(256, 3072, 10)
        return preferred if preferred in timed else next(iter(timed), None)

    def drawn_shapes(self) -> list[Shape]:
        """Returns the shapes at which levels can be compared; if there is none, all shapes."""
        timed = dict.fromkeys(row.shape for row in self.timed if not row.sweep)
        levels: dict[Shape, set[str]] = {}
        for row in self.alone:
            if self.level(row.isa).kind != "peer":
                levels.setdefault(row.shape, set()).add(row.isa)
        several = [shape for shape in timed if len(levels.get(shape, ())) > 1]
        main = self.main_shape
        return sorted(several or timed, key=lambda shape: shape != main)[:MAX_SHAPES_DRAWN]

    def left_out(self) -> list[Shape]:
        drawn = self.drawn_shapes()
        return [shape for shape in self.shapes if shape not in drawn]

    def level(self, name: str) -> Level:
        return next(level for level in (*self.levels, *self.peers) if level.name == name)

    def title(self, isa: str) -> str:
        """Returns the name of a level, or of a library with its version."""
        versions = {o["name"]: o["version"] for o in self.results.get("peers", [])}
        return versions.get(isa, "").partition(",")[0] or isa

    def find(self, kernel: str, isa: str | None, shape: Shape) -> Row | None:
        return self._by_key.get((kernel, isa, shape)) if isa else None

    def timed_levels(self) -> list[Level]:
        present = {row.isa for row in self.timed} | {run.isa for run in self.training}
        return [level for level in self.levels if level.name in present]

    def against_peers(self) -> list[tuple[Row, list[tuple[Row, Ratio] | None]]]:
        """Returns (our best row, per peer its row and how many times as fast ours is)."""
        out = []
        for shape in self.shapes:
            for kernel in self.kernels:
                ours = self.best(kernel, shape, ("baseline", "hand"))
                theirs = [self.find(kernel, peer.name, shape) for peer in self.peers]
                if ours and any(theirs):
                    out.append((ours, [(row, ratio(ours, row)) if row else None for row in theirs]))
        return out

    def over_scalar(self, row: Row) -> Ratio | None:
        scalar = self.find(row.kernel, self.baseline, row.shape)
        return ratio(row, scalar) if scalar and self.is_plain(row) else None

    def over_auto(self, row: Row) -> Ratio | None:
        """Returns the speed-up over the compiler's vectorisation with the same flags, or None if
        the row is not hand-written."""
        auto = next((level.name for level in self.levels if level.auto_of == row.isa), None)
        auto_row = self.find(row.kernel, auto, row.shape)
        return ratio(row, auto_row) if auto_row and self.is_plain(row) else None

    def scaling(self) -> list[tuple[Row, Row, Ratio]]:
        """Returns (row with several threads, same row with one thread, speed-up)."""
        pairs = [
            (row, self.find(row.kernel, row.isa, row.shape))
            for row in self.timed
            if row.threads > 1
        ]
        return [(many, one, ratio(many, one)) for many, one in pairs if one]

    def machine_scaling(self) -> list[tuple[str, list[tuple[int, float]]]]:
        """Returns (resource, per number of threads its measured rate over that of one thread)."""
        if not self.ceilings:
            return []
        sets = [(1, self.ceilings), *((o["threads"], o) for o in self.ceilings.get("threads", []))]
        last = self.ceilings["read"][-1]["level"]
        found = {
            f"FMA {isa}": [(n, o["fma_f32_gflop_per_s"].get(isa)) for n, o in sets]
            for isa in self.ceilings["fma_f32_gflop_per_s"]
        }
        found[f"reading {last}"] = [
            (n, next((o["read_gb_per_s"] for o in of["read"] if o["level"] == last), None))
            for n, of in sets
        ]
        return [
            (what, [(n, rate / rates[0][1]) for n, rate in rates])
            for what, rates in found.items()
            if len(rates) > 1 and all(rate for _, rate in rates)
        ]

    def bandwidths(self) -> list[tuple[str, float]]:
        """Returns (level of memory, GB/s when one core reads it), nearest first."""
        levels = self.ceilings["read"] if self.ceilings else []
        return [(o["level"], o["read_gb_per_s"]) for o in levels]

    def memory_names(self) -> list[str]:
        return [name for name, _ in self.bandwidths()]

    def memory_of(self, row: Row) -> str | None:
        """Returns the level of memory that holds the working set, or None if it is unknown."""
        names = self.memory_names()
        if not names or not row.holds:
            return None
        if row.cold:
            return names[-1]
        return next((name for name, holds in self.cache_sizes() if row.holds <= holds), names[-1])

    def cache_sizes(self) -> list[tuple[str, int]]:
        """Returns (cache, bytes), nearest first."""
        levels = self.ceilings["read"] if self.ceilings else []
        return [(o["level"], o["holds_bytes"]) for o in levels if o["holds_bytes"]]

    def peaks_of(self, isa: str) -> dict[str, float]:
        """Returns the GFLOP/s of each compute peak that bounds a row of the level, and always the
        peak of the FMA units of a hand-written level."""
        memory, peaks = self.memory_names(), {}
        for row in self.timed:
            if row.isa == isa and row.threads == 1 and row.bound and row.bound not in memory:
                peaks[row.bound] = row.attainable
        fma = (self.ceilings or {}).get("fma_f32_gflop_per_s", {})
        if self.level(isa).kind == "hand" and (peak := fma.get(isa)):
            peaks.setdefault("FMA", peak)
        return peaks

    def batch_sweeps(self) -> list[sweeps.Sweep]:
        return sweeps.batch_sweeps(self.timed)

    def size_sweeps(self) -> list[sweeps.Sweep]:
        return sweeps.size_sweeps(self.timed)

    def maps(self) -> list[shape_map.ShapeMap]:
        return shape_map.maps_of(self.rows, self.peers)

    @cached_property
    def winners(self) -> list[winners.Grid]:
        kernels = [kernel for kernel, _ in self.ladder()]
        return [*winners.shape_grids(self, kernels), *winners.map_grids(self)]

    def strip_rows(self) -> list[Row]:
        """Returns the rows of the kernel of the answer at the main shape, one per level and
        library; without an answer, those of the first kernel that has rows."""
        kernels = (self.answer.kernel if self.answer else "step_hinge_f32", *self.kernels)
        found = [
            [r for r in self.alone if (r.kernel, r.shape) == (k, self.main_shape)] for k in kernels
        ]
        return next((rows for rows in found if rows), [])

    def cold_rows(self) -> list[tuple[Row, Row, Ratio]]:
        """Returns (cold row, same row hot, time of the cold row over that of the hot one)."""
        cold = [row for row in self.timed if row.cold and self.level(row.isa).kind != "peer"]
        pairs = [(row, self.find(row.kernel, row.isa, row.shape)) for row in cold]
        return [(row, hot, ratio(hot, row)) for row, hot in pairs if hot]

    def ladder(self) -> list[tuple[str, list[Row | None]]]:
        """Returns (kernel, its row per level) at the main shape. A level without a kernel of its
        own has the row of the level that it borrows from; a level that is not usable here has
        None."""
        usable = {o["name"] for o in self.results["machine"]["levels"] if o["usable"]}
        out = []
        for kernel in filter(LADDER.fullmatch, self.kernels):
            rows: list[Row | None] = []
            last: Row | None = None  # of the last level that is not auto
            for level in self.levels:
                row = self.find(kernel, level.name, self.main_shape) if self.main_shape else None
                row = row or (last if level.kind == "hand" and level.name in usable else None)
                last = row if row and level.kind != "auto" else last
                rows.append(row)
            if any(rows):
                out.append((kernel, rows))
        return out

    def unusable(self) -> list[tuple[str, str]]:
        """Returns (level, what it lacks on this machine)."""
        return [
            (o["name"], o["missing"]) for o in self.results["machine"]["levels"] if o["missing"]
        ]

    def halved(self) -> list[tuple[str, Row, list[tuple[Row, Ratio] | None]]]:
        """Returns (kernel on bf16 features, our best f32 row, per level of bf16_levels() its row
        and how many times as fast that is)."""
        out = []
        for shape in self.shapes:
            for kernel in filter(lambda name: name.endswith("_bf16"), self.kernels):
                f32_kernel = F32_KERNELS.get(kernel, kernel.removesuffix("_bf16") + "_f32")
                best = self.best(f32_kernel, shape, ("hand",))
                if best:
                    rows = [self.find(kernel, isa, shape) for isa in self.bf16_levels()]
                    pairs = [(row, ratio(row, best)) if row else None for row in rows]
                    out.append((kernel, best, pairs))
        return out

    def bf16_levels(self) -> list[str]:
        """Returns the hand-written levels that have a row on bf16 features."""
        present = {row.isa for row in self.alone if row.kernel.endswith("_bf16")}
        return [o.name for o in self.levels if o.kind == "hand" and o.name in present]

    def compared(self) -> list[tuple[Row, Ratio]]:
        """Returns the hand-written rows that have an auto counterpart, with the ratio."""
        return [(row, over) for row in self.alone if (over := self.over_auto(row))]

    def no_faster(self) -> list[tuple[Row, Ratio]]:
        return [(row, over) for row, over in self.compared() if over.value < NO_FASTER]

    def fused(self) -> list[tuple[Row, Row, Ratio]]:
        """Returns (fused step, chain of calls, how many times as fast the step is)."""
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
