# SPDX-License-Identifier: MIT
"""Figures of rows that were noisy are marked, so that nobody reads one without knowing."""

from ..rows import NOISY_MAD, Ratio, Row
from .blocks import Block, Table, Text

MARK = "†"
NOTE = (
    f"{MARK} of a row whose spread (MAD) is above {NOISY_MAD:.0%} of the median, or that had too few samples with "
    "a whole core: a rough figure; see the warnings."
)


def marked(text: str, *of: Row | Ratio | None) -> str:
    """A cell with a figure that comes of these."""
    return f"{text} {MARK}" if any(o and o.is_doubtful for o in of) else text


def explained(table: Table) -> list[Block]:
    """With what the mark stands for below it, where a cell has one."""
    has_mark = any(cell.endswith(MARK) for line in table.lines for cell in line)
    return [table, Text(NOTE)] if has_mark else [table]
