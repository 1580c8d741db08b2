# SPDX-License-Identifier: MIT
"""Computes the head of the report: how fast the best level is beside the fastest library, the best
code of the compiler and scalar code, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import noise
from .noise import Floor
from .rows import Ratio, Row, Shape, ratio
from .shape_map import CLEAR, Cell, is_ahead, is_behind

if TYPE_CHECKING:
    from .model import Model

PREFERRED = "step_hinge_f32"
# Half of the samples deviate by more than one MAD; a difference below this many is doubtful.
SPREAD = 2


@dataclass(frozen=True)
class Claim:
    """Our row beside another."""

    ours: Row
    other: Row
    over: Ratio  # how many times as fast our row is
    floors: tuple[Floor | None, Floor | None]

    @property
    def doubt(self) -> str:
        """Returns why the two rows may be equally fast, or ""."""
        if not is_ahead(self.over) and not is_behind(self.over):
            return f"the 95 % interval includes 1 or comes within {100 * (CLEAR - 1):.0f} % of it"
        if not noise.exceeds(self.over, self.floors):
            return "repeated measurements of these rows differ by as much"
        if noise.gap(self.over) <= SPREAD * max(self.ours.relative_mad, self.other.relative_mad):
            return "the samples of these rows scatter as much"
        return ""


@dataclass(frozen=True)
class Answer:
    """The best hand-written row of one kernel at the main shape, beside the best others."""

    kernel: str
    shape: Shape
    best: Row
    library: Claim | None
    compiler: Claim | None
    scalar: Claim | None

    @property
    def claims(self) -> list[Claim]:
        return [o for o in (self.library, self.compiler, self.scalar) if o]

    @property
    def deciding(self) -> Claim | None:
        """Returns the comparison that decides whether our row is the fastest: the one with the
        smallest ratio, but a doubtful one if our row is clearly ahead in that."""
        found = min(self.claims, key=lambda claim: claim.over.value, default=None)
        if found is None or found.doubt or is_behind(found.over):
            return found
        doubtful = [claim for claim in self.claims if claim.doubt]
        return min(doubtful, key=lambda claim: claim.over.value, default=found)

    @property
    def rows(self) -> list[Row]:
        return [self.best, *(claim.other for claim in self.claims)]


def answer_of(model: Model) -> Answer | None:
    """Returns the answer for the minibatch step, or for the first kernel that has a hand-written
    row at the main shape; None if none has."""
    shape = model.main_shape
    if shape is None:
        return None
    candidates = (
        (kernel, model.best(kernel, shape, ("hand",))) for kernel in (PREFERRED, *model.kernels)
    )
    kernel, best = next(((kernel, row) for kernel, row in candidates if row), ("", None))
    if best is None:
        return None

    def claim(other: Row | None) -> Claim | None:
        floors = model.floors.get(best.name), model.floors.get(other.name if other else "")
        return Claim(best, other, ratio(best, other), floors) if other else None

    library, compiler = (model.best(kernel, shape, (kind,)) for kind in ("peer", "auto"))
    scalar = model.find(kernel, model.baseline, shape)
    return Answer(kernel, shape, best, claim(library), claim(compiler), claim(scalar))


def cells_of(model: Model) -> list[Cell]:
    """Returns every kernel and shape at which a library was timed, without the map."""
    return [
        Cell(ours, [pair[0] if pair else None for pair in theirs])
        for ours, theirs in model.against_peers()
    ]
