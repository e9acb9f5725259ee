r"""A table of the report as LaTeX that can be \input: a float in the style of booktabs, with its caption."""

from __future__ import annotations

import re

from ganbench.reporting.parts import Table

SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # which would be the option of a line's end before it
    "]": "{]}",
    "\u2009": r"\,",
    "\u00a0": "~",
    "\u2013": "--",
    "\u2026": r"\dots{}",
    "\u201c": "``",
    "\u201d": "''",
    "\u00b7": r"\textperiodcentered{}",
    "\u2191": r"$\uparrow$",
    "\u2193": r"$\downarrow$",
    "\u2605": r"$\star$",
    "\u2212": "$-$",
    "\u00b1": r"$\pm$",
    "\u00d7": r"$\times$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
    "\u03b8": r"$\theta$",
    "\u03c8": r"$\psi$",
}


def tabular(table: Table) -> str:
    """Return a table as a LaTeX float for the package booktabs, with its caption and the label `tab:NAME`.

    Whatever LaTeX would read as a command is escaped. Letters outside Latin need LuaLaTeX or XeLaTeX.
    """
    align = "".join("r" if numeric else "l" for numeric in table.numeric)
    lines = [
        f"% {_line(table.title)}. Needs \\usepackage{{booktabs}}.",
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{escaped(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        _row(table.headings),
        r"\midrule",
        *(_row(row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that LaTeX sets as it stands, on one line."""
    return "".join(SIGNS.get(letter, letter) for letter in _line(text))


def _row(cells: tuple[str, ...]) -> str:
    return " & ".join(escaped(cell) for cell in cells) + r" \\"


def _line(text: str) -> str:
    """Join lines: an empty one would end a paragraph, and one after `%` would leave the comment."""
    return re.sub(r"[\r\n\v\f\x00-\x08\x0e-\x1f\x85\u2028\u2029]+", " ", text)
