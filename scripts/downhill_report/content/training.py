# SPDX-License-Identifier: MIT
"""Training, end to end."""

from typing import Any

from ..model import Model
from ..numbers import NONE, number, optional, percent, setting, times
from ..training import PHASES, Group, label
from .blocks import Block, Drawing, Section, Table, Text
from .captions import CAPTIONS, curves_text
from .endtoend import endtoend


def anything(model: Model) -> bool:
    return bool(model.training or model.other_methods or model.comparisons)


def training(model: Model) -> Section:
    blocks: list[Block] = endtoend(model)
    for group in model.groups:
        blocks += [Text(settings_of(group)), table(group)]
    if model.groups:
        blocks += [Drawing("phases", CAPTIONS["phases"]), Drawing("curves", curves_text(model))]
    if model.other_methods:
        blocks.append(other_methods(model.other_methods))
    return Section("training", "Training, end to end", "Training", blocks)


def settings_of(group: Group) -> str:
    s = group.settings
    margin = f", margin {setting(s['delta'])}" if s["loss"] == "hinge" else ""
    more = other_settings(s)
    return (
        f"{group.loss.capitalize()} loss on {s['dataset']}: {s['n_train']} training and "
        f"{s['n_test']} test samples ({s['test_set']}), {s['d']} features, {s['c']} classes; batch "
        f"{s['batch']}, learning rate {setting(s['lr'])}, penalty {setting(s['reg'])}{margin}, "
        f"seed {s['seed']}{'; ' + more if more else ''}."
    )


def other_settings(settings: dict[str, Any]) -> str:
    """Returns the settings that older results lack and that differ from the default."""
    words = []
    if "dtype" in settings:
        words.append(f"{settings['dtype']} features")
    if settings.get("normalize", "none") != "none":
        words.append(f"normalised ({settings['normalize']})")
    if settings.get("shuffle", "rows") != "rows":
        orders = {"batch": "whole minibatches shuffled", "none": "not shuffled"}
        words.append(orders[settings["shuffle"]])
    if settings.get("momentum"):
        kind = "Nesterov momentum" if settings.get("nesterov") else "momentum"
        words.append(f"{kind} {setting(settings['momentum'])}")
    if settings.get("schedule", "constant") != "constant":
        words.append(f"learning rate schedule {settings['schedule']}")
    if settings.get("n_validation"):
        words.append(f"{settings['n_validation']} validation samples")
    threads = settings.get("threads", 1)
    if threads > 1:
        words.append(f"{threads} threads")
    return ", ".join(words)


def other_methods(runs: list[dict[str, Any]]) -> Table:
    """Returns the table of methods that count evaluations of the loss instead of epochs."""
    return Table(
        "Other methods. An evaluation computes the loss of all training samples",
        [
            "method", "loss", "ISA level", ">evaluations", ">seconds", ">final loss",
            ">test accuracy",
        ],
        [
            [
                run["method"], label(run), run["isa"], str(run["evaluations"]),
                number(run["seconds"]),
                optional(run["points"][-1]["loss"], 4) if run["points"] else NONE,
                percent(run["test_accuracy"], 2),
            ]
            for run in runs
        ],
    )  # fmt: skip


def table(group: Group) -> Table:
    return Table(
        f"{group.loss.capitalize()}: medians over the epochs; phases are shares of the time",
        [
            "loss", "ISA level", ">s per epoch", ">samples/s", ">vs scalar", ">test accuracy",
            *(f">{phase}" for phase in PHASES),
        ],
        [
            [
                run.loss, run.isa, number(run.seconds_per_epoch), number(run.samples_per_s),
                times(run.speedup), percent(run.test_accuracy, 2),
                *(percent(run.phases[phase]) for phase in PHASES),
            ]
            for run in group.runs
        ],
    )  # fmt: skip
