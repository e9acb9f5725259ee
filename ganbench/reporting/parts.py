"""What a section of the report consists of: figures, tables, galleries, and ways to fold them or choose among them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ganbench.reporting.studio import DrawingError
from ganbench.reporting.svg import inline

UNDRAWN = (
    '<svg width="480" height="40" viewBox="0 0 480 40"><text x="4" y="25" fill="currentColor" font-size="14" '
    'font-family="system-ui, sans-serif">This figure could not be drawn; its numbers are in its CSV file.</text></svg>'
)


@dataclass(frozen=True)
class Figure:
    """A drawing in the making, what it shows in words, a text for those who cannot see it, and its numbers.

    `name` is unique within a report and a plain file name. In the SVG, every mark that shows an objective carries its
    place in the suite as `data-o`, every mark of one seed that seed as `data-s`, and its numbers as a tooltip.
    """

    kind: ClassVar[str] = "figure"

    name: str
    drawn: Future[str]
    caption: str
    alt: str
    data: pd.DataFrame

    @functools.cached_property
    def svg(self) -> str:
        """The drawing as SVG to be inlined; waits for it. One that fails costs no report: it says so in its place."""
        try:
            drawn = self.drawn.result()
        except DrawingError as error:
            told = str(error).partition("\n    at ")[0]
            warnings.warn(f"the figure {self.name} could not be drawn ({told}); its numbers are there", stacklevel=2)
            drawn = UNDRAWN
        return inline(drawn, self.name)


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; `numeric` marks the columns set flush right.

    `objectives` names the objective behind each row (its colour), and is empty where rows have none. The cells of the
    column `named` name their row. `name` (a plain file name, unique within a report) and `title` are given by where the
    table stands, unless it has its own.
    """

    kind: ClassVar[str] = "table"

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    objectives: tuple[str, ...] = ()
    named: int = 0
    name: str = ""
    title: str = ""


@dataclass(frozen=True)
class Picture:
    """One picture: its data URI (empty where the cell left no samples), a title, a remark, an alternative text."""

    uri: str
    title: str
    remark: str
    alt: str
    objective: str = ""
    image: bool = False
    seed: int | None = None


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side, in larger tiles or in a `strip` of small ones, and what they show."""

    kind: ClassVar[str] = "gallery"

    pictures: tuple[Picture, ...]
    caption: str = ""
    strip: bool = False


@dataclass(frozen=True)
class Choice:
    """Parts of which the reader sees one at a time, the first at first; without a script all under each other.

    With `slider` the options are places on a scale, such as steps.
    """

    kind: ClassVar[str] = "choice"

    label: str
    options: tuple[tuple[str, Part], ...]
    slider: bool = False


@dataclass(frozen=True)
class Folded:
    """Parts under a line that opens them."""

    kind: ClassVar[str] = "folded"

    summary: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph, or with `title` a heading above it."""

    kind: ClassVar[str] = "text"

    text: str
    title: str = ""


Part = Figure | Table | Gallery | Choice | Folded | Text


@dataclass(frozen=True)
class Block:
    """One question that a section answers: a heading and what is shown under it."""

    title: str
    parts: tuple[Part, ...]


def block(title: str, *parts: Part | None) -> list[Block]:
    """Return one block of the parts that there are; none where there is no part."""
    found = tuple(part for part in parts if part is not None)
    return [Block(title, found)] if found else []


def choice(label: str, options: Sequence[tuple[str, Part | None]], slider: bool = False) -> Part | None:
    """Return a choice among the parts that there are: the part itself where it is alone, None where there is none."""
    found = tuple((name, part) for name, part in options if part is not None)
    return Choice(label, found, slider) if len(found) > 1 else found[0][1] if found else None
