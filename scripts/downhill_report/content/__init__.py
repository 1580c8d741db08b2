# SPDX-License-Identifier: MIT
"""The text of the report, section by section. The templates decide how it looks."""

from collections.abc import Iterator

from ..model import Model
from ..notices import Notice
from . import compared, machine, rows, shape_map, speed, sweeps, training, trust, winners
from .answer import answer, caveats, fastest_section
from .blocks import Section
from .headline import headline

__all__ = ["answer", "caveats", "headline", "sections"]


def sections(model: Model, figures: list[str], notices: list[Notice]) -> list[Section]:
    """Returns the sections in the order of the page, without those that the results have no data
    for: the answer first, then what explains it, then what is needed to check it."""
    found = [*speeds(model, figures)] if model.rows else []
    found += [training.training(model)] if training.anything(model) else []
    found += [*details(model)] if model.rows else []
    found += [trust.samples(model, figures), speed.proof(model)] if model.rows else []
    found += [trust.method(model), trust.warnings(notices), trust.reproduce(model)]
    found.append(machine.machine(model))
    return [*found, rows.rows(model)] if model.rows else found


def speeds(model: Model, figures: list[str]) -> Iterator[Section]:
    if "fastest" in figures:
        yield fastest_section(model)
    if model.ladder():
        yield speed.ladder(model)
    yield speed.speedup(model, figures)
    if model.peers:
        yield compared.peers(model)
    yield speed.roofline(model, figures)
    if model.winners:
        yield winners.winners(model)
    if model.maps():
        yield shape_map.shape_map(model)
    if model.batch_sweeps() or model.size_sweeps():
        yield sweeps.sweeps(model)
    if model.scaling():
        yield speed.threads(model)


def details(model: Model) -> Iterator[Section]:
    """Yields the sections on questions that fewer readers have."""
    if model.cold_rows():
        yield speed.cold(model)
    if model.halved():
        yield compared.bf16(model)
    yield compared.no_faster(model)
    yield compared.fused(model)
