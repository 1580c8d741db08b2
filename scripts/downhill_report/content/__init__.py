# SPDX-License-Identifier: MIT
"""The text of the report, section by section. The templates decide how it looks."""

from ..model import Model
from ..notices import Notice
from . import compared, machine, rows, shape_map, speed, sweeps, training, trust
from .blocks import Section
from .headline import caveats, headline

__all__ = ["caveats", "headline", "sections"]


def sections(model: Model, figures: list[str], notices: list[Notice]) -> list[Section]:
    """Returns the sections in the order of the page, without those that the results have no data
    for."""
    out = [machine.machine(model)]
    if model.rows:
        out += [speed.proof(model), speed.speedup(model, figures)]
        out += [speed.ladder(model)] if model.ladder() else []
        out.append(speed.roofline(model, figures))
        out += [speed.cold(model)] if model.cold_rows() else []
        out += [sweeps.sweeps(model)] if model.batch_sweeps() or model.size_sweeps() else []
        out += [speed.threads(model)] if model.scaling() else []
        out += [compared.peers(model)] if model.peers else []
        out += [shape_map.shape_map(model)] if model.maps() else []
        out += [compared.bf16(model)] if model.halved() else []
        out += [compared.no_faster(model), compared.fused(model)]
    out += [training.training(model)] if training.anything(model) else []
    if model.rows:
        out += [trust.samples(model, figures), rows.rows(model)]
    return [*out, trust.method(model), trust.warnings(notices), trust.reproduce(model)]
