# SPDX-License-Identifier: MIT
"""The large figures at the top of the page."""

from ..answer import Claim
from ..endtoend import Comparison
from ..model import Model
from ..numbers import number, percent, plural, times
from ..training import Group
from .answer import between

MAX_HEADLINE = 4


def headline(model: Model) -> list[tuple[str, str]]:
    """Returns (large figure, what it is)."""
    with_others = [o for o in model.comparisons if others(o) and o.ours]
    training = [against(o) for o in with_others] or [epoch(group) for group in model.groups]
    return [*speed(model), *training][:MAX_HEADLINE]


def speed(model: Model) -> list[tuple[str, str]]:
    """Returns the speed-ups of the answer."""
    of = model.answer
    if of is None:
        return []
    work = "minibatch step" if of.kernel.startswith("step") else of.kernel
    head = f"{work} {of.shape}, {of.best.isa}"

    def figure(claim: Claim, than: str) -> tuple[str, str]:
        noisy = "; noisy rows" if claim.over.is_doubtful else ""
        return times(claim.over), f"{head}: over {than} ({between(claim.over)}{noisy})"

    found = []
    if of.library:
        found.append(
            figure(of.library, f"the fastest library, {model.title(of.library.other.isa)}")
        )
    if of.compiler:
        found.append(figure(of.compiler, f"the compiler's best, {of.compiler.other.isa}"))
    if of.scalar:
        found.append(figure(of.scalar, "scalar code"))
    return found


def others(comparison: Comparison) -> bool:
    return any(not entry.missing for entry in comparison.theirs)


def against(comparison: Comparison) -> tuple[str, str]:
    """Compares with the fastest other library, on f32 features if downhill was trained on them,
    because the others are."""
    ours = comparison.best_on("f32") or comparison.best
    theirs = min(
        (entry for entry in comparison.theirs if not entry.missing),
        key=lambda entry: entry.seconds_per_epoch,
    )
    ms = [number(entry.seconds_per_epoch * 1e3) for entry in (ours, theirs)]
    return (
        times(theirs.seconds_per_epoch / ours.seconds_per_epoch),
        f"an epoch of {comparison.settings['dataset']}, {comparison.loss} loss: over {theirs.who} "
        f"({ours.who}: {ms[0]} ms against {ms[1]} ms)",
    )


def epoch(group: Group) -> tuple[str, str]:
    best = group.best
    over = f", {times(best.speedup)} scalar" if best.speedup and best.speedup != 1 else ""
    return (
        f"{number(best.seconds_per_epoch * 1e3)} ms",
        f"an epoch of {group.settings['dataset']}, {group.loss} loss, {best.isa}{over}; test "
        f"accuracy {percent(best.test_accuracy)} after {plural(len(best.epochs), 'epoch')}",
    )
