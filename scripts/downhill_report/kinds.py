# SPDX-License-Identifier: MIT
"""Kinds of files that the scripts write. An output replaces only a file of its own kind or an empty
file, as in base/output_kind.c."""

import enum
import json
import pathlib
import re
from typing import Any

from .errors import BadOutput

MAX_JSON = 1 << 28
HEAD = 1 << 14  # bytes; holds two headings with paths of the maximum length on Linux


class Kind(enum.Enum):
    PAGE = "a page of downhill report"
    TEXT = "a text of downhill report"
    RESULTS = "results of downhill report"
    FIGURE = "a figure of downhill report"
    PICTURE = "a picture of downhill plot"
    COMPARISON = "a comparison of downhill compare"
    PEERS = "results of scripts/peers.py"
    GALLERY = "a page of downhill gallery"
    ENTRY = "an entry of downhill gallery"


# Marks that the writers put into files whose format has no member to recognise them by.
PAGE_MARK = "downhill report"  # content of <meta name="generator">
GALLERY_MARK = "downhill gallery"  # the same
TEXT_MARK = "<!-- Written by downhill report. -->"
FIGURE_MARK = "<!-- Drawn by downhill report. -->"
PICTURE_MARK = "<!-- Drawn by downhill plot. -->"
PNG_SOFTWARE = "downhill plot"

# Lines that matplotlib writes before the picture.
SVG_HEAD = r"\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE svg[^>]*>\s*)?"
# The signature of PNG, the chunk IHDR, and the length of the text that follows.
PNG_HEAD = (
    rf"\x89PNG\r\n\x1a\n\0\0\0\rIHDR.{{17}}\0\0\0{chr(len('Software') + 1 + len(PNG_SOFTWARE))}"
)
# The headings of a comparison: of two runs, of two levels of a run, and of several machines.
RUN = r"{}: .+, commit .+, \d{{4}}-\d\d-\d\dT[\d:]{{8}}[+-]\d{{4}}, .+\n"
LEVELS = r"(- )?A: \S+, B: \S+, both of .+, commit .+, \d{4}-\d\d-\d\dT"
MACHINE = r"{} .+, commit .+ \(.+\)\n"
CSV_COLUMNS = (
    "a,b,row,a_median_ns,b_median_ns,time_ratio,ci95_low,ci95_high,p_adjusted,"
    "(noise_floor,)?verdict,note"
)


def svg_mark(mark: str) -> str:
    return rf"{SVG_HEAD}{re.escape(mark)}\s*<svg[\s>]"


def page_mark(mark: str) -> str:
    return (
        r'<!DOCTYPE html>\s*<html lang="en">\s*<head>\s*<meta charset="utf-8">\s*'
        rf'<meta name="generator" content="{re.escape(mark)}">'
    )


def headings(line: str, first: str, second: str) -> str:
    """Returns a pattern for two headings, as plain text or as a Markdown list."""
    lines = [line.format(name) for name in (first, second)]
    return "|".join("".join(f"{bullet}{text}" for text in lines) for bullet in ("", "- "))


# A pattern matches the whole heading: files of other programs may also start with "A: " or
# "a,b,row,".
MARKS: dict[Kind, re.Pattern[bytes]] = {
    Kind.PAGE: re.compile(page_mark(PAGE_MARK).encode()),
    Kind.GALLERY: re.compile(page_mark(GALLERY_MARK).encode()),
    Kind.TEXT: re.compile(rf"{re.escape(TEXT_MARK)}\n\n# ".encode()),
    Kind.FIGURE: re.compile(svg_mark(FIGURE_MARK).encode()),
    Kind.PICTURE: re.compile(
        rf"{svg_mark(PICTURE_MARK)}|{PNG_HEAD}tEXtSoftware\0{PNG_SOFTWARE}".encode("latin-1"),
        re.DOTALL,
    ),
    Kind.COMPARISON: re.compile(
        rf"{headings(RUN, 'A', 'B')}|{headings(MACHINE, 'M1', 'M2')}|{LEVELS}"
        rf"|{CSV_COLUMNS}\r?\n|row,M1,M2(,M\d+)*\r?\n(\w+/\w+/n:|\Z)".encode()
    ),
}
# The first kind with its member present wins; report results may contain the members of later
# kinds.
MEMBERS = {
    Kind.RESULTS: "report", Kind.COMPARISON: "comparisons", Kind.PEERS: "peers_training",
    Kind.ENTRY: "gallery_entry",
}  # fmt: skip
OTHERS = {
    b"\x93NUMPY": "NumPy data", b"PK": "a model or another ZIP archive", b"%PDF": "a PDF document",
    b"\x1f\x8b": "gzip data", b"\0\0\x08": "IDX data", b"\x89PNG": "another picture",
    b"<svg": "another picture", b"<?xml": "another picture or XML",
    b"<!DOCTYPE html": "another HTML page",
}  # fmt: skip


def check(path: pathlib.Path, kind: Kind) -> None:
    """Refuses the path if a file is there that is neither empty nor of this kind."""
    if path.exists() and not path.is_file():
        raise BadOutput(f"{path}: is not a regular file; choose another name")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadOutput(
            f"{path}: cannot read the existing file: {error.strerror}; choose another name"
        ) from error
    if head and kind is not (found := kind_of(path, head)):
        what = found.value if found else other(head)
        raise BadOutput(f"{path}: holds {what}, not {kind.value}; choose another name or delete it")


def kind_of(path: pathlib.Path, head: bytes) -> Kind | None:
    marked = [kind for kind, mark in MARKS.items() if mark.match(head)]
    document = document_of(path) if head.startswith(b"{") else {}
    if "schema_version" in document:
        marked += [kind for kind, member in MEMBERS.items() if member in document]
        if {"view", "machines"} <= document.keys():
            marked.append(Kind.COMPARISON)
    return marked[0] if marked else None


def document_of(path: pathlib.Path) -> dict[str, Any]:
    """Returns the JSON object in the file, or {} if it does not hold a complete one."""
    try:
        if path.stat().st_size > MAX_JSON:
            return {}
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def other(head: bytes) -> str:
    """Describes a file that the scripts did not write, for a message."""
    if head.startswith(b"{"):
        return "other JSON"
    named = next((name for magic, name in OTHERS.items() if head.startswith(magic)), None)
    return named or ("unknown data" if b"\0" in head else "other text")
