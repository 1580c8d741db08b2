# SPDX-License-Identifier: MIT
"""Lays out the file of an entry: one row per line, so that version control shows what changed, and
no byte more than needed, because an entry has at most 100 KB."""

import json
import math
from collections.abc import Iterator
from typing import Any


def text_of(document: dict[str, Any]) -> str:
    members = []
    for key, value in document.items():
        if key == "groups":
            kernels = [f"{compact(kernel)}:{groups_of(groups)}" for kernel, groups in value.items()]
            text = "{\n" + ",\n".join(kernels) + "\n}"
        elif isinstance(value, dict) and is_nested(value):
            inner = [f"{compact(k)}:{list_or_value(v)}" for k, v in value.items()]
            text = "{\n" + ",\n".join(inner) + "\n}"
        else:
            text = list_or_value(value)
        members.append(f"{compact(key)}:{text}")
    return "{\n" + ",\n".join(members) + "\n}\n"


def is_nested(value: dict[str, Any]) -> bool:
    return any(isinstance(member, (dict, list)) for member in value.values())


def list_or_value(value: Any) -> str:
    """Returns a value on one line, or a list of objects with one per line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(compact(member) for member in value) + "]"
    return compact(value)


def groups_of(groups: dict[str, dict[str, Any]]) -> str:
    texts = [f"{compact(key)}:{group_of(group)}" for key, group in groups.items()]
    return "{\n" + ",\n".join(texts) + "}"


def group_of(group: dict[str, Any]) -> str:
    head = compact({key: value for key, value in group.items() if key != "rows"})
    rows = ",\n".join(compact(row) for row in without_ends(group["rows"]))
    return f'{head[:-1]},"rows":[\n{rows}]}}'


def without_ends(rows: list[list[Any]]) -> Iterator[list[Any]]:
    """Returns the rows without missing values at their ends."""
    for row in rows:
        last = max(i for i, cell in enumerate(row) if cell not in (None, "", {}))
        yield row[: last + 1]


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---- numbers ----


def rounded(value: float, digits: int) -> float | int:
    """Rounds to significant digits; whole numbers are written without a point."""
    value = float(f"{value:.{digits}g}")
    return int(value) if value.is_integer() else value


def optional(value: float | None, digits: int) -> float | int | None:
    return None if value is None else rounded(value, digits)


def ends(value: float, low: float, high: float) -> tuple[int, int]:
    """Returns the ends of an interval in thousandths of its value. Rounded outwards, so that no
    interval becomes narrower, except for errors of the division."""
    below, above = (round(1000 * (end / value - 1), 6) for end in (low, high))
    return max(math.floor(below), -1000), math.ceil(above)
