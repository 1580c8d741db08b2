# SPDX-License-Identifier: MIT
"""Tells what a sample lacked and why threads waited for their CPU, as bench/alone.c and base/waited.c do."""

from typing import Any

CPU, CORE = "CPU", "core"
# A sample whose thread ran for no more than this share of its time lacked the CPU.
RAN = 0.9
# Share of the time that a cause accounts for before it is named.
SHARE_MIN = 0.1
# Seconds that each involuntary switch can account for.
TURN_S = 0.1
NEIGHBOUR = "another hardware thread shared the core"
# The clock of one of several threads does not tell which of these it was.
TEAM = "one of its threads waited for a CPU or shared its core"


def lack_of(entry: dict[str, Any]) -> str | None:
    """CPU, CORE, or None for a sample that had the core to itself, or where nobody looked."""
    if entry.get("alone", True):
        return None
    # The CPU time of one of several threads does not tell what the others had.
    return CPU if entry["threads"] <= 1 and entry["cpu_time"] <= RAN * entry["real_time"] else CORE


def waited_s(entries: list[dict[str, Any]]) -> float:
    """How long the threads of these samples were off their CPU."""
    return 1e-9 * sum(max(e["real_time"] - e["cpu_time"], 0.0) * e["iterations"] for e in entries)


def group_of_rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By the name of a row, the group that it was sampled in; rows without one are missing."""
    names = list(dict.fromkeys(entry["run_name"] for entry in document["benchmarks"]))
    at = {name: i for i, name in enumerate(names)}
    out: dict[str, dict[str, Any]] = {}
    for group in document.get("groups", []):
        first = at.get(group.get("first_row"))
        if first is not None:
            out |= dict.fromkeys(names[first : first + group.get("rows", 1)], group)
    return out


def causes(groups: list[dict[str, Any]], seconds: float) -> str:
    """Names what kept threads off their CPU for this many seconds, as far as the counters of these groups tell."""

    def total(key: str) -> float:
        return sum(group.get(key) or 0.0 for group in groups)

    least = SHARE_MIN * seconds
    throttled, periods, steal = total("throttled_s"), total("throttled_periods"), total("steal_s")
    # The end of a throttled period is counted as such a switch as well.
    switches = total("involuntary_switches") - periods
    found = []
    if throttled > 0 and throttled >= least:
        found.append("the CPU quota of a control group")
    if steal > 0 and steal >= least:
        found.append("the hypervisor")
    if switches > 0 and switches * TURN_S >= least:
        found.append("other threads on the CPU")
    return " and ".join(found) or "a cause that no counter tells"


def lacks(entries: list[dict[str, Any]], groups: list[dict[str, Any]]) -> str:
    """Says what most of the samples without a whole core lacked, and why; empty if every sample had one."""
    lacking = [lack for entry in entries if (lack := lack_of(entry)) is not None]
    if not lacking:
        return ""
    if any(entry["threads"] > 1 for entry in entries):
        return TEAM
    if lacking.count(CPU) > len(lacking) / 2:
        return f"its thread was stopped by {causes(groups, waited_s(entries))}"
    return NEIGHBOUR


def why_waited(document: dict[str, Any]) -> str:
    """Names what stopped the threads of the samples that lacked the CPU."""
    groups = group_of_rows(document)
    samples = [e for e in document["benchmarks"] if e["run_type"] == "iteration" and lack_of(e) == CPU]
    of = {id(group): group for e in samples if (group := groups.get(e["run_name"]))}
    return causes(list(of.values()), waited_s(samples))
