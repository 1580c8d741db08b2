# SPDX-License-Identifier: MIT
"""Reads results in JSON. Checks every value that a picture uses, because the file may be from
elsewhere."""

import json
import math
import pathlib
from typing import Any

from downhill_report.errors import BadResults

MAX_BYTES = 1 << 28
SCHEMA_VERSION = 1
LARGEST = 1e100  # with larger numbers the margins of a picture would be infinite


class Part:
    """A value of the document, with its file and its place in it."""

    def __init__(self, path: pathlib.Path, place: str, value: Any) -> None:
        self.path, self.place, self.value = path, place, value

    def wrong(self, what: str) -> BadResults:
        return BadResults(
            f"{self.path}: {self.place}: {what}; the file is damaged or not from downhill"
        )

    def nothing(self, what: str) -> BadResults:
        return BadResults(f"{self.path}: {self.place}: {what}; there is nothing to draw")

    def get(self, key: str) -> "Part":
        if not isinstance(self.value, dict):
            raise self.wrong("is not an object")
        return Part(self.path, f"{self.place}.{key}".lstrip("."), self.value.get(key))

    def parts(self, key: str) -> "list[Part]":
        return self.get(key).items()

    def items(self) -> "list[Part]":
        if not isinstance(self.value, list):
            raise self.wrong("is not a list")
        return [Part(self.path, f"{self.place}[{i}]", o) for i, o in enumerate(self.value)]

    def text(self, key: str) -> str:
        part = self.get(key)
        if not isinstance(part.value, str):
            raise part.wrong("is not a string")
        return part.value

    def number(self, key: str) -> float:
        return self.get(key).as_number()

    def number_or_none(self, key: str) -> float:
        return self.get(key).as_number_or_none()

    def as_number(self) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong("is not a number")
        if abs(value) > LARGEST:
            raise self.wrong("is too large a number to draw")
        return float(value)

    def as_number_or_none(self) -> float:
        """Returns NaN for null, which stands for a number that is not finite."""
        return math.nan if self.value is None else self.as_number()

    def as_row(self, coordinates: int, values: int) -> list[float]:
        """Returns a row of coordinates, which are finite, and values, which may be null."""
        if not isinstance(self.value, list) or len(self.value) != coordinates + values:
            raise self.wrong(f"is not a row of {coordinates + values} numbers")
        return [
            part.as_number() if i < coordinates else part.as_number_or_none()
            for i, part in enumerate(self.items())
        ]

    def table(self, key: str, coordinates: int, values: int) -> list[list[float]]:
        return [row.as_row(coordinates, values) for row in self.parts(key)]


def document(path: pathlib.Path, contents: bytes) -> Part:
    try:
        found = json.loads(
            contents.decode("utf-8"), parse_constant=refuse_constant, parse_int=countable,
        )  # fmt: skip
        # A lone surrogate is valid JSON but cannot be encoded in UTF-8.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        what = "not UTF-8 text" if isinstance(error, UnicodeError) else error
        raise BadResults(
            f"{path}: neither JSON nor an NPZ file: {what}; give results of landscape, step-sweep, "
            "train or predict, written with --json, or a model of train --model"
        ) from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if version != SCHEMA_VERSION:
        raise BadResults(
            f"{path}: schema_version is {version!r}, this downhill reads {SCHEMA_VERSION}; make it "
            "with the downhill of this source tree"
        )
    return Part(path, "", found)


def contents_of(path: pathlib.Path) -> bytes:
    try:
        with path.open("rb") as file:
            contents = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadResults(f"{path}: {error.strerror}; check the path") from error
    if len(contents) > MAX_BYTES:
        raise BadResults(
            f"{path}: more than {MAX_BYTES} bytes; too large for a file of one picture"
        )
    return contents


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def countable(text: str) -> int:
    if len(text) > 20:  # no 64-bit integer is longer
        raise ValueError(f"{text[:20]}... is too large")
    return int(text)
