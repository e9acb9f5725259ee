"""Smaller SVG that draws the same: what all children of a group share is said once, what says nothing is left out."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

INHERITED = (
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
    "pointer-events",
)
DEFAULTS = {"opacity": "1", "transform": "translate(0,0)", "font-weight": "normal"}
AT_ORIGIN = {"x1": "0", "y1": "0", "x2": "0", "y2": "0"}
KEPT = ("marks", "role-scope")  # classes that the page looks for


def compact(drawn: str) -> str:
    """Return the SVG with attributes moved up to groups and without defaults, classes and groups that do nothing."""
    try:
        root = ET.fromstring(drawn)
    except ET.ParseError:  # a name with a letter that XML has no place for
        return drawn
    _tidy(root)
    return ET.tostring(root, encoding="unicode").replace(" />", "/>")


def _tidy(element: ET.Element) -> None:
    for child in element:
        _tidy(child)
    defaults = DEFAULTS | (AT_ORIGIN if element.tag == "line" else {})
    classes = [name for name in element.attrib.pop("class", "").split() if name in KEPT]
    element.attrib.update({"class": " ".join(classes)} if classes else {})
    for name in [name for name, value in element.attrib.items() if defaults.get(name) == value]:
        del element.attrib[name]
    element[:] = list(_unwrapped(element))
    if element.tag == "g" and len(element):
        _move_up(element)


def _unwrapped(element: ET.Element) -> Iterator[ET.Element]:
    for child in element:
        if child.tag == "g" and not child.attrib:
            yield from child
        elif child.tag != "g" or len(child):
            yield child


def _move_up(group: ET.Element) -> None:
    for name in INHERITED:
        values = {child.get(name) for child in group}
        if len(values) == 1 and None not in values:
            group.set(name, values.pop() or "")
            for child in group:
                del child.attrib[name]
