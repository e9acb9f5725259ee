"""What the report shows of one dataset, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.reporting import protocol, tables
from ganbench.reporting.classes import class_scores
from ganbench.reporting.comparison_tables import middles_table, overall_table, pairs_table
from ganbench.reporting.dirac import portrait
from ganbench.reporting.figures.comparisons import profiles_figure, ranks_figure, survival_figure, wins_figure
from ganbench.reporting.figures.cost import cost_figures
from ganbench.reporting.figures.modes import Pictures, frequency_figure, trade_figures
from ganbench.reporting.figures.scores import curves_figure, ranking_figure
from ganbench.reporting.figures.stability import measure_figures, trace_figures
from ganbench.reporting.frame import Frame
from ganbench.reporting.glimpses import absent, by_step, kept, neighbours, planes
from ganbench.reporting.overall import overall, overall_verdict
from ganbench.reporting.parts import Block, Folded, Part, Text, block, choice
from ganbench.reporting.pictures import gallery
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.reaching import reaching, reaching_table
from ganbench.reporting.summary import heading, read_by
from ganbench.reporting.verdict import verdict
from ganbench.reporting.wording import count, joined


@dataclass(frozen=True)
class Section:
    """Everything the page shows of one ranking."""

    heading: str
    slug: str
    dataset: str
    verdict: str
    facts: str
    protocol: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]


def section(frame: Frame, ranking: Ranking, rankings: Sequence[Ranking], picture_bytes: int) -> Section:
    """Put together what is shown of a ranking; its pictures take at most about `picture_bytes`."""
    pictures = kept(frame, ranking)
    blocks = [
        *_ranking(frame, ranking),
        *_convergence(frame, ranking),
        *_curves(frame, ranking),
        *_samples(frame, ranking, pictures, picture_bytes),
        *_collapse(frame, ranking, pictures, picture_bytes),
        *_classes(frame, ranking),
        *_stability(frame, ranking),
        *block("Cost", choice("Against", cost_figures(frame, ranking)), tables.cost_table(ranking)),
    ]
    return Section(
        heading(ranking, rankings),
        ranking.slug,
        ranking.dataset,
        verdict(ranking),
        _about(frame, ranking),
        protocol.facts(frame, ranking),
        tuple(blocks),
    )


def _values(frame: Frame, ranking: Ranking) -> list[tuple[str, str]]:
    """List the values scored with their titles, the headline first."""
    values = sorted(ranking.values, key=lambda value: value != ranking.headline)
    return [(value, frame.title(ranking.dataset, value)) for value in values]


def _ranking(frame: Frame, ranking: Ranking) -> list[Block]:
    if not ranking.scoring:
        return []
    drawn = [(title, ranking_figure(frame, ranking, value)) for value, title in _values(frame, ranking)]
    middles, pairs = middles_table(ranking), pairs_table(ranking)
    return block(
        "Ranking",
        choice("Value", drawn),
        tables.ranking_table(frame, ranking),
        wins_figure(frame, ranking),
        middles and Folded("Means, medians, interquartile means and spreads", (middles,)),
        pairs and Folded("Every pair of contenders", (pairs,)),
    )


def _samples(frame: Frame, ranking: Ranking, pictures: Pictures, budget: int) -> list[Block]:
    moving = by_step(frame, ranking, pictures, int(0.2 * budget))
    told = Text("What the same latents of the first seed give, step by step.", "On the way") if moving else None
    near = neighbours(frame, ranking, pictures, int(0.1 * budget))
    return block("Samples", *gallery(frame, ranking, budget // 2), told, moving, near)


def _collapse(frame: Frame, ranking: Ranking, pictures: Pictures, budget: int) -> list[Block]:
    missing = [Text(sentence) for sentence in absent(frame, ranking, pictures)]
    return block(
        "Mode collapse",
        frequency_figure(frame, ranking, pictures),
        choice("Quality and variety", trade_figures(frame, ranking)),
        tables.collapse_table(frame, ranking),
        *planes(frame, ranking, pictures, int(0.2 * budget)),
        Folded("What could not be drawn", tuple(missing)) if missing else None,
    )


def _stability(frame: Frame, ranking: Ranking) -> list[Block]:
    found = reaching(frame, ranking)
    timed: list[Part | None] = []
    if found is not None:
        ways = (
            ("G steps", found.step_curves, "G step", found.steps),
            ("Seconds", found.second_curves, "training second", found.seconds),
        )
        drawn = [
            (title, survival_figure(frame, ranking, curves, found.told, unit, last))
            for title, curves, unit, last in ways
        ]
        timed = [choice("Target reached by", drawn), reaching_table(ranking, found)]
    return block(
        "Stability",
        choice("Recorded", trace_figures(frame, ranking)),
        choice("Measure", measure_figures(frame, ranking)),
        tables.stability_table(ranking),
        *timed,
    )


def overall_section(frame: Frame, rankings: Sequence[Ranking]) -> Section | None:
    """Put together what all datasets say of the contenders; None where there is nothing to put together."""
    found = overall(rankings)
    if found is None:
        return None
    profiles: Part = Text("Not drawn: a score of 0 or less stays behind the best by no factor.")
    if found.profiles:
        profiles = profiles_figure(frame, found, found.profiles)
    blocks = [
        *block("Mean ranks", ranks_figure(frame, found), overall_table(found)),
        *block("Performance profiles", profiles),
    ]
    facts = f"{joined(found.datasets)} \u00b7 {count(len(found.objective), 'contender')} on each"
    return Section("All datasets", "all-datasets", "", overall_verdict(found), facts, (), tuple(blocks))


def _curves(frame: Frame, ranking: Ranking) -> list[Block]:
    drawn = [(title, curves_figure(frame, ranking, value)) for value, title in _values(frame, ranking)]
    return block("Learning curves", choice("Value", drawn))


def _convergence(frame: Frame, ranking: Ranking) -> list[Block]:
    found = portrait(frame, ranking)
    return [] if found is None else block("Convergence", found.table, found.paths, found.eigenvalues)


def _classes(frame: Frame, ranking: Ranking) -> list[Block]:
    found = class_scores(frame, ranking)
    if found is None:
        return []
    told: list[Part] = [part for title, table in found.tables for part in (Text("", title), table)]
    return block("Per class", found.figure, *told)


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
