# SPDX-License-Identifier: MIT
"""What a report is made of, before it is HTML or Markdown. The templates in reports/template/ know
how each looks; text in `backticks` is code in both."""

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
    """The first cell of a line names it. A column whose title starts with ">" is of numbers, and one
    that starts with "~" of prose. A line that is too short ends in a cell that takes up the rest."""

    is_a: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]
    # What the first cell is made of, between slashes, where a reader may want to choose by it.
    parts: Sequence[str] = ()

    def titles(self) -> list[str]:
        return [column.lstrip(">~") for column in self.columns]

    def kinds(self) -> list[str]:
        return [{">": "n", "~": "prose"}.get(column[:1], "") for column in self.columns]


@dataclass(frozen=True)
class Drawing:
    is_a: ClassVar[str] = "drawing"
    name: str
    caption: str


@dataclass(frozen=True)
class Listing:
    """Commands, a line each."""

    is_a: ClassVar[str] = "listing"
    lines: Sequence[str]


@dataclass(frozen=True)
class Bullets:
    is_a: ClassVar[str] = "bullets"
    texts: Sequence[str]
    # For each, what it is about, line by line.
    of: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class More:
    """Folded away where a page can fold."""

    is_a: ClassVar[str] = "more"
    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Excerpt:
    """A part of the Markdown alone, between marks by which scripts/example knows a report."""

    is_a: ClassVar[str] = "excerpt"
    blocks: Sequence[Block]


Block = Text | Facts | Table | Drawing | Listing | Bullets | More | Excerpt


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    link: str  # in the line of links at the top
    blocks: Sequence[Block]
