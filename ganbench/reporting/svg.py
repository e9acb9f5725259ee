"""From the SVG that Vega draws to one that a page can hold many times: small, with marks that can be addressed.

A chart names its marks through the channel `description`, with a text made by `tip`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from html import escape, unescape

PAGE_INK = "#1c2127"  # what `currentColor` is on white paper
SHARED = 40  # characters of a path that is drawn once and then used
MARK = re.compile(r'<(path|line|rect|text)( [^>]*?)? ?aria-label="([^";]*);([^";]*);([^"]*)"([^>]*?)/>')
NUMBER = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
PLACE = re.compile(r' (?:d|transform|[xy][12]?|width|height)="[^"]*"')
FONT = "system-ui, sans-serif"
DEFAULTS = re.compile(
    r' (?:opacity="1"|stroke-width="1"|[xy][12]?="0"|pointer-events="none"|transform="translate\(0,0\)")'
)
LINE = re.compile(
    r'transform="translate\(([^,]*),([^)]*)\)"(?: x2="([^"]*)")?(?: y2="([^"]*)")?((?: (?!data-)[a-z-]+="[^"]*")*)$'
)
SYMBOL = re.compile(r'<path ([^>]*?)d="([^"]*)"([^>]*?)(/?)>')


def tip(text: str, objective: int | None = None, seed: int | None = None) -> str:
    """Return what a mark is called: its tooltip, and whose it is (an objective by its place in the suite, a seed)."""
    return f"{'' if objective is None else objective};{'' if seed is None else seed};{text}"


def inline(drawn: str, name: str) -> str:
    """Return an SVG for a page that holds others; ids get a prefix made of `name`.

    Names of marks become `data-o`, `data-s` and a tooltip; numbers are cut to a tenth of a pixel; a symbol that is
    drawn many times is drawn once.
    """
    prefix = "f" + hashlib.sha256(name.encode()).hexdigest()[:8]
    drawn = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\1{prefix}-\2", drawn)
    drawn = re.sub(r' (?:xmlns|xmlns:xlink|version|aria-hidden|aria-roledescription|role)="[^"]*"', "", drawn)
    drawn = MARK.sub(_mark, drawn)
    drawn = re.sub(r' aria-label="[^"]*"', "", drawn)
    drawn = re.sub(r'<path class="(?:fore|back)ground"[^>]* d="[^"]*"[^>]*/>', "", drawn)
    drawn = PLACE.sub(lambda attribute: NUMBER.sub(_tenth, attribute[0]), drawn)
    return _symbols_once(_bare(drawn), prefix)


def alone(drawn: str, title: str, description: str) -> str:
    """Return an SVG of the page as a file of its own: named, described, on white, with no colour from outside."""
    start = drawn.index(">") + 1
    told = f"<title>{escape(title, quote=False)}</title><desc>{escape(description, quote=False)}</desc>"
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    opened = drawn[:start].replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{opened}{told}{ground}{drawn[start:]}".replace('="currentColor"', f'="{PAGE_INK}"') + "\n"


def _mark(found: re.Match[str]) -> str:
    tag, before, objective, seed, text, after = found.groups()
    told = "".join(f' data-{name}="{value}"' for name, value in (("o", objective), ("s", seed)) if value)
    title = f"<title>{escape(unescape(text), quote=False)}</title>" if text else ""
    return f"<{tag}{before or ''}{told}{after.rstrip()}>{title}</{tag}>"


def _bare(drawn: str) -> str:
    """Leave out what says nothing: half of a figure is axes, and half of an axis is defaults."""
    drawn = re.sub(r' class="([^"]*)"', lambda found: ' class="role-scope"' if "role-scope" in found[1] else "", drawn)
    drawn = DEFAULTS.sub("", drawn)
    drawn = re.sub(rf' font-family="{FONT}"', "", drawn).replace("<svg", f'<svg font-family="{FONT}"', 1)
    before = None
    while before != drawn:
        before, drawn = drawn, re.sub(r"<g[^>]*></g>", "", drawn)
    return re.sub(r"(?:<line [^>]*/>){2,}", _one_path, drawn)


def _one_path(found: re.Match[str]) -> str:
    """Draw lines that stand in a row, such as those of a grid, as one path for each way in which they are drawn."""
    ways: dict[str, str] = {}
    for line in re.findall(r"<line ([^>]*)/>", found[0]):
        place = LINE.match(line)
        if place is None:
            return found[0]
        x, y, right, down, rest = place.groups()
        ways[rest] = f"{ways.get(rest, '')}M{x},{y}l{right or 0},{down or 0}"
    return "".join(f'<path d="{path}"{rest}/>' for rest, path in ways.items())


def _tenth(found: re.Match[str]) -> str:
    written = f"{float(found[0]):.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def _symbols_once(drawn: str, prefix: str) -> str:
    counts = Counter(path for _, path, _, _ in SYMBOL.findall(drawn) if len(path) > SHARED)
    shared = {path: f"{prefix}-s{place}" for place, path in enumerate(p for p, n in counts.items() if n > 2)}
    if not shared:
        return drawn

    def use(found: re.Match[str]) -> str:
        before, path, after, closed = found.groups()
        if path not in shared:
            return found[0]
        return f'<use href="#{shared[path]}" {before.strip()}{after.rstrip()}{closed}>'

    drawn = SYMBOL.sub(use, drawn)
    drawn = re.sub(r"(<use [^>]*[^/]>(?:<title>[^<]*</title>)?)</path>", r"\1</use>", drawn)
    definitions = "".join(f'<path id="{name}" d="{path}"/>' for path, name in shared.items())
    start = drawn.index(">") + 1
    return f"{drawn[:start]}<defs>{definitions}</defs>{drawn[start:]}"
