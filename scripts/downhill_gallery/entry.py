# SPDX-License-Identifier: MIT
"""Entries of a gallery: one file per machine, DIR/NAME.json, as reports/gallery.schema.json
describes it."""

import json
import pathlib
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from downhill_report import load
from downhill_report.errors import BadResults

from .features import F32

SCHEMA = load.ROOT / "reports" / "gallery.schema.json"
SCHEMA_VERSION = 1
MAX_BYTES = 100_000
DAMAGED = "the file is damaged; add the results again with `downhill gallery --add`"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
# The columns of a row. Missing values at the end of a row are left out.
COLUMNS = (
    "isa", "median_ns", "ci95_low_permille", "ci95_high_permille", "attainable_g_per_s", "bound",
    "noise_floor_permille", "over", "marks", "clock_ghz",
)  # fmt: skip
SHARED, ABOVE_ROOF = "s", "r"  # in `marks`


@dataclass(frozen=True)
class Ratio:
    """How many times as fast, with its 95 % interval."""

    value: float
    low: float
    high: float
    doubtful: bool = False  # a row of it shared its core


@dataclass(frozen=True)
class Work:
    """The computation of a group of rows; its rows differ in the ISA level or library."""

    kernel: str
    shape: tuple[int, int, int]
    cache: str
    threads: int

    @classmethod
    def of(cls, kernel: str, key: str) -> "Work":
        """Returns the work of a group, given its key in an entry, as in "256x3072x10 cold"."""
        shape, *more = key.split()
        n, d, c = map(int, shape.split("x"))
        threads = int(more[-1]) if more and more[-1] != "cold" else 1
        return cls(kernel, (n, d, c), "cold" if "cold" in more else "hot", threads)

    @property
    def key(self) -> str:
        """The key of the group in an entry, in the groups of its kernel."""
        cold = " cold" if self.cache == "cold" else ""
        threads = f" threads {self.threads}" if self.threads > 1 else ""
        return f"{'x'.join(map(str, self.shape))}{cold}{threads}"

    def __str__(self) -> str:
        cold = " cold" if self.cache == "cold" else ""
        threads = f" {self.threads} threads" if self.threads > 1 else ""
        return f"{self.kernel} {'×'.join(map(str, self.shape))}{cold}{threads}"


@dataclass(frozen=True)
class Row:
    isa: str
    median_ns: float
    low_ns: float | None  # 95 % interval of the median
    high_ns: float | None
    attainable: float | None
    bound: str | None
    noise_floor: float | None
    over: dict[str, Ratio]  # level, library or F32 -> how many times as fast this row is
    marks: str
    clock_ghz: float | None

    @property
    def shared(self) -> bool:
        return SHARED in self.marks


@dataclass(frozen=True)
class Entry:
    path: pathlib.Path
    document: dict[str, Any]
    rows: dict[Work, dict[str, Row]] = field(default_factory=dict)
    skipped: dict[Work, dict[str, str]] = field(default_factory=dict)
    flops: dict[Work, float] = field(default_factory=dict)
    distinction: str = ""  # added to the title if other entries have the same

    @property
    def name(self) -> str:
        return self.document["gallery_entry"]["name"]

    @property
    def machine(self) -> dict[str, Any]:
        return self.document["machine"]

    @property
    def build(self) -> dict[str, Any]:
        return self.document["build"]

    @property
    def vendor(self) -> str:
        """The vendor's everyday name, from the record or the name of the CPU."""
        text = f"{self.machine['vendor'] or ''} {self.machine['cpu_name']}"
        return next((name for name in ("Intel", "AMD") if name in text), "")

    @property
    def title(self) -> str:
        """Vendor and microarchitecture, or the name of the CPU if nobody named the latter."""
        title = self.short_title
        return title if title.startswith(self.vendor) else f"{self.vendor} {title}"

    @property
    def short_title(self) -> str:
        """The title without the vendor, unless nothing else is known."""
        known = self.document["gallery_entry"]["microarchitecture"]
        if known is None:
            return self.machine["cpu_name"] + self.distinction
        guess = "" if known["from"] == "user" else " (guess)"
        return known["name"] + guess + self.distinction

    @property
    def commit(self) -> str:
        return self.build["commit"] + (" with uncommitted changes" if self.build["dirty"] else "")

    @cached_property
    def levels(self) -> dict[str, dict[str, Any]]:
        return {level["name"]: level for level in self.machine["levels"]}

    @property
    def in_passes(self) -> bool:
        return (self.document["run"]["passes"] or 1) > 1

    def kind_of(self, isa: str) -> str:
        return self.levels[isa]["kind"] if isa in self.levels else "peer"

    def has(self, feature: str) -> bool:
        """Returns whether the CPU reports a feature, usable or not."""
        return feature in self.machine["features"]


