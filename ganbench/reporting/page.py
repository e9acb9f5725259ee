"""The page: one HTML file with everything in it, from a frame and its rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from ganbench.reporting import tables
from ganbench.reporting.colours import OUTCOME_COLOURS, colours
from ganbench.reporting.figures.stability import outcome_figure
from ganbench.reporting.frame import Frame
from ganbench.reporting.ranking import BROKEN, Ranking
from ganbench.reporting.sections import section
from ganbench.reporting.verdict import caveats
from ganbench.reporting.wording import count, duration

PICTURE_BYTES = 3_000_000  # of a page that stays below 6 MB


@dataclass(frozen=True)
class Trouble:
    """Cells that ended alike: which, why, and the traceback where there is one."""

    where: str
    outcome: str
    reason: str
    traceback: str


def page(frame: Frame, rankings: Sequence[Ranking]) -> str:
    """Render the report as HTML that asks for nothing: styles, figures and pictures are inlined."""
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    palette = colours(frame.objectives)
    counts = frame.cells["outcome"].value_counts()
    template = environment.get_template("page.html.j2")
    return template.render(
        style=Markup((folder / "page.css").read_text(encoding="utf-8")),
        drawn=Markup,
        suite=frame.suite,
        facts=_facts(frame),
        sections=[section(frame, ranking, rankings, PICTURE_BYTES // len(rankings)) for ranking in rankings],
        overview=tables.overview(scored) if (scored := [r for r in rankings if r.scoring]) else None,
        outcomes=[
            (name.replace("_", " "), int(counts[name]), OUTCOME_COLOURS[name])
            for name in OUTCOME_COLOURS
            if name in counts
        ],
        outcome_figure=None if set(counts.index) <= {"completed"} else outcome_figure(frame),
        outcome_table=tables.outcome_table(frame),
        caveats=caveats(frame, rankings),
        troubles=_troubles(frame),
        unscored=_unscored(frame),
        objectives=[(name, palette[name], _formula(frame, name)) for name in frame.objectives],
        provenance=tables.provenance_table(frame),
        colour=palette,
        place={name: place for place, name in enumerate(palette)},
    )


def _facts(frame: Frame) -> str:
    listed = frame.cells[frame.cells["outcome"] != "skipped"]
    counted = [
        count(listed["objective"].nunique(), "objective"),
        count(listed["dataset"].nunique(), "dataset"),
        count(listed["seed"].nunique(), "seed"),
    ]
    facts = [" \u00d7 ".join(counted), count(len(listed), "cell")]
    if frame.suite.started:
        facts.append(f"started {frame.suite.started.replace('T', ' ').replace('Z', ' UTC')}")
    if frame.suite.seconds:
        facts.append(f"last run took {duration(frame.suite.seconds)}")
    return " · ".join(facts)


def _formula(frame: Frame, objective: str) -> str:
    return str(frame.suite.objectives.get(objective, {}).get("formula") or "")


def _troubles(frame: Frame) -> list[Trouble]:
    """Group cells without a result by what went wrong, the tracebacks of one plugin's bug told once."""
    cells = frame.cells[frame.cells["outcome"].isin([*BROKEN, "skipped"])]
    traceback = pd.Series({place: status.traceback for place, status in frame.statuses.items()}, dtype=object)
    cells = cells.assign(traceback=traceback.reindex(cells.index).fillna(""), reason=cells["reason"].fillna(""))
    found = []
    for (outcome, name, dataset), mine in cells.groupby(["outcome", "contender", "dataset"], sort=False):
        for (reason, text), alike in mine.groupby(["reason", "traceback"], sort=False):
            seeds = ", ".join(str(seed) for seed in sorted(alike["seed"]))
            where = f"{name} on {dataset}, seed{'s' if len(alike) > 1 else ''} {seeds}"
            found.append(Trouble(where, str(outcome).replace("_", " "), str(reason), str(text)))
    order = ("failed", "timed out", "diverged", "skipped")
    return sorted(found, key=lambda trouble: order.index(trouble.outcome))


def _unscored(frame: Frame) -> list[str]:
    """Say which values are missing of completed cells, and why."""
    found: dict[tuple[str, str, str], int] = {}
    for place, scores in frame.scores.items():
        row = frame.cells.loc[place]
        for value, reason in scores.reasons.items():
            title = frame.title(str(row["dataset"]), value)
            key = (f"{row['contender']} on {row['dataset']}", title, reason)
            found[key] = found.get(key, 0) + 1
    describe = partial(count, noun="cell")
    return [f"{where}: {title} is missing in {describe(n)} ({reason})" for (where, title, reason), n in found.items()]
