# SPDX-License-Identifier: MIT
"""The section on the fastest ISA level or library at each shape."""

from ..model import Model
from ..numbers import interval, joined, microseconds, percent
from ..winners import Grid, Winner, wins
from .blocks import Drawing, More, Section, Table, Text
from .captions import CAPTIONS
from .marks import MARK, explained, marked


def winners(model: Model) -> Section:
    grids = model.winners
    blocks = [
        Text(answer(model, grids)),
        Drawing("winners", CAPTIONS["winners"]),
        More("Every winner", explained(table(model, grids))),
    ]
    return Section("winners", "Which level wins where", "Which level wins", blocks)


def answer(model: Model, grids: list[Grid]) -> str:
    counted, unclear = wins(grids)
    cells = sum(counted.values()) + unclear
    each = [f"{model.title(isa)} in {count}" for isa, count in counted.most_common()]
    fastest = f"fastest are {joined(each)}" if each else "none is clearly fastest"
    unsure = [o for grid in grids for o in grid.cells.values() if not o.is_clear]
    marks = f", or a row is marked {MARK}" if any(o.over.is_doubtful for o in unsure) else ""
    alike = f"; in {unclear} the two fastest are equal within 1 % or the noise" if unclear else ""
    return (
        f"Of {cells} combinations of kernel and shape ({percent(sum(counted.values()) / cells, 0)} "
        f"with a clear winner), {fastest}{alike}{marks}."
    )


def table(model: Model, grids: list[Grid]) -> Table:
    return Table(
        "Medians of the two fastest rows, and how many times as fast the first is",
        ["kernel", "shape", "fastest", ">µs", "next", ">µs", ">next / fastest", "clear"],
        [line(model, cell) for grid in grids for cell in grid.cells.values()],
    )


def line(model: Model, cell: Winner) -> list[str]:
    best, second = cell.best, cell.second
    return [
        best.kernel, str(best.shape), model.title(best.isa),
        marked(microseconds(best.median), best), model.title(second.isa),
        marked(microseconds(second.median), second), marked(interval(cell.over), cell.over),
        "yes" if cell.is_clear else "no",
    ]  # fmt: skip
