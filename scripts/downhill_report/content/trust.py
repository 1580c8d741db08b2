# SPDX-License-Identifier: MIT
"""Why the figures can be trusted, and how far: samples, conditions, method, warnings."""

from typing import Any

from ..conditions import DRIFT, STOLEN, Conditions
from ..model import Model
from ..notices import Notice
from ..numbers import NONE, number, percent, plural
from ..waited import why_waited
from .blocks import Block, Bullets, Drawing, Listing, More, Section, Table, Text
from .captions import CAPTIONS
from .commands import commands
from .marks import least_samples


def samples(model: Model, figures: list[str]) -> Section:
    blocks: list[Block] = [
        Drawing(name, CAPTIONS[name]) for name in ("strips", "samples") if name in figures
    ]
    if shared := shared_text(model):
        blocks.append(Text(shared))
    if stopped := stopped_text(model):
        blocks.append(Text(stopped))
    if floor := model.results.get("noise_floor"):
        blocks.append(Text(floor_text(floor)))
    if model.conditions:
        blocks += conditions(model.conditions)
    return Section("samples", "Samples and conditions", "Samples", blocks)


def shared_text(model: Model) -> str:
    """Describes the samples that lost time to other threads, a quota or a neighbour on the same core."""
    left_out = sum(len(row.left_out) for row in model.timed)
    every = left_out + sum(len(row.times) for row in model.timed)
    rows = sum(row.shared for row in model.timed)
    if not left_out and not rows:
        return ""
    waited, beside = (sum(row.lacked[i] for row in model.timed) for i in range(2))
    texts = [f"{left_out} of {every} samples ({percent(left_out / every, 0)}) are left out."]
    if waited:
        texts.append(
            f"{plural(waited, 'sample')} waited for the CPU for a tenth of their time or more: their thread was "
            f"stopped by {why_waited(model.results)}."
        )
    if beside:
        texts.append(
            f"Before or after {plural(beside, 'sample')} the core began fewer additions in a cycle than a whole core "
            "does, because another hardware thread of it was at work, under a hypervisor perhaps another guest's."
        )
    if rows:
        texts.append(
            f"{plural(rows, 'row')} had too few others; their statistics are of all their samples."
        )
    return " ".join(texts)


def stopped_text(model: Model) -> str:
    """How sure the medians are, in a sentence."""
    told = [row for row in model.timed if row.precision is not None]
    asked = model.results["context"].get("precision")
    if not told or not asked:
        return ""
    precise = sum(row.stopped == "precision" for row in told)
    widest = max(told, key=lambda row: row.precision)
    return (
        f"Of {plural(len(told), 'row')}, {precise} were sampled until the 95 % interval of their median "
        f"was within {percent(asked)} of it; the others until their time was up, which the table of "
        f"all rows tells. The widest is ± {percent(widest.precision)}, of {widest.name}."
    )


def floor_text(floor: dict[str, Any]) -> str:
    rows, passes = plural(len(floor["rows"]), "row"), floor["passes"]
    if floor["p95"] is None:
        return f"The noise floor could not be told from {rows} timed {passes} times."
    return (
        f"Noise floor: {rows} timed {passes} times over, with the same code; between two times "
        f"the medians of 95 % of them differed by less than {percent(floor['p95'])}. What differs "
        "by less, from this run to another on this machine, is no finding."
    )


def conditions(of: list[Conditions]) -> list[Block]:
    faulty = [group for group in of if group.faults]
    limits = (
        f"Disturbed: the clock differs by more than {DRIFT:.0%} from before a group to after it, more "
        f"than {STOLEN:.0%} of its time was stolen by the hypervisor, it was throttled, or the thread "
        f"was moved. {len(faulty)} of {plural(len(of), 'group')} were."
    )
    blocks: list[Block] = [Text(limits)]
    if faulty:
        blocks.append(table("Disturbed groups", faulty))
    return [*blocks, More("Every group", [table("Conditions of every group of rows", of)])]


