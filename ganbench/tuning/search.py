"""The search: trials of all subjects are asked for in batches, trained together as ordinary cells, and told of."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganbench.locks import alone
from ganbench.planning import Plan, packed
from ganbench.runner import Result
from ganbench.store import Store
from ganbench.suite.cohorts import look_up
from ganbench.suite.plan import Planned
from ganbench.tuning.study import Asked, Study
from ganbench.tuning.subjects import Subject, score

Trainer = Callable[[Plan], Result]
Teller = Callable[[str], None]
PAUSE = 1.0  # seconds between two looks at what others do
OTHERS = "waiting for trials that other processes are training"


class Incomplete(Exception):  # noqa: N818 - reads as what happened
    """Cells of a batch have no result: a worker could not do its part. What is finished stays, and so do the claims."""

    def __init__(self, errors: Sequence[str]) -> None:
        """Keep what went wrong."""
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


@dataclass(frozen=True)
class Searched:
    """A subject with its study."""

    subject: Subject
    study: Study


@dataclass(frozen=True)
class _Trial:
    searched: Searched
    asked: Asked
    rows: tuple[Planned, ...]


def search(plan: Plan, subjects: Sequence[Searched], folder: Path, train: Trainer, said: Teller) -> None:
    """Have every study's budget tried, what other processes of the study do included.

    `plan` says where and how cells are trained. Raises Incomplete where cells get no result.
    """
    tune = plan.suite.tune
    assert tune is not None
    seeds, size, told = range(tune.settings.seeds_per_trial), tune.settings.batch, False
    while any(each.study.left() for each in subjects):
        with alone(folder / f"{plan.suite.name}.asking"):
            batch = [_trial(each, asked, seeds) for each in subjects for asked in _asked(each.study, size)]
        if not batch:
            if not told:
                said(OTHERS)
            told = True
            time.sleep(PAUSE)
            continue
        said(_about(batch, subjects, tune.settings.trials))
        result = train(planned(plan, [row for trial in batch for row in trial.rows]))
        _tell(plan.store, batch, result)


def planned(plan: Plan, rows: Sequence[Planned]) -> Plan:
    """Return the plan of other cells, trained as the plan's own are."""
    entries = look_up(rows, plan.store, plan.options.retry_failed)
    other = replace(plan, entries=tuple(entries), notes=())
    return replace(other, cohorts=packed(other))


def _asked(study: Study, size: int) -> list[Asked]:
    taken_up = study.take_up(size)
    return [*taken_up, *study.ask(size - len(taken_up))]


def _trial(searched: Searched, asked: Asked, seeds: Sequence[int]) -> _Trial:
    return _Trial(searched, asked, tuple(searched.subject.rows(asked.settings, seeds)))


def _about(batch: Sequence[_Trial], subjects: Sequence[Searched], budget: int) -> str:
    done = min(budget - each.study.left() for each in subjects)
    cells = sum(len(trial.rows) for trial in batch)
    most = max(Counter(trial.searched.subject.name for trial in batch).values())
    return f"search: {most} trials of each study ({done} of {budget} are done), {len(batch)} in all, {cells} cells"


def _tell(store: Store, batch: Sequence[_Trial], result: Result) -> None:
    missing = 0
    for trial in batch:
        try:
            found = [score(store, row, trial.searched.subject) for row in trial.rows]
        except LookupError:
            missing += 1
            continue
        scores = [each for each in found if not isinstance(each, str)]
        trial.searched.study.tell(trial.asked, scores, [each for each in found if isinstance(each, str)])
    if missing:
        raise Incomplete([*result.errors, f"{missing} trials have cells without a result; the same command goes on"])
