# SPDX-License-Identifier: MIT
"""How far the figures of a table can be relied on: of how many samples they are, and which are of noisy rows."""

from ..numbers import percent, plural
from ..rows import NOISY_MAD, Ratio, Row
from .blocks import Block, Table, Text

MARK = "†"
NOTE = (
    f"{MARK}: of a row whose spread (MAD) is above {percent(NOISY_MAD, 0)} of the median, or that had too few samples "
    "with a whole core: a rough figure; see the warnings."
)


def marked(text: str, *of: Row | Ratio | None) -> str:
    """A cell with a figure that comes of these."""
    return f"{text} {MARK}" if any(o and o.is_doubtful for o in of) else text


def explained(table: Table) -> list[Block]:
    """With what the mark stands for below it, where a cell has one."""
    has_mark = any(cell.endswith(MARK) for line in table.lines for cell in line)
    return [table, Text(NOTE)] if has_mark else [table]


def least_samples(rows: list[Row]) -> str:
    """Of how many a median of these rows is, and out of how many where some are left out."""
    kept = f"at least {plural(min(row.samples for row in rows), 'sample')} each"
    if not any(row.left_out for row in rows):
        return kept
    taken = min(row.taken for row in rows)
    return f"{kept} out of at least {taken} taken (the others had less than a whole core)"
