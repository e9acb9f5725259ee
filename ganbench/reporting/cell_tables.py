"""Tables of all cells of a suite: how they ended, and what made them."""

from __future__ import annotations

from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Table
from ganbench.reporting.tables import OUTCOMES
from ganbench.reporting.wording import number


def outcome_table(frame: Frame) -> Table:
    """Count outcomes by objective and dataset."""
    present = [name for name in OUTCOMES if (frame.cells["outcome"] == name).any()]
    rows, objectives = [], []
    for objective in frame.objectives:
        for dataset in frame.datasets:
            mine = frame.cells[(frame.cells["objective"] == objective) & (frame.cells["dataset"] == dataset)]
            if not mine.empty:
                counts = mine["outcome"].value_counts()
                rows.append((objective, dataset, *(number(int(counts.get(name, 0)), 0) for name in present)))
                objectives.append(objective)
    headings = ("Objective", "Dataset", *(name.replace("_", " ").capitalize() for name in present))
    numeric = (False, False, *(True for _ in present))
    return Table("Cells by outcome.", headings, tuple(rows), numeric, tuple(objectives))


def provenance_table(frame: Frame) -> Table:
    """Show what made the cells: each fact with the number of cells that share it."""
    counted: dict[tuple[str, str], int] = {}
    times = sorted({status.provenance.get("finished", "") for status in frame.statuses.values()} - {""})
    for status in frame.statuses.values():
        for name, value in status.provenance.items():
            if name != "finished" and value:
                counted[name, str(value)] = counted.get((name, str(value)), 0) + 1
    order = list(dict.fromkeys(name for name, _ in counted))
    facts = sorted(counted.items(), key=lambda item: (order.index(item[0][0]), -item[1]))
    rows = [(name.replace("_", " "), value, number(n, 0)) for (name, value), n in facts]
    if times:
        span = times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
        rows.append(("finished", span, number(len(frame.statuses), 0)))
    return Table("What made the cells.", ("What", "Value", "Cells"), tuple(rows), (False, False, True))
