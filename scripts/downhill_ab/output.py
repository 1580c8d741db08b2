# SPDX-License-Identifier: MIT
"""The verdicts as text and as JSON."""

import json
from collections import Counter

from downhill_compare.output import percent, table
from downhill_compare.verdicts import Verdict
from downhill_report.numbers import plural

from .builds import Build
from .measure import Row
from .verdicts import Judged

HEADINGS = [
    "row", "old us", "new/old", "95 % CI", "new takes", "old SD %", "ratio SD %", "verdict",
]  # fmt: skip


def cells(row: Judged) -> list[str]:
    note = f" (results differ by {row.row.difference:.1g})" if row.row.difference else ""
    return [
        row.row.name, f"{row.row.call_ns / 1e3:.4g}", f"{row.ratio:.4f}",
        f"{row.low:.4f} to {row.high:.4f}", percent(row.ratio), f"{100 * row.layout:.2f}",
        f"{100 * row.layout_ratio:.2f}", row.verdict.value + note,
    ]  # fmt: skip


def text(builds: tuple[Build, Build], rows: list[Row], judged: list[Judged], about: str) -> str:
    old, new = builds
    counts = Counter(row.verdict for row in judged)
    parts = [
        f"old: {old.what}\nnew: {new.what}\n{about}",
        table(HEADINGS, [cells(row) for row in judged], (0, 7)),
        ", ".join(f"{counts[v]} {v.value}" for v in Verdict) + f" of {plural(len(judged), 'row')}",
    ]
    if any(row.row.difference for row in judged):
        parts.append(
            "results differ: the largest difference of the results of both builds, relative to the "
            "largest result"
        )
    if skipped := [row for row in rows if not row.is_timed]:
        parts.append(
            "\n".join(["Not timed:", *(f"  {row.name}: {row.skipped}" for row in skipped)])
        )
    return "\n\n".join(parts) + "\n"


def as_json(
    builds: tuple[Build, Build], rows: list[Row], judged: list[Judged], settings: dict[str, object]
) -> str:
    document = {
        "schema_version": 1,
        "old": builds[0].what,
        "new": builds[1].what,
        **settings,
        "rows": [
            {
                "row": row.row.name,
                "old_ns": row.row.call_ns,
                "time_ratio": row.ratio,
                "ci95_low": row.low,
                "ci95_high": row.high,
                "p_adjusted": row.p,
                "layout": row.layout,
                "layout_ratio": row.layout_ratio,
                "verdict": row.verdict.value,
                "results_differ": row.row.difference,
                "process_ratios": row.row.process_ratios(),
            }
            for row in judged
        ],
        "not_timed": [{"row": r.name, "why": r.skipped} for r in rows if not r.is_timed],
    }
    return json.dumps(document, indent=1) + "\n"
