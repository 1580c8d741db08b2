# SPDX-License-Identifier: MIT
"""What the report says, section by section; how it looks is the templates' affair."""

from ..model import Model
from ..notices import Notice
from . import compared, machine, rows, speed, sweeps, training, trust
from .blocks import Section
from .headline import first_of_all, headline

__all__ = ["first_of_all", "headline", "sections"]


def sections(model: Model, figures: list[str], notices: list[Notice]) -> list[Section]:
    """In the order of the page; those that the results have nothing for are left out."""
    out = [machine.machine(model)]
    if model.rows:
        out += [speed.proof(model), speed.speedup(model, figures)]
        out += [speed.ladder(model)] if model.ladder() else []
        out.append(speed.roofline(model, figures))
        out += [speed.cold(model)] if model.cold_rows() else []
        out += [sweeps.sweeps(model)] if model.batch_sweeps() or model.size_sweeps() else []
        out += [speed.threads(model)] if model.scaling() else []
        out += [compared.peers(model)] if model.peers else []
        out += [compared.bf16(model)] if model.halved() else []
        out += [compared.no_faster(model), compared.fused(model)]
    out += [training.training(model)] if training.anything(model) else []
    if model.rows:
        out += [trust.samples(model, figures), rows.rows(model)]
    return [*out, trust.method(model), trust.warnings(notices), trust.reproduce(model)]
