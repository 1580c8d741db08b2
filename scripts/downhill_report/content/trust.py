# SPDX-License-Identifier: MIT
"""How far the figures can be trusted: samples, conditions, method, warnings."""

from collections import Counter

from .. import noise
from ..conditions import DRIFT, STOLEN, Conditions
from ..model import Model
from ..notices import Notice
from ..numbers import NONE, joined, number, percent, plural
from ..waited import why_waited
from .blocks import Block, Bullets, Drawing, Listing, More, Section, Table, Text
from .captions import CAPTIONS
from .commands import commands
from .marks import min_samples

# Reasons why sampling of a row ended before it was precise.
ENDED = {
    "time": "used up their time",
    "repetitions": "reached the maximum number of samples",
    "interrupted": "were interrupted",
}
# Rows in the table of those that repeat worst.
SHOWN = 5


def samples(model: Model, figures: list[str]) -> Section:
    blocks: list[Block] = [
        Drawing(name, CAPTIONS[name]) for name in ("strips", "samples") if name in figures
    ]
    if shared := shared_text(model):
        blocks.append(Text(shared))
    if stopped := stopped_text(model):
        blocks.append(Text(stopped))
    if scaled := scaled_text(model):
        blocks.append(Text(scaled))
    if "noise_floor" in model.results:
        blocks += floor_blocks(model)
    if model.conditions:
        blocks += conditions(model.conditions)
    return Section("samples", "Samples and conditions", "Samples", blocks)


def shared_text(model: Model) -> str:
    """Describes the samples that lost time to other threads, a quota or a neighbour on their
    core."""
    left_out = sum(len(row.left_out) for row in model.timed)
    every = left_out + sum(len(row.times) for row in model.timed)
    rows = sum(row.shared for row in model.timed)
    if not left_out and not rows:
        return ""
    waited, beside = (sum(row.lacked[i] for row in model.timed) for i in range(2))
    texts = [f"{left_out} of {every} samples ({percent(left_out / every, 0)}) are left out."]
    if waited:
        texts.append(
            f"{plural(waited, 'sample')} waited for the CPU for at least a tenth of their time, "
            f"because the thread was stopped by {why_waited(model.results)}."
        )
    if beside:
        texts.append(
            f"Before or after {plural(beside, 'sample')} the core issued fewer additions per cycle "
            "than a whole core does, because its other hardware thread was busy (under a "
            "hypervisor perhaps with another guest)."
        )
    if rows:
        texts.append(
            f"In {plural(rows, 'row')} too few samples had a whole core; their statistics use all "
            "samples."
        )
    return " ".join(texts)


def stopped_text(model: Model) -> str:
    """Returns a sentence on the precision of the medians."""
    told = [row for row in model.timed if row.precision is not None]
    asked = model.results["context"].get("precision")
    if not told or not asked:
        return ""
    ended = Counter(row.stopped for row in told)
    widest = max(told, key=lambda row: row.precision)
    within, wider = "", "The widest interval is"
    if any(row.pass_medians for row in told):
        within = " within their passes"
        wider = "The intervals over the passes may be wider: at most"
    others = [f"{ended[why]} {what}" for why, what in ENDED.items() if ended[why]]
    rest = f"; {joined(others)}" if others else ""
    return (
        f"{ended['precision']} of {plural(len(told), 'row')} reached the requested precision of "
        f"{percent(asked)}{within}{rest} (see the table of all rows). {wider} "
        f"± {percent(widest.precision)} ({widest.name})."
    )


def scaled_text(model: Model) -> str:
    """Returns a sentence on the rows whose passes were scaled to one clock."""
    count = sum(row.at_clock for row in model.timed)
    if not count:
        return ""
    return (
        f"Figure, interval and noise floor of {count} of {plural(len(model.timed), 'row')} are at "
        "the clock in the line of the row, because the clock wandered between the passes and the "
        "times followed it."
    )


def floor_blocks(model: Model) -> list[Block]:
    """Describes how far rows repeat: the distribution, and the rows that repeat worst."""
    floors, found = model.floors, model.results["noise_floor"]
    rows = plural(len(floors or found["rows"]), "row")
    if not floors:
        if found["passes"] < 2:
            return [Text("All rows were timed in one pass, so their noise floor is unknown.")]
        text = f"The noise floor could not be determined from {rows} timed {found['passes']} times."
        return [Text(text)]
    median = percent(noise.median(floors))
    p95 = None if found["p95"] is None else percent(found["p95"])
    if noise.are_estimates(floors):
        half = f"half of the floors are below {median}" + (f", 95 % below {p95}" if p95 else "")
    else:
        half = f"half of them differ by less than {median} between two passes"
        half += f", 95 % of all pairs of passes by less than {p95}" if p95 else ""
    text = (
        f"Noise floor: {rows} timed {found['passes']} times with the same code; {half}. A "
        "difference between this run and another on this machine that is smaller than the floor "
        "of its row means nothing. Without a floor of its own, compare a row with others of the "
        "same cache level and length."
    )
    lines = [
        [name, percent(floor.share), "95 % of pairs" if floor.is_estimate else "largest difference"]
        for name, floor in noise.worst(floors, len(floors))
    ]
    table = Table("Noise floor of each row, highest first", ["row", ">floor", "what"], lines)
    worst = Table("The rows that repeat worst", table.columns, lines[:SHOWN])
    if found["rows"]:  # otherwise the table of all rows has them
        return [Text(text), worst, More("Noise floor of every row", [table])]
    return [Text(text), worst]


