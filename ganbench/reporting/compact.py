"""Smaller SVG that draws the same.

What all children of a group share is said once, as are axes that many panels have; what says nothing is left out.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping

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
OWN = {"data-o", "data-s", "id", "class", "title"}
SHARED = 200  # characters of a group that is drawn once and then used


def compact(drawn: str, prefix: str) -> str:
    """Return a smaller SVG that draws the same; its new ids begin with `prefix`."""
    try:
        root = ET.fromstring(drawn)
    except ET.ParseError:  # a name with a letter that XML has no place for
        return drawn
    _tidy(root)
    _draw_once(root, prefix)
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
        element[:] = list(_unwrapped(element))


def _unwrapped(element: ET.Element) -> Iterator[ET.Element]:
    for child in element:
        if child.tag == "g" and not child.attrib:
            yield from child
        elif child.tag not in ("g", "text") or len(child) or child.text:
            yield child


def _move_up(group: ET.Element) -> None:
    for name in INHERITED:
        values = {child.get(name) for child in group}
        if len(values) == 1 and None not in values:
            group.set(name, values.pop() or "")
            for child in group:
                del child.attrib[name]


def _draw_once(root: ET.Element, prefix: str) -> None:
    """Put groups that are there several times, and are no one's marks, among the definitions."""
    written = {group: ET.tostring(group, encoding="unicode") for group in _shareable(root)}
    counts = Counter(text for text in written.values() if len(text) > SHARED)
    places = {text: f"{prefix}-g{place}" for place, text in enumerate(text for text, n in counts.items() if n > 1)}
    if not places:
        return
    _use(root, written, places)
    found = root.find("defs")
    definitions = ET.Element("defs") if found is None else found
    if found is None:
        root.insert(0, definitions)
    for text, name in places.items():
        group = ET.fromstring(text)
        group.set("id", name)
        definitions.append(group)


def _shareable(element: ET.Element) -> Iterator[ET.Element]:
    """Find the outermost groups in which nothing has an owner, a name or a tooltip of its own."""
    for child in element:
        if child.tag == "defs":
            continue
        if child.tag == "g" and not any(OWN & {*part.keys(), part.tag} for part in child.iter()):
            yield child
        else:
            yield from _shareable(child)


def _use(element: ET.Element, written: Mapping[ET.Element, str], places: Mapping[str, str]) -> None:
    for place, child in enumerate(element):
        if (name := places.get(written.get(child, ""))) is None:
            _use(child, written, places)
        else:
            element[place] = ET.Element("use", href=f"#{name}")
