# SPDX-License-Identifier: MIT
"""The sweeps over batch size and number of features, and whether power-of-two batches are
faster."""

from ..model import Model
from ..numbers import interval, microseconds, number, percent
from ..rows import Ratio
from ..sweeps import MIN_BATCH, Sweep, Verdict, verdict
from .blocks import Block, Drawing, More, Section, Table, Text
from .captions import CAPTIONS
from .marks import MARK, explained, marked, share

QUESTION = (
    f"Are power-of-two batches faster? The table compares them, from {MIN_BATCH} samples on, with "
    "batches of one sample more or fewer, and with batches well between two powers of two (12, 24, "
    "48, 100, …; times between two sizes are interpolated): geometric means with 95 % intervals "
    "over the sizes."
)

# Batches differ if the interval excludes 1 by CLEAR, and are close if it lies within CLOSE.
CLEAR = 1.02
CLOSE = 1.05
WITHIN = f"within {percent(CLOSE - 1, 0)} of"
UNSURE = "not shown to be faster or slower than"


def sweeps(model: Model) -> Section:
    blocks: list[Block] = []
    if found := model.batch_sweeps():
        judged = [(sweep, verdict(sweep)) for sweep in found]
        blocks += [
            Drawing("batch", CAPTIONS["batch"]),
            Text(QUESTION),
            *explained(
                Table(
                    "Speed-up per sample in power-of-two batches",
                    ["kernel", "ISA level", ">over one more or fewer", ">over batches between"],
                    [
                        [
                            sweep.kernel,
                            sweep.isa,
                            marked(interval(of.beside), of.beside),
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
        why = f", because some of the rows were noisy ({MARK})."
    elif of.beside.low > max(CLEAR, of.between.high) and between == WITHIN:
        why = (
            ": what matters is not the power of two but whether the last block of samples is full."
        )
    elif beside == between == WITHIN:
        why = f": any difference is below {percent(CLOSE - 1, 0)}."
    else:
        why = "."
    return (
        f"{sweep.kernel} with {sweep.isa}: power-of-two batches are {beside} batches of one sample "
        f"more or fewer, and {between} batches well between two powers of two{why}"
    )


def says(r: Ratio) -> str:
    if r.is_doubtful:
        return UNSURE
    if r.low > CLEAR:
        return f"{percent(r.value - 1)} faster than"
    if r.high < 1 / CLEAR:
        return f"{percent(1 - r.value)} slower than"
    return WITHIN if 1 / CLOSE < r.low and r.high < CLOSE else UNSURE


def table(model: Model) -> Table:
    lines = []
    for sweep in (*model.batch_sweeps(), *model.size_sweeps()):
        for row in sweep.rows:
            lines.append(
                [
                    row.kernel, row.isa, row.sweep or "", str(row.shape),
                    marked(microseconds(row.median, 4), row),
                    marked(number(row.median / row.shape.n, 4), row),
                    percent(row.precision, 2), marked(number(row.gflop_per_s), row),
                    model.memory_of(row) or "–", marked(share(row), row),
                ]
            )  # fmt: skip
    return Table(
        "The sweeps. Set: the level of memory that holds the working set",
        [
            "kernel", "ISA level", "sweep", "shape", ">median µs", ">ns per sample", ">± %",
            ">GFLOP/s", "set", ">of attainable",
        ],
        lines,
    )  # fmt: skip
