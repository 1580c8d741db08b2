# SPDX-License-Identifier: MIT
"""How far the figures can be trusted: samples, conditions, method, warnings."""


from .. import noise
from ..conditions import DRIFT, STOLEN, Conditions
from ..model import Model
from ..notices import Notice
from ..numbers import NONE, number, percent, plural
from ..waited import why_waited
from .blocks import Block, Bullets, Drawing, Listing, More, Section, Table, Text
from .captions import CAPTIONS
from .commands import commands
from .marks import min_samples

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
    precise = sum(row.stopped == "precision" for row in told)
    widest = max(told, key=lambda row: row.precision)
    return (
        f"Of {plural(len(told), 'row')}, {precise} were sampled until the 95 % interval of the "
        f"median was within {percent(asked)} of it, the others until their time was up; see the "
        f"table of all rows. The widest interval is ± {percent(widest.precision)} ({widest.name})."
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
    half = f"half of them differ by less than {percent(noise.median(floors))} between two passes"
    if found["p95"] is not None:
        what = "rows" if not found["rows"] else "all pairs of passes"
        half += f", 95 % of {what} by less than {percent(found['p95'])}"
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
    "maximum measured before or after the rows. Intervals of ratios are over the passes if the "
    "rows were timed in at least three, otherwise bootstrap intervals of the samples. Ratios hold "
    "within this run; other days and machines differ by more. reports/METHOD.md in the source "
    "tree describes each measurement."
)


def sampling(model: Model) -> str:
    context = model.results["context"]
    asked = (
        f"{plural(context['repetitions'], 'sample')} "
        f"of at least {number(context['min_time_s'] * 1e3)} ms"
    )
    if context.get("precision"):
        limit = context.get("max_time_s")
        seconds = f"after {number(limit)} s" if limit else "when its time was up"
        until = (
            "Each row was sampled until the 95 % interval of its median (by ranks) was within "
            f"{percent(context['precision'])} of it, at the latest {seconds}, "
            f"with a minimum of {asked}"
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
