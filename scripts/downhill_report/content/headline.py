# SPDX-License-Identifier: MIT
"""The figures in large type at the top."""

from ..model import Model
from ..numbers import number, percent, plural, times

MAX_HEADLINE = 4


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
                f"{plural(len(best.epochs), 'epoch')}",
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
