# SPDX-License-Identifier: MIT
"""Building blocks of a report, rendered to HTML and Markdown by the templates in reports/template/.
Text in `backticks` is code in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Text:
    is_a: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    is_a: ClassVar[str] = "facts"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """The first cell of a line is its heading. A title that starts with ">" marks a column of
    numbers, with "~" one of prose. In a line with too few cells, the last one spans the remaining
    columns."""

    is_a: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]
    # Names of the slash-separated parts of the first cell that the page can filter by.
    parts: Sequence[str] = ()

    def titles(self) -> list[str]:
        return [column.lstrip(">~") for column in self.columns]

    def kinds(self) -> list[str]:
        return [{">": "n", "~": "prose"}.get(column[:1], "") for column in self.columns]

    def is_numeric(self) -> bool:
        """Returns whether most columns hold numbers, so that marking the others takes less."""
        return self.kinds().count("n") > len(self.columns) / 2


@dataclass(frozen=True)
class Drawing:
    is_a: ClassVar[str] = "drawing"
    name: str
    caption: str


@dataclass(frozen=True)
class Listing:
    """Commands, one per line."""

    is_a: ClassVar[str] = "listing"
    lines: Sequence[str]


@dataclass(frozen=True)
class Bullets:
    is_a: ClassVar[str] = "bullets"
    texts: Sequence[str]
    # Per bullet, the rows or groups that it is about. The Markdown lists the first three only, and
    # says where to find the others.
    of: Sequence[Sequence[str]] = ()
    others: Sequence[str] = ()


@dataclass(frozen=True)
class More:
    """Collapsed by default in HTML."""

    is_a: ClassVar[str] = "more"
    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Excerpt:
    """Only in the Markdown, between markers by which scripts/example recognises a report."""

    is_a: ClassVar[str] = "excerpt"
    blocks: Sequence[Block]


Block = Text | Facts | Table | Drawing | Listing | Bullets | More | Excerpt


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    link: str  # in the line of links at the top
    blocks: Sequence[Block]
