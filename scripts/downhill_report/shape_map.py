# SPDX-License-Identifier: MIT
"""The map of classes × features: who is faster at each shape, and by how much."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .rows import Level, Ratio, Row, ratio


@dataclass(frozen=True)
class Cell:
    """One shape of the map. A row is None if it was not timed."""

    ours: Row | None
    peers: list[Row | None]  # in the order of the libraries

    @property
    def best_peer(self) -> Row | None:
        return min(filter(None, self.peers), key=lambda row: row.median, default=None)

    @property
    def ratio(self) -> Ratio | None:
        """How many times as fast downhill is as the best library."""
        best = self.best_peer
        return ratio(self.ours, best) if self.ours and best else None


@dataclass(frozen=True)
class ShapeMap:
    kernel: str
    peers: list[str]
    samples: int
    classes: list[int]
    features: list[int]
    cells: dict[tuple[int, int], Cell]  # keyed by (classes, features)

    def compared(self) -> list[Cell]:
        """Returns the cells in which both downhill and a library were timed."""
        return [cell for cell in self.cells.values() if cell.ratio]


@dataclass(frozen=True)
class Score:
    """Outcome of the comparison in the cells without a doubtful row, because a mean of noise looks
    like a finding; in all cells if each has one."""

    cells: int
    ahead: int
    behind: int  # the others are equal within 1 % or the interval of their ratio
    left_out: int  # because they are doubtful
    mean: float  # geometric
    worst: Cell


# Smaller differences are not findings, however many samples confirm them: see METHOD.md.
CLEAR = 1.01


def is_ahead(over: Ratio) -> bool:
    return over.low > CLEAR


def is_behind(over: Ratio) -> bool:
    return over.high < 1 / CLEAR


def maps_of(rows: Sequence[Row], peers: Sequence[Level]) -> list[ShapeMap]:
    """Returns a map per kernel. The axes include the shapes of rows that were skipped."""
    of_kernel: dict[str, list[Row]] = {}
    for row in rows:
        if row.sweep == "map":
            of_kernel.setdefault(row.kernel, []).append(row)
    return [
        map_of(kernel, found, [peer.name for peer in peers]) for kernel, found in of_kernel.items()
    ]


def map_of(kernel: str, rows: list[Row], peers: list[str]) -> ShapeMap:
    timed: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        if not row.skipped:
            timed.setdefault((row.shape.c, row.shape.d), []).append(row)
    cells = {}
    for at, found in timed.items():
        by_isa = {row.isa: row for row in found}
        ours = [row for row in found if row.isa not in peers]
        # The highest level: what the library runs unless told otherwise.
        cells[at] = Cell(
            ours[-1] if ours else None,
            [by_isa.get(name) for name in peers],
        )
    return ShapeMap(
        kernel,
        peers,
        rows[0].shape.n,
        sorted({row.shape.c for row in rows}),
        sorted({row.shape.d for row in rows}),
        cells,
    )


def score_of(cells: Sequence[Cell]) -> Score | None:
    """Returns the outcome in the cells that have a ratio, or None if none has."""
    every = [(over, cell) for cell in cells if (over := cell.ratio)]
    ratios = [(over, cell) for over, cell in every if not over.is_doubtful] or every
    if not ratios:
        return None
    _, worst = min(ratios, key=lambda pair: pair[0].value)
    return Score(
        len(ratios),
        sum(is_ahead(over) for over, _ in ratios),
        sum(is_behind(over) for over, _ in ratios),
        len(every) - len(ratios),
        math.exp(sum(math.log(over.value) for over, _ in ratios) / len(ratios)),
        worst,
    )
