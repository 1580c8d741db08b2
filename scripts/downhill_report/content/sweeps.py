# SPDX-License-Identifier: MIT
"""The sweeps: what the batch and the number of features do, and whether powers of two are special."""

from ..model import Model
from ..numbers import interval, microseconds, number, percent
from ..rows import Ratio
from ..sweeps import LEAST_BATCH, Sweep, Verdict, verdict
from .blocks import Block, Drawing, More, Section, Table, Text
from .captions import CAPTIONS
from .marks import MARK, explained, marked

QUESTION = (
    f"Are batches of a power of two faster? Their time, from {LEAST_BATCH} samples on, against that of "
    "batches of one sample more or fewer, and against batches well between two powers of two (12, 24, 48, "
    "100, …; between sizes the time of a batch is interpolated), on geometric average, with 95 % intervals "
    "over the sizes."
)

# There is a difference if its interval is clear of 1 by the first, and none if it lies within the second.
CLEAR = 1.02
ALIKE = 1.05
NEITHER = "no faster and no slower, as far as was measured, than"
UNSURE = "not known to be faster or slower than"


def sweeps(model: Model) -> Section:
    blocks: list[Block] = []
    if found := model.batch_sweeps():
        judged = [(sweep, verdict(sweep)) for sweep in found]
        blocks += [
            Drawing("batch", CAPTIONS["batch"]),
            Text(QUESTION),
            *explained(
                Table(
                    "How many times faster a sample is in a batch of a power of two",
                    ["kernel", "ISA level", ">than one more or fewer", ">than well between"],
                    [
                        [
                            sweep.kernel, sweep.isa, marked(interval(of.beside), of.beside),
                            marked(interval(of.between), of.between),
                        ]
                        for sweep, of in judged
                    ],
                )
            ),
            *(Text(answer(sweep, of)) for sweep, of in judged if of.beside and of.between),
        ]
    if found := model.size_sweeps():
        blocks.append(Drawing("size", CAPTIONS["size"]))
    blocks.append(More("Every size", explained(table(model))))
    return Section("sweeps", "Batch and size", "Sweeps", blocks)


def answer(sweep: Sweep, of: Verdict) -> str:
    beside, between = says(of.beside), says(of.between)
    if of.beside.is_doubtful or of.between.is_doubtful:
        why = f": rows that this is of were noisy ({MARK})."
    elif of.beside.low > CLEAR and between == NEITHER:
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
    if r.is_doubtful:
        return UNSURE
    if r.low > CLEAR:
        return f"{percent(r.value - 1)} faster than"
    if r.high < 1 / CLEAR:
        return f"{percent(1 - r.value)} slower than"
    return NEITHER if 1 / ALIKE < r.low and r.high < ALIKE else UNSURE


def table(model: Model) -> Table:
    lines = []
    for sweep in (*model.batch_sweeps(), *model.size_sweeps()):
        for row in sweep.rows:
            lines.append(
                [
                    row.kernel, row.isa, row.sweep or "", str(row.shape),
                    marked(microseconds(row.median, 4), row), marked(number(row.median / row.shape.n, 4), row),
                    percent(row.precision, 2), marked(number(row.gflop_per_s), row),
                    model.memory_of(row) or "–", marked(percent(row.share, 0), row),
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