def table(caption: str, of: list[Conditions]) -> Table:
    return Table(
        caption,
        [
            "group", ">rows", ">seconds", ">GHz before", ">GHz after", ">stolen", ">switches", ">moves",
            ">throttled", "disturbed by",
        ],
        [
            [
                o.name, str(o.rows), number(o.end_s - o.start_s), f"{o.clock_before:.2f}",
                f"{o.clock_after:.2f}", percent(o.stolen), count(o.switches), count(o.migrations),
                count(o.throttled), ", ".join(o.faults) or NONE,
            ]
            for o in of
        ],
    )  # fmt: skip


def count(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}"


def method(model: Model) -> Section:
    blocks: list[Block] = []
    if "context" in model.results:
        blocks += [Text(sampling(model)), Text(LIMITS), formulas(model.results["formulas"])]
    if model.training:
        blocks.append(
            Text(
                "Training: one run per level, each from zero weights with the same order of samples. "
                "Seconds per epoch leave out the test; the loss is taken before each step, without "
                "the penalty."
            )
        )
    return Section("method", "Method", "Method", blocks)


LIMITS = (
    "What the figures are not: buffers of hot rows are reused, so a shape that fits a cache is measured "
    "from that cache, not from memory. GB/s are bytes credited by the formulas below, each operand "
    "crossing the bus once, not bytes counted by the machine. Operations are credited likewise. "
    "Ceilings are the most that was measured before or after the rows. Intervals of ratios are of "
    "samples drawn again from the samples. Ratios hold within this run; days and machines differ by "
    "more. reports/METHOD.md of the source tells how each figure is measured."
)


def sampling(model: Model) -> str:
    context = model.results["context"]
    asked = f"{plural(context['repetitions'], 'sample')} of at least {number(context['min_time_s'] * 1e3)} ms"
    if context.get("precision"):
        most = context.get("max_time_s")
        seconds = f"{number(most)} s" if most else "its time"
        until = (
            "Each row was sampled until the 95 % interval of its median (by ranks) was within "
            f"{percent(context['precision'])} of it or {seconds} had gone into it, {asked} being asked for at least"
        )
    else:
        until = f"Of each row {asked} were asked for"
    cpu = context["pinned_cpu"]
    where = "a thread that could not be pinned" if cpu is None else f"a thread pinned to CPU {cpu}"
    came = f"Medians are of {least_samples(model.timed)}. " if model.timed else ""
    return (
        f"{until}, after a warm-up that finds the number of calls. {came}The variants of a kernel and shape "
        f"were taken in an order {context['order']} (seed {context['seed']}), so that a drift of the "
        f"machine falls on all of them alike. All ran on {where}. Times are wall time per call."
    )


def formulas(of: list[dict[str, str]]) -> Table:
    return Table(
        "Operations and bytes that a call of each kernel is credited with",
        ["kernel", "operations", "bytes", "~note"],
        [[f["kernel"], f"`{f['flops']}`", f"`{f['bytes']}`", f["note"]] for f in of],
    )


def warnings(notices: list[Notice]) -> Section:
    blocks: list[Block] = [Text("None.")]
    if notices:
        texts = [f"{o.what} {o.remedy}".strip() for o in notices]
        blocks = [Bullets(texts, [o.rows for o in notices])]
    return Section("warnings", "Warnings", f"Warnings ({len(notices)})", blocks)


def reproduce(model: Model) -> Section:
    blocks: list[Block] = [Listing(commands(model.results))]
    if model.rows:
        blocks.append(
            Text(
                f"One row again: `downhill bench --filter '{model.rows[0].name}'`. Another run beside this "
                "one: `downhill compare results.json OTHER.json`. Every sample of this run is in "
                "`results.json`."
            )
        )
    return Section("reproduce", "Reproduce", "Reproduce", blocks)
