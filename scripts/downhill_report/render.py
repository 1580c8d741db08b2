# SPDX-License-Identifier: MIT
"""Puts the report into words and files. Everything is made in memory first, and each file appears
whole."""

import json
import math
import os
import pathlib
import re
import tempfile
from typing import Any

import jinja2
from markupsafe import Markup

from . import figures
from .errors import ReportError
from .load import ROOT
from .model import NO_FASTER, NOISY_MAD, PHASES, Model, Ratio, Row, Shape

TEMPLATES = ROOT / "reports" / "template"

CAPTIONS = {
    "speedup": "Speed-up at {}, medians of one run. The lines at the ends are the spread: the MADs of "
    "both medians, added in quadrature.",
    "roofline": "Every kernel and shape: operations per second over operations per byte. The machine's "
    "ceilings are not measured in this version, so there are no roofs and nothing is a share of peak.",
    "phases": "Where the time of a training epoch goes.",
    "curves": "Training loss and test accuracy by epoch. Variants that agree lie on one another.",
}


def number(value: float, digits: int = 3) -> str:
    """With so many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def bytes_text(value: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{value} B"


def times(value: Ratio | float | None) -> str:
    if value is None:
        return "–"
    ratio = value.value if isinstance(value, Ratio) else value
    return f"{ratio:.2f}×" if ratio < 9.995 else f"{ratio:.1f}×"


def percent(share: float, places: int = 1) -> str:
    return f"{100 * share:.{places}f} %"


def yes_no(value: bool | None) -> str:
    return "not asked" if value is None else "yes" if value else "no"


def cell(text: Any) -> str:
    """Text that cannot end a cell of a Markdown table, nor start HTML."""
    escaped = str(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(escaped.split())


FILTERS = {
    "number": number,
    "bytes": bytes_text,
    "times": times,
    "percent": percent,
    "yes_no": yes_no,
    "cell": cell,
}


def headline(model: Model) -> list[tuple[str, str]]:
    """(figure in large type, what it is)."""
    found = []
    shape = model.shapes[0] if model.shapes else None
    for kernel, what in (("step_hinge_f32", "minibatch step"), ("score_f32", "scores")):
        best = model.best(kernel, shape, ("hand",)) if shape else None
        if best is None:
            continue
        if scalar := model.over_scalar(best):
            found.append((times(scalar), f"{what} {shape}, {best.isa}: over scalar code"))
        if compiler := model.best(kernel, shape, ("auto",)):
            over = compiler.median / best.median
            found.append((times(over), f"{what} {shape}: over the compiler's best, {compiler.isa}"))
    for loss in model.losses:
        runs = [run for run in model.training if run.loss == loss]
        best = min(runs, key=lambda run: run.seconds_per_epoch)
        dataset = model.results["training"][0]["dataset"]
        found.append(
            (
                f"{number(best.seconds_per_epoch * 1e3)} ms",
                f"an epoch of {dataset}, {loss}, {best.isa}, {times(best.speedup)} scalar; "
                f"test accuracy {percent(best.test_accuracy)}",
            )
        )
    return found


def summary(model: Model) -> list[tuple[str, Shape, list[Row | None]]]:
    """The rows of the small table: the step at every shape, its two large parts at the first."""
    out = []
    levels = [level.name for level in model.timed_levels()]
    for kernel in ("step_hinge_f32", "score_f32", "grad_f32"):
        for shape in model.shapes if kernel.startswith("step") else model.shapes[:1]:
            rows = [model.find(kernel, isa, shape) for isa in levels]
            if any(rows):
                out.append((kernel, shape, rows))
    return out


def caption(name: str, model: Model) -> str:
    kind = name.split("-")[0]
    shape = name.partition("-")[2].replace("x", "×") or (model.shapes[0] if model.shapes else "")
    return CAPTIONS[kind].format(shape)


def write(results: dict[str, Any], directory: pathlib.Path) -> None:
    model = Model(results)
    drawn = figures.draw(model)
    context = {
        "m": model,
        "r": results,
        "levels": [level.name for level in model.timed_levels()],
        "headline": headline(model),
        "summary": summary(model),
        "captions": {name: caption(name, model) for name in drawn},
        "figures": {
            name: Markup(figures.paint(svg, name, inline=True)) for name, svg in drawn.items()
        },
        "PHASES": PHASES,
        "NO_FASTER": NO_FASTER,
        "NOISY_MAD": NOISY_MAD,
    }
    files = {f"figures/{name}.svg": figures.paint(svg, name, False) for name, svg in drawn.items()}
    files["results.json"] = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    files["index.html"] = render("index.html.j2", context, autoescape=True)
    files["report.md"] = re.sub(
        r"\n{3,}", "\n\n", render("report.md.j2", context, autoescape=False)
    )
    try:
        (directory / "figures").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            replace(directory / name, text)
    except OSError as error:
        raise ReportError(f"{directory}: cannot write: {error.strerror}; choose another --output") from error


def render(template: str, context: dict[str, Any], autoescape: bool) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    environment.globals["inline"] = lambda name: Markup((TEMPLATES / name).read_text())
    return environment.get_template(template).render(context)


def replace(path: pathlib.Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
