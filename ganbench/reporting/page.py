"""The page: one HTML file with everything in it, from a frame and its rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from ganbench.reporting import figures, protocol, tables
from ganbench.reporting.classes import ClassScores, class_scores
from ganbench.reporting.colours import OUTCOME_COLOURS, colours
from ganbench.reporting.dirac import Portrait, portrait
from ganbench.reporting.figures import Figure
from ganbench.reporting.frame import Frame
from ganbench.reporting.pictures import Gallery, gallery
from ganbench.reporting.ranking import BROKEN, Ranking
from ganbench.reporting.summary import heading, read_by
from ganbench.reporting.tables import Table
from ganbench.reporting.verdict import caveats, verdict
from ganbench.reporting.wording import count, duration

PICTURE_BYTES = 3_000_000  # of a page that stays below 6 MB


@dataclass(frozen=True)
class Section:
    """Everything the page shows of one ranking."""

    heading: str
    anchor: str
    verdict: str
    facts: str
    protocol: tuple[tuple[str, str], ...]
    ranking: Table | None
    ranking_figure: Figure | None
    curves: Figure | None
    gallery: Gallery | None
    collapse: Table | None
    classes: ClassScores | None
    stability: Table
    equilibrium: Figure | None
    dirac: Portrait | None
    cost: Table
    cost_figure: Figure | None


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
        sections=[_section(frame, ranking, rankings, place) for place, ranking in enumerate(rankings)],
        overview=tables.overview(scored) if (scored := [r for r in rankings if r.scoring]) else None,
        outcomes=[
            (name.replace("_", " "), int(counts[name]), OUTCOME_COLOURS[name])
            for name in OUTCOME_COLOURS
            if name in counts
        ],
        outcome_figure=None if set(counts.index) <= {"completed"} else figures.outcome_figure(frame),
        outcome_table=tables.outcome_table(frame),
        caveats=caveats(frame, rankings),
        troubles=_troubles(frame),
        unscored=_unscored(frame),
        objectives=[(name, palette[name], _formula(frame, name)) for name in frame.objectives],
        provenance=tables.provenance_table(frame),
        colour=palette,
    )


def _section(frame: Frame, ranking: Ranking, rankings: Sequence[Ranking], place: int) -> Section:
    return Section(
        heading=heading(ranking, rankings),
        anchor=f"ranking-{place + 1}",
        verdict=verdict(ranking),
        facts=_about(frame, ranking),
        protocol=protocol.facts(frame, ranking),
        ranking=tables.ranking_table(frame, ranking) if ranking.scoring else None,
        ranking_figure=figures.ranking_figure(frame, ranking),
        curves=figures.curves_figure(frame, ranking),
        gallery=gallery(frame, ranking, PICTURE_BYTES // len(rankings)),
        collapse=tables.collapse_table(frame, ranking),
        classes=class_scores(frame, ranking),
        stability=tables.stability_table(ranking),
        equilibrium=figures.equilibrium_figure(frame, ranking),
        dirac=portrait(frame, ranking),
        cost=tables.cost_table(ranking),
        cost_figure=figures.cost_figure(frame, ranking),
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


def _about(frame: Frame, ranking: Ranking) -> str:
    about = frame.suite.datasets.get(ranking.dataset, {})
    shape = list(about.get("shape") or [])
    facts = []
    if len(shape) == 3:
        facts.append(f"{shape[1]} \u00d7 {shape[2]} {'grey' if shape[0] == 1 else 'colour'} images")
    elif shape:
        facts.append(f"{shape[0]}-dimensional points")
    if about.get("centres"):
        facts.append(count(len(about["centres"]), "true mode"))
    elif about.get("classes"):
        facts.append(count(int(about["classes"]), "class", "classes"))
    if read := read_by(frame.protocols.get(ranking.protocol_id, {})):
        facts.append(read)
    facts.append(f"protocol {ranking.protocol_id or 'none: nothing was scored'}" if ranking.scoring else "no scores")
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
