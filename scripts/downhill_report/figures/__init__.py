# SPDX-License-Identifier: MIT
"""The figures of a report, one module per figure."""

from collections.abc import Callable
from functools import partial

from ..model import Model
from . import (
    endtoend,
    fastest,
    ladder,
    peers,
    roofline,
    samples,
    shape_map,
    speedup,
    sweeps,
    threads,
    topology,
    training,
    winners,
)
from .style import Look, paint

__all__ = ["draw", "paint", "plan"]


def plan(model: Model) -> dict[str, Callable[[], str]]:
    """Returns figure name -> function that draws it, for figures that the results have data for."""
    look = Look(model)
    out: dict[str, Callable[[], str]] = {}
    if model.topology_xml:
        out["topology"] = partial(topology.topology, model.topology_xml)
    if len(model.strip_rows()) > 1:
        out["fastest"] = partial(fastest.fastest, model, look)
    for shape in model.drawn_shapes():
        name = f"speedup-{shape.n}x{shape.d}x{shape.c}" if "speedup" in out else "speedup"
        out[name] = partial(speedup.speedup, model, look, shape)
    if model.ladder():
        out["ladder"] = partial(ladder.ladder, model)
    if any(roofline.is_point(model, row) for row in model.timed):
        out["roofline"] = partial(roofline.roofline, model)
    if model.batch_sweeps():
        out["batch"] = partial(sweeps.batch, model)
    if model.size_sweeps():
        out["size"] = partial(sweeps.size, model)
    if model.scaling():
        out["threads"] = partial(threads.threads, model)
    if model.against_peers():
        out["peers"] = partial(peers.peers, model)
    if model.winners:
        out["winners"] = partial(winners.winners, model, look)
    if any(of.compared() for of in model.maps()):
        out["map"] = partial(shape_map.shape_map, model)
    if any(row.ended_s for row in model.timed):
        out["samples"] = partial(samples.samples, model)
    if model.strip_rows():
        out["strips"] = partial(samples.strips, model, look)
    if model.groups:
        out["phases"] = partial(training.phases, model)
        out["curves"] = partial(training.curves, model, look)
    if any(comparison.drawn() for comparison in model.comparisons):
        out["endtoend"] = partial(endtoend.endtoend, model, look)
    return out


def draw(model: Model) -> dict[str, str]:
    """Returns figure name -> SVG in placeholder colours."""
    return {name: figure() for name, figure in plan(model).items()}
