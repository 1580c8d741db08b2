# SPDX-License-Identifier: MIT
"""Captions of the figures."""

from ..model import Model
from ..training import Group

CAPTIONS = {
    "topology": "Topology of this machine, by hwloc. PU: hardware thread. Groups of identical "
    "boxes are drawn once.",
    "fastest": "{}: calls per second of every ISA level and library, on one thread. Whiskers are "
    "95 % intervals of the median. Hatched: vectorised by the compiler. Grey: scalar code and "
    "other libraries.",
    "speedup": "Speed-up at {}: ratios of rows of one run. The dashed line is 1. The whiskers are "
    "95 % intervals.",
    "ladder": "Samples per second by ISA level. Hollow: vectorised by the compiler with the flags "
    "of the level.",
    "roofline": "Operations per second over operations per byte of the working set, one drawing "
    "per level, with every kernel and shape except variations of the step. The slanted roofs are "
    "the read bandwidths of the levels of memory, the flat roofs the peaks of the instructions, in "
    "GFLOP/s or GOP/s, all measured in this run on one core. The colour of a point shows the level "
    "of memory that holds its working set.",
    "batch": "The step by batch size. Bars are 95 % intervals of the median. Dotted lines: the "
    "working set is as large as a cache.",
    "size": "The step by the number of features. Bars are 95 % intervals of the median. Dotted "
    "lines: the working set is as large as a cache.",
    "threads": "Speed-up over one thread, and how the FMA units and the memory bandwidth of the "
    "machine scale, measured in this run.",
    "peers": "How many times as fast downhill is as each library, with 95 % intervals; right of "
    "the dashed line downhill is faster.",
    "winners": "The fastest ISA level or library by kernel and shape, and its speed-up over the "
    "next, on one thread. ≈: no clear winner, because the difference is within 1 %, the 95 % "
    "interval or the noise, or a row is marked †. –: not timed, or nothing to compare with.",
    "map": "Time of the best library over the time of downhill, by classes and features. Blue: "
    "downhill is faster. Orange: the library is; the cell names it if the difference is clear. "
    "Grey: they differ by less than 5 %. †: doubtful rows. –: not compared.",
    "samples": "The samples in the order of the run, and the clock of the core. A drift of the "
    "machine shows as a slope or a step that rows of all kinds share.",
    "strips": "The samples of one kernel at the main shape, in order, around their median. The "
    "band is the 95 % interval of the median; the number on the right is the largest deviation "
    "of a sample from the median. Vertical strokes: left out because the sample had less than a "
    "whole core.",
    "phases": "Where the time of a training epoch goes. Each loss has its own scale.",
    "curves": "Training loss and test accuracy by epoch.",
    "endtoend": "Test accuracy by seconds of training, with a mark per epoch: the best level of "
    "downhill for each type of features, scalar code, and other libraries. Dotted lines: the "
    "accuracies in the table.",
}


def curves_text(model: Model) -> str:
    def agreement(group: Group) -> str:
        loss = group.loss.capitalize()
        if len(group.runs) == 1:
            return ""
        if not group.curves_agree:
            return f"{loss}: the levels differ within four decimal places; each is drawn."
        return (
            f"{loss}: all {len(group.runs)} levels agree to four decimal places and are drawn once."
        )

    found = [CAPTIONS["curves"], *filter(None, map(agreement, model.groups))]
    return " ".join(found)
