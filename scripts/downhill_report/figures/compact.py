# SPDX-License-Identifier: MIT
"""Makes an SVG of matplotlib several times smaller without changing what it shows: a page has up to
twenty of them."""

import itertools
import re
import string
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

NAMESPACE = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
# The id of the picture, which scopes its style sheet in a page with several pictures.
ROOT_ID = "svg"
NUMBER = re.compile(r"-?\d+\.\d+")
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def compact(svg: str) -> str:
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    sheet = "".join(element.text or "" for element in root.iter("style"))
    prune(root)
    shorten_ids(root)
    in_defs = {id(inner) for defs in root.iter("defs") for inner in defs.iter()}
    for element in root.iter():
        shorten_numbers(element, 2 if id(element) in in_defs else 1)
    root.attrib = {"xmlns": NAMESPACE, "id": ROOT_ID} | {
        name: root.get(name) for name in ("width", "height", "viewBox")
    }
    style = Element("style")
    style.text = "".join([f"#{ROOT_ID} {sheet}", *rules(root)])
    root.insert(0, style)
    for element in root.iter():
        element.tail = "\n"
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def prune(parent: Element) -> None:
    """Removes what shows nothing, and groups that do nothing; joins groups that are alike."""
    kept: list[Element] = []
    for child in list(parent):
        prune(child)
        if is_blank(child):
            continue
        clip = child.attrib.pop("clip-path", None)
        if clip:  # as a style it is written once
            child.set("style", f"{child.get('style', '')}; clip-path: {clip}".lstrip("; "))
        if child.tag == "g" and not child.attrib.keys() - {"id"}:
            kept += child
        elif is_group_like(kept, child):
            kept[-1].extend(child)
        else:
            kept.append(child)
    if parent.tag != "text":
        parent.text = None
    parent[:] = kept


def is_blank(element: Element) -> bool:
    return (
        element.tag in ("metadata", "style")
        or (element.tag in ("defs", "g") and not len(element))
        or (element.tag == "path" and element.get("style") == "fill: none")
    )


def is_group_like(kept: list[Element], group: Element) -> bool:
    """Returns whether this and the previous element are groups with the same attributes."""
    if not kept or group.tag != "g" or kept[-1].tag != "g":
        return False
    first, second = ({k: v for k, v in o.attrib.items() if k != "id"} for o in (kept[-1], group))
    return first == second


def shorten_ids(root: Element) -> None:
    """Removes ids that nothing refers to, and shortens the others."""
    names = (f"i{i}" for i in itertools.count())
    short: dict[str, str] = {}
    for element in root.iter():
        used = [
            element.get(HREF, "").removeprefix("#"),
            *REFERENCE.findall(element.get("style", "")),
        ]
        for name in filter(None, used):
            short.setdefault(name, next(names))
    for element in root.iter():
        if HREF in element.attrib:
            element.set("href", f"#{short[element.attrib.pop(HREF)[1:]]}")
        if "style" in element.attrib:
            style = REFERENCE.sub(lambda found: f"url(#{short[found[1]]})", element.get("style"))
            element.set("style", style)
        if "id" in element.attrib:
            name = element.attrib.pop("id")
            element.attrib |= {"id": short[name]} if name in short else {}


def shorten_numbers(element: Element, digits: int) -> None:
    """Rounds coordinates. A tenth of a point is a sixth of a pixel of the page."""

    def rounded(found: re.Match[str]) -> str:
        text = f"{float(found[0]):.{digits}f}".rstrip("0").rstrip(".")
        return "0" if text in ("-0", "") else text

    for name in ("x", "y", "transform"):
        if name in element.attrib:
            element.set(name, NUMBER.sub(rounded, element.get(name)))
    if element.get("transform", "").startswith(("rotate(0 ", "rotate(-0 ")):
        del element.attrib["transform"]
    if "d" in element.attrib:
        element.set("d", "".join(steps(NUMBER.sub(rounded, element.get("d")))))


def steps(path: str) -> Iterator[str]:
    """Yields the commands of a path; a line along an axis needs one coordinate, a dot none."""
    x = y = ""
    for command, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        numbers = text.split()
        if command == "L" and numbers == [x, y]:
            yield "h0"
        elif command == "L" and numbers[1] == y:
            yield f"H{numbers[0]}"
        elif command == "L" and numbers[0] == x:
            yield f"V{numbers[1]}"
        else:
            yield command + " ".join(numbers)
        x, y = numbers[-2:] or ("", "")


def rules(root: Element) -> Iterator[str]:
    """Replaces the styles of the elements by classes; yields a rule for each."""
    counted = Counter(element.get("style") for element in root.iter() if element.get("style"))
    names = class_names()
    classes = {style: next(names) for style, _ in counted.most_common()}
    for element in root.iter():
        if style := element.attrib.pop("style", None):
            element.set("class", classes[style])
    for style, name in classes.items():
        yield f"\n#{ROOT_ID} .{name}{{{style.replace(': ', ':').replace('; ', ';')}}}"


def class_names() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "".join(letters)
