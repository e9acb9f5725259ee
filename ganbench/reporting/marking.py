"""Markdown: tables and texts in which no name becomes markup."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.reporting.parts import Table


def table(held: Table) -> str:
    """Write a table with its caption below."""
    rule = "|".join("---:" if numeric else "---" for numeric in held.numeric)
    lines = [_row(held.headings), f"|{rule}|", *(_row(row) for row in held.rows)]
    return "\n".join(lines) + f"\n\n{escaped(held.caption)}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def code(text: str) -> str:
    """Set a text as code, which ends at the first backtick and in which nothing else is a mark."""
    return f"`{' '.join(text.replace('`', '').split())}`"


def escaped(text: str) -> str:
    """Keep names from becoming markup: Markdown lets HTML through."""
    for mark, safe in (
        ("\\", "\\\\"),
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "\\|"),
        ("*", "\\*"),
        ("_", "\\_"),
        ("`", "\\`"),
        ("[", "\\["),
    ):
        text = text.replace(mark, safe)
    return " ".join(text.split())
