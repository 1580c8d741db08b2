# SPDX-License-Identifier: MIT
"""Rows above their roof. No row is faster than its hardware, so the ceiling is suspected first;
only a ceiling that repeats speaks against what is credited to the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .numbers import number, plural
from .rows import Row

if TYPE_CHECKING:
    from .model import Model

# Marks a share of what is attainable that no row can reach.
ABOVE = "‡"


@dataclass(frozen=True)
class Exceeded:
    """A ceiling with the rows above the roof that it sets."""

    ceiling: str
    threads: int
    rows: list[Row]
    again: dict[str, Any] | None  # what measuring it again found; None: it was not

    @property
    def worst(self) -> Row:
        return max(self.rows, key=lambda row: row.share)


def exceeded(model: Model) -> list[Exceeded]:
    grouped: dict[tuple[str, int], list[Row]] = {}
    for row in model.timed:
        if row.above_roof and row.share:
            grouped.setdefault((ceiling_of(model, row), row.threads), []).append(row)
    repeated = {
        (o["ceiling"], o["threads"]): o for o in (model.ceilings or {}).get("repeated") or []
    }
    return [Exceeded(*key, rows, repeated.get(key)) for key, rows in grouped.items()]


def ceiling_of(model: Model, row: Row) -> str:
    """Returns the name of the ceiling that bounds the row, as in `ceilings.repeated`."""
    if row.bound in model.memory_names():
        return f"reading {row.bound}"
    found = model.ceilings or {}
    several = (o for o in found.get("threads", []) if o["threads"] == row.threads)
    of = found if row.threads == 1 else next(several, found)
    rates = ((what, rate_of(of)) for what, rate_of in (peaks(found) if found else []))
    return next((what for what, rate in rates if rate == row.attainable), row.bound or "unknown")


REMEDY = (
    "Measure it again on the idle machine with `downhill bench --ceilings`. If it is higher then, "
    "it was too low in this run, and shares of it mean nothing. Only if it repeats, doubt the "
    "operations, bytes or cache level credited to the rows."
)


def text_of(o: Exceeded) -> str:
    """Names the ceiling first, then the rows, and what measuring it again found."""
    unit = "GB/s" if o.ceiling.startswith("reading") else "10⁹ operations/s"
    on = f" on {plural(o.threads, 'thread')}" if o.threads > 1 else ""
    head = (
        f"Suspect ceiling: {o.ceiling}{on}. {plural(len(o.rows), 'row')} reached more, "
        f"`{o.worst.name}` {100 * (o.worst.share - 1):.0f} % more."
    )
    if not o.again:
        return f"{head} This run did not measure the ceiling again."
    before, after = number(o.again["before"]), number(o.again["after"])
    return (
        f"{head} Measured again: {after} {unit} (before: {before}). Finding: {o.again['finding']}."
    )


def peaks(found: dict[str, Any]) -> list[tuple[str, Callable[[dict[str, Any]], float | None]]]:
    """Returns (name, function that reads it from a set of ceilings) for each peak that was
    measured."""
    out: list[tuple[str, Callable[[dict[str, Any]], float | None]]] = []
    for key, what in (
        ("fma_f32_gflop_per_s", "f32 FMA"),
        ("dot_bf16_gflop_per_s", "pairs of bf16"),
    ):
        for isa, peak in found.get(key, {}).items():
            if peak:
                out.append((f"{what}, {isa}", lambda o, key=key, isa=isa: o.get(key, {}).get(isa)))
    for part, what in (("weights", "byte x 16 bits"), ("dscores", "byte x 8 bits")):
        for isa, rates in found.get("u8_gop_per_s", {}).items():
            if rates:
                out.append((f"{what}, {isa}", lambda o, isa=isa, part=part: u8(o, isa, part)))
    return out


def u8(found: dict[str, Any], isa: str, part: str) -> float | None:
    return (found.get("u8_gop_per_s", {}).get(isa) or {}).get(part)
