"""How soon the cells of a ranking reach a score that half of the contenders end with."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import NOTHING, in_sentence, number, percent, rounded
from ganbench.stats import Curve, Interval, median_time, reached, restricted_mean, time_to_target

NEAR = 1.25  # of the median: a score that half end with is reached at the end alone, and tells no speed


@dataclass(frozen=True)
class Reaching:
    """Times to a target by contender, in G steps and in training seconds; infinite where it was never reached.

    `steps` and `seconds` are the longest that a cell trained.
    """

    target: float
    told: str
    by_steps: Mapping[str, tuple[float, ...]]
    by_seconds: Mapping[str, tuple[float, ...]]
    steps: float
    seconds: float

    @property
    def step_curves(self) -> dict[str, Curve]:
        """The share of seeds that have reached the target by each G step."""
        return {name: reached(times) for name, times in self.by_steps.items()}

    @property
    def second_curves(self) -> dict[str, Curve]:
        """The share of seeds that have reached the target by each second of training."""
        return {name: reached(times) for name, times in self.by_seconds.items()}


def reaching(frame: Frame, ranking: Ranking) -> Reaching | None:
    """Measure how soon the target is reached: a quarter off the median over contenders of their median final headline.

    Where half of them end at 0 though higher is better, of the medians above 0: a score of 0 is reached by doing
    nothing. None where no contender has a final score, or none above 0. A cell that has not been run is not counted,
    nor is one without scores that completed; one that diverged, failed or timed out is.
    """
    medians = [statistics.median(s.finals.values()) for s in ranking.standings if s.finals]
    middle, whose = statistics.median(medians or [math.nan]), "all contenders' final medians"
    if middle == 0 and ranking.better == "higher":
        middle = statistics.median([one for one in medians if one > 0] or [math.nan])
        whose = "contenders' final medians above 0"
    if not ranking.scoring or math.isnan(middle):
        return None
    target = (middle * NEAR if ranking.better == "lower" else middle / NEAR) if middle > 0 else middle
    by_steps: dict[str, list[float]] = {}
    by_seconds: dict[str, list[float]] = {}
    steps = seconds = 0.0
    for standing in ranking.standings:
        mine = ranking.of[standing.contender]
        for place, seed in zip(mine.index, mine["seed"], strict=True):
            if int(seed) not in standing.seeds:
                continue
            status, scores = frame.statuses[int(place)], frame.scores.get(int(place))
            rows = [(row["step"], row.get(ranking.headline)) for row in (scores.rows if scores else ())]
            known = [(float(step), float(score)) for step, score in rows if step is not None and score is not None]
            at = time_to_target([one for one, _ in known], [score for _, score in known], target, ranking.better)
            pace = status.train_seconds / status.step if status.step else math.nan
            by_steps.setdefault(standing.contender, []).append(at)
            by_seconds.setdefault(standing.contender, []).append(at * pace if math.isfinite(at) else math.inf)
            steps, seconds = max(steps, status.step), max(seconds, status.train_seconds)
    near = "within a quarter of the" if middle > 0 else "the"
    told = f"{in_sentence(ranking.title)} {rounded(target)} ({near} median of {whose})"
    if not by_steps:
        return None
    return Reaching(target, told, _fixed(by_steps), _fixed(by_seconds), steps, seconds)


def _fixed(times: Mapping[str, list[float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(mine) for name, mine in times.items()}


def reaching_table(ranking: Ranking, found: Reaching) -> Table:
    """Show who reached the target, and when."""
    rows, objectives = [], []
    for standing in ranking.standings:
        times = found.by_steps.get(standing.contender)
        if not times:
            continue
        there = sum(math.isfinite(time) for time in times)
        middle = median_time(times)
        rows.append(
            (
                standing.contender,
                f"{there} of {len(times)}",
                percent(there / len(times)),
                _time(middle.value),
                _between(middle),
                _time(restricted_mean(times, found.steps)),
            )
        )
        objectives.append(standing.objective)
    headings = ("Contender", "Reached it", "Share", "Median G step", "95 % interval", "Mean within the budget")
    few = next((reason for times in found.by_steps.values() if (reason := median_time(times).reason)), "")
    caption = (
        f"When the target, {found.told}, was reached. Never: in half of the seeds or more. The interval of the median "
        "lies between order statistics; the last column counts a seed that did not get there with the whole budget "
        f"of {number(found.steps, 0)} G steps.{f' No interval: {few}.' if few else ''}"
    )
    return Table(caption, headings, tuple(rows), (False, False, True, True, True, True), tuple(objectives))


def _time(value: float) -> str:
    return "never" if value == math.inf else number(value, 0)


def _between(middle: Interval) -> str:
    if not middle.offered:
        return NOTHING
    low, high = _time(middle.low), _time(middle.high)
    return low if middle.low == middle.high == math.inf else f"{low} to {high}"
