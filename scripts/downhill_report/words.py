# SPDX-License-Identifier: MIT
"""What the report says in words: the headline, the captions, and how numbers are spelt."""

import math
import shlex
from typing import Any

from .model import MAX_SHAPES_DRAWN, NO_FASTER, Model
from .rows import Ratio, Row, Shape
from .training import Group

MAX_HEADLINE = 4
SUMMARY_KERNELS = ("step_hinge_f32", "score_f32", "grad_f32", "step_hinge_bf16", "step_hinge_u8")
ATTAINABLE = (
    "The share of what is attainable is that of the lower of two roofs: the peak of the "
    "instruction that the level is for (an f32 FMA, or a product of pairs of bf16), and the "
    "operations per byte times the bandwidth of reading the level of memory that holds the "
    "working set. A kernel that finds part of its set nearer, or writes it, may come out "
    "above the second; one that takes two terms for each weight, as the scores of bf16 "
    "features with avx512bf16 and amx do, comes to half of the first at most."
)
LADDER = (
    "Samples per second, and the share of what is attainable (Roofline), level by level; an arrow where "
    "a level has no kernel of its own for these features and takes that of the level it points to."
)
BF16 = (
    "Features in half the bytes; sums and bounds are those of f32. The levels avx512bf16 and amx split "
    "each weight into two bf16 for the scores, and for the gradient need dscores that bf16 holds, as "
    "those of the hinge loss are (grad_hinge_bf16): others, as of softmax (grad_bf16), go to the avx512 "
    "kernel."
)
CAPTIONS = {
    "speedup": "Speed-up at {}: ratios of medians of one run. The dashed line is 1. The whiskers "
    "are 95 % intervals, of the samples drawn again from themselves.",
    "roofline": "Operations per second over operations per byte, by the formulas: each kernel, "
    "shape and level but the compiler's and the variations of the step. The slanted roofs are the "
    "bandwidths of reading each level of memory, the flat ones the peaks of the FMA units, all measured in this "
    "run on one core. A point is judged by the roof of the level that holds its working set.",
    "phases": "Where the time of a training epoch goes. Each loss has its own scale.",
    "curves": "Training loss and test accuracy by epoch.",
}


