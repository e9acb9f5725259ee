"""After the search: the best settings on seeds that it never saw, beside the suite's own and the recommended ones."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ganbench.planning import Plan
from ganbench.stats import Interval, centre, mean_where_it_holds
from ganbench.store import Store
from ganbench.suite.plan import Planned
from ganbench.suite.tune import Tune
from ganbench.tuning.borrowing import Repaid
from ganbench.tuning.choosing import Tried, chosen, front, spread_over
from ganbench.tuning.importance import Importance
from ganbench.tuning.search import Incomplete, Trainer, planned
from ganbench.tuning.subjects import Settings, Subject, score

Variant = str
"""What a measured setting is called: one of these, or of several objectives `front 1`, `front 2`, ..."""
VARIANTS: tuple[Variant, ...] = ("default", "recommended", "tuned")
GIVEN = VARIANTS[:2]  # what no search found
OWN: Settings = {}  # nothing changed: the suite's own settings


@dataclass(frozen=True)
class Measured:
    """What one setting scored on the fresh seeds: the mean with its interval, and why seeds have no score.

    `centre` is what stands for the seeds in a report: of scores of which more is better the mean, of distances the
    median.
    `further` are the means of the values beside the first.
    """

    settings: Settings
    mean: Interval
    lost: tuple[str, ...] = ()
    centre: Interval | None = None
    further: tuple[Interval, ...] = ()

    @property
    def means(self) -> tuple[Interval, ...]:
        """The means of all values."""
        return (self.mean, *self.further)


@dataclass(frozen=True)
class Finding:
    """What tuning one subject came to: its trials, and each variant on the same fresh seeds.

    There is no `tuned` where no trial was feasible, and no `recommended` where the recipe names no other settings.
    Where there are several values, there are settings along the front in place of `tuned`, the best of the first value
    first.
    `importance` is that of the parameters, where the trials are enough for any; `borrowed` is what the settings found
    on other datasets score here.
    """

    subject: Subject
    tried: tuple[Tried, ...]
    measured: Mapping[Variant, Measured]
    importance: Mapping[str, Importance] = field(default_factory=dict)
    borrowed: tuple[Repaid, ...] = ()

    @property
    def infeasible(self) -> int:
        """How many trials lost a seed."""
        return sum(trial.infeasible for trial in self.tried)

    @property
    def pruned(self) -> Counter[int]:
        """How many trials were pruned, by the G step or the number of seeds after which."""
        return Counter(trial.pruned for trial in self.tried if trial.pruned is not None)

    @property
    def found(self) -> dict[Variant, Measured]:
        """What the search found, the first choice first."""
        return {name: measured for name, measured in self.measured.items() if name not in GIVEN}


def choice_seeds(tune: Tune) -> range:
    """Return the seeds on which the best `k` are compared: the search never saw them."""
    first = tune.settings.seeds_per_trial
    return range(first, first + tune.confirm.seeds)


def fresh_seeds(tune: Tune) -> range:
    """Return the seeds of what is reported: no setting was chosen by them, so no number there is a lucky one."""
    first = choice_seeds(tune).stop
    return range(first, first + tune.confirm.seeds)


def best_again(plan: Plan, found: Sequence[tuple[Subject, Sequence[Tried]]], train: Trainer) -> list[Settings | None]:
    """Return the setting that each subject is best with: its `k` best are compared on fresh seeds, and the suite's own.

    The one that loses the fewest seeds there wins, of those the best mean; empty settings where those are the suite's
    own. Where `k` is 1 nothing is compared. None where no trial was feasible.
    """
    tune = plan.suite.tune
    assert tune is not None
    seeds, rivals = choice_seeds(tune), list[list[Settings]]()
    for subject, tried in found:
        trials = chosen(tried, subject.better, subject.cost, tune.confirm.k)
        own = [OWN] if trials and tune.confirm.k > 1 else []
        rivals.append([*own, *(trial.settings for trial in trials)])
    compared = [
        [subject.rows(settings, seeds) for settings in those] if len(those) > 1 else []
        for (subject, _), those in zip(found, rivals, strict=True)
    ]
    _train(plan, [row for those in compared for rows in those for row in rows], train)
    best: list[Settings | None] = []
    for (subject, _), those, rows in zip(found, rivals, compared, strict=True):
        ranked = [_rank(plan.store, subject, each) for each in rows]
        best.append(those[ranked.index(min(ranked)) if ranked else 0] if those else None)
    return best


def found_again(
    plan: Plan, found: Sequence[tuple[Subject, Sequence[Tried]]], train: Trainer
) -> list[dict[Variant, Settings]]:
    """Return the settings that each subject is measured with, by variant: the best one, or some along the front.

    Nothing is chosen among those of a front, so they are not compared before. None where no trial was feasible.
    """
    tune = plan.suite.tune
    assert tune is not None
    if all(len(subject.aims) == 1 for subject, _ in found):
        return [{} if best is None else {"tuned": best} for best in best_again(plan, found, train)]
    fronts = [front(tried, [aim.better for aim in subject.aims]) for subject, tried in found]
    return [
        {f"front {place}": trial.settings for place, trial in enumerate(spread_over(trials, tune.confirm.k), 1)}
        for trials in fronts
    ]


def variants(
    tune: Tune, subject: Subject, found: Mapping[Variant, Settings]
) -> dict[Variant, tuple[Settings, list[Planned]]]:
    """Return the cells that are reported of a subject, by variant, all on the same fresh seeds."""
    settings: dict[Variant, Settings] = {"default": {}}
    if recommended := subject.recommended():
        settings["recommended"] = recommended
    settings |= found
    return {
        name: (told, subject.rows(told, fresh_seeds(tune), label(subject, name))) for name, told in settings.items()
    }


def label(subject: Subject, variant: Variant) -> str:
    """Return what a variant of a subject's objective is called in the reported suite."""
    return f"{subject.row.objective.label} ({variant})"


