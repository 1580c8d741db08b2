# SPDX-License-Identifier: MIT
"""Comparisons with other libraries, with the compiler, and between our own variants."""

from ..model import NO_FASTER, Model
from ..numbers import NONE, interval, microseconds, number
from .blocks import Block, Drawing, Facts, Section, Table, Text
from .captions import CAPTIONS
from .marks import explained, marked, share

BF16 = (
    "The features take half the bytes; sums and error bounds are those of f32. The levels "
    "avx512bf16 and amx split each weight into two bf16 terms for the scores. For the gradient "
    "they need dscores that are exact in bf16, as those of the hinge loss are (grad_hinge_bf16); "
    "other dscores, such as those of softmax (grad_bf16), use the avx512 kernel."
)


def bf16(model: Model) -> Section:
    levels = model.bf16_levels()
    lines = [
        [
            kernel, str(best.shape), best.isa, marked(microseconds(best.median), best),
            *(marked(interval(row[1]), row[1]) if row else NONE for row in rows),
        ]
        for kernel, best, rows in model.halved()
    ]  # fmt: skip
    table = Table(
        "Medians, and speed-up over the best level on f32 features (below 1: slower)",
        ["kernel", "shape", "f32", ">µs", *(f">bf16, {isa}" for isa in levels)],
        lines,
    )
    return Section("bf16", "bf16 against f32", "bf16", [Text(BF16), *explained(table)])


def peers(model: Model) -> Section:
    blocks: list[Block] = [
        Text(
            "Matrix products of other libraries on the same buffers, with one thread, sampled in "
            "turn with ours. Their steps use our loss, bias and update."
        ),
        Facts(
            [
                (p["name"], p["version"] if not p["missing"] else f"skipped: {p['missing']}")
                for p in model.results["peers"]
            ]
        ),
    ]
    lines = []
    for ours, theirs in model.against_peers():
        _, over = min(filter(None, theirs), key=lambda pair: pair[0].median)
        lines.append(
            [
                ours.kernel, str(ours.shape), ours.isa, marked(number(ours.gflop_per_s), ours),
                *(
                    marked(number(pair[0].gflop_per_s), pair[0]) if pair else NONE
                    for pair in theirs
                ),
                marked(interval(over), over),
                marked(f"{share(ours, 1)} {ours.bound}", ours) if ours.share else NONE,
            ]
        )  # fmt: skip
    if lines:
        blocks += [
            Drawing("peers", CAPTIONS["peers"]),
            *explained(
                Table(
                    "GFLOP/s (medians), and our best level over the best other library",
                    [
                        "kernel", "shape", "ours", ">GFLOP/s", *(f">{p.name}" for p in model.peers),
                        ">ours / best", ">of attainable",
                    ],
                    lines,
                )
            ),
        ]  # fmt: skip
    return Section("peers", "Against other libraries", "Other libraries", blocks)


def no_faster(model: Model) -> Section:
    blocks: list[Block] = [Text(no_faster_text(model))]
    if found := model.no_faster():
        blocks += explained(
            Table(
                "Speed-up over the compiler, with the 95 % interval of the ratio",
                ["row", ">median µs", ">vs compiler"],
                [
                    [row.name, marked(microseconds(row.median), row), marked(interval(over), over)]
                    for row, over in found
                ],
            )
        )
    return Section("nofaster", "No faster than the compiler", "No faster", blocks)


def no_faster_text(model: Model) -> str:
    minimum = f"{(NO_FASTER - 1) * 100:.0f} %"
    found = [over for _, over in model.compared()]
    compared, listed = len(found), len(model.no_faster())
    if compared == 0:
        return "No hand-written row has a compiler's row to compare with."
    if listed == 0:
        unsure = sum(over.low < NO_FASTER or over.is_doubtful for over in found)
        doubts = (
            f" This is uncertain for {unsure}, whose interval reaches below that or whose rows are "
            "noisy."
            if unsure
            else ""
        )
        return (
            f"None: in this run all {compared} hand-written rows are at least "
            f"{minimum} faster than the compiler with the same flags.{doubts}"
        )
    return (
        f"In this run {listed} of {compared} hand-written rows are less than "
        f"{minimum} faster than the compiler with the same flags and shape, or slower (below 1)."
    )


def fused(model: Model) -> Section:
    found = model.fused()
    blocks: list[Block] = [
        Text(
            "The step computes scores, loss and gradient block by block, so it reads X from memory "
            "once. The chain makes four passes over the whole batch with the same kernels."
        )
    ]
    if found:
        blocks += explained(
            Table(
                "Hinge step and chain: medians, and time of the chain over time of the step",
                ["shape", "ISA level", ">step µs", ">chain µs", ">chain / step"],
                [
                    [
                        str(step.shape), step.isa, marked(microseconds(step.median), step),
                        marked(microseconds(chain.median), chain), marked(interval(over), over),
                    ]
                    for step, chain, over in found
                ],
            )
        )  # fmt: skip
    else:
        blocks.append(Text("This run did not time both the step and the chain."))
    return Section("fused", "Fused step against the chain of calls", "Fused step", blocks)
