# SPDX-License-Identifier: MIT
"""Training: phases of an epoch, and loss and accuracy by epoch."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..model import Model
from ..training import PHASES, Group

from .style import (
    DASHES, MARKERS, PAPER, PHASE_COLOURS, TEXT, WIDTH, Look, at, dress, legend, significant, title,
    to_svg,
)  # fmt: skip

PHASE_HATCHES = ["", "", "----", "////", "xxxx", ""]


def phases(model: Model) -> str:
    """Draws the milliseconds per epoch by phase, with a panel per group of runs, because the
    slowest run of one group would flatten another."""
    groups = model.groups
    count = sum(len(group.runs) for group in groups)
    height = 0.9 + 0.55 * len(groups) + 0.27 * count
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    parts = figure.subplots(
        len(groups), 1, squeeze=False,
        gridspec_kw={"height_ratios": [len(group.runs) + 0.5 for group in groups]},
    )[:, 0]  # fmt: skip
    for axes, group in zip(parts, groups):
        phase_bars(axes, group)
        title(axes, name_of(model, group))
    parts[-1].set_xlabel("milliseconds per epoch (median)", color=TEXT)
    legend(parts[0], loc="upper left", bbox_to_anchor=(1.01, 1), handleheight=1.4)
    return to_svg(figure)


def phase_bars(axes: Axes, group: Group) -> None:
    longest = 1e3 * max(run.seconds_per_epoch for run in group.runs)
    for y, run in enumerate(group.runs):
        left = 0.0
        for i, phase in enumerate(PHASES):
            width = 1e3 * run.seconds_per_epoch * run.phases[phase]
            axes.barh(
                y, width, 0.8, left=left, color=PHASE_COLOURS[i], edgecolor=PAPER,
                hatch=PHASE_HATCHES[i], linewidth=0.4, label=phase if y == 0 else None,
            )  # fmt: skip
            left += width
        axes.text(
            left + longest * 0.01, y, f"{significant(1e3 * run.seconds_per_epoch)} ms",
            va="center", fontsize=8, color=TEXT,
        )  # fmt: skip
    axes.set_yticks(range(len(group.runs)), [run.isa for run in group.runs])
    axes.set_xlim(0, longest * 1.12)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    dress(axes, grid="x")


def name_of(model: Model, group: Group) -> str:
    """Returns the loss, with batch and learning rate if several groups have the same loss."""
    if len(model.losses) == len(model.groups):
        return group.loss
    return f"{group.loss}, batch {group.settings['batch']}, rate {group.settings['lr']:g}"


def curves(model: Model, look: Look) -> str:
    """Draws loss and test accuracy by epoch; one curve for all levels if they agree."""
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    columns = figure.subplots(1, 2)
    handles = []
    for i, group in enumerate(model.groups):
        together = group.curves_agree and len(group.runs) > 1
        for run in group.runs[:1] if together else group.runs:
            levels = f"{len(group.runs)} levels alike" if together else run.isa
            style = {
                "linestyle": at(DASHES, i),
                "color": TEXT if together else look.colour[run.isa],
                "marker": at(MARKERS, i) if together else look.marker[run.isa],
            }
            epochs = [e["epoch"] for e in run.epochs]
            for axes, key in zip(columns, ("train_loss", "test_accuracy")):
                (line,) = axes.plot(
                    epochs, [e[key] for e in run.epochs], markersize=3.5, linewidth=1.2,
                    label=f"{name_of(model, group)}:\n{levels}", **style,
                )  # fmt: skip
            handles.append(line)
    columns[0].set_ylabel("mean training loss", color=TEXT)
    columns[1].set_ylabel("test accuracy", color=TEXT)
    for axes in columns:
        axes.set_xlabel("epoch", color=TEXT)
        dress(axes, grid="both")
        axes.xaxis.get_major_locator().set_params(integer=True)
    legend(columns[1], handles, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return to_svg(figure)
