"""What a report holds: everything drawn and tabled, once, for the page and for the files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ganbench.reporting import tables
from ganbench.reporting.cell_tables import outcome_table, provenance_table
from ganbench.reporting.figures.stability import outcome_figure
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Block, Choice, Figure, Folded, Part, Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.sections import Section, overall_section, section

PICTURE_BYTES = 1_500_000  # of a page of 1,000 cells that stays near 5 MB


@dataclass(frozen=True)
class Contents:
    """The sections, one of all datasets together and one per ranking, and what stands before and after them."""

    sections: tuple[Section, ...]
    overview: Table | None
    outcome_figure: Figure | None
    outcome_table: Table
    provenance: Table

    @property
    def parts(self) -> Iterator[Part]:
        """Every part in the order of the page, each followed by those inside it."""
        around = [self.overview, self.outcome_figure, self.outcome_table, self.provenance]
        yield from _deep(part for part in around if part is not None)
        yield from _deep(part for found in self.sections for block in found.blocks for part in block.parts)

    @property
    def figures(self) -> list[Figure]:
        """Every figure."""
        return [part for part in self.parts if isinstance(part, Figure)]

    @property
    def tables(self) -> list[Table]:
        """Every table."""
        return [part for part in self.parts if isinstance(part, Table)]


def contents(frame: Frame, rankings: Sequence[Ranking], first: Sequence[Section] = ()) -> Contents:
    """Draw and table everything that a report shows, after the sections that come `first`."""
    together = overall_section(frame, rankings)
    sections = [section(frame, ranking, rankings, PICTURE_BYTES // len(rankings)) for ranking in rankings]
    sections = sections if together is None else [together, *sections]
    scored = [ranking for ranking in rankings if ranking.scoring]
    drawn = None if set(frame.cells["outcome"]) <= {"completed"} else outcome_figure(frame)
    overview = tables.overview(scored) if scored else None
    return assembled([*first, *sections], overview, drawn, outcome_table(frame), provenance_table(frame))


def assembled(
    sections: Sequence[Section], overview: Table | None, drawn: Figure | None, outcomes: Table, provenance: Table
) -> Contents:
    """Put a page's contents together: every table gets a name of its own, and the title of where it stands."""
    taken: set[str] = set()
    return Contents(
        tuple(_section(found, taken) for found in sections),
        _table(overview, ("overview",), "Overview", taken) if overview else None,
        drawn,
        _table(outcomes, ("outcomes",), "Outcomes", taken),
        _table(provenance, ("provenance",), "Provenance", taken),
    )


def plain(*words: str) -> str:
    """Return words as one plain file name: letters, digits, `_`, `.` and `-` alone, and no dot at the start."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", "-".join(words)).strip("-.").lower()[:100] or "unnamed"


def distinct(name: str, taken: set[str]) -> str:
    """Return the name, with a number where it is taken, and take it."""
    found = next(each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}-{n}") not in taken)
    taken.add(found)
    return found


def _deep(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, Choice):
            yield from _deep(option for _, option in part.options)
        elif isinstance(part, Folded):
            yield from _deep(part.parts)


def _section(found: Section, taken: set[str]) -> Section:
    return replace(found, blocks=tuple(_block(block, found, taken) for block in found.blocks))


def _block(block: Block, found: Section, taken: set[str]) -> Block:
    title, place = f"{block.title}, {found.heading}", (found.slug, block.title)
    return replace(block, parts=tuple(_named(part, place, title, taken) for part in block.parts))


def _named(part: Part, place: tuple[str, ...], title: str, taken: set[str]) -> Part:
    if isinstance(part, Table):
        return _table(part, place, title, taken)
    if isinstance(part, Choice):
        options = ((told, _named(option, (*place, told), title, taken)) for told, option in part.options)
        return replace(part, options=tuple(options))
    if isinstance(part, Folded):
        return replace(part, parts=tuple(_named(each, place, title, taken) for each in part.parts))
    return part


def _table(table: Table, place: tuple[str, ...], title: str, taken: set[str]) -> Table:
    return replace(table, name=distinct(plain(table.name or "-".join(place)), taken), title=table.title or title)
