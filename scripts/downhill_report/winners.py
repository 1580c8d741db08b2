# SPDX-License-Identifier: MIT
"""Finds the fastest ISA level or library at each shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import noise
from .rows import Ratio, Row, Shape, ratio
from .shape_map import is_ahead

if TYPE_CHECKING:
    from .model import Model


@dataclass(frozen=True)
class Winner:
    """The fastest row of one kernel and shape, beside the next."""

    best: Row
    second: Row
    over: Ratio
    is_clear: bool  # the difference is larger than the interval and the noise


@dataclass(frozen=True)
class Grid:
    """Winners by two properties of a shape, or by shape and kernel."""

    title: str
    down: str  # what differs from line to line
    across: str
    lines: list[str]
    columns: list[str]
    cells: dict[tuple[str, str], Winner]  # keyed by (line, column)


def winner(model: Model, rows: Iterable[Row]) -> Winner | None:
    """Returns the fastest of at least two rows of one kernel and shape."""
    best, second = (sorted(rows, key=lambda row: row.median) + [None, None])[:2]
    if best is None or second is None:
        return None
    over = ratio(best, second)
    floors = [model.floors.get(row.name) for row in (best, second)]
    is_clear = is_ahead(over) and not over.is_doubtful and noise.exceeds(over, floors)
    return Winner(best, second, over, is_clear)


def shape_grids(model: Model, kernels: Iterable[str]) -> list[Grid]:
    """Returns a grid of shapes × kernels per type of features, of the shapes at which several of
    our levels were timed."""
    kernels = list(kernels)
    by_key: dict[tuple[str, Shape], list[Row]] = {}
    levels: dict[Shape, set[str]] = {}
    for row in model.alone:
        by_key.setdefault((row.kernel, row.shape), []).append(row)
        if model.level(row.isa).kind != "peer":
            levels.setdefault(row.shape, set()).add(row.isa)
    shapes = sorted(
        (shape for shape in model.shapes if len(levels.get(shape, ())) > 1),
        key=lambda shape: (shape.c, shape.d, shape.n),
    )
    out = []
    for element in dict.fromkeys(kernel.rpartition("_")[2] for kernel in kernels):
        columns = [kernel for kernel in kernels if kernel.endswith(f"_{element}")]
        cells = {
            (str(shape), kernel): found
            for shape in shapes
            for kernel in columns
            if (found := winner(model, by_key.get((kernel, shape), [])))
        }
        if cells:
            lines = [str(shape) for shape in shapes if any(at == str(shape) for at, _ in cells)]
            title = f"{element} features"
            out.append(Grid(title, "samples × features × classes", "", lines, columns, cells))
    return out


def map_grids(model: Model) -> list[Grid]:
    """Returns a grid of classes × features per kernel of the map that was timed at several of our
    levels; the map itself compares the highest one with the libraries."""
    by_kernel: dict[str, dict[tuple[str, str], list[Row]]] = {}
    for row in model.timed:
        if row.sweep == "map":
            cells = by_kernel.setdefault(row.kernel, {})
            cells.setdefault((str(row.shape.c), str(row.shape.d)), []).append(row)
    out = []
    for kernel, rows in by_kernel.items():
        ours = {o.isa for of in rows.values() for o in of if model.level(o.isa).kind != "peer"}
        cells = {at: found for at, of in rows.items() if (found := winner(model, of))}
        if len(ours) > 1 and cells:
            lines, columns = (sorted({at[i] for at in cells}, key=int) for i in range(2))
            samples = next(iter(rows.values()))[0].shape.n
            title = f"{kernel}, {samples} samples"
            out.append(Grid(title, "classes", "features", lines, columns, cells))
    return out


def wins(grids: list[Grid]) -> tuple[Counter[str], int]:
    """Returns (level or library -> number of cells in which it is clearly fastest, number of cells
    without a clear winner)."""
    cells = [cell for grid in grids for cell in grid.cells.values()]
    return Counter(o.best.isa for o in cells if o.is_clear), sum(not o.is_clear for o in cells)
