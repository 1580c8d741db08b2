# SPDX-License-Identifier: MIT
"""May these runs be compared? Times of different machines or builds may not be called faster or slower by
accident. Rows that only one run has are for verdicts.py to list."""

from downhill_report.errors import Mismatch

from .runs import Run
from .verdicts import LARGEST_FLOOR

BUILD = ("compiler", "build_type", "flags")
WAY_OUT = "--cross-machine compares what both have"


def check(first: Run, other: Run) -> None:
    """The commit may differ: to compare commits is what this is for."""
    if first.machine != other.machine:
        raise Mismatch(
            f"{other.path}: of another machine ({other.machine}) than {first.path} "
            f"({first.machine}); {WAY_OUT}"
        )
    for key in BUILD:
        if different := difference(first.document["build"][key], other.document["build"][key]):
            raise Mismatch(
                f"{other.path}: build.{key} is not that of {first.path} ({different}); "
                f"build both alike, or {WAY_OUT}"
            )


def difference(mine: str | dict[str, str], theirs: str | dict[str, str]) -> str:
    """Of texts, or of the first of several by name, as flags are by level; a level that one of them was
    built without forbids nothing. Empty: none."""
    if isinstance(mine, dict):
        both = [name for name in mine if name in theirs]
        return next((f"{name}: {text}" for name in both if (text := difference(mine[name], theirs[name]))), "")
    return f"'{theirs}' and '{mine}'" if mine != theirs else ""


def remarks(runs: list[Run]) -> list[str]:
    """What does not forbid a comparison, but should be known."""
    out = []
    for run in runs:
        if run.document.get("partial"):
            out.append(f"{run.path}: that run was broken off; some rows are missing")
        if run.document["build"]["dirty"]:
            out.append(f"{run.path}: built with uncommitted changes on {run.document['build']['commit']}")
        if run.floor is not None and run.floor > LARGEST_FLOOR:
            out.append(
                f"{run.path}: its noise floor is {run.floor:.0%}: this machine can tell larger differences "
                "only; `downhill doctor` says what disturbs it"
            )
    return out
