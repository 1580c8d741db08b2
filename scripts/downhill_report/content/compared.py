# SPDX-License-Identifier: MIT
"""Ours beside other libraries, beside the compiler's, and beside other forms of ours."""

from ..model import NO_FASTER, Model
from ..numbers import NONE, interval, microseconds, number, percent
from .blocks import Block, Drawing, Facts, Section, Table, Text
from .captions import CAPTIONS
from .marks import explained, marked

BF16 = (
    "Features in half the bytes; sums and bounds are those of f32. The levels avx512bf16 and amx split "
    "each weight into two bf16 for the scores, and for the gradient need dscores that bf16 holds, as "
    "those of the hinge loss are (grad_hinge_bf16): others, as of softmax (grad_bf16), go to the avx512 "
    "kernel."
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
        "How many times faster than the best level on f32 features (medians; below 1: slower)",
        ["kernel", "shape", "f32", ">µs", *(f">bf16, {isa}" for isa in levels)],
        lines,
    )
    return Section("bf16", "bf16 against f32", "bf16", [Text(BF16), *explained(table)])


def peers(model: Model) -> Section:
    blocks: list[Block] = [
        Text(
            "Their matrix products on the same buffers, one thread, sampled between ours; loss, bias "
            "and update of their step are ours."
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
                *(marked(number(pair[0].gflop_per_s), pair[0]) if pair else NONE for pair in theirs),
                marked(interval(over), over),
                marked(f"{percent(ours.share)} {ours.bound}", ours) if ours.share else NONE,
            ]
        )  # fmt: skip
    if lines:
        blocks += [
            Drawing("peers", CAPTIONS["peers"]),
            *explained(
                Table(
                    "GFLOP/s (medians), and our best level over the best of the others",
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
                "How many times faster than the compiler's, with the 95 % interval of the ratio",
                ["row", ">median µs", ">vs compiler"],
                [
                    [row.name, marked(microseconds(row.median), row), marked(interval(over), over)]
                    for row, over in found
                ],
            )
        )
    return Section("nofaster", "No faster than the compiler", "No faster", blocks)


def no_faster_text(model: Model) -> str:
    least = f"{(NO_FASTER - 1) * 100:.0f} %"
    found = [over for _, over in model.compared()]
    compared, listed = len(found), len(model.no_faster())
    if compared == 0:
        return "No hand-written row has one of the compiler's to be compared with."
    if listed == 0:
        unsure = sum(over.low < NO_FASTER or over.is_doubtful for over in found)
        but = f"; not surely of {unsure}, whose interval reaches below that or whose rows are noisy" if unsure else ""
        return (
            f"None: all {compared} hand-written rows are, by their medians, at least {least} faster than the "
            f"compiler's at the same flags, in this run{but}."
        )
    return (
        f"{listed} of {compared} hand-written rows are, by their medians, less than {least} faster than the "
        "compiler's at the same flags and shape, or slower (below 1), in this run."
    )


def fused(model: Model) -> Section:
    found = model.fused()
    blocks: list[Block] = [
        Text(
            "The step scores, takes the loss and adds to the gradient block by block, so that X is "
            "read from memory once; the chain makes four passes over the whole batch with the same "
            "kernels."
        )
    ]
    if found:
        blocks += explained(
            Table(
                "Hinge step against chain: medians, and time of the chain over time of the step",
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
        blocks.append(Text("This run did not time both."))
    return Section("fused", "Fused step against the chain of calls", "Fused step", blocks)
