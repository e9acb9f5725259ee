"""The search: trials of all subjects are asked for in batches, trained together as ordinary cells, and told of."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganbench.locks import alone
from ganbench.planning import Plan, packed
from ganbench.runner import Result
from ganbench.store import Store
from ganbench.suite.cohorts import look_up
from ganbench.suite.plan import Planned
from ganbench.tuning.stages import Stage, spared
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

    @property
    def stage(self) -> Stage:
        """The next one."""
        return self.searched.study.stages[self.asked.passed]

    @property
    def last(self) -> bool:
        """Whether nothing comes after it."""
        return self.asked.passed + 1 == len(self.searched.study.stages)

    @property
    def cells(self) -> int:
        """How many cells are trained in it: those of seeds that have not been trained to their end."""
        before = self.searched.study.stages[self.asked.passed - 1] if self.asked.passed else None
        return self.stage.seeds - (before.seeds if before and before.step is None else 0)

    @property
    def rows(self) -> list[Planned]:
        """The cells of it."""
        return self.searched.subject.staged(self.asked.settings, self.stage)


def search(plan: Plan, subjects: Sequence[Searched], folder: Path, train: Trainer, said: Teller) -> None:
    """Have every study's budget tried, what other processes of the study do included.

    `plan` says where and how cells are trained. Raises Incomplete where cells get no result.
    """
    tune = plan.suite.tune
    assert tune is not None
    size, told = tune.settings.batch, False
    while any(each.study.left() for each in subjects):
        with alone(folder / f"{plan.suite.name}.asking"):
            batch = [_Trial(each, asked) for each in subjects for asked in each.study.batch(size)]
        if not batch:
            if not told:
                said(OTHERS)
            told = True
            time.sleep(PAUSE)
            continue
        _try(plan, batch, train, lambda trials: said(_about(trials, subjects, tune.settings.trials)), said)
        if tune.prune is not None:
            _forget(plan.store, subjects, {trial.asked.number for trial in batch})
    if tune.prune is not None:
        _forget(plan.store, subjects)  # what processes that were killed have left too
        said(saved(subjects))


def _try(
    plan: Plan, batch: Sequence[_Trial], train: Trainer, going: Callable[[Sequence[_Trial]], None], said: Teller
) -> None:
    """Train a batch stage by stage: what a pruner says of a trial, it says after all of the batch have come as far."""
    place = 0
    while batch:
        now = [trial for trial in batch if trial.asked.passed == place]
        later = [trial for trial in batch if trial.asked.passed > place]
        if now:
            going(now)
            result = train(planned(plan, [row for trial in now for row in trial.rows]))
            later += _judged(_scored(plan.store, now, result), said)
        batch, place = later, place + 1


def _judged(scored: Sequence[tuple[_Trial, Sequence[float]]], said: Teller) -> list[_Trial]:
    """Have the trials pruned that are not worth their rest, and return the others."""
    left: list[_Trial] = []
    pruned: Counter[str] = Counter()
    for study in dict.fromkeys(trial.searched.study for trial, _ in scored):
        mine = [(trial, scores) for trial, scores in scored if trial.searched.study is study]
        losers = study.losers([trial.asked for trial, _ in mine])
        for trial, scores in mine:
            if trial.asked in losers:
                pruned[trial.stage.said] += 1
                study.tell(trial.asked, scores, [])
            else:
                left.append(replace(trial, asked=study.go_on(trial.asked)))
    compared = Counter(trial.stage.said for trial, _ in scored)
    for stage, count in compared.items():
        said(f"pruned: {pruned[stage]} of {count} trials after {stage}")
    return left


def _forget(store: Store, subjects: Sequence[Searched], numbers: Collection[int] | None = None) -> None:
    """Remove the checkpoints of trials that ended early, of these numbers or all, which no other trial needs."""
    needed, ended = set[str](), set[str]()
    for each in subjects:
        seeds = range(each.study.stages[-1].seeds)
        for settings in each.study.at_work():
            needed |= {row.cell.key for row in each.subject.rows(settings, seeds) if row.cell}
        for trial in each.study.tried():
            if trial.ended is not None and (numbers is None or trial.number in numbers):
                ended |= {row.cell.key for row in each.subject.rows(trial.settings, seeds) if row.cell}
    statuses = {key: store.status(key) for key in ended - needed}
    store.forget_checkpoints(key for key, status in statuses.items() if status is None or status.outcome == "completed")


def saved(subjects: Sequence[Searched]) -> str:
    """Say how many trials were pruned and after what, and which part of all G steps pruning saved."""
    found: Counter[tuple[int, str]] = Counter()
    spare = whole = 0
    for each in subjects:
        stages, g_steps = each.study.stages, each.subject.row.train.g_steps
        by_end = {stage.at: stage for stage in stages[:-1]}
        for trial in each.study.tried():
            whole += stages[-1].seeds * g_steps
            if trial.pruned is not None and trial.ended in by_end:
                found[trial.ended, by_end[trial.ended].said] += 1
                spare += spared(by_end[trial.ended], stages[-1], g_steps)
    pruned = ", ".join(f"{count} after {said}" for (_, said), count in sorted(found.items())) or "no trial"
    return f"pruned: {pruned}; {100 * spare / max(1, whole):.0f} % of the G steps of all trials were saved"


def planned(plan: Plan, rows: Sequence[Planned]) -> Plan:
    """Return the plan of other cells, trained as the plan's own are."""
    entries = look_up(rows, plan.store, plan.options.retry_failed)
    other = replace(plan, entries=tuple(entries), notes=())
    return replace(other, cohorts=packed(other))


def _about(batch: Sequence[_Trial], subjects: Sequence[Searched], budget: int) -> str:
    done = min(budget - each.study.left() for each in subjects)
    cells = sum(trial.cells for trial in batch)
    most = max(Counter(trial.searched.subject.name for trial in batch).values())
    ends = dict.fromkeys(trial.stage.said for trial in batch if not trial.last)
    far = f", up to {', '.join(ends)}" if ends else ""
    some = f"{most} trial{'s' * (most > 1)} of each study"
    return f"search: {some} ({done} of {budget} are done), {len(batch)} in all, {cells} cells{far}"


def _scored(store: Store, batch: Sequence[_Trial], result: Result) -> list[tuple[_Trial, list[float]]]:
    """Tell of the trials that are at an end, and report the others, which are returned with their scores."""
    missing, left = 0, list[tuple[_Trial, list[float]]]()
    for trial in batch:
        try:
            found = [score(store, row, trial.searched.subject) for row in trial.rows]
        except LookupError:
            missing += 1
            continue
        scores = [each[0] for each in found if not isinstance(each, str)]
        further = [each[1:] for each in found if not isinstance(each, str)]
        lost = [each for each in found if isinstance(each, str)]
        study = trial.searched.study
        if len(study.stages) > 1 and not lost:
            study.report(trial.asked, scores)
        if lost or trial.last:
            study.tell(trial.asked, scores, lost, further)
        else:
            left.append((trial, scores))
    if missing:
        raise Incomplete([*result.errors, f"{missing} trials have cells without a result; the same command goes on"])
    return left
