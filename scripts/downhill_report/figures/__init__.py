# SPDX-License-Identifier: MIT
"""The figures of a report, each in a file of its own."""

from ..model import Model
from . import endtoend, ladder, peers, roofline, samples, speedup, sweeps, threads, topology, training
from .style import Look, paint

__all__ = ["draw", "paint"]


def draw(model: Model) -> dict[str, str]:
    """Figure name -> SVG in stand-in colours; only what the results have something for."""
    look = Look(model)
    out: dict[str, str] = {}
    if model.topology_xml:
        out["topology"] = topology.topology(model.topology_xml)
    for shape in model.drawn_shapes():
        name = f"speedup-{shape.n}x{shape.d}x{shape.c}" if "speedup" in out else "speedup"
        out[name] = speedup.speedup(model, look, shape)
    if model.ladder():
        out["ladder"] = ladder.ladder(model)
    if any(roofline.is_point(model, row) for row in model.timed):
        out["roofline"] = roofline.roofline(model)
    if model.batch_sweeps():
        out["batch"] = sweeps.batch(model)
    if model.size_sweeps():
        out["size"] = sweeps.size(model)
    if model.scaling():
        out["threads"] = threads.threads(model)
    if model.against_peers():
        out["peers"] = peers.peers(model)
    if any(row.ended_s for row in model.timed):
        out["samples"] = samples.samples(model)
    if model.strip_rows():
        out["strips"] = samples.strips(model, look)
    if model.groups:
        out["phases"] = training.phases(model)
        out["curves"] = training.curves(model, look)
    if any(comparison.drawn() for comparison in model.comparisons):
        out["endtoend"] = endtoend.endtoend(model, look)
    return out
