# SPDX-License-Identifier: MIT
"""Determines what a file holds and calls the module that draws it."""

import pathlib

from matplotlib.figure import Figure

from downhill_report.errors import BadResults, Mismatch

from . import confusion, landscape, model, read, step_sweep, templates, training

ZIP = b"PK"
KINDS = {
    "landscape": landscape.draw,
    "step_sweep": step_sweep.draw,
    "training": training.draw,
    "prediction": confusion.draw,
}


def draw(path: pathlib.Path, shape: tuple[int, int, int] | None, title: str | None) -> Figure:
    contents = read.contents_of(path)
    if contents[:2] == ZIP or path.suffix == ".npz":
        return templates.draw(model.read(path, contents), shape, title)
    document = read.document(path, contents)
    if shape is not None:
        raise Mismatch(f"--shape is only for models, but {path} is a results file; omit --shape")
    for key, draw_kind in KINDS.items():
        if key in document.value:
            return draw_kind(document.get(key), title)
    more = " (`downhill report` draws it)" if "benchmarks" in document.value else ""
    raise BadResults(
        f"{path}: nothing to draw in it{more}; give results of landscape, step-sweep, train or "
        "predict"
    )
