# SPDX-License-Identifier: MIT
"""The answer in words, at the top of the page."""

from collections import Counter
from dataclasses import dataclass

from .. import noise
from ..answer import Answer, cells_of
from ..model import Model
from ..noise import Floor
from ..numbers import joined, microseconds, percent, plural, times
from ..rows import Ratio, Row
from ..shape_map import is_behind, score_of
from .blocks import Drawing, Section
from .captions import CAPTIONS
from .marks import MARK, marked

# A machine on which half of the rows differ by more than this from pass to pass.
ROUGH = 0.1
WORST = 3


@dataclass(frozen=True)
class Remark:
    """A paragraph that starts with a few words in bold."""

    strong: str
    text: str
    is_doubt: bool = False


def answer(model: Model) -> list[Remark]:
    """Returns what is fastest, over all rows as well, and how sure that is."""
    found = model.answer
    if found is None:
        text = "so there is no answer; the sections below show what was timed."
        return [Remark("No hand-written level was timed,", text)] if model.timed else []
    return [fastest(model, found), *overall(model), *sure(model, found)]


def fastest(model: Model, of: Answer) -> Remark:
    """Names the winner at one kernel and shape, and what it was compared with."""
    is_step = of.kernel.startswith("step")
    best, claim = f"downhill ({of.best.isa})", of.deciding
    task = "For the minibatch step" if is_step else f"For {of.kernel}"
    shape = f"{of.shape.n} samples × {of.shape.d} features × {of.shape.c} classes"
    call = f"A {'step' if is_step else 'call'} (`{of.kernel}`, {shape}, one thread)"
    takes = f"{call} takes {microseconds(of.best.median)} µs with `{of.best.isa}`"
    if claim is None:
        return Remark(f"{task}, nothing was timed that {best} could be compared with.", f"{takes}.")
    is_library = claim is of.library
    theirs = model.title(claim.other.isa) if is_library else f"{claim.other.isa} code"
    if claim.doubt:
        outcome = f"there is no clear winner: {best} is {times(claim.over)} as fast as {theirs}"
    elif is_behind(claim.over):
        outcome = f"{theirs} is fastest: {best} is {times(claim.over)} as fast"
    else:
        outcome = f"{best} is fastest: {times(claim.over)} as fast as {theirs}"
    timed = [model.title(o.name) for o in model.peers if model.find(of.kernel, o.name, of.shape)]
    among = f", the fastest of {joined(timed)}" if len(timed) > 1 else ""
    matrix = "the matrix products of " if is_step else ""
    library = "No library was timed on this kernel and shape."
    if of.library:
        name = f"{matrix}{model.title(of.library.other.isa)}{among}"
        library = f"It takes {microseconds(of.library.other.median)} µs with {name}."
    beside = f"{name}." if is_library else f"{theirs}. {library}"
    return Remark(
        f"{task}, {outcome} (95 % interval {between(claim.over)}).",
        f"{takes} and {microseconds(claim.other.median)} µs with {beside}",
    )


def between(over: Ratio) -> str:
    return f"{times(over.low)} to {times(over.high)}".replace("×", "")


def overall(model: Model) -> list[Remark]:
    """Returns the outcome over all kernels and shapes that a library computes too: the answer for
    one shape must not hide where downhill is slower."""
    cells = cells_of(model)
    score = score_of(cells)
    if score is None or len(cells) < 2:
        return []
    counted = [cell for cell in cells if not cell.ratio.is_doubtful or not score.left_out]
    behind = Counter(cell.ours.kernel for cell in counted if is_behind(cell.ratio))
    equal = score.cells - score.ahead - score.behind
    parts = [f"faster than the fastest library in {score.ahead}"]
    if behind:
        where = ", ".join(f"`{kernel}`: {count}" for kernel, count in behind.most_common())
        parts.append(f"slower in {score.behind} ({where})")
    parts += [f"equal within 1 % or the 95 % interval in {equal}"] if equal else []
    over, worst = score.worst.ratio, score.worst.ours
    peer = model.title(score.worst.best_peer.isa)
    end = f"where {peer} is faster" if is_behind(over) else f"over {peer}"
    left_out = f"; {score.left_out} with noisy rows are not counted" if score.left_out else ""
    strong = "Not everywhere:" if behind else "Overall:"
    return [
        Remark(
            strong,
            f"in {plural(score.cells, 'combination')} of kernel and shape that a library computes "
            f"too, downhill is {joined(parts)}; the geometric mean is {times(score.mean)}"
            f"{left_out}. Worst: `{worst.kernel}` at {worst.shape}, {marked(times(over), over)}, "
            f"{end}.",
        )
    ]


