"""The section on tuning, before all others: what it is worth, what a search finds, where the good settings lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganbench.reporting.frame import Frame
from ganbench.reporting.marking import escaped, table
from ganbench.reporting.parts import Block, Table, block, choice
from ganbench.reporting.sections import Section
from ganbench.reporting.tuning.budget import budget_figure
from ganbench.reporting.tuning.front import front_blocks
from ganbench.reporting.tuning.importance import importance_figure
from ganbench.reporting.tuning.maps import map_figure
from ganbench.reporting.tuning.marks import study_name
from ganbench.reporting.tuning.parallel import parallel_figure
from ganbench.reporting.tuning.reading import Unreadable, kept
from ganbench.reporting.tuning.record import DEFAULT, TUNED, TunedSubject, as_plain, gain, panel_name
from ganbench.reporting.tuning.region import one_sign, region_figure, region_table
from ganbench.reporting.tuning.regret import regret_figure, regret_table
from ganbench.reporting.tuning.slices import slices_figure
from ganbench.reporting.tuning.tables import worth_table
from ganbench.reporting.wording import count, joined, percent, rounded
from ganbench.stats.budgets import share_near_best

HEADING = "Tuning"


@dataclass(frozen=True)
class Tuning:
    """What a report says of tuning: its section on the page, its tables for Markdown, its entry of summary.json."""

    section: Section
    studies: tuple[TunedSubject, ...] = ()

    @property
    def markdown(self) -> str:
        """The section as Markdown: its tables, without figures."""
        tables = [(one.title, part) for one in self.section.blocks for part in one.parts if isinstance(part, Table)]
        told = [f"### {title}\n\n{table(part)}" for title, part in tables]
        return "\n\n".join([f"## {HEADING}", escaped(self.section.verdict), *told])

    @property
    def summary(self) -> list[dict[str, Any]]:
        """The studies as plain data."""
        return [as_plain(each) for each in self.studies]


def tuning(frame: Frame) -> Tuning | None:
    """Put together what is shown of tuning; None where the suite was not tuned.

    What the store keeps of it and cannot be read is left out, and said.
    """
    try:
        studies = kept(frame)
    except Unreadable as why:
        said = f"What tuning came to is left out: tuning/{frame.suite.name}.json cannot be shown, since {why}. "
        return Tuning(_section(f"{said}`ganbench tune` writes it anew.", "", []))
    return Tuning(section(frame, studies), studies) if studies else None


def section(frame: Frame, tuned: Sequence[TunedSubject]) -> Section:
    """Draw and table what is shown of studies."""
    datasets = list(dict.fromkeys(each.dataset for each in tuned))
    studies = [(study_name(each, tuned), each) for each in tuned]
    budgets = [(name, budget_figure(frame, name, tuned)) for name in datasets]
    importances = [(name, importance_figure(frame, name, tuned)) for name in datasets]
    blocks = [
        *block("What tuning is worth", worth_table(frame, tuned)),
        *front_blocks(frame, [replace(each.front, objective=panel_name(each, tuned)) for each in tuned if each.front]),
        *block("Another dataset's settings", regret_figure(frame, tuned), regret_table(tuned)),
        *block("Score against budget", choice("Dataset", budgets)),
        *block("How wide the good region is", region_figure(frame, tuned), region_table(tuned)),
        *block("Which parameters matter", choice("Dataset", importances)),
        *block(
            "Where good settings lie",
            choice("Map of", [(name, map_figure(frame, each, name)) for name, each in studies]),
            choice("Slices of", [(name, slices_figure(frame, each, name)) for name, each in studies]),
            choice("Lines of", [(name, parallel_figure(frame, each, name)) for name, each in studies]),
        ),
    ]
    trials = sorted({len(each.trials) for each in tuned})
    facts = [
        count(len(tuned), "study", "studies"),
        f"{joined([str(n) for n in trials])} trials of each",
        f"sampler {joined(sorted({each.sampler for each in tuned if each.sampler}) or ['not known'])}",
    ]
    return _section(verdict(tuned), " · ".join(facts), blocks)


def verdict(tuned: Sequence[TunedSubject]) -> str:
    """Say in a sentence or two where tuning gained anything on fresh seeds."""
    able = [each for each in tuned if TUNED in each.measured]
    gained = sum(gain(each) > 0 for each in able)
    fronts = any(each.front for each in tuned)
    what = "the front's best settings in its first value (front 1)" if fronts else "the tuned settings"
    said = f"On fresh seeds {what} have a better mean than the suite's own in {gained} of {len(tuned)}"
    if medians := [each for each in able if each.better == "lower" and TUNED in each.centres]:
        said += f", and a better median in {sum(gain(each, each.centres) > 0 for each in medians)}"
    said += "."
    if same := sum(each.variants.get(TUNED) == each.variants.get(DEFAULT) and not each.front for each in able):
        said += f" In {same} no trial beats the suite's own settings, which are kept."
    shares = [(share_near_best(each.scores, each.better), each) for each in tuned if one_sign(each)]
    if len(tuned) > 1 and (known := [pair for pair in shares if pair[0] * len(pair[1].trials) > 1.5]):
        share, widest = max(known, key=lambda pair: pair[0])
        best = 0.0 if widest.best is None or widest.best.score is None else widest.best.score
        said += (
            f" The widest good region has {study_name(widest, tuned)}: {percent(share)} of its trials are within 10 % "
            f"of its best, {rounded(best)}."
        )
    without = [f"{panel_name(each, tuned)} on {each.dataset}" for each in tuned if TUNED not in each.measured]
    return f"{said} No trial was feasible of {joined(without)}." if without else said


def _section(said: str, facts: str, blocks: Sequence[Block]) -> Section:
    return Section(HEADING, "tuning", "", said, facts, (), tuple(blocks))
