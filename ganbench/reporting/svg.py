"""From the SVG that Vega draws to one that a page can hold many times: small, with marks that can be addressed.

A chart names its marks through the channel `description`, with a text made by `tip`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from html import escape, unescape

from ganbench.reporting.compact import compact

PAGE_INK = "#1c2127"  # what `currentColor` is on white paper
SHARED = 40  # characters of a path that is drawn once and then used
MARK = re.compile(r'<(path|line|rect|text)( [^>]*?)? ?aria-label="([^";]*);([^";]*);([^"]*)"([^>]*?)/>')
CLIP = re.compile(r'<clipPath id="(clip\d+)">(.*?)</clipPath>')
NUMBER = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
PLACE = re.compile(r' (?:d|transform|[xy][12]?|width|height)="[^"]*"')
SYMBOL = re.compile(r'<path ([^>]*?)d="([^"]*)"([^>]*?)(/?)>')


def tip(text: str, objective: int | None = None, seed: int | None = None) -> str:
    """Return what a mark is called: its tooltip, and whose it is (an objective by its place in the suite, a seed)."""
    return f"{'' if objective is None else objective};{'' if seed is None else seed};{text}"


def inline(drawn: str, name: str) -> str:
    """Return an SVG for a page that holds others; ids get a prefix made of `name`.

    Names of marks become `data-o`, `data-s` and a tooltip; numbers are cut to a tenth of a pixel; a symbol that is
    drawn many times is drawn once; attributes that marks share stand on their group.
    """
    prefix = "f" + hashlib.sha256(name.encode()).hexdigest()[:8]
    drawn = _clips_once(re.sub(r'(id="|url\(#)gradient', rf"\1{prefix}-gradient", drawn), prefix)
    drawn = re.sub(r' (?:xmlns|xmlns:xlink|version|aria-hidden|aria-roledescription|role)="[^"]*"', "", drawn)
    drawn = MARK.sub(_mark, drawn)
    drawn = re.sub(r' aria-label="[^"]*"', "", drawn)
    drawn = re.sub(r'<path class="(?:fore|back)ground"[^>]* d="[^"]*"[^>]*/>', "", drawn)
    drawn = PLACE.sub(lambda attribute: NUMBER.sub(_tenth, attribute[0]), drawn)
    return compact(_symbols_once(drawn, prefix), prefix)


def alone(drawn: str, title: str, description: str) -> str:
    """Return an SVG of the page as a file of its own: named, described, on white, and with no colour from outside."""
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


def _tenth(found: re.Match[str]) -> str:
    written = f"{float(found[0]):.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def _clips_once(drawn: str, prefix: str) -> str:
    """Number clips by what they cut: Vega counts them over all charts of a process, and gives every panel its own."""
    cuts = dict(CLIP.findall(drawn))
    names = {cut: f"{prefix}-clip{place}" for place, cut in enumerate(dict.fromkeys(cuts.values()))}
    met: set[str] = set()

    def once(found: re.Match[str]) -> str:
        cut = found[2]
        fresh = cut not in met
        met.add(cut)
        return f'<clipPath id="{names[cut]}">{cut}</clipPath>' if fresh else ""

    drawn = CLIP.sub(once, drawn)
    return re.sub(r"url\(#(clip\d+)\)", lambda found: f"url(#{names[cuts[found[1]]]})", drawn)


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
