# SPDX-License-Identifier: MIT
"""The sweeps: what the batch and the number of features do, and whether powers of two are special."""

from ..model import Model
from ..numbers import interval, microseconds, number, percent
from ..rows import Ratio
from ..sweeps import LEAST_BATCH, Sweep, Verdict, verdict
from .blocks import Block, Drawing, More, Section, Table, Text
from .captions import CAPTIONS

QUESTION = (
    f"Are batches of a power of two faster? Their time, from {LEAST_BATCH} samples on, against that of "
    "batches of one sample more or fewer, and against batches well between two powers of two (12, 24, 48, "
    "100, …; between sizes the time of a batch is interpolated), on geometric average, with 95 % intervals "
    "over the sizes."
)


NEITHER = "no faster and no slower, as far as was measured, than"


def sweeps(model: Model) -> Section:
    blocks: list[Block] = []
    if found := model.batch_sweeps():
        judged = [(sweep, verdict(sweep)) for sweep in found]
        blocks += [
            Drawing("batch", CAPTIONS["batch"]),
            Text(QUESTION),
            Table(
                "How many times faster a sample is in a batch of a power of two",
                ["kernel", "ISA level", ">than one more or fewer", ">than well between"],
                [
                    [sweep.kernel, sweep.isa, interval(of.beside), interval(of.between)]
                    for sweep, of in judged
                ],
            ),
            *(Text(answer(sweep, of)) for sweep, of in judged if of.beside and of.between),
        ]
    if found := model.size_sweeps():
        blocks.append(Drawing("size", CAPTIONS["size"]))
    blocks.append(More("Every size", [table(model)]))
    return Section("sweeps", "Batch and size", "Sweeps", blocks)


def answer(sweep: Sweep, of: Verdict) -> str:
    beside, between = says(of.beside), says(of.between)
    if of.beside.low > 1 and between == NEITHER:
        why = ": what counts is not the power of two but a last block of samples that is full."
    elif beside == between == NEITHER:
        why = ": nothing is special about them."
    else:
        why = "."
    return (
        f"{sweep.kernel} with {sweep.isa}: {beside} batches of one sample more or fewer, "
        f"{between} those well between{why}"
    )


def says(r: Ratio) -> str:
    if r.low > 1:
        return f"{percent(r.value - 1)} faster than"
    if r.high < 1:
        return f"{percent(1 - r.value)} slower than"
    return NEITHER


def table(model: Model) -> Table:
    lines = []
    for sweep in (*model.batch_sweeps(), *model.size_sweeps()):
        for row in sweep.rows:
            lines.append(
                [
                    row.kernel, row.isa, row.sweep or "", str(row.shape), microseconds(row.median, 4),
                    number(row.median / row.shape.n, 4), percent(row.precision, 2),
                    number(row.gflop_per_s), model.memory_of(row) or "–", percent(row.share, 0),
                ]
            )  # fmt: skip
    return Table(
        "The sweeps; set: the level of memory that holds the working set",
        [
            "kernel", "ISA level", "sweep", "shape", ">median µs", ">ns per sample", ">± %",
            ">GFLOP/s", "set", ">of attainable",
        ],
        lines,
    )  # fmt: skip
