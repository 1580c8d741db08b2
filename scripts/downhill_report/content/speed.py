# SPDX-License-Identifier: MIT
"""Speed of the kernels: proof, speed-up, ladder of ISA levels, roofline, cold rows and threads."""

import statistics

from ..model import Model
from ..numbers import interval, microseconds, number, percent, plural, rate, times
from ..roofs import ABOVE, REMEDY, exceeded, text_of
from ..rows import Row
from .blocks import Block, Bullets, Drawing, Excerpt, More, Section, Table, Text
from .captions import CAPTIONS
from .ceilings import repeated, table_of
from .marks import explained, marked, min_samples, share

SUMMARY_KERNELS = ("step_hinge_f32", "score_f32", "grad_f32", "step_hinge_bf16", "step_hinge_u8")
ATTAINABLE = (
    "What is attainable is the lower of two roofs: the peak of the instruction that the level is "
    "for (an f32 FMA, or a product of pairs of bf16 or of bytes), and the operations per byte of "
    "the working set times the read bandwidth of the level of memory that holds the set, because "
    "each of its bytes must be read from there at least once. Cold rows are compared with DRAM. A "
    "row that needs two terms per weight, such as the scores of bf16 features with avx512bf16 and "
    "amx, can reach half of the first roof at most."
)
LADDER = (
    "Samples per second, and the share of what is attainable (see Roofline), by level. An arrow: "
    "the level has no kernel of its own for these features and uses that of the level after the "
    "arrow."
)
COLD = (
    "A hot row calls the kernel on the same buffers again and again, so data that fits a cache is "
    "read from it. A cold row rotates through more buffers than the last-level cache holds, so "
    "each call reads from memory. Training lies between the two: samples come from memory, weights "
    "stay in the cache."
)


def proof(model: Model) -> Section:
    v = model.results["verify"]
    checks = f"{v['checks']:,} checks of the variants against an f64 reference"
    how = f"(seed {v['seed']}, {number(v['seconds'])} s)"
    if v["failures"]:
        text = f"{v['failures']:,} of {checks} failed {how}: some variant is wrong."
    else:
        text = f"{checks}, 0 failures {how}, before anything was timed."
    return Section("proof", "Proof", "Proof", [Text(text)])


def speedup(model: Model, figures: list[str]) -> Section:
    compiler = model.results["build"]["compiler"]
    blocks: list[Block] = [
        Text(
            "Shapes are samples × features × classes. The compiler is that of this build "
            f"({compiler}): it vectorises the scalar source with the same flags (the auto levels)."
        )
    ]
    names = [name for name in figures if name.startswith("speedup")]
    for name, shape in zip(names, model.drawn_shapes()):
        drawing = Drawing(name, CAPTIONS["speedup"].format(shape))
        first = name == names[0]
        blocks.append(drawing if first else More(f"Speed-up at {shape}", [drawing]))
    left_out = ", ".join(map(str, model.left_out()))
    not_drawn = f"Not drawn: {left_out}. " if left_out else ""
    blocks.append(Text(f"{not_drawn}Every shape and row is in the table of all rows."))
    blocks.append(Excerpt(summary(model)))
    return Section("speedup", "Speed-up", "Speed-up", blocks)


def summary(model: Model) -> list[Block]:
    """Returns the summary table: the step at every shape, other kernels at the main shape."""
    present = {row.isa for row in model.alone if row.kernel in SUMMARY_KERNELS}
    levels = [level.name for level in model.timed_levels() if level.name in present]
    lines, shown = [], []
    for kernel in SUMMARY_KERNELS:
        shapes = model.drawn_shapes()
        for shape in shapes if kernel == "step_hinge_f32" else shapes[:1]:
            if any(rows := [model.find(kernel, isa, shape) for isa in levels]):
                lines.append([kernel, str(shape), *(summary_cell(model, row) for row in rows)])
                shown += filter(None, rows)
    m, build, context = (model.results[part] for part in ("machine", "build", "context"))
    of = f", of {min_samples(shown)}" if shown else ""
    under = f" under {m['hypervisor']}" if m["hypervisor"] else ""
    return [
        *explained(
            Table(
                "GFLOP/s, and times as fast as scalar code, by samples × features × classes",
                ["kernel", "shape", *(f">{isa}" for isa in levels)],
                lines,
            )
        ),
        *trained(model),
        Text(
            f"{m['cpu_name']}{under}, one thread, {build['compiler']}, commit {build['commit']}, "
            f"{context['date'][:10]}; medians of one run{of}. `auto_…` is the scalar source "
            "vectorised by the compiler with the same flags."
        ),
    ]  # fmt: skip


def summary_cell(model: Model, row: Row | None) -> str:
    if not row:
        return "–"
    over = model.over_scalar(row)
    return marked(f"{number(row.gflop_per_s)} ({times(over)})", row, over)


