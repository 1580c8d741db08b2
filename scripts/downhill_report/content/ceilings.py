# SPDX-License-Identifier: MIT
"""Table of the ceilings that a run measured: maximum rates of this machine."""

from typing import Any

from ..numbers import NONE, number
from ..roofs import peaks
from .blocks import Table

ACCESSES = {
    "read_gb_per_s": "reading",
    "copy_gb_per_s": "copying",
    "triad_gb_per_s": "triad (a = b + s·c)",
    "scattered_gb_per_s": "rows of 3 KiB in random order",
}


def table_of(found: dict[str, Any]) -> Table:
    """Returns the table of ceilings, one column per number of threads."""
    sets = [found, *found.get("threads", [])]
    threads = [1, *(o["threads"] for o in found.get("threads", []))]
    blank = [""] * (len(sets) - 1)
    lines = [["clock", f"{found['clock_ghz']:.2f} GHz", *blank]]
    for key, what in (("timer_ns", "reading the time"), ("call_ns", "calling the smallest score")):
        if found.get(key):
            lines.append([what, f"{number(found[key])} ns", *blank])
    for what, rate_of in peaks(found):
        lines.append([what, *(cell(rate_of(o), "GFLOP/s") + units(o, what) for o in sets)])
    for level in found["read"]:
        for key, what in ACCESSES.items():
            if level.get(key):
                levels = [of_level(o, level["level"]) for o in sets]
                lines.append([f"{what}, {level['level']}", *(bandwidth(o, key) for o in levels)])
    return Table(
        f"Ceilings, {when(found)}; for several threads, the sum over them",
        ["", *(f">{n} thread{'' if n == 1 else 's'}" for n in threads)],
        lines,
    )


def repeated(found: dict[str, Any]) -> Table | None:
    """Returns the table of ceilings that rows exceeded, with the result of measuring them again."""
    if not found.get("repeated"):
        return None
    return Table(
        "Ceilings that rows exceeded, measured again; 10⁹ operations or bytes per second",
        [
            "ceiling", ">threads", ">before", ">after", ">rows above before", ">rows above after",
            "~finding",
        ],
        [
            [
                o["ceiling"], str(o["threads"]), number(o["before"]), number(o["after"]),
                str(o["rows_before"]), str(o["rows_after"]), o["finding"],
            ]
            for o in found["repeated"]
        ],
    )  # fmt: skip


def units(found: dict[str, Any], what: str) -> str:
    """Returns the instructions per cycle and thread of a peak, or "" if the file does not have
    them."""
    for peak in found.get("peaks", []):
        if f"{peak['what']}, {peak['isa']}" == what:
            doubt = ", in doubt" if peak["doubt"] else ""
            return f" ({peak['instructions_per_cycle']:.3g} per cycle{doubt})"
    return ""


def of_level(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns a level of memory, or {} if it was not measured with several threads, whose share of
    it would have fit the next nearer level."""
    return next((level for level in found["read"] if level["level"] == name), {})


def bandwidth(level: dict[str, Any], key: str) -> str:
    return cell(level.get(key), "GB/s") + (
        " (in doubt)" if level.get(key) and level.get("doubt") else ""
    )


def when(found: dict[str, Any]) -> str:
    """Returns whether the ceilings were measured in this run, or how long before it."""
    if not found.get("age_s"):
        return "measured in this run"
    return f"measured {number(found['age_s'] / 3600)} h before this run ({found['measured']})"


def cell(value: float | None, unit: str) -> str:
    return f"{number(value)} {unit}" if value else NONE
