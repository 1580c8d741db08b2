# SPDX-License-Identifier: MIT
"""Reasons to doubt the figures of a run, each with a remedy."""

from dataclasses import dataclass

from .conditions import STOLEN
from .model import Model
from .numbers import plural
from .roofs import ABOVE, REMEDY, exceeded, text_of
from .rows import NOISY_MAD

# In a warning of older benchmarks, which did not suspect their ceilings.
BLAMES_THE_MODEL = "above what the model calls attainable"


@dataclass(frozen=True)
class Notice:
    what: str
    remedy: str  # "" if `what` includes it
    rows: tuple[str, ...] = ()
    others: str = ""  # where to find the rows that report.md does not list


def notices(model: Model) -> list[Notice]:
    found = [
        Notice(text if text.endswith(".") else f"{text}.", "")
        for text in model.results["warnings"]
        if BLAMES_THE_MODEL not in text
    ]
    machine, context = model.results["machine"], model.results.get("context", {})
    if model.results["build"]["dirty"]:
        found.append(Notice("The source had uncommitted changes.", "Commit, build and run again."))
    if model.results.get("verify", {}).get("failures"):
        found.append(
            Notice(
                "Some variants are wrong: see the proof. Times of wrong code mean nothing.",
                "Run downhill verify.",
            )
        )
    if machine["hypervisor"]:
        found.append(
            Notice(
                f"The machine is virtual ({machine['hypervisor']}): other guests share caches, "
                "memory and perhaps cores.",
                "Compare ratios within this run; for absolute figures use bare metal.",
            )
        )
    if context.get("cpu_scaling_enabled"):
        found.append(
            Notice(
                "The clock frequency was free to change.",
                "Run cpupower frequency-set -g performance first.",
            )
        )
    load = (context.get("load_avg") or [0.0])[0]
    # The load average is read when the benchmark ends, so it includes the benchmark's own threads.
    own = max((row.threads for row in model.timed), default=1)
    if load > max(own + 0.5, 0.5 * machine["pus"]):
        found.append(
            Notice(
                f"The load average was {load:.1f} on {plural(machine['pus'], 'CPU')}.",
                "Stop the other programs.",
            )
        )
    if noisy := [row for row in model.timed if row.is_noisy]:
        found.append(
            Notice(
                f"The spread (MAD) of {len(noisy)} of {len(model.timed)} rows is above "
                f"{NOISY_MAD:.0%} of the median.",
                "Run them again with --filter, more --repetitions or a longer --min-time.",
                tuple(row.name for row in noisy),
                "marked †",
            )
        )
    found += [
        Notice(text_of(o), REMEDY, tuple(row.name for row in o.rows), f"marked {ABOVE}")
        for o in exceeded(model)
        if not o.again  # otherwise the benchmark warns of it
    ]
    return [*found, *disturbed(model)]


def disturbed(model: Model) -> list[Notice]:
    """Returns notices of groups that lost CPU time. The run itself warns about its clock."""
    reasons = (
        (
            "lost more than 1 % of their time to the hypervisor",
            "Run again when the host is quieter.",
            lambda group: (group.stolen or 0.0) > STOLEN,
        ),
        (
            "were throttled by the quota of their container",
            "Give it whole CPUs, without a quota.",
            lambda group: bool(group.throttled),
        ),
        (
            "saw their thread moved to another CPU",
            "Pin the thread; downhill doctor shows what prevents pinning.",
            lambda group: bool(group.migrations),
        ),
    )
    found = []
    for what, remedy, applies in reasons:
        if groups := [group.name for group in model.conditions if applies(group)]:
            text = f"{len(groups)} of {len(model.conditions)} groups of rows {what}."
            found.append(Notice(text, remedy, tuple(groups), "in the table of disturbed groups"))
    return found
