# SPDX-License-Identifier: MIT
"""The large figures at the top of the page."""

from ..model import Model
from ..numbers import number, percent, plural, times
from ..rows import Ratio, ratio

MAX_HEADLINE = 4
# Above this noise floor, absolute figures are of little use.
ROUGH = 0.1


def headline(model: Model) -> list[tuple[str, str]]:
    """Returns (large figure, what it is)."""
    found = [*speed_headline(model)]
    for group in model.groups:
        best = group.best
        over = f", {times(best.speedup)} scalar" if best.speedup and best.speedup != 1 else ""
        found.append(
            (
                f"{number(best.seconds_per_epoch * 1e3)} ms",
                f"an epoch of {group.settings['dataset']}, {group.loss} loss, {best.isa}{over}; "
                f"test accuracy {percent(best.test_accuracy)} after "
                f"{plural(len(best.epochs), 'epoch')}",
            )
        )
    return found[:MAX_HEADLINE]


def speed_headline(model: Model) -> list[tuple[str, str]]:
    """Returns the speed-ups of the best hand-written row of the step, or of the first kernel that
    has one."""
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
        between = f"{scalar.low:.1f} to {scalar.high:.1f}{roughly(scalar)}"
        found.append((times(scalar), f"{what} {shape}, {best.isa}: over scalar code ({between})"))
    if compiler := model.best(kernel, shape, ("auto",)):
        over = ratio(best, compiler)
        between = f"{over.low:.2f} to {over.high:.2f}{roughly(over)}"
        found.append(
            (times(over), f"{what} {shape}: over the compiler's best, {compiler.isa} ({between})")
        )
    return found


def roughly(of: Ratio) -> str:
    return "; noisy rows" if of.is_doubtful else ""


def caveats(model: Model) -> list[tuple[str, str]]:
    """Returns (caveat, explanation) to be shown before any figure."""
    found = []
    if model.results.get("partial"):
        found.append(
            (
                "This run is incomplete:",
                "it was stopped, and rows are missing. downhill bench --resume continues it.",
            )
        )
    floor = model.results.get("noise_floor", {}).get("p95")
    if floor is not None and floor > ROUGH:
        found.append(
            (
                "This machine was noisy:",
                "95 % of the repeated measurements of the same code differed by less than "
                f"{percent(floor, 0)}. Ratios within the run have intervals; absolute figures are "
                "rough.",
            )
        )
    return found
