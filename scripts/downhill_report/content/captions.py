# SPDX-License-Identifier: MIT
"""What stands below each figure."""

from ..model import Model
from ..training import Group

CAPTIONS = {
    "topology": "What holds what on this machine, by hwloc. PU: hardware thread. Many of a kind that "
    "are alike are drawn once.",
    "speedup": "Speed-up at {}: ratios of medians of one run. The dashed line is 1. The whiskers "
    "are 95 % intervals, of the samples drawn again from themselves.",
    "ladder": "Samples per second by ISA level; hollow: the compiler's, at the flags of the level.",
    "roofline": "Operations per second over operations per byte of the working set, a drawing for each "
    "level: every kernel and shape but variations of the step. The slanted roofs are the bandwidths of "
    "reading each level of memory, the flat ones the peaks of the instructions, in GFLOP/s or GOP/s, "
    "all measured in this run on one core. The colour of a point is that of the roof it is judged by.",
    "batch": "The step by the size of the batch. Bars are 95 % intervals of the median. The line is "
    "dotted where the working set is as large as a cache.",
    "size": "The step by the number of features. Bars are 95 % intervals of the median. Dotted lines: "
    "the working set is as large as a cache.",
    "threads": "How many times faster than on one thread, with what the machine itself gains: its FMA "
    "units and the bandwidth of its memory, measured in this run.",
    "peers": "How many times faster ours is than each library, with 95 % intervals; right of the "
    "dashed line ours is faster.",
    "samples": "The samples in the order of the run, and the clock of the core. A drift of the machine "
    "shows as a slope or a step that rows of all kinds share.",
    "strips": "The samples of one kernel at the main shape, in order, about their median. The band is "
    "its 95 % interval; the number on the right is what the height stands for. Hollow: left out, with "
    "less than a whole core.",
    "phases": "Where the time of a training epoch goes. Each loss has its own scale.",
    "curves": "Training loss and test accuracy by epoch.",
    "endtoend": "Test accuracy by seconds of training, a mark after each epoch: the best level of "
    "downhill on each type of features, scalar code, and other libraries. Dotted: the accuracies of the "
    "table.",
}


def curves_text(model: Model) -> str:
    def agreement(group: Group) -> str:
        who = group.loss.capitalize()
        if len(group.runs) == 1:
            return ""
        if not group.curves_agree:
            return f"{who}: the levels differ in the four places printed; each is drawn."
        return (
            f"{who}: all {len(group.runs)} levels agree to the four places printed and are drawn "
            "once."
        )

    found = [CAPTIONS["curves"], *filter(None, map(agreement, model.groups))]
    return " ".join(found)
