# SPDX-License-Identifier: MIT
"""Determines whether a sample had less than a whole core and why threads waited for their CPU, as
bench/interference.c and base/waited.c do."""

from typing import Any

CPU, CORE = "CPU", "core"
# A sample lacked the CPU if its thread ran for at most this share of its time.
RAN = 0.9
# Minimum share of the waiting time for a cause to be named.
SHARE_MIN = 0.1
# Maximum time that one involuntary switch can account for, in seconds.
TURN_S = 0.1
NEIGHBOUR = "another hardware thread shared the core"
# With several threads the measured CPU time cannot tell the two cases apart.
TEAM = "one of its threads waited for a CPU or shared its core"


def lack_of(entry: dict[str, Any]) -> str | None:
    """Returns CPU, CORE, or None for a sample that had a whole core or was not checked."""
    if entry.get("alone", True):
        return None
    # The CPU time is that of one thread and says nothing about the others.
    return CPU if entry["threads"] <= 1 and entry["cpu_time"] <= RAN * entry["real_time"] else CORE


def waited_s(entries: list[dict[str, Any]]) -> float:
    """Returns for how many seconds the threads of these samples were off their CPU."""
    return 1e-9 * sum(max(e["real_time"] - e["cpu_time"], 0.0) * e["iterations"] for e in entries)


def groups_of_rows(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Returns row name -> the groups that it was sampled in, one per pass, without rows that have
    no group."""
    names = list(dict.fromkeys(entry["run_name"] for entry in document["benchmarks"]))
    at = {name: i for i, name in enumerate(names)}
    out: dict[str, list[dict[str, Any]]] = {}
    for group in document.get("groups", []):
        first = at.get(group.get("first_row"))
        if first is None:
            continue
        for name in names[first : first + group.get("rows", 1)]:
            out.setdefault(name, []).append(group)
    return out


def causes(groups: list[dict[str, Any]], seconds: float) -> str:
    """Returns what kept threads off their CPU for this many seconds, by the counters of these
    groups."""

    def total(key: str) -> float:
        return sum(group.get(key) or 0.0 for group in groups)

    minimum = SHARE_MIN * seconds
    throttled, periods, steal = total("throttled_s"), total("throttled_periods"), total("steal_s")
    # The end of a throttled period also counts as an involuntary switch.
    switches = total("involuntary_switches") - periods
    found = []
    if throttled > 0 and throttled >= minimum:
        found.append("the CPU quota of a control group")
    if steal > 0 and steal >= minimum:
        found.append("the hypervisor")
    if switches > 0 and switches * TURN_S >= minimum:
        found.append("other threads on the CPU")
    return " and ".join(found) or "a cause that no counter tells"


def lacks(entries: list[dict[str, Any]], groups: list[dict[str, Any]]) -> str:
    """Returns what most of the samples without a whole core lacked and why, or "" if every sample
    had one."""
    lacking = [lack for entry in entries if (lack := lack_of(entry)) is not None]
    if not lacking:
        return ""
    if any(entry["threads"] > 1 for entry in entries):
        return TEAM
    if lacking.count(CPU) > len(lacking) / 2:
        return f"its thread was stopped by {causes(groups, waited_s(entries))}"
    return NEIGHBOUR


def why_waited(document: dict[str, Any]) -> str:
    """Returns what stopped the threads of the samples that lacked the CPU."""
    groups = groups_of_rows(document)
    samples = [
        e for e in document["benchmarks"] if e["run_type"] == "iteration" and lack_of(e) == CPU
    ]
    of = {
        id(group): group
        for e in samples
        for group in groups.get(e["run_name"], [])
        if group.get("pass", 0) == e.get("pass", 0)
    }
    return causes(list(of.values()), waited_s(samples))
