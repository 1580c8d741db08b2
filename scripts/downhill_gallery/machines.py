# SPDX-License-Identifier: MIT
"""The table of machines side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from downhill_report.numbers import bytes_text, number, percent, plural, setting

from .entry import Entry

UNRECORDED = "not recorded"


@dataclass(frozen=True)
class Line:
    title: str
    cells: list[str]

    @property
    def differs(self) -> bool:
        return len(set(self.cells)) > 1


def recorded(value: Any) -> str:
    return UNRECORDED if value is None else str(value)


def signature(entry: Entry) -> str:
    parts = [entry.machine[key] for key in ("family", "model", "stepping")]
    return UNRECORDED if None in parts else " / ".join(map(str, parts))


def cache(level: int) -> Callable[[Entry], str]:
    def text(entry: Entry) -> str:
        for found in entry.machine["caches"]:
            if found["level"] == level and found["type"] != "instruction":
                shared = found["shared_by_pus"]
                by = f", shared by {shared} threads" if shared > 1 else ""
                return f"{bytes_text(found['bytes'])}{by}"
        return "none"

    return text


def microarchitecture(entry: Entry) -> str:
    known = entry.document["gallery_entry"]["microarchitecture"]
    if known is None:
        return UNRECORDED
    source = "named by the user" if known["from"] == "user" else "a guess from family and model"
    return f"{known['name']} ({source})"


def levels(entry: Entry) -> str:
    return ", ".join(name for name, level in entry.levels.items() if level["usable"])


def version(entry: Entry) -> str:
    return f"{entry.build['version']}, commit {entry.commit}"


def run(entry: Entry) -> str:
    settings = entry.document["run"]
    text = f"at least {plural(settings['repetitions'], 'sample')} of {settings['min_time_s']:g} s"
    if settings["precision"]:
        text += f", until within {setting(100 * settings['precision'])} %"
    return text


def passes(entry: Entry) -> str:
    return str(entry.document["run"]["passes"] or 1)


def arguments(entry: Entry) -> str:
    options = entry.document["run"]["arguments"]
    return UNRECORDED if options is None else " ".join(options) or "none"


def floor(entry: Entry) -> str:
    found = entry.document["noise_floor"]
    if found is None or found["p95"] is None:
        return "not measured"
    p95 = percent(found["p95"])
    if not entry.in_passes:
        # Older results measured some rows again; p95 is that of the pairs of measurements.
        return f"two measurements of a row differ by less than {p95} in 95 % of cases"
    median = f"median {percent(found['median'])}; " if found["median"] is not None else ""
    return f"{median}below {p95} for 95 % of rows"


def rows(entry: Entry) -> str:
    all_rows = [row for rows_of_work in entry.rows.values() for row in rows_of_work.values()]
    text = plural(len(all_rows), "row")
    if shared := sum(row.shared for row in all_rows):
        text += f", {shared} on a shared core"
    for left_out in entry.document["left_out"]:
        text += f"; left out: {left_out['rows']} ({left_out['what']})"
    return text


LINES: tuple[tuple[str, Callable[[Entry], str]], ...] = (
    ("CPU", lambda e: e.machine["cpu_name"]),
    ("Microarchitecture", microarchitecture),
    ("Family / model / stepping", signature),
    ("Virtual machine", lambda e: e.machine["hypervisor"] or "no"),
    ("Cores / threads", lambda e: f"{e.machine['cores']} / {e.machine['pus']}"),
    ("L1 data cache", cache(1)),
    ("L2 cache", cache(2)),
    ("L3 cache", cache(3)),
    ("Memory", lambda e: bytes_text(e.machine["memory_bytes"])),
    ("CPU features", lambda e: ", ".join(e.machine["features"])),
    ("ISA levels", levels),
    ("Version", version),
    ("Compiler", lambda e: f"{e.build['compiler']}, {e.build['build_type']}"),
    ("Measured", lambda e: e.document["date"]),
    ("Samples per row", run),
    ("Passes", passes),
    ("Options of the run", arguments),
    ("Noise floor", floor),
    ("Rows", rows),
)  # fmt: skip


def ceilings(entries: Sequence[Entry]) -> list[Line]:
    """Returns the clock, the peaks and the bandwidths that any entry has."""
    found = [entry.document["ceilings"] or {} for entry in entries]
    lines = [Line("Clock", [unit(ceiling.get("clock_ghz"), "GHz") for ceiling in found])]
    for member, what, name in (
        ("peaks_g_per_s", "Peak", "G/s"),
        ("read_gb_per_s", "Reading", "GB/s"),
    ):
        for key in dict.fromkeys(key for ceiling in found for key in ceiling.get(member, {})):
            cells = [unit(ceiling.get(member, {}).get(key), name) for ceiling in found]
            lines.append(Line(f"{what}: {key}", cells))
    return lines


def unit(value: float | None, name: str) -> str:
    return "–" if value is None else f"{number(value)} {name}"


def lines_of(entries: Sequence[Entry]) -> list[Line]:
    facts = [Line(title, [text(entry) for entry in entries]) for title, text in LINES]
    return facts + ceilings(entries)
