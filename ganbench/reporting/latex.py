r"""A table of the report as LaTeX that can be \input: in the style of booktabs, with a caption, no wider than a page.

The first lines of a file say which packages it needs, and where pdfLaTeX has no letters for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ganbench.reporting.parts import Table

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau "
    "upsilon phi chi psi omega"
)
CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\ttfamily\char34}",  # the straight one that each of the font encodings OT1, T1 and TU has
    "[": "{[}",  # which would be the option of a line's end before it
    "]": "{]}",
    "*": "{*}",  # which would be its star
    "\u2009": r"\,",
    "\u202f": r"\,",
    "\u00a0": "~",
    "\u2013": "--",
    "\u2014": "---",
    "\u2026": r"\dots{}",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u00b7": r"\textperiodcentered{}",
    "\u00b5": r"$\mu$",
    "\u2191": r"$\uparrow$",
    "\u2193": r"$\downarrow$",
    "\u2192": r"$\rightarrow$",
    "\u2605": r"$\star$",
    "\u2212": "$-$",
    "\u00b1": r"$\pm$",
    "\u00d7": r"$\times$",
    "\u2248": r"$\approx$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
    "\u221e": r"$\infty$",
    **{chr(0x3B1 + place): rf"$\{name}$" for place, name in enumerate(GREEK.split()) if name != "omicron"},
    **{letter: rf"$\{name}$" for letter, name in zip("ΓΔΘΛΞΠΣΦΨΩ", CAPITALS.split(), strict=True)},
}
LIGATURES = re.compile(r"(?<=[-'`,])(?=[-'`,])|(?<=[?!])(?=`)")
WORD = re.compile(r"\S{25,}")
LATIN = 0x17F  # the last letter of Latin Extended-A, up to which pdfLaTeX knows the letters in the font encoding T1
UNKNOWN = frozenset("ĦħĸĿŀŉŦŧſ")  # but for these
LINE = 75  # letters of a table that fit an A4 page in a normal font; in the small one of long tables, a third more
PAGE = 45  # lines that fit it
NARROW = 40  # letters of a cell that are not broken


def tabular(table: Table) -> str:
    """Return a table as LaTeX with its caption and the label `tab:NAME`.

    It is a float scaled down to the line where it is wider, turned where that would leave nothing to be read, and a
    table over several pages where it is longer than one. Whatever LaTeX would read as a command is escaped.
    """
    long = _lines(table) > PAGE
    wide = _width(table) > LINE * (4 / 3 if long else 2)
    packages, lines = _long(table, wide) if long else _float(table, wide)
    return "\n".join([*_needs(table, packages), *lines]) + "\n"


def _float(table: Table, wide: bool) -> tuple[Sequence[str], Sequence[str]]:
    """Return the packages and the lines of a table on one page, turned where it is wide."""
    name, where = ("sidewaystable", "[p]") if wide else ("table", "[htbp]")
    lines = (
        rf"\begin{{{name}}}{where}",
        r"\centering",
        _about(table),
        r"\begin{adjustbox}{max width=\linewidth}",
        rf"\begin{{tabular}}{{{_columns(table)}}}",
        *_head(table),
        *map(_row, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{adjustbox}",
        rf"\end{{{name}}}",
    )
    return ("booktabs", "adjustbox", *(["rotating"] if wide else [])), lines


def _long(table: Table, wide: bool) -> tuple[Sequence[str], Sequence[str]]:
    """Return the packages and the lines of a table over several pages, turned where it is wide."""
    lines = (
        *([r"\begin{landscape}"] if wide else []),
        r"{\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{longtable}}{{{_columns(table)}}}",
        rf"{_about(table)} \\",
        *_head(table),
        r"\endfirsthead",
        *_head(table),
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *map(_row, table.rows),
        r"\end{longtable}}",
        *([r"\end{landscape}"] if wide else []),
    )
    return ("booktabs", "longtable", *(["pdflscape"] if wide else [])), lines


def _about(table: Table) -> str:
    return rf"\caption{{{escaped(table.caption)}}}\label{{tab:{table.name}}}"


def _head(table: Table) -> Sequence[str]:
    return r"\toprule", _row(table.headings), r"\midrule"


def _columns(table: Table) -> str:
    return "".join(_column(table, place) for place in range(len(table.headings)))


def escaped(text: str) -> str:
    """Return text that LaTeX sets as it stands, on one line; words longer than a line may be broken."""
    parts = WORD.split(_line(text))
    words = [*WORD.findall(_line(text)), ""]
    return "".join(_escaped(part) + _breakable(word) for part, word in zip(parts, words, strict=True))


def _escaped(text: str) -> str:
    return "".join(SIGNS.get(letter, letter) for letter in LIGATURES.sub("\0", text)).replace("\0", "{}")


def _breakable(word: str) -> str:
    return r"\allowbreak{}".join(_escaped(word[start : start + 12]) for start in range(0, len(word), 12))


def _row(cells: Sequence[str]) -> str:
    return " & ".join(escaped(cell) for cell in cells) + r" \\"


def _longest(table: Table, place: int) -> int:
    return max(len(table.headings[place]), *(len(row[place]) for row in table.rows), 0)


def _column(table: Table, place: int) -> str:
    if table.numeric[place]:
        return "r"
    return "l" if _longest(table, place) <= NARROW else r"p{0.4\linewidth}"


def _width(table: Table) -> int:
    """Return how many letters wide a table is, about: three between two columns."""
    return sum(min(_longest(table, place), NARROW) + 3 for place in range(len(table.headings)))


def _lines(table: Table) -> int:
    """Return how many lines a table has, about: those of the longest cell of every row."""
    return sum(max(1, *(math.ceil(len(cell) / NARROW) for cell in row)) for row in table.rows)


def _needs(table: Table, packages: Sequence[str]) -> list[str]:
    """Say what a document needs for this table, in comments."""
    told = ", ".join(rf"\usepackage{{{name}}}" for name in packages)
    lines = [f"% {_line(table.title)}. Needs {told}."]
    text = _line("".join((table.caption, *table.headings, *(cell for row in table.rows for cell in row))))
    letters = {letter for letter in text if ord(letter) > 127 and letter not in SIGNS}
    if any(ord(letter) > LATIN or letter in UNKNOWN for letter in letters):
        lines.append(
            r"% Has letters that pdfLaTeX has not: compile it with XeLaTeX or LuaLaTeX, \usepackage{fontspec} and a "
            r"font that has them, such as \setmainfont{Noto Serif CJK SC} for Chinese."
        )
    elif letters:
        lines.append(r"% Has letters beyond ASCII: with pdfLaTeX it needs \usepackage[T1]{fontenc}.")
    return lines


def _line(text: str) -> str:
    """Join lines: an empty one would end a paragraph, and one after `%` would leave the comment."""
    return re.sub(r"[\r\n\t\v\f\x00-\x08\x0e-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