def number(value: float, digits: int = 3) -> str:
    """With so many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # after rounding: 99.99 is 100
    places = max(0, digits - 1 - exponent)
    return f"{value:,.{places}f}"


def bytes_text(value: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{value} B"


def times(value: Ratio | float | None) -> str:
    if value is None:
        return "–"
    ratio = value.value if isinstance(value, Ratio) else value
    return f"{ratio:.2f}×" if ratio < 9.995 else f"{ratio:.1f}×"


def interval(value: Ratio) -> str:
    """Times faster, with the 95 % interval."""
    return f"{times(value)} ({value.low:.2f} to {value.high:.2f})"


def setting(value: Any) -> str:
    """A number that was given, without what its way through an f32 added."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def rate(per_s: float) -> str:
    """1,234 or 5.67 k or 8.90 M a second."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_s >= size:
            return f"{number(per_s / size)} {unit}"
    return number(per_s)


def percent(share: float, places: int = 1) -> str:
    return f"{100 * share:.{places}f} %"


def yes_no(value: bool | None) -> str:
    return "not asked" if value is None else "yes" if value else "no"


def cell(text: Any) -> str:
    """Text that cannot end a cell of a Markdown table, nor start HTML."""
    escaped = str(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(escaped.split())


def code(text: str) -> str:
    """Markdown that shows "2*n*d*c" with its stars, in a cell of a table."""
    return "`" + " ".join(text.replace("`", "'").replace("|", "\\|").split()) + "`"


FILTERS = {
    "number": number,
    "bytes": bytes_text,
    "times": times,
    "interval": interval,
    "percent": percent,
    "rate": rate,
    "setting": setting,
    "yes_no": yes_no,
    "cell": cell,
    "code": code,
}


def headline(model: Model) -> list[tuple[str, str]]:
    """(figure in large type, what it is)."""
    found = [*speed_headline(model)]
    for group in model.groups:
        best = group.best
        over = f", {times(best.speedup)} scalar" if best.speedup and best.speedup != 1 else ""
        found.append(
            (
                f"{number(best.seconds_per_epoch * 1e3)} ms",
                f"an epoch of {group.settings['dataset']}, {group.loss} loss, {best.isa}{over}; "
                f"test accuracy {percent(best.test_accuracy)} after "
                f"{len(best.epochs)} epoch{'' if len(best.epochs) == 1 else 's'}",
            )
        )
    return found[:MAX_HEADLINE]


def speed_headline(model: Model) -> list[tuple[str, str]]:
    """The best hand-written row of the step, or of the first kernel that has one."""
    shape = model.main_shape
    if shape is None:
        return []
    candidates = (
        (kernel, model.best(kernel, shape, ("hand",)))
        for kernel in ("step_hinge_f32", *model.kernels)
    )
    kernel, best = next(((kernel, row) for kernel, row in candidates if row), ("", None))
    if best is None:
        return []
    what = "minibatch step" if kernel.startswith("step") else kernel
    found = []
    if scalar := model.over_scalar(best):
        found.append((times(scalar), f"{what} {shape}, {best.isa}: over scalar code"))
    if compiler := model.best(kernel, shape, ("auto",)):
        over = compiler.median / best.median
        found.append((times(over), f"{what} {shape}: over the compiler's best, {compiler.isa}"))
    return found


def summary_levels(model: Model) -> list[str]:
    """Those with a row in the small table."""
    present = {row.isa for row in model.alone if row.kernel in SUMMARY_KERNELS}
    return [level.name for level in model.timed_levels() if level.name in present]


def training_levels(model: Model) -> list[str]:
    present = {run.isa for run in model.training}
    return [level.name for level in model.timed_levels() if level.name in present]


def summary(model: Model) -> list[tuple[str, Shape, list[Row | None]]]:
    """The rows of the small table: the step at every shape, its two large parts at the main one."""
    out = []
    levels = summary_levels(model)
    for kernel in SUMMARY_KERNELS:
        shapes = model.drawn_shapes()
        for shape in shapes if kernel == "step_hinge_f32" else shapes[:1]:
            rows = [model.find(kernel, isa, shape) for isa in levels]
            if any(rows):
                out.append((kernel, shape, rows))
    return out


def ceilings(model: Model) -> list[tuple[str, str]]:
    """(what, how much) for each ceiling of one core that was measured."""
    if not (found := model.ceilings):
        return []
    peaks = [("f32 FMA", found["fma_f32_gflop_per_s"])]
    peaks.append(("pairs of bf16", found.get("dot_bf16_gflop_per_s", {})))
    u8 = {isa: of for isa, of in found.get("u8_gop_per_s", {}).items() if of}
    peaks.append(("byte x 16 bits", {isa: of["weights"] for isa, of in u8.items()}))
    peaks.append(("byte x 8 bits", {isa: of["dscores"] for isa, of in u8.items()}))
    return [
        ("clock", f"{found['clock_ghz']:.2f} GHz"),
        *(
            (f"{what}, {isa}", f"{number(peak)} GFLOP/s")
            for what, of_isa in peaks
            for isa, peak in of_isa.items()
            if peak
        ),
        *(
            (f"reading {level['level']}", f"{number(level['read_gb_per_s'])} GB/s")
            for level in found["read"]
        ),
    ]


def no_faster_text(model: Model) -> str:
    least = f"{(NO_FASTER - 1) * 100:.0f} %"
    compared, listed = model.compared(), len(model.no_faster())
    if compared == 0:
        return "No hand-written row has one of the compiler's to be compared with."
    if listed == 0:
        return (
            f"None: all {compared} hand-written rows are at least {least} faster than the "
            "compiler's at the same flags, in this run."
        )
    return (
        f"{listed} of {compared} hand-written rows are less than {least} faster than the "
        "compiler's at the same flags and shape, or slower (below 1), in this run."
    )


def curves_text(model: Model) -> str:
    def agreement(group: Group) -> str:
        who = group.loss.capitalize()
        if len(group.runs) == 1:
            return ""
        if not group.curves_agree:
            return f"{who}: the levels differ in the four places printed; each is drawn."
        return (
            f"{who}: all {len(group.runs)} levels agree to the four places printed and are drawn "
            "once."
        )

    return " ".join(filter(None, map(agreement, model.groups)))


def captions(names: list[str], model: Model) -> dict[str, str]:
    drawn = iter(model.drawn_shapes())
    out = {}
    for name in names:
        text = CAPTIONS[name.split("-")[0]]
        out[name] = text.format(next(drawn)) if name.startswith("speedup") else text
    if "curves" in out:
        out["curves"] = f"{out['curves']} {curves_text(model)}".strip()
    return out


def train_options(run: dict[str, Any]) -> str:
    """What downhill train was given, the level aside. Older results lack some of it, and were of f32."""
    words = []
    if run.get("data", "fashion-mnist") != "fashion-mnist":
        words += ["--data", shlex.quote(run["data"])]
    if run.get("mmap"):
        words.append("--mmap")
    words += ["--loss", run["loss"], "--dtype", run.get("dtype", "f32")]
    for name in ("normalize", "shuffle"):
        words += [f"--{name}", run[name]] if name in run else []
    for name in ("batch", "lr", "reg", "delta", "seed"):
        words += [f"--{name}", setting(run[name])]
    if run.get("threads", 1) > 1:
        words += ["--threads", str(run["threads"])]
    return " ".join([*words, "--epochs", str(run.get("epochs_asked", len(run["epochs"])))])


def how_trained(settings: dict[str, Any]) -> str:
    """On what type of features, in which order, by how many: nothing where that is as it always was."""
    words = []
    if "dtype" in settings:
        words.append(f"{settings['dtype']} features")
    if settings.get("normalize", "none") != "none":
        words.append(f"normalised ({settings['normalize']})")
    if settings.get("shuffle", "rows") != "rows":
        orders = {"batch": "whole minibatches shuffled", "none": "not shuffled"}
        words.append(orders[settings["shuffle"]])
    threads = settings.get("threads", 1)
    if threads > 1:
        words.append(f"{threads} threads")
    return ", ".join(words)


def bench_options(results: dict[str, Any]) -> str:
    """What downhill bench was given; of older results as much as can be told from the rows."""
    context = results["context"]
    if "arguments" in context:
        return " ".join(shlex.quote(word) for word in context["arguments"])
    shapes = dict.fromkeys((row["n"], row["d"], row["c"]) for row in results["benchmarks"])
    shown = shapes if len(shapes) <= MAX_SHAPES_DRAWN else {}
    return (
        f"--repetitions {context['repetitions']} --min-time {1e3 * context['min_time_s']:g}ms "
        f"--seed {context['seed']}{''.join(f' --shape {n}x{d}x{c}' for n, d, c in shown)}"
        f"{' --peers' if 'peers' in results else ''}"
    )


def commands(results: dict[str, Any]) -> list[str]:
    """What to type to get a report of one's own, as close to this one as can be known."""
    out = ["scripts/bench  # the standard run, from a clean machine; this one was made by"]
    if "context" in results:
        out.append(f"downhill bench {bench_options(results)} --json bench.json")
    seen: dict[str, list[str]] = {}
    for run in results.get("training", []):
        seen.setdefault(train_options(run), []).append(run["isa"])
    files = []
    for i, (options, levels) in enumerate(seen.items(), 1):
        isa = "all" if len(levels) > 1 else levels[0]
        files.append(f"train-{i}.json")
        out.append(f"downhill train --isa {isa} {options} --json {files[-1]}")
    files = (["bench.json"] if "context" in results else []) + files
    return [*out, f"downhill report --output report {' '.join(files)}"]
