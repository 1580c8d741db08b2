# SPDX-License-Identifier: MIT
"""The table of all rows: timings, or why a row was not timed."""

from collections.abc import Callable

from ..model import Model
from ..numbers import NONE, number, optional, plural, times
from ..rows import Row
from .blocks import Section, Table, Text
from .marks import explained, share

COLUMNS = [
    "row", ">median µs", ">± %", ">min µs", ">MAD %", ">samples", "ended by", ">GFLOP/s", ">GB/s",
    ">10⁶ samples/s", ">vs scalar", ">vs compiler", ">of attainable", "bound",
]  # fmt: skip
# Columns that only some results have: title, and value of a row.
OPTIONAL: list[tuple[str, Callable[[Row], float | None]]] = [
    (">noise %", lambda row: None if row.noise_floor is None else 100 * row.noise_floor),
    (">GHz", lambda row: row.clock),
    (">cycles per sample", lambda row: row.cycles_per_sample),
    (">operations per cycle", lambda row: row.operations_per_cycle),
    (">mJ per call", lambda row: None if row.energy is None else 1e3 * row.energy),
]
NOISE = "Noise: 95 % of pairs of single passes differ by less. "
# Reason why the sampling of a row ended -> its name in the table.
STOPPED = {"precision": "precision", "time": "time", "repetitions": "number", "interrupted": "stop"}


def rows(model: Model) -> Section:
    counted = counters(model)
    measured = [o for o in OPTIONAL if any(o[1](row) is not None for row in model.timed)]
    titles = [title for title, _ in measured]
    listed = [row for row in model.rows if row.sweep != "map"]
    table = Table(
        "Wall time per call. ±: half of the 95 % interval of the median. MAD: median absolute "
        f"deviation of the samples. {NOISE if '>noise %' in titles else ''}Compiler: the auto "
        "level with the same flags.",
        [*COLUMNS, *titles, *(f">{name.replace('_', ' ')}" for name in counted)],
        [line(model, row, [value for _, value in measured], counted) for row in listed],
        parts=["kernel", "ISA level"],
    )
    notes = [Text(text) for text in unavailable(model, titles)]
    if of_map := len(model.rows) - len(listed):
        notes.append(Text(f"{plural(of_map, 'row')} of the map: see the map, and results.json."))
    return Section("rows", "All rows", "All rows", [*notes, *explained(table)])


def unavailable(model: Model, titles: list[str]) -> list[str]:
    """Returns why the table has no columns of counters, energy or clocks."""
    out = []
    counted, energy = (model.results.get(key) for key in ("counters", "energy"))
    if counted and not counted["available"]:
        out.append(f"Hardware counters: n/a: {counted['reason']}.")
    if ">mJ per call" not in titles:
        why = energy["reason"] if energy and energy["reason"] else "not in these results"
        out.append(f"Energy: n/a: {why}.")
    if ">GHz" not in titles:
        out.append("Clock, cycles and operations per cycle of each row: n/a: not in these results.")
    return out


def counters(model: Model) -> list[str]:
    """Returns the names of the counters that any row has, in the order of the file."""
    found = dict.fromkeys(name for row in model.timed for name in row.counters or {})
    return list(found)


def line(
    model: Model, row: Row, measured: list[Callable[[Row], float | None]], counted: list[str]
) -> list[str]:
    if row.skipped:
        return [row.name, row.skipped]
    counts = row.counters or {}
    return [
        row.name, number(row.median / 1e3, 4),
        NONE if row.precision is None else f"{100 * row.precision:.2f}",
        number(row.min / 1e3, 4), f"{100 * row.relative_mad:.2f}", str(row.samples),
        STOPPED.get(row.stopped or "", NONE), number(row.gflop_per_s, 4), number(row.gb_per_s, 4),
        number(row.samples_per_s / 1e6, 4), times(model.over_scalar(row)),
        times(model.over_auto(row)), share(row, 1), row.bound or NONE,
        *(optional(value(row)) for value in measured),
        *(NONE if counts.get(name) is None else number(counts[name], 4) for name in counted),
    ]  # fmt: skip