def trained(model: Model) -> list[Table]:
    if not model.groups:
        return []
    present = {run.isa for run in model.training}
    levels = [level.name for level in model.timed_levels() if level.name in present]
    lines = []
    for group in model.groups:
        of = {
            run.isa: f"{number(run.seconds_per_epoch * 1e3)} ({times(run.speedup)})"
            for run in group.runs
        }
        lines.append(
            [
                f"{group.loss}, {group.settings['batch']}", *(of.get(isa, "–") for isa in levels),
                percent(group.best.test_accuracy, 2),
            ]
        )  # fmt: skip
    s = model.groups[0].settings
    return [
        Table(
            f"Training on {s['dataset']}, {s['n_train']} × {s['d']}, milliseconds per epoch",
            ["loss, batch", *(f">{isa}" for isa in levels), ">test accuracy"],
            lines,
        )
    ]


def ladder(model: Model) -> Section:
    def cell(level: str, row: Row | None) -> str:
        if not row:
            return "–"
        of = f", {share(row)}" if row.share else ""
        if row.isa != level:
            return f"← {row.isa}"
        return marked(rate(row.samples_per_s) + of, row)

    names = [level.name for level in model.levels]
    table = Table(
        f"{model.main_shape}: samples per second, share of attainable",
        ["kernel", *(f">{name}" for name in names)],
        [
            [kernel, *(cell(name, row) for name, row in zip(names, rows))]
            for kernel, rows in model.ladder()
        ],
    )
    missing = [f"{name} is not usable here: {what}." for name, what in model.unusable()]
    blocks: list[Block] = [Text(LADDER), Drawing("ladder", CAPTIONS["ladder"]), *explained(table)]
    return Section(
        "ladder", "ISA ladder", "ISA ladder", blocks + ([Bullets(missing)] if missing else [])
    )


def roofline(model: Model, figures: list[str]) -> Section:
    blocks: list[Block] = [Text("No row is drawn here." if model.timed else "No row was timed.")]
    if "roofline" in figures:
        blocks = [Drawing("roofline", CAPTIONS["roofline"])]
    blocks += above(model)
    if model.ceilings:
        blocks += [Text(ATTAINABLE), More("Every ceiling", [table_of(model.ceilings)])]
        if again := repeated(model.ceilings):
            blocks.append(again)
    return Section("roofline", "Roofline", "Roofline", blocks)


def above(model: Model) -> list[Block]:
    """Returns a paragraph on rows above their roof."""
    found = exceeded(model)
    if not found:
        return []
    rows = sum(len(o.rows) for o in found)
    count = f"{rows} rows are" if rows > 1 else "1 row is"
    intro = Text(
        f"{count} more than 3 % above the roof ({ABOVE}, ringed in the drawing). No row can be "
        "faster than its hardware, so the measured ceiling is the first suspect; times are not "
        "affected."
    )
    remedy = [] if all(o.again for o in found) else [Text(REMEDY)]
    return [intro, Bullets([text_of(o) for o in found]), *remedy]


def cold(model: Model) -> Section:
    lines = [
        [
            row.kernel, str(row.shape), row.isa, marked(microseconds(hot.median), hot),
            marked(microseconds(row.median), row), marked(interval(over), over),
            marked(share(hot), hot), marked(share(row), row),
        ]
        for row, hot, over in model.cold_rows()
    ]  # fmt: skip
    table = Table(
        "Best level: medians, time of a cold call over that of a hot one, share of attainable",
        [
            "kernel", "shape", "ISA level", ">hot µs", ">cold µs", ">cold / hot", ">hot share",
            ">cold share",
        ],
        lines,
    )  # fmt: skip
    found = [over.value for _, _, over in model.cold_rows()]
    text = (
        f"{COLD} Here a cold call takes {times(statistics.median(found))} as long as a hot one "
        f"(the median of {plural(len(found), 'row')}; {times(min(found))} to {times(max(found))})."
    )
    blocks = [Text(text), More("Every cold row", explained(table))]
    return Section("cold", "Hot and cold", "Cold", blocks)


def threads(model: Model) -> Section:
    lines = [
        [
            many.kernel, str(many.shape), many.isa, str(many.threads),
            marked(microseconds(many.median), many), marked(microseconds(one.median), one),
            marked(interval(over), over), marked(percent(over.value / many.threads, 0), over),
        ]
        for many, one, over in model.scaling()
    ]  # fmt: skip
    return Section(
        "threads",
        "Threads",
        "Threads",
        [
            Text(
                "Each thread is pinned to its own core and processes a part of every minibatch; "
                "the gradients are added in a fixed order."
            ),
            Drawing("threads", CAPTIONS["threads"]),
            *explained(
                Table(
                    "Medians, speed-up over one thread, and efficiency: speed-up over number of "
                    "threads",
                    [
                        "kernel", "shape", "ISA level", ">threads", ">µs", ">one thread µs",
                        ">times as fast", ">efficiency",
                    ],
                    lines,
                )
            ),
        ],
    )  # fmt: skip
