# SPDX-License-Identifier: MIT
"""Time to a given test accuracy, for downhill and for other libraries."""

import statistics
from dataclasses import dataclass, replace
from typing import Any

from .numbers import setting
from .training import Group, TrainingRun

# Test accuracies close to the best that a linear classifier reaches on each data set. Other data
# sets are not compared.
TARGETS = {"fashion-mnist": (0.83, 0.84)}
# Settings that two runs must share to be compared, with the value that older results imply.
PROBLEM = {
    "loss": None, "dataset": None, "normalize": "none", "shuffle": "rows", "batch": None,
    "lr": None, "schedule": "constant", "momentum": 0.0, "validation": 0.0, "reg": None,
    "delta": 1.0, "threads": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    who: str
    isa: str | None  # None: another library
    dtype: str
    epochs: list[dict[str, Any]]
    missing: str = ""  # why there are no epochs
    note: str = ""
    slower: float | None = None  # time of an epoch over that of the best downhill entry

    @property
    def seconds_per_epoch(self) -> float:  # median
        return statistics.median(epoch["seconds"] for epoch in self.epochs)

    @property
    def test_accuracy(self) -> float:
        return self.epochs[-1]["test_accuracy"]

    def curve(self) -> list[tuple[float, float]]:
        """Returns (seconds of training, test accuracy) after each epoch."""
        points, seconds = [], 0.0
        for epoch in self.epochs:
            seconds += epoch["seconds"]
            points.append((seconds, epoch["test_accuracy"]))
        return points

    def seconds_to(self, target: float) -> float | None:
        """Returns the seconds up to and including the first epoch whose test accuracy reaches the
        target, or None if no epoch does."""
        return next((seconds for seconds, found in self.curve() if found >= target), None)


@dataclass(frozen=True)
class Comparison:
    """Entries trained on the same problem with the same settings."""

    loss: str
    settings: dict[str, Any]
    ours: list[Entry]
    theirs: list[Entry]
    baseline: str | None

    @property
    def targets(self) -> tuple[float, ...]:
        return TARGETS[self.settings["dataset"]]

    @property
    def entries(self) -> list[Entry]:
        return [*self.ours, *self.theirs]

    @property
    def best(self) -> Entry | None:
        return min(self.ours, key=lambda entry: entry.seconds_per_epoch, default=None)

    def best_on(self, dtype: str) -> Entry | None:
        entries = [entry for entry in self.ours if entry.dtype == dtype]
        return min(entries, key=lambda entry: entry.seconds_per_epoch, default=None)

    def drawn(self) -> list[Entry]:
        """Returns the best downhill entry per type of features, scalar code on f32 features (the
        type the other libraries use), and the other libraries."""
        ours = [self.best_on(dtype) for dtype in dict.fromkeys(entry.dtype for entry in self.ours)]
        scalar = [entry for entry in self.ours if entry.isa == self.baseline and entry not in ours]
        ours += sorted(scalar, key=lambda entry: entry.dtype != "f32")[:1]
        return [*ours, *(entry for entry in self.theirs if not entry.missing)]


def problem_of(run: dict[str, Any]) -> tuple[str, ...]:
    """Returns the settings as text. Values are compared at the printed precision, because some went
    through an f32 and others did not."""
    return tuple(
        setting(float(value) if isinstance(value, (int, float)) else value)
        for value in (run.get(name, default) for name, default in PROBLEM.items())
    )


def comparisons_of(
    groups: list[Group], peers: list[dict[str, Any]], baseline: str | None
) -> list[Comparison]:
    """Returns one comparison per problem that another library was trained on; if there are no other
    libraries, one per problem that downhill was trained on."""
    ours: dict[tuple[str, ...], list[Group]] = {}
    theirs: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for group in groups:
        ours.setdefault(problem_of(group.settings), []).append(group)
    for row in peers:
        theirs.setdefault(problem_of(row), []).append(row)
    settings = {problem_of(s): s for s in [*peers, *(group.settings for group in groups)]}
    return [
        comparison(settings[key], ours.get(key, []), theirs.get(key, []), baseline)
        for key in (theirs or ours)
        if settings[key]["dataset"] in TARGETS
    ]


def comparison(
    settings: dict[str, Any], groups: list[Group], peers: list[dict[str, Any]], baseline: str | None
) -> Comparison:
    ours = [entry_of(run, group) for group in groups for run in group.runs]
    best = min((entry.seconds_per_epoch for entry in ours), default=None)
    ours, theirs = (
        [replace(o, slower=o.seconds_per_epoch / best) if best and o.epochs else o for o in entries]
        for entries in (ours, [peer_entry(row) for row in peers])
    )
    return Comparison(settings["loss"], settings, ours, theirs, baseline)


def entry_of(run: TrainingRun, group: Group) -> Entry:
    dtype = group.settings.get("dtype", "f32")
    return Entry(f"downhill {dtype}, {run.isa}", run.isa, dtype, run.epochs)


def peer_entry(row: dict[str, Any]) -> Entry:
    who = f"{row['library']} {row.get('version', '')}".strip()
    return Entry(
        who, None, row.get("dtype", ""), row["epochs"], row["missing"], row.get("note", "")
    )
