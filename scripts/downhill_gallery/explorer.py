# SPDX-License-Identifier: MIT
"""The data of the explorer in the page, in the form that reports/template/gallery.js reads. Names
are replaced by numbers: ten machines fit into a page of 1 MB."""

import json
from collections.abc import Sequence
from typing import Any

from . import bought
from .entry import Entry, Ratio, Row, Work
from .features import F32, FEATURES


class Names:
    """Numbers names in the order in which they are first used."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    @property
    def all(self) -> list[str]:
        return list(self.numbers)


def data(entries: Sequence[Entry]) -> dict[str, Any]:
    isas, kernels, shapes, bounds, reasons = Names(), Names(), Names(), Names(), Names()
    for entry in entries:
        for name in entry.levels:
            isas(name)
    levels = {name for entry in entries for name in entry.levels}
    machines = []
    for entry in entries:
        groups = []
        for work, rows in entry.rows.items():
            clock = next((row.clock_ghz for row in rows.values() if row.clock_ghz), None)
            group: list[Any] = [
                kernels(work.kernel), shapes("×".join(map(str, work.shape))),
                int(work.cache == "cold"), work.threads, entry.flops[work], clock,
                [packed(row, clock, isas, bounds) for row in rows.values()],
            ]  # fmt: skip
            if skipped := entry.skipped[work]:
                group.append({isas(isa): reasons(why) for isa, why in skipped.items()})
            groups.append(group)
        machines.append({"entry": entry, "groups": groups})
    for machine in machines:
        entry = machine.pop("entry")
        machine |= {
            "title": entry.title,
            "version": entry.build["commit"][:7],
            "clock": (entry.document["ceilings"] or {}).get("clock_ghz"),
            "in_passes": entry.in_passes,
            "lacks": {i: why for i, isa in enumerate(isas.all)
                      if isa != F32 and (why := bought.lacks(entry, isa, isa in levels))},
            "kernels": [i for i, name in enumerate(kernels.all)
                        if name in entry.document["kernels"]],
            "missing": [bought.why_missing(entry, feature) for feature in FEATURES],
        }  # fmt: skip
    return {
        "isas": isas.all,
        "peers": [i for i, name in enumerate(isas.all) if name not in levels and name != F32],
        "kernels": kernels.all,
        "shapes": shapes.all,
        "bounds": bounds.all,
        "reasons": reasons.all,
        "f32": isas.numbers.get(F32, -1),
        "features": [
            [feature.title, isas.numbers.get(feature.level, -1),
             [isas.numbers.get(base, -1) for base in feature.bases],
             f"_{feature.level}" if F32 in feature.bases else ""]
            for feature in FEATURES
        ],
        "machines": machines,
    }  # fmt: skip


def packed(row: Row, clock: float | None, isas: Names, bounds: Names) -> list[Any]:
    """Returns [level, median, ends of its interval in thousandths, attainable G/s, bound, marks,
    ratios, clock unless it is that of the group]. Ratios are a flat list: level, value and ends of
    the interval of each. Missing values at the end are left out."""
    ends = [thousandths(row.median_ns, end) for end in (row.low_ns, row.high_ns)]
    over: list[Any] = []
    for base, ratio in row.over.items():
        over += (isas(base), ratio.value, *ends_of(ratio))
    cells = [
        isas(row.isa), row.median_ns, *ends, row.attainable,
        None if row.bound is None else bounds(row.bound), row.marks or None, over or None,
        None if row.clock_ghz == clock else row.clock_ghz,
    ]  # fmt: skip
    while cells[-1] is None:
        cells.pop()
    return cells


def ends_of(ratio: Ratio) -> list[int | None]:
    return [thousandths(ratio.value, end) for end in (ratio.low, ratio.high)]


def thousandths(value: float, end: float | None) -> int | None:
    return None if end is None else round(1000 * (end / value - 1))


def text(entries: Sequence[Entry]) -> str:
    """Returns the data as JSON that may stand inside an HTML element."""
    document = json.dumps(data(entries), ensure_ascii=False, separators=(",", ":"))
    return document.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
