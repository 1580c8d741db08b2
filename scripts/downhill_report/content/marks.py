# SPDX-License-Identifier: MIT
"""Marks for figures of noisy rows, and the number of samples behind the medians."""

from ..numbers import percent, plural
from ..roofs import ABOVE
from ..rows import NOISY_MAD, Ratio, Row
from .blocks import Block, Table, Text

MARK = "†"
NOTE = (
    f"{MARK}: rough, because the spread (MAD) of the row is above {percent(NOISY_MAD, 0)} of the "
    "median or too few of its samples had a whole core; see the warnings."
)
ABOVE_NOTE = (
    f"{ABOVE}: above the roof. Suspect the ceiling that is named as the bound before the row; "
    "Roofline says what was done about it."
)


def share(row: Row, places: int = 0) -> str:
    """Formats the share of what is attainable, with a mark if the row is above its roof."""
    return percent(row.share, places) + (f" {ABOVE}" if row.above_roof else "")


def marked(text: str, *of: Row | Ratio | None) -> str:
    """Adds the mark to a figure if a row or ratio that it is computed from is doubtful."""
    return f"{text} {MARK}" if any(o and o.is_doubtful for o in of) else text


def explained(table: Table) -> list[Block]:
    """Returns the table, followed by an explanation of each mark that a cell has."""
    cells = [cell for line in table.lines for cell in line]
    notes = ((MARK, NOTE), (ABOVE, ABOVE_NOTE))
    used = [Text(note) for mark, note in notes if any(mark in cell for cell in cells)]
    return [table, *used]


def min_samples(rows: list[Row]) -> str:
    """Returns the minimum number of samples per row, and how many were taken if some are left
    out."""
    kept = f"at least {plural(min(row.samples for row in rows), 'sample')} each"
    if not any(row.left_out for row in rows):
        return kept
    taken = min(row.taken for row in rows)
    return f"{kept} out of at least {taken} taken (the others had less than a whole core)"
