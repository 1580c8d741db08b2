# SPDX-License-Identifier: MIT
"""What the report says, worked out from the results; no drawing and no text layout here."""

import re
from typing import Any

from .rows import Level, Ratio, Row, Shape, ratio, rows_of
from .training import Group, TrainingRun, groups_of

# A hand-written variant within this of the compiler's is called no faster.
NO_FASTER = 1.03
# Kernels on bf16 features whose twin on f32 is not the same name with another ending.
TWINS = {"grad_hinge_bf16": "grad_f32"}
# The step and its parts, on every type of feature.
LADDER = re.compile(r"(score|hinge|softmax|grad|update|step_hinge|step_softmax)_(f32|bf16|u8)")
# Each is 60 KB of the page; the table has every shape.
MAX_SHAPES_DRAWN = 8


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