def sure(model: Model, of: Answer) -> list[Remark]:
    """Returns how far the rows that the answer names repeat, and what else makes it doubtful."""
    doubts = [
        f"{times(claim.over)} against {model.title(claim.other.isa)} may be chance: {claim.doubt}"
        for claim in of.claims
        if claim.doubt
    ]
    texts = [f"{text}." for text in doubts]
    if noisy := [f"`{row.isa}`" for row in of.rows if row.is_doubtful]:
        texts.append(
            f"The rows of {joined(noisy)} are noisy ({MARK}), so figures from them are rough."
        )
    texts.append(repeats(model, of.rows))
    if conditions := disturbed(model, of):
        texts.append(conditions)
    if len(model.floors) > len(of.rows):
        texts.append(distribution(model.floors))
    is_doubt = bool(doubts or noisy)
    return [Remark("Doubtful:" if is_doubt else "How sure:", " ".join(texts), is_doubt)]


def repeats(model: Model, rows: list[Row]) -> str:
    """Returns how far the named rows differ when they are measured again."""
    known = [(row, floor) for row in rows if (floor := model.floors.get(row.name))]
    if not known:
        return (
            "These rows were timed once, so the intervals show the spread within this run only, "
            "not that between runs."
        )
    each = joined([f"{percent(floor.share)} (`{row.isa}`)" for row, floor in known])
    once = [f"`{row.isa}`" for row in rows if row.name not in model.floors]
    was = f"; {joined(once)} {'was' if len(once) == 1 else 'were'} timed once" if once else ""
    if known[0][1].is_estimate:
        return (
            "Two single passes of these rows differ by less than the following in 95 % of cases: "
            f"{each}{was}."
        )
    passes = known[0][1].passes
    return f"Timed {passes} times, the medians of these rows differ by up to {each}{was}."


def distribution(floors: dict[str, Floor]) -> str:
    """Describes how well all rows repeat; one worst value would not describe the machine."""
    worst = joined(
        [f"{brief(name)} ({percent(floor.share, 0)})" for name, floor in noise.worst(floors, WORST)]
    )
    rows, half = plural(len(floors), "row"), percent(noise.median(floors))
    if noise.are_estimates(floors):
        return f"For half of the {rows} the noise floor is below {half}; the highest are {worst}."
    return f"Of {rows} timed repeatedly, half repeat within {half}; the worst are {worst}."


def brief(name: str) -> str:
    """Shortens the name of a row, as in `grad_f32/avx2` 256×3072×10."""
    kernel, isa, *sizes = name.split("/")
    shape, more = "×".join(o[2:] for o in sizes[:3]), sizes[3:]
    return " ".join([f"`{kernel}/{isa}`", shape, *more])


def disturbed(model: Model, of: Answer) -> str:
    name = f"{of.kernel} {of.shape}"
    faults = [fault for group in model.conditions if group.name == name for fault in group.faults]
    if not faults:
        return ""
    return (
        f"Disturbed while they were sampled: {', '.join(faults)}. They took turns, so this affects "
        "their times more than their ratios."
    )


def fastest_section(model: Model) -> Section:
    blocks = [Drawing("fastest", fastest_caption(model))]
    return Section("fastest", "What is fastest", "What is fastest", blocks)


def fastest_caption(model: Model) -> str:
    row = model.strip_rows()[0]
    return CAPTIONS["fastest"].format(f"{row.kernel} at {row.shape}")


def caveats(model: Model) -> list[Remark]:
    """Returns what a reader has to know before any figure."""
    found = []
    if model.results.get("partial"):
        text = "it was stopped, and rows are missing. downhill bench --resume continues it."
        found.append(Remark("This run is incomplete:", text, True))
    if model.results.get("verify", {}).get("failures"):
        text = "some variants are wrong, see Proof. Times of wrong code mean nothing."
        found.append(Remark("Some results are wrong:", text, True))
    if model.floors and noise.median(model.floors) > ROUGH:
        rows, half = plural(len(model.floors), "row"), percent(noise.median(model.floors), 0)
        text = (
            f"half of the {rows} timed repeatedly differ by more than {half} between two "
            "measurements."
        )
        if noise.are_estimates(model.floors):
            text = (
                f"for half of the {rows} the noise floor is above {half}: two single passes of "
                "such a row may differ by that much."
            )
        text += " Ratios within the run have intervals; absolute figures are rough."
        found.append(Remark("This run was noisy:", text, True))
    return found
