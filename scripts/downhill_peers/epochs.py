# SPDX-License-Identifier: MIT
"""Timing and results, which are the same for every library."""

import importlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy

from .problem import DATASET, CheckFailed, Problem, Settings


class Trainer(Protocol):
    """Trains from zero weights. The constructor does what need be done only once."""

    version: str
    dtype: str
    note: str
    first_loss: float | None  # None: the loss differs from downhill's

    def epoch(self) -> float | None:
        """Shuffles, steps through all samples once and returns the mean of the losses before the
        steps."""

    def scores(self, x: numpy.ndarray) -> numpy.ndarray:
        """Returns the scores of the test samples."""


@dataclass(frozen=True)
class Library:
    name: str
    module: str
    package: str
    open: Callable[[Problem, Settings], Trainer]


def missing(library: Library) -> str:
    """Returns why the library cannot be used, or "" if it can."""
    try:
        importlib.import_module(library.module)
    except ModuleNotFoundError as error:
        if error.name == library.module:
            return f"{library.package} is not installed; scripts/setup peers installs it"
        return f"{library.package} cannot be loaded: {error}"
    except (ImportError, OSError) as error:
        return f"{library.package} cannot be loaded: {error}"
    return ""


def run(
    trainer: Trainer, problem: Problem, settings: Settings, tell: Callable[[dict[str, Any]], None]
) -> list[dict[str, Any]]:
    """Times shuffling and steps, as downhill does, and tests after each epoch."""
    epochs = []
    for number in range(1, settings.epochs + 1):
        start = time.perf_counter()
        loss = trainer.epoch()
        seconds = time.perf_counter() - start
        if loss is not None and not math.isfinite(loss):
            raise CheckFailed(
                f"diverged: the loss is {loss} in epoch {number}; try --lr {settings.lr / 10:.2g}"
            )
        found = trainer.scores(problem.test_x).argmax(axis=1)
        accuracy = float((found == problem.test_y).mean())
        epochs.append(
            {"epoch": number, "seconds": seconds, "train_loss": loss, "test_accuracy": accuracy}
        )
        tell(epochs[-1])
    return epochs


def head(library: Library, settings: Settings) -> dict[str, Any]:
    """Returns the settings of a row, by which the report finds the matching runs of downhill."""
    return {
        "library": library.name, "loss": settings.loss, "dataset": DATASET,
        "normalize": settings.normalize, "shuffle": "rows", "batch": settings.batch,
        "lr": settings.lr, "schedule": "constant", "momentum": 0.0, "reg": settings.reg,
        "delta": settings.delta, "seed": settings.seed, "threads": settings.threads,
        "epochs_asked": settings.epochs,
    }  # fmt: skip


def row(
    library: Library, settings: Settings, problem: Problem, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    trainer = library.open(problem, settings)
    return head(library, settings) | {
        "missing": "", "version": trainer.version, "dtype": trainer.dtype,
        "n_train": len(problem.train_y), "n_test": len(problem.test_y),
        "d": problem.train_x.shape[1], "c": problem.c, "first_loss": trainer.first_loss,
        "epochs": run(trainer, problem, settings, tell), "note": trainer.note,
    }  # fmt: skip
