# SPDX-License-Identifier: MIT
"""Fills the templates and writes the files. All files are rendered in memory and first written
under temporary names, so a full disk leaves the directory unchanged."""

import json
import pathlib
import re
from typing import Any

from markupsafe import Markup

from . import content, ending, figures, files, kinds
from .content.captions import CAPTIONS
from .errors import BadOutput, ReportError, write_remedy
from .model import Model
from .notices import notices
from .templates import printable, render

KINDS = {
    "index.html": kinds.Kind.PAGE,
    "report.md": kinds.Kind.TEXT,
    "results.json": kinds.Kind.RESULTS,
}


def directory_of(results: pathlib.Path) -> pathlib.Path:
    """Returns the default directory of a report, beside its results: x.report for x.json and
    x.json.gz. Refuses pipes, devices and other names that are not regular files."""
    if not results.is_file() or str(results.absolute()).startswith(("/dev/", "/proc/")):
        raise BadOutput(
            f"{results}: is not a regular file, so the report cannot go beside it; "
            "give --output DIR"
        )
    return results.parent / (results.name.removesuffix(".gz").removesuffix(".json") + ".report")


def write(results: dict[str, Any], directory: pathlib.Path, title: str | None = None) -> None:
    check(directory)
    made = make(results, title)
    check(directory)  # again: drawing took seconds
    try:
        replace(directory, made)
    except OSError as error:
        remedy = write_remedy(error, "choose another --output")
        raise ReportError(f"{directory}: cannot write: {error.strerror}; {remedy}") from error


def check(directory: pathlib.Path) -> None:
    """Refuses a directory that cannot be written to, or that has other files under the report's
    names."""
    files.check_directory(directory)
    if directory.exists():
        files.check_directory(directory / "figures")
    for name, kind in KINDS.items():
        files.refuse_stream(directory / name, kind)
        kinds.check(directory / name, kind)
    for path in own_figures(directory):
        kinds.check(path, kinds.Kind.FIGURE)


def own_figures(directory: pathlib.Path) -> list[pathlib.Path]:
    """Returns the files that have names of figures, which a report replaces or removes."""
    return [
        path
        for path in (directory / "figures").glob("*.svg")
        if path.stem.split("-")[0] in CAPTIONS
    ]


def make(results: dict[str, Any], title: str | None) -> dict[str, str]:
    """Returns file name -> contents."""
    model = Model(results)
    drawn = figures.draw(model)
    context = {
        "page_mark": kinds.PAGE_MARK,
        "text_mark": kinds.TEXT_MARK,
        "m": model,
        "r": results,
        "title": printable(title or f"downhill on {results['machine']['cpu_name']}"),
        "answer": content.answer(model),
        "headline": content.headline(model),
        "caveats": content.caveats(model),
        "sections": content.sections(model, list(drawn), notices(model)),
        "figures": {
            name: Markup(figures.paint(svg, name, inline=True)) for name, svg in drawn.items()
        },
        "zip": zip,
    }
    made = {f"figures/{name}.svg": figures.paint(svg, name, False) for name, svg in drawn.items()}
    merged = {"schema_version": results["schema_version"], "report": True} | results
    made["results.json"] = json.dumps(merged, indent=1, ensure_ascii=False) + "\n"
    made["index.html"] = render("index.html.j2", context, autoescape=True)
    markdown = render("report.md.j2", context, autoescape=False)
    made["report.md"] = re.sub(r"\n{3,}", "\n\n", markdown)
    return made


@ending.afterwards()
def replace(directory: pathlib.Path, made: dict[str, str]) -> None:
    """Replaces the files of an earlier report and removes its other figures."""
    with files.directories(directory, directory / "figures"):
        files.replace({directory / name: text.encode() for name, text in made.items()})
    for path in own_figures(directory):
        if f"figures/{path.name}" not in made:
            path.unlink()