# ---- reading ----


def read_all(directory: pathlib.Path, added: tuple[pathlib.Path, str] | None = None) -> list[Entry]:
    """Returns the entries in a directory by name; `added` is the path and text of one that is yet
    to be written. Refuses an empty directory, files that are not entries, and two entries of one
    name."""
    if added is None and not directory.is_dir():
        raise BadResults(
            f"{directory}: is not a directory; name the one that holds the entries, or add the "
            "first with `downhill gallery --add RESULTS.json --name NAME DIR`"
        )
    paths = sorted(directory.glob("*.json"))
    if added is None and not paths:
        raise BadResults(
            f"{directory}: has no entries; add one with `downhill gallery --add RESULTS.json "
            "--name NAME DIR`"
        )
    schema = load.validator(SCHEMA)
    entries: dict[str, Entry] = {}
    for path in paths:
        if added is None or path != added[0]:
            add(entries, read(path, schema))
    if added is not None:
        add(entries, of_document(added[0], json.loads(added[1])))
    titles = Counter(entry.title for entry in entries.values())
    return [
        replace(entry, distinction=f" [{name}]") if titles[entry.title] > 1 else entry
        for name, entry in sorted(entries.items())
    ]


def add(entries: dict[str, Entry], entry: Entry) -> None:
    if (other := entries.setdefault(entry.name, entry)) is not entry:
        raise BadResults(
            f"{entry.path}: has the name '{entry.name}', as {other.path} has; delete one of them "
            "or add it again with another --name"
        )


def label_of(path: pathlib.Path) -> str | None:
    """Returns the microarchitecture that the user named in an entry, or None if there is none; an
    entry that cannot be read, perhaps of another schema version, is about to be replaced."""
    try:
        document = read(path, load.validator(SCHEMA)).document
    except BadResults:
        return None
    known = document["gallery_entry"]["microarchitecture"]
    return known["name"] if known and known["from"] == "user" else None


def read(path: pathlib.Path, schema: Any) -> Entry:
    remedy = "make it with `downhill gallery --add`, or move it away"
    document = load.parse(path, remedy)
    if not isinstance(document, dict) or "gallery_entry" not in document:
        raise BadResults(f"{path}: is not an entry of a gallery; {remedy}")
    if (version := document.get("schema_version")) != SCHEMA_VERSION:
        raise BadResults(
            f"{path}: schema_version is {version!r}, this downhill reads entries of "
            f"{SCHEMA_VERSION}; add the results again with `downhill gallery --add`"
        )
    load.conform(path, document, schema)
    return of_document(path, document)


def of_document(path: pathlib.Path, document: dict[str, Any]) -> Entry:
    entry = Entry(path, document)
    for kernel, groups in document["groups"].items():
        for key, group in groups.items():
            add_group(entry, Work.of(kernel, key), group)
    return entry


def add_group(entry: Entry, work: Work, group: dict[str, Any]) -> None:
    path, reasons = entry.path, entry.document["reasons"]
    if any(i >= len(reasons) for i in group.get("skipped", {}).values()):
        raise BadResults(f"{path}: {work}: a reason is missing; {DAMAGED}")
    skipped = {isa: reasons[i] for isa, i in group.get("skipped", {}).items()}
    rows = [row_of(cells, group) for cells in group["rows"]]
    names = [*(row.isa for row in rows), *skipped]
    peers = {peer["name"] for peer in entry.document["peers"]}
    # Rows that ratios refer to may have been left out, to keep the entry small.
    known = {*entry.levels, *peers, F32}
    if unknown := {*names, *(base for row in rows for base in row.over)} - known:
        raise BadResults(f"{path}: {work}: no level or library '{min(unknown)}'; {DAMAGED}")
    if len(set(names)) < len(names):
        raise BadResults(f"{path}: {work}: a row is there twice; {DAMAGED}")
    entry.rows[work] = {row.isa: row for row in rows}
    entry.skipped[work] = skipped
    entry.flops[work] = group["flops"]


def row_of(cells: list[Any], group: dict[str, Any]) -> Row:
    full = [*cells, *[None] * (len(COLUMNS) - len(cells))]
    isa, median, low, high, attainable, bound, floor, over, marks, clock = full
    ends = [None if end is None else median * (1 + end / 1000) for end in (low, high)]
    ratios = {base: ratio_of(*cells) for base, cells in (over or {}).items()}
    return Row(
        isa, median, *ends, attainable, bound, None if floor is None else floor / 1000, ratios,
        marks or "", clock or group.get("clock_ghz"),
    )  # fmt: skip


def ratio_of(value: float, low: float, high: float) -> Ratio:
    return Ratio(value, value * (1 + low / 1000), value * (1 + high / 1000))
