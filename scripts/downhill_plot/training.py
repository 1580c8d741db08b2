# SPDX-License-Identifier: MIT
"""Training runs: by epoch for stochastic gradient descent, by tries and time for other methods."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import look
from .read import Part

# Settings besides the level that may distinguish runs.
SETTINGS = (
    "method", "dataset", "loss", "dtype", "normalize", "batch", "lr", "schedule", "momentum", "reg",
    "delta", "seed", "shuffle", "scale", "step", "threads",
)  # fmt: skip
COUNTED = {"numerical": "steps", "lbfgs": "iterations"}  # other methods count tries


def draw(part: Part, title: str | None) -> Figure:
    runs = part.items()
    if not runs:
        raise part.nothing("is empty")
    methods = {method_of(run) for run in runs}
    if "sgd" in methods and len(methods) > 1:
        raise runs[0].wrong("runs by epoch and runs of other methods in one file")
    sgd = "sgd" in methods
    key = "epochs" if sgd else "points"
    all_runs, runs = runs, [run for run in runs if run.parts(key)]
    if not runs:
        raise all_runs[0].get(key).nothing("is empty, as in every run")
    return (by_epoch if sgd else by_tries)(runs, labels(runs), title)


def method_of(run: Part) -> str:
    """Returns the method; older results have none and used SGD."""
    return run.text("method") if run.get("method").value is not None else "sgd"


def setting(run: Part, key: str) -> str:
    value = run.get(key).value
    return f"{key} {value:.4g}" if isinstance(value, float) else str(value) if isinstance(
        value, str) else f"{key} {value}"  # fmt: skip


def labels(runs: list[Part]) -> list[str]:
    """Returns a label per run: the level and the settings that differ between the runs."""
    differ = [key for key in SETTINGS if len({setting(run, key) for run in runs}) > 1]
    return [
        look.printable(", ".join([run.text("isa"), *(setting(run, key) for key in differ)]), 60)
        for run in runs
    ]


def heading(runs: list[Part], names: list[str]) -> str:
    first = runs[0]
    same = [
        setting(first, key) for key in ("dataset", "method", "loss", "dtype", "batch", "lr")
        if first.get(key).value is not None and len({setting(run, key) for run in runs}) == 1
    ]  # fmt: skip
    return "Training: " + ", ".join([*same, names[0]] if len(runs) == 1 else same)


def style_of(i: int, count: int) -> dict[str, Any]:
    """Returns the style of run i. Curves that agree overlap, so earlier ones are drawn wider."""
    return {
        "color": look.at(look.LINES, i),
        "linewidth": 1.4 + 1.5 * (count - 1 - i if count < 8 else 0),
        "marker": look.at(look.MARKERS, i),
        "markersize": 4 + 1.5 * (count - 1 - i if count < 8 else 0),
    }  # fmt: skip


def as_values(parts: list[Part], key: str) -> list[float]:
    return [part.number_or_none(key) for part in parts]


def plot(axes: Axes, x: list[float], y: list[float], **style: Any) -> Line2D:
    (line,) = axes.plot(x, y, solid_capstyle="round", **style)
    return line


def loss_axis(axes: Axes, losses: list[float]) -> None:
    losses = [loss for loss in losses if math.isfinite(loss)]
    if losses and look.spans_decades(losses):
        look.logarithmic(axes.yaxis, min(losses), max(losses))


# ---- by epoch ----


def by_epoch(runs: list[Part], names: list[str], title: str | None) -> Figure:
    figure = look.new(title or heading(runs, names), kept_caption(runs), height=3.9)
    left, right = figure.subplots(1, 2)
    handles, losses, validated = [], [], False
    for i, run in enumerate(runs):
        epochs, style = run.parts("epochs"), style_of(i, len(runs))
        x = [epoch.number("epoch") for epoch in epochs]
        loss, test = as_values(epochs, "train_loss"), as_values(epochs, "test_accuracy")
        validation = as_values(epochs, "validation_accuracy")
        handles.append(plot(left, x, loss, label=names[i], gid=f"loss-{i}", **style))
        plot(right, x, test, gid=f"test-{i}", **style)
        if any(map(math.isfinite, validation)):
            validated = True
            plot(right, x, validation, linestyle="--", gid=f"validation-{i}", **style)
        ring(right, run, x, test, i)
        losses += loss
    if not any(map(math.isfinite, losses)):
        raise runs[0].nothing("has no loss that is finite")
    loss_axis(left, losses)
    look.dress(left, "epoch", f"mean {runs[0].text('loss')} training loss")
    look.dress(right, "epoch", "accuracy (share that is right)")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    if len(runs) == 1:
        handles = []
    if validated:
        kinds = (("test", "-"), ("validation", "--"))
        handles += [Line2D([], [], color=look.MUTED, linestyle=d, label=o) for o, d in kinds]
    if handles:
        look.legend(right, handles)
    if not validated:
        right.set_ylabel("test accuracy (share that is right)")
    return figure


def kept(run: Part) -> float:
    return run.number_or_none("best_epoch")


def kept_caption(runs: list[Part]) -> str:
    if not any(math.isfinite(kept(run)) for run in runs):
        return ""
    return "Circle: the best epoch on the validation samples; its model is kept."


def ring(axes: Axes, run: Part, x: list[float], test: list[float], i: int) -> None:
    if kept(run) in x:
        axes.plot(
            [kept(run)], [test[x.index(kept(run))]], marker="o", markersize=12, linestyle="none",
            markerfacecolor="none", markeredgecolor=look.TEXT, zorder=5, gid=f"kept-{i}",
        )  # fmt: skip


# ---- by tries ----


def by_tries(runs: list[Part], names: list[str], title: str | None) -> Figure:
    what = columns_of(runs)
    figure = look.new(
        title or heading(runs, names),
        "Line: the best so far. Points: each loss that was kept or stepped to.",
        height=3.6,
    )
    panels = figure.subplots(1, len(what), sharey=True, squeeze=False)[0]
    handles, losses = [], []
    for i, run in enumerate(runs):
        points = run.parts("points")
        loss = as_values(points, "loss")
        losses += loss
        best = best_so_far(loss)
        for axes, (key, total, _) in zip(panels, what):
            x = as_numbers(points, key)
            total_x = run.number_or_none(total)
            line = plot_best(axes, x, loss, best, total_x, style_of(i, len(runs)), f"{i}-{key}")
        line.set_label(names[i])
        handles.append(line)
    if not any(map(math.isfinite, losses)):
        raise runs[0].nothing("has no loss that is finite")
    loss_axis(panels[0], losses)
    for axes, (_, _, label) in zip(panels, what):
        look.dress(axes, label, f"mean {runs[0].text('loss')} loss" if axes is panels[0] else "")
        from_zero(axes)
    if len(runs) > 1:
        look.legend(panels[-1], handles)
    return figure


def from_zero(axes: Axes) -> None:
    """Makes the axis start at 0, with room for a point there."""
    axes.set_xlim(-0.03 * axes.get_xlim()[1], axes.get_xlim()[1])


def as_numbers(points: list[Part], key: str) -> list[float]:
    return [point.number(key) for point in points]


def columns_of(runs: list[Part]) -> list[tuple[str, str, str]]:
    """Returns (key of a point, key of the run's total, label); evaluations only if they differ from
    the tries by more than a constant."""
    counted = {COUNTED.get(method_of(run), "tries") for run in runs}
    out = [("number", "tried", " or ".join(sorted(counted)))]
    points = [point for run in runs for point in run.parts("points")]
    apart = {point.number("evaluations") - point.number("number") for point in points}
    if len(apart) > 1:
        out.append(("evaluations", "evaluations", "evaluations of the loss"))
    return [*out, ("seconds", "seconds", "time (s)")]


def best_so_far(losses: list[float]) -> list[float]:
    best, out = math.inf, []
    for loss in losses:
        best = min(best, loss) if math.isfinite(loss) else best
        out.append(best if math.isfinite(best) else math.nan)
    return out


def plot_best(axes: Axes, x: list[float], loss: list[float], best: list[float], total: float,
              style: dict[str, Any], name: str) -> Line2D:  # fmt: skip
    """Draws the best loss so far as steps up to the end of the run, which may be long after the
    last improvement."""
    axes.plot(
        x, loss, color=style["color"], marker=style["marker"], markersize=style["markersize"] - 0.5,
        linestyle="none", markerfacecolor=look.PAPER, zorder=4, gid=f"points-{name}",
    )  # fmt: skip
    end = max(total, x[-1]) if math.isfinite(total) else x[-1]
    return plot(
        axes, [*x, end], [*best, best[-1]], color=style["color"], linewidth=style["linewidth"],
        drawstyle="steps-post", gid=f"best-{name}",
    )  # fmt: skip
