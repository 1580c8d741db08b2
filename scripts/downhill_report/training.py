# SPDX-License-Identifier: MIT
"""Training runs: groups that differ only in the ISA level, and runs of methods without epochs."""

import statistics
from dataclasses import dataclass
from typing import Any

PHASES = ("gather", "score", "loss", "grad", "update", "other")
# Everything that two training runs must share for their times to be compared.
SETTINGS = (
    "loss", "dtype", "normalize", "shuffle", "dataset", "n_train", "d", "c", "batch", "lr",
    "schedule", "momentum", "nesterov", "validation", "reg", "delta", "seed", "threads",
)  # fmt: skip
# Further settings of methods other than SGD.
METHOD_SETTINGS = ("method", "scale", "step", "difference", "h", "coordinates", "tried")


@dataclass(frozen=True)
class TrainingRun:
    isa: str
    loss: str
    seconds_per_epoch: float  # median
    samples_per_s: float
    speedup: float | None  # over scalar
    test_accuracy: float
    phases: dict[str, float]  # share of the time
    epochs: list[dict[str, Any]]


@dataclass(frozen=True)
class Group:
    """Training runs that differ only in the ISA level."""

    loss: str
    settings: dict[str, Any]
    runs: list[TrainingRun]

    @property
    def best(self) -> TrainingRun:
        return min(self.runs, key=lambda run: run.seconds_per_epoch)

    @property
    def curves_agree(self) -> bool:
        """Whether the runs agree to the four decimal places shown."""
        return len({curve_of(run) for run in self.runs}) == 1


def curve_of(run: TrainingRun) -> tuple[tuple[str, str], ...]:
    return tuple((f"{e['train_loss']:.4f}", f"{e['test_accuracy']:.4f}") for e in run.epochs)


def by_epochs(run: dict[str, Any]) -> bool:
    """Returns whether the run is minibatch SGD, as all older results are."""
    return run.get("method", "sgd") == "sgd"


def groups_of(runs: list[dict[str, Any]], baseline: str | None) -> list[Group]:
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        if by_epochs(run) and run["epochs"]:
            grouped.setdefault(tuple(run.get(name) for name in SETTINGS), []).append(run)
    return [group_of(runs, baseline) for runs in grouped.values()]


def group_of(runs: list[dict[str, Any]], baseline: str | None) -> Group:
    scalar = next((epoch_seconds(run) for run in runs if run["isa"] == baseline), None)
    settings = {name: value for name, value in runs[0].items() if name not in ("epochs", "phases")}
    return Group(label(runs[0]), settings, [training_run(run, scalar) for run in runs])


def label(run: dict[str, Any]) -> str:
    """Returns the loss, with the type of features if it is not f32."""
    return f"{run['loss']} ({run['dtype']})" if run.get("dtype", "f32") != "f32" else run["loss"]


def training_run(run: dict[str, Any], scalar: float | None) -> TrainingRun:
    per_epoch = epoch_seconds(run)
    all_phases = sum(run["phases"][f"{phase}_s"] for phase in PHASES)
    return TrainingRun(
        isa=run["isa"],
        loss=label(run),
        seconds_per_epoch=per_epoch,
        samples_per_s=run["n_train"] / per_epoch,
        speedup=scalar / per_epoch if scalar else None,
        test_accuracy=run["epochs"][-1]["test_accuracy"],
        phases={p: run["phases"][f"{p}_s"] / all_phases if all_phases > 0 else 0.0 for p in PHASES},
        epochs=run["epochs"],
    )


def epoch_seconds(run: dict[str, Any]) -> float:
    return statistics.median(epoch["seconds"] for epoch in run["epochs"])
