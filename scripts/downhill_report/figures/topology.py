# SPDX-License-Identifier: MIT
"""The machine as hwloc sees it: nested boxes of packages, NUMA nodes, caches, cores and hardware
threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..numbers import bytes_text
from .style import GRID, MUTED, PAPER, TEXT, WIDTH, to_svg

# Objects of other types (groups, dies, devices) are replaced by their children.
SHOWN = ("Machine", "Package", "NUMANode", "L3Cache", "L2Cache", "L1Cache", "Core", "PU")
# Maximum number of identical boxes to draw; more are drawn as one with their number.
MAX_ALIKE = 4
HEAD, GAP, LEAF = 0.30, 0.10, 1.5


@dataclass
class Box:
    label: str
    kind: str
    inside: list[Box] = field(default_factory=list)
    count: int = 1

    @property
    def width(self) -> float:
        inner = sum(box.width for box in self.inside) + GAP * (len(self.inside) - 1)
        return max(LEAF, inner + 2 * GAP if self.inside else 0)

    @property
    def height(self) -> float:
        return HEAD + (max(box.height for box in self.inside) + GAP if self.inside else 0)

    def form(self) -> tuple[object, ...]:
        """Returns a key that is equal for boxes that differ only in their numbers."""
        return (self.kind, self.label.partition("#")[0], *(box.form() for box in self.inside))


def topology(xml: str) -> str:
    boxes = boxes_of(ElementTree.fromstring(xml))
    machine = boxes[0] if len(boxes) == 1 else Box("Machine", "Machine", boxes)
    scale = min(1.0, (WIDTH - 0.2) / machine.width)
    figure = Figure(figsize=(WIDTH, 0.2 + machine.height * max(scale, 0.8)))
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    draw(axes, machine, 0.0, machine.height, machine.width)
    axes.set_xlim(-0.02, max(machine.width, (WIDTH - 0.2) * scale) + 0.02)
    axes.set_ylim(-0.02, machine.height + 0.02)
    axes.axis("off")
    return to_svg(figure)


def boxes_of(element: ElementTree.Element) -> list[Box]:
    """Returns the box of the element, or the boxes of its children if its type is not shown."""
    inside = [box for child in element.findall("object") for box in boxes_of(child)]
    kind = element.get("type", "")
    if kind not in SHOWN:
        return inside
    # Memory first: in hwloc's tree it is a sibling of the caches.
    inside.sort(key=lambda box: box.kind != "NUMANode")
    return [Box(label(element, kind), kind, alike(inside))]


def label(element: ElementTree.Element, kind: str) -> str:
    number = element.get("os_index", "?").replace("$", "?")  # "$" would start a formula
    if size := element.get("cache_size"):
        what = kind.removesuffix("Cache") + ("d" if element.get("cache_type") == "1" else "")
        return f"{what} {bytes_text(int(size))}"
    if memory := element.get("local_memory"):
        return f"NUMA #{number} {bytes_text(int(memory))}"
    return kind if kind == "Machine" else f"{kind} #{number}"


def alike(boxes: list[Box]) -> list[Box]:
    """Replaces more than MAX_ALIKE identical boxes by one with their number."""
    forms: dict[tuple[object, ...], list[Box]] = {}
    for box in boxes:
        forms.setdefault(box.form(), []).append(box)
    out: list[Box] = []
    for same in forms.values():
        if len(same) <= MAX_ALIKE:
            out += same
        else:
            same[0].label = f"{len(same)} × {same[0].label.partition(' #')[0]}"
            out.append(same[0])
    return out


def draw(axes: Axes, box: Box, left: float, top: float, width: float) -> None:
    """Draws a box and its children, which share the spare width evenly."""
    fill = GRID if box.kind in ("Core", "PU") else PAPER
    axes.add_patch(
        Rectangle((left, top - box.height), width, box.height, facecolor=fill, edgecolor=MUTED,
                  linewidth=0.8)
    )  # fmt: skip
    axes.text(left + 0.07, top - HEAD / 2, box.label, va="center", fontsize=8, color=TEXT)
    spare = width - 2 * GAP - GAP * (len(box.inside) - 1) - sum(o.width for o in box.inside)
    at = left + GAP
    for inner in box.inside:
        share = inner.width + spare / len(box.inside)
        draw(axes, inner, at, top - HEAD, share)
        at += share + GAP