def final_plan(plan: Plan, rows: Sequence[Planned]) -> Plan:
    """Return the plan of what is reported: an ordinary suite, named after this one."""
    return planned(replace(plan, suite=replace(plan.suite, name=f"{plan.suite.name}-tune")), rows)


def finding(
    store: Store, subject: Subject, tried: Sequence[Tried], cells: Mapping[Variant, tuple[Settings, Sequence[Planned]]]
) -> Finding:
    """Read what the reported cells of a subject scored; Incomplete where some have no result."""
    measured: dict[Variant, Measured] = {}
    for name, (settings, rows) in cells.items():
        scores, lost = _scores(store, subject, rows)
        means = [
            mean_where_it_holds([each[place] for each in scores], aim.better) for place, aim in enumerate(subject.aims)
        ]
        middle = centre([each[0] for each in scores], subject.better)
        measured[name] = Measured(settings, means[0], tuple(lost), middle, tuple(means[1:]))
    return Finding(subject, tuple(tried), measured)


def _train(plan: Plan, rows: Sequence[Planned], train: Trainer) -> None:
    if not rows:
        return
    result = train(planned(plan, rows))
    if result.outcomes["missing"]:
        raise Incomplete(
            [*result.errors, f"{result.outcomes['missing']} cells have no result; the same command goes on"]
        )


def _rank(store: Store, subject: Subject, rows: Sequence[Planned]) -> tuple[int, float]:
    scores, lost = _scores(store, subject, rows)
    sign = 1.0 if subject.better == "lower" else -1.0
    return len(lost), sign * statistics.fmean(each[0] for each in scores) if scores else math.inf


def _scores(store: Store, subject: Subject, rows: Sequence[Planned]) -> tuple[list[tuple[float, ...]], list[str]]:
    try:
        found = [score(store, row, subject) for row in rows]
    except LookupError as error:
        raise Incomplete([f"cell {error} has no result; the same command goes on"]) from None
    return [each for each in found if not isinstance(each, str)], [each for each in found if isinstance(each, str)]
