# SPDX-License-Identifier: MIT
"""Seconds of training until a model reaches an accuracy, for downhill and other libraries."""

from ..endtoend import Comparison, Entry
from ..model import Model
from ..numbers import number, percent, plural, setting, times
from .blocks import Block, Bullets, Drawing, Table, Text
from .captions import CAPTIONS


WHAT = (
    "Seconds of shuffling and steps, up to and including the first epoch that reaches the test "
    "accuracy; the time of the tests is not included. The last test accuracy is that of the final "
    "epoch."
)


def endtoend(model: Model) -> list[Block]:
    if not model.comparisons:
        return []
    blocks: list[Block] = [table(model), Text(WHAT), *answers(model)]
    if notes := notes_of(model):
        blocks.append(Bullets(notes))
    if any(comparison.drawn() for comparison in model.comparisons):
        blocks.append(Drawing("endtoend", CAPTIONS["endtoend"]))
    return blocks


def name_of(model: Model, comparison: Comparison) -> str:
    """Returns the loss, with the settings if several comparisons have the same loss."""
    if [other.loss for other in model.comparisons].count(comparison.loss) == 1:
        return comparison.loss
    s = comparison.settings
    return ", ".join(
        [
            comparison.loss, s.get("normalize", "none"), f"batch {s['batch']}",
            f"rate {setting(s['lr'])}", *(["momentum"] if s.get("momentum") else []),
            *([s["schedule"]] if s.get("schedule", "constant") != "constant" else []),
        ]
    )  # fmt: skip


def targets_of(model: Model) -> list[float]:
    return sorted({target for comparison in model.comparisons for target in comparison.targets})


def table(model: Model) -> Table:
    targets = targets_of(model)
    lines = [
        line(entry, name_of(model, comparison), targets)
        for comparison in model.comparisons
        for entry in comparison.entries
    ]
    return Table(
        "Seconds of training: per epoch (median), and until the test accuracy is reached",
        [
            "library", "loss", ">s per epoch", *(f">to {percent(target, 0)}" for target in targets),
            ">test accuracy", ">epoch / best downhill epoch",
        ],
        lines,
    )  # fmt: skip


def line(entry: Entry, loss: str, targets: list[float]) -> list[str]:
    if entry.missing:
        return [entry.who, loss, f"missing: {entry.missing}"]
    return [
        entry.who, loss, number(entry.seconds_per_epoch),
        *(reached(entry, target) for target in targets),
        percent(entry.test_accuracy, 2), times(entry.slower),
    ]  # fmt: skip


def reached(entry: Entry, target: float) -> str:
    seconds = entry.seconds_to(target)
    if seconds is None:
        return f"not reached in {plural(len(entry.epochs), 'epoch')}"
    return number(seconds)


def answers(model: Model) -> list[Text]:
    """Returns a sentence per comparison: the settings and the result."""
    return [
        Text(f"{name_of(model, o).capitalize()}: {settings_of(o)}. {answer(o)}")
        for o in model.comparisons
    ]


def settings_of(comparison: Comparison) -> str:
    s = comparison.settings
    kind = s.get("normalize", "none")
    words = [
        f"batch {s['batch']}", f"learning rate {setting(s['lr'])}", f"penalty {setting(s['reg'])}",
        "features x/255" if kind == "none" else f"features normalised ({kind})",
        plural(s.get("threads", 1), "thread"),
    ]  # fmt: skip
    with_others = any(not entry.missing for entry in comparison.theirs)
    return ", ".join(words) + (", except where a note says otherwise" if with_others else "")


def answer(comparison: Comparison) -> str:
    best, others = comparison.best, [entry for entry in comparison.theirs if not entry.missing]
    if best is None:
        return "downhill was not trained with these settings."
    target = comparison.targets[-1]
    seconds = best.seconds_to(target)
    until = (
        f"{number(seconds)} s to {percent(target, 0)}"
        if seconds is not None
        else f"{percent(target, 0)} {reached(best, target)}"
    )
    mine = f"An epoch of {best.who} takes {number(best.seconds_per_epoch)} s ({until})"
    each = [f"{o.who} takes {times(o.slower)} as long{compared(comparison, o)}" for o in others]
    return "; ".join([mine, *each]) + "."


def compared(comparison: Comparison, other: Entry) -> str:
    """Compares also with downhill on f32 features, and the time to the last target if both reach
    it."""
    best, like, target = comparison.best, comparison.best_on("f32"), comparison.targets[-1]
    words = []
    if like and like is not best:
        ratio = other.seconds_per_epoch / like.seconds_per_epoch
        words.append(f"{times(ratio)} that of {like.who}")
    mine, theirs = best.seconds_to(target), other.seconds_to(target)
    if mine is not None and theirs is not None:
        words.append(f"{times(theirs / mine)} to {percent(target, 0)}")
    return f" ({', '.join(words)})" if words else ""


def notes_of(model: Model) -> list[str]:
    """Returns each note once, although a library has a row per loss."""
    notes: dict[tuple[str, str], None] = {}
    for comparison in model.comparisons:
        for entry in comparison.theirs:
            if entry.note:
                notes[entry.who, entry.note] = None
    return [f"{who}: {note}." for who, note in notes]
