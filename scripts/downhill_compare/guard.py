# SPDX-License-Identifier: MIT
"""Checks that runs are comparable, so that times of different machines or builds are not called
faster or slower by accident. Rows that only one run has are listed by verdicts.py."""

from downhill_report.errors import Mismatch
from downhill_report.numbers import plural

from .runs import Run
from .verdicts import MAX_FLOOR

BUILD = ("compiler", "build_type", "flags")
REMEDY = "--cross-machine compares what both have"


def check(first: Run, other: Run) -> None:
    """Refuses runs of different machines or builds. Commits may differ: comparing them is the
    purpose."""
    if first.machine != other.machine:
        raise Mismatch(
            f"{other.path}: from another machine ({other.machine}) than {first.path} "
            f"({first.machine}); {REMEDY}"
        )
    for key in BUILD:
        if different := difference(first.document["build"][key], other.document["build"][key]):
            raise Mismatch(
                f"{other.path}: build.{key} differs from that of {first.path} ({different}); "
                f"build both alike, or {REMEDY}"
            )


def difference(mine: str | dict[str, str], theirs: str | dict[str, str]) -> str:
    """Describes the difference of two texts, or the first difference of two dictionaries (flags by
    level); levels that only one build has are ignored. Returns "" if there is none."""
    if isinstance(mine, dict):
        both = [name for name in mine if name in theirs]
        return next(
            (f"{name}: {text}" for name in both if (text := difference(mine[name], theirs[name]))),
            "",
        )
    return f"'{theirs}' and '{mine}'" if mine != theirs else ""


def remarks(runs: list[Run]) -> list[str]:
    """Returns warnings about runs that may still be compared."""
    out = []
    for run in runs:
        if run.document.get("partial"):
            out.append(f"{run.path}: the run was interrupted; some rows are missing")
        if run.document["build"]["dirty"]:
            out.append(
                f"{run.path}: built with uncommitted changes on {run.document['build']['commit']}"
            )
        noisy = [row.name for row in run.rows.values() if (row.floor or 0.0) > MAX_FLOOR]
        if noisy and not run.side:
            out.append(
                f"{run.path}: {plural(len(noisy), 'row')} of {len(run.rows)} have a noise floor "
                f"above {MAX_FLOOR:.0%}: smaller differences cannot be detected there; `downhill "
                f"doctor` shows what disturbs the machine ({', '.join(noisy[:3])}"
                f"{', ...' if len(noisy) > 3 else ''})"
            )
    return out