# With more groups than this, only the disturbed ones are listed: in several passes there are
# thousands.
LISTED = 300


def conditions(of: list[Conditions]) -> list[Block]:
    faulty = [group for group in of if group.faults]
    limits = (
        "A group counts as disturbed if the clock before and after it differs by more than "
        f"{DRIFT:.0%}, if the hypervisor stole more than {STOLEN:.0%} of its time, or if its "
        f"thread was throttled or moved. {len(faulty)} of {plural(len(of), 'group')} were "
        "disturbed."
    )
    blocks: list[Block] = [Text(limits)]
    if faulty:
        blocks.append(table("Disturbed groups", faulty))
    if len(of) > LISTED:
        return [*blocks, Text("results.json has the conditions of every group.")]
    return [*blocks, More("Every group", [table("Conditions of every group of rows", of)])]


def table(caption: str, of: list[Conditions]) -> Table:
    return Table(
        caption,
        [
            "group", ">rows", ">seconds", ">GHz before", ">GHz after", ">stolen", ">switches",
            ">moves", ">throttled", "disturbed by",
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
                "Training: one run per level, each from zero weights with the same order of "
                "samples. Seconds per epoch do not include the test. The loss is taken before each "
                "step, without the penalty."
            )
        )
    return Section("method", "Method", "Method", blocks)


LIMITS = (
    "Limits: buffers of hot rows are reused, so a shape that fits a cache is read from that cache, "
    "not from memory. GB/s count the bytes credited by the formulas below (each operand once), not "
    "bytes counted by the hardware; operations are credited in the same way. Ceilings are the "
    "maximum measured before or after the rows. A ratio of rows timed in at least three passes is "
    "the geometric mean over the passes, with an interval over them; otherwise it is the ratio of "
    "the medians, with a bootstrap interval of the samples. Ratios hold within this run; other "
    "days and machines differ by more. reports/METHOD.md in the source tree describes each "
    "measurement."
)


def sampling(model: Model) -> str:
    context = model.results["context"]
    asked = (
        f"{plural(context['repetitions'], 'sample')} "
        f"of at least {number(context['min_time_s'] * 1e3)} ms"
    )
    if context.get("precision"):
        limit, passes = context.get("max_time_s"), context.get("passes", 1)
        precise = f"was within {percent(context['precision'])} of it"
        if passes > 1:
            share = f"{number(limit / passes)} s" if limit else "its share of the time"
            until = (
                f"In each of {passes} passes, a row was sampled until the 95 % interval (by ranks) "
                "of the median of its samples, each divided by the median of its pass, "
                f"{precise}, or until {share} was up, with a minimum of {asked} in all"
            )
        else:
            seconds = f"after {number(limit)} s" if limit else "when its time was up"
            until = (
                f"Each row was sampled until the 95 % interval of its median (by ranks) {precise}, "
                f"at the latest {seconds}, with a minimum of {asked}"
            )
    else:
        until = f"Each row has {asked}"
    cpu = context["pinned_cpu"]
    where = "a thread that could not be pinned" if cpu is None else f"a thread pinned to CPU {cpu}"
    brief = sum(row.brief for row in model.timed)
    quarter = f"In {plural(brief, 'brief row')} these times are a quarter. " if brief else ""
    counts = f"Medians are of {min_samples(model.timed)}. " if model.timed else ""
    return (
        f"{until}, after a warm-up that determines the number of calls. {quarter}{counts}"
        "The variants of a kernel and shape were sampled in an order "
        f"{context['order']} (seed {context['seed']}), so that a drift of the machine affects all "
        f"of them alike. All ran on {where}. Times are wall time per call."
    )


def formulas(of: list[dict[str, str]]) -> Table:
    return Table(
        "Operations and bytes credited to a call of each kernel",
        ["kernel", "operations", "bytes", "~note"],
        [[f["kernel"], f"`{f['flops']}`", f"`{f['bytes']}`", f["note"]] for f in of],
    )


def warnings(notices: list[Notice]) -> Section:
    blocks: list[Block] = [Text("None.")]
    if notices:
        texts = [f"{o.what} {o.remedy}".strip() for o in notices]
        blocks = [Bullets(texts, [o.rows for o in notices], [o.others for o in notices])]
    return Section("warnings", "Warnings", f"Warnings ({len(notices)})", blocks)


def reproduce(model: Model) -> Section:
    blocks: list[Block] = [Listing(commands(model.results))]
    if model.rows:
        blocks.append(
            Text(
                f"To repeat one row: `downhill bench --filter '{model.rows[0].name}'`. To compare "
                "another run with this one: `downhill compare results.json OTHER.json`. Every "
                "sample of this run is in `results.json`."
            )
        )
    return Section("reproduce", "Reproduce", "Reproduce", blocks)
