# SPDX-License-Identifier: MIT
"""Fills the templates in reports/template/."""

import re
from typing import Any

import jinja2
from markupsafe import Markup, escape

from .load import ROOT

TEMPLATES = ROOT / "reports" / "template"
# The space between a number and its unit.
UNIT = re.compile(r"(?<=\d) (?=(?:%|[µmn]?s|GHz|GFLOP/s|GB/s)(?:\W|$))")


def coded(text: str) -> Markup:
    """Marks the parts in backticks as code, and keeps numbers on the line of their units."""
    parts = re.split(r"`([^`]*)`", UNIT.sub("\u00a0", text))
    marked = [
        Markup("<code>{}</code>").format(o) if i % 2 else escape(o) for i, o in enumerate(parts)
    ]
    return Markup("").join(marked)


def cell(text: str) -> str:
    """Escapes text so that it can neither end a cell of a Markdown table nor start HTML. Leaves
    `code` unescaped, which may contain asterisks."""
    parts = re.split(r"(`[^`]*`)", text)
    escaped = [
        part if i % 2 else part.replace("\\", "\\\\").replace("<", "&lt;")
        for i, part in enumerate(parts)
    ]
    return " ".join("".join(escaped).replace("|", "\\|").split())


def printable(text: str) -> str:
    """Replaces what is not UTF-8, so that such an argument does not prevent the report."""
    return text.encode("utf-8", "replace").decode("utf-8")


def render(template: str, context: dict[str, Any], autoescape: bool) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({"coded": coded, "cell": cell})
    environment.globals["inline"] = lambda name: Markup((TEMPLATES / name).read_text("utf-8"))
    return environment.get_template(template).render(context)
