# SPDX-License-Identifier: MIT
"""The map of classes × features: our highest level beside the best library at each shape."""

from ..model import Model
from ..numbers import NONE, interval, microseconds, plural, times
from ..rows import Row
from ..shape_map import Cell, Score, ShapeMap, is_ahead, is_behind, score_of
from .blocks import Block, Drawing, More, Section, Table, Text
from .captions import CAPTIONS
from .marks import MARK, NOTE, explained, marked, share

US = "downhill"
EQUAL = "equal"
HOW = (
    "Each cell is one shape: our highest ISA level and every library, hot, on one thread, sampled "
    "in turn. Samples and time limits are a quarter as long as those of other rows. With one class "
    "no margin can be violated, so the step has no such row."
)
NO_PEER = (
    "No library was timed at these shapes, so there is nothing to draw: the map compares downhill "
    "with libraries. Run `downhill bench --peers --sweeps` on a machine that has one. The table "
    "shows how much of what is attainable each shape reaches."
)


def shape_map(model: Model) -> Section:
    maps = model.maps()
    score = score_of([cell for of in maps for cell in of.compared()])
    blocks: list[Block]
    if score:
        blocks = [Text(answer(score, maps)), Drawing("map", CAPTIONS["map"]), Text(HOW)]
        if score.left_out or score.worst.ratio.is_doubtful:
            blocks.append(Text(NOTE))
    else:
        blocks = [Text(NO_PEER)]
    blocks.append(More("Every cell", explained(table(model, maps))))
    return Section("map", "Classes × features", "Map", blocks)


def answer(score: Score, maps: list[ShapeMap]) -> str:
    """Returns the outcome in one sentence, and what is uncertain or missing about it."""
    over, best = score.worst.ratio, score.worst.best_peer
    equal = score.cells - score.ahead - score.behind
    others = [f"behind in {score.behind}"] if score.behind else []
    others += [f"equal within 1 % or the 95 % interval in {equal}"] if equal else []
    counts = f"ahead of the best library in {score.ahead} of {plural(score.cells, 'cell')}"
    where = f"{best.kernel} at {best.shape} (samples × features × classes)"
    who = f"where {best.isa} wins" if is_behind(over) else f"over {best.isa}"
    sentences = [
        f"downhill is {', '.join([counts, *others])}; the geometric mean is {times(score.mean)}, "
        f"and the worst cell is {where} with {marked(times(over), over)}, "
        f"{who}."
    ]
    if over.is_doubtful:
        sentences.append(f"Every cell is marked {MARK}: all of this may be noise.")
    if score.left_out:
        be = "is" if score.left_out == 1 else "are"
        text = f"{plural(score.left_out, 'cell')} marked {MARK} {be} not counted"
        sentences.append(f"{text}, because their rows are noisy.")
    compared = score.cells + score.left_out
    if missing := sum(len(of.classes) * len(of.features) for of in maps) - compared:
        sentences.append(f"{plural(missing, 'cell')} could not be compared.")
    return " ".join(sentences)


def winner(cell: Cell) -> str:
    over = cell.ratio
    if over is None:
        return NONE
    return US if is_ahead(over) else cell.best_peer.isa if is_behind(over) else EQUAL


def table(model: Model, maps: list[ShapeMap]) -> Table:
    lines = [
        line(of, classes, features)
        for of in maps
        for classes in of.classes
        for features in of.features
    ]
    return Table(
        "Medians, and time of the best library over ours with its 95 % interval (above 1: downhill "
        f"is faster). {EQUAL.capitalize()}: the interval is not entirely more than 1 % above or "
        "below 1",
        [
            "kernel", ">classes", ">features", "ISA level", ">our µs",
            *(f">{peer.name} µs" for peer in model.peers), ">best / ours", "faster",
            ">of attainable",
        ],
        lines,
    )  # fmt: skip


def line(of: ShapeMap, classes: int, features: int) -> list[str]:
    cell = of.cells.get((classes, features), Cell(None, [None] * len(of.peers)))
    ours = cell.ours
    return [
        of.kernel, str(classes), str(features), ours.isa if ours else NONE, time(ours),
        *map(time, cell.peers), marked(interval(cell.ratio), cell.ratio), winner(cell),
        marked(share(ours), ours) if ours and ours.share else NONE,
    ]  # fmt: skip


def time(row: Row | None) -> str:
    return marked(microseconds(row.median), row) if row else NONE
