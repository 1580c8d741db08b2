# SPDX-License-Identifier: MIT
"""The table of all rows: timings, or why a row was not timed."""

from ..model import Model
from ..numbers import NONE, number, percent, times
from ..rows import Row
from .blocks import Section, Table, Text

COLUMNS = [
    "row", ">median µs", ">± %", ">min µs", ">MAD %", ">samples", "ended by",
    ">GFLOP/s", ">GB/s", ">10⁶ samples/s", ">vs scalar", ">vs compiler", ">of attainable", "bound",
]  # fmt: skip
# What ended the sampling of a row.
STOPPED = {"precision": "precision", "time": "time", "repetitions": "number", "interrupted": "stop"}


def rows(model: Model) -> Section:
    counted = counters(model)
    table = Table(
        "Wall time per call. ±: half of the 95 % interval of the median. MAD: median absolute "
        "deviation of the samples. Compiler: the auto level with the same flags.",
        [*COLUMNS, *(f">{name.replace('_', ' ')}" for name in counted)],
        [line(model, row, counted) for row in model.rows],
        parts=["kernel", "ISA level"],
    )
    told = model.results.get("counters")
    why = (
        f"Hardware counters: unavailable: {told['reason']}."
        if told and not told["available"]
        else ""
    )
    return Section("rows", "All rows", "All rows", [*([Text(why)] if why else []), table])


def counters(model: Model) -> list[str]:
    """Returns the names of the counters that any row has, in the order of the file."""
    found = dict.fromkeys(name for row in model.timed for name in row.counters or {})
    return list(found)


def line(model: Model, row: Row, counted: list[str]) -> list[str]:
    if row.skipped:
        return [row.name, row.skipped]
    counts = row.counters or {}
    return [
        row.name, number(row.median / 1e3, 4),
        NONE if row.precision is None else f"{100 * row.precision:.2f}",
        number(row.min / 1e3, 4), f"{100 * row.relative_mad:.2f}", str(row.samples),
        STOPPED.get(row.stopped or "", NONE), number(row.gflop_per_s, 4), number(row.gb_per_s, 4),
        number(row.samples_per_s / 1e6, 4), times(model.over_scalar(row)),
        times(model.over_auto(row)), percent(row.share), row.bound or NONE,
        *(NONE if counts.get(name) is None else number(counts[name], 4) for name in counted),
    ]  # fmt: skip
