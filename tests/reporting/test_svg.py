"""SVG for a page: marks that can be found, symbols drawn once, and text that stays text."""

import xml.etree.ElementTree as ET

import pandas as pd

from ganbench.reporting.drawing import Ink, Sheet, layered, number
from ganbench.reporting.svg import inline

HOSTILE = '<b>"a"</b>; & it\'s'


def drawn(points: int = 5, name: str = "one") -> ET.Element:
    ink = Ink("#0072b2", 3)
    data = pd.DataFrame([{"x": k, "y": k / 3, "tip": ink.tip(f"{HOSTILE} {k}", k)} for k in range(points)])
    sheet = Sheet()
    dots = sheet.layer(data, {"type": "point"}, {"x": number("x"), "y": number("y")})
    return ET.fromstring(sheet.figure(layered(dots), name, "", "", data).svg)


def test_a_mark_tells_whose_it_is_and_what_it_shows():
    marks = [element for element in drawn().iter() if "data-o" in element.attrib]
    assert [(mark.get("data-o"), mark.get("data-s")) for mark in marks] == [("3", str(k)) for k in range(5)]
    assert [mark.findtext("title") for mark in marks] == [f"{HOSTILE} {k}" for k in range(5)]


def test_a_symbol_is_drawn_once_and_stands_where_it_stood():
    few, many = drawn(2), drawn(5)
    assert few.find("defs/path") is None and many.find("defs/path") is not None
    (symbol,) = many.findall("defs/path")
    used = list(many.iter("use"))
    assert {use.get("href") for use in used} == {f"#{symbol.get('id')}"} and len(used) == 5
    places = [float(use.get("transform").split("(")[1].split(",")[0]) for use in used]
    assert places == sorted(places) and places[0] < 1 and places[-1] > 150
    originals = [element.get("d") for element in few.iter("path") if "data-o" in element.attrib]
    assert set(originals) == {symbol.get("d")}


def test_two_figures_share_no_name():
    ids = [{element.get("id") for element in drawn(name=name).iter()} - {None} for name in ("one", "two")]
    assert all(ids) and not ids[0] & ids[1]


def test_clips_are_numbered_by_what_they_cut():
    def drawing(first: int) -> str:
        clips = ((first, "5"), (first + 1, "5"), (first + 2, "7"))
        made = "".join(f'<clipPath id="clip{n}"><rect width="{w}" height="9"/></clipPath>' for n, w in clips)
        used = "".join(f'<path d="M0,0" clip-path="url(#clip{n})"/>' for n, _ in clips)
        return inline(f"<svg><defs>{made}</defs><g>{used}</g></svg>", "x")

    found = drawing(1)
    assert found == drawing(40)
    assert found.count("<clipPath") == 2
    used = [path.get("clip-path") for path in ET.fromstring(found).iter("path")]
    assert used[0] == used[1] != used[2]


def test_numbers_of_places_are_cut_and_no_others():
    text = (
        '<svg width="10.123"><path opacity="0.755" d="M0.123456,-0.01L1e-7,5.96" transform="translate(3.04,2)"/></svg>'
    )
    assert (
        inline(text, "x")
        == '<svg width="10.1"><path opacity="0.755" d="M0.1,0L1e-7,6" transform="translate(3,2)"/></svg>'
    )


def test_a_control_character_in_a_name_ends_no_drawing():
    sheet = Sheet()
    data = pd.DataFrame({"x": [1.0], "name": ["\x1b[31mred\x85, \\u001b and \u4e2d"]})
    named = {"x": number("x"), "text": {"field": "name"}}
    svg = sheet.figure(layered(sheet.layer(data, {"type": "text"}, named)), "one", "", "", data).svg
    assert "[31mred, \\u001b and \u4e2d" in svg
