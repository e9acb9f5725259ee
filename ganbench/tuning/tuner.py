"""Tuning a suite from its plan to its findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganbench.planning import Options, Plan, make_plan
from ganbench.runner import Result
from ganbench.study_tracking import StudyTracking
from ganbench.suite.aims import ONE_VALUE, cannot
from ganbench.suite.errors import wrong
from ganbench.suite.plan import Planned
from ganbench.suite.tune import Tune
from ganbench.tuning import SamplerName, stages
from ganbench.tuning.at_work import Presence
from ganbench.tuning.borrowing import loans, repaid
from ganbench.tuning.confirming import (
    GIVEN,
    Finding,
    Variant,
    final_plan,
    finding,
    found_again,
    fresh_seeds,
    variants,
)
from ganbench.tuning.importance import importance
from ganbench.tuning.recording import record_findings, record_search
from ganbench.tuning.samplers import sampler_of, start_told
from ganbench.tuning.search import Incomplete, Searched, Teller, Trainer, search
from ganbench.tuning.study import Study, open_storage
from ganbench.tuning.subjects import Settings, Subject, subjects
from ganbench.tuning.telling import left_in


@dataclass(frozen=True)
class TunePlan:
    """What is to be tuned, checked: the suite's plan, its subjects, and where the studies are."""

    plan: Plan
    tune: Tune
    subjects: tuple[Subject, ...]
    storage: Path | str

    @property
    def folder(self) -> Path:
        """Where the store keeps what belongs to studies."""
        return self.plan.store.root / "studies"


@dataclass(frozen=True)
class Tuned:
    """What tuning came to: a finding per subject, the result of the reported cells' run, and the tuned cells."""

    findings: tuple[Finding, ...]
    result: Result
    rows: tuple[Planned, ...]


def make_tune_plan(
    suite: Path,
    options: Options,
    storage: str | None = None,
    trials: int | None = None,
    sampler: SamplerName | None = None,
    seed: int | None = None,
) -> TunePlan:
    """Read a suite and what replaces parts of its `tune` section; writes nothing.

    Raises SuiteError with what is wrong with it.
    """
    made = make_plan(suite, options)
    tune = made.suite.tune
    if tune is None:
        raise wrong(suite, "there is no `tune` section: it says what is tuned, over which ranges and how often")
    given = {"trials": trials, "sampler": sampler, "seed": seed}
    chosen = {name: value for name, value in given.items() if value is not None}
    tune = replace(tune, settings=tune.settings.model_copy(update=chosen))
    if sampler in ONE_VALUE and len(tune.settings.asked) > 1:
        raise wrong("--sampler", cannot(sampler))
    sampler_of(tune.settings.sampler, 0)
    started = start_told(tune.settings)
    made = replace(made, suite=replace(made.suite, tune=tune), notes=(*made.notes, *([started] if started else [])))
    found = subjects(made.suite, [entry.planned for entry in made.entries])
    if tune.prune is not None:
        notes = [stages.told(each.stages(tune), tune.prune, each.row.train.g_steps) for each in found]
        made = replace(made, notes=(*made.notes, *dict.fromkeys(notes)))
    place = storage or made.store.root / "studies" / f"{made.suite.name}.journal"
    return TunePlan(made, tune, tuple(found), place)


def tune(
    made: TunePlan,
    train: Trainer,
    finish: Callable[[Plan], Result],
    said: Teller,
    tracking: StudyTracking | None = None,
) -> Tuned:
    """Search, try the best again on fresh seeds, and measure what is reported on others.

    `train` trains cells, `finish` trains those that are reported and reports them; `tracking` sends the studies, after
    the search and after the end. Raises SuiteError for a study that another suite made, Incomplete where cells get no
    result.
    """
    plan, store = made.plan, made.plan.store
    store.check_writable()
    presence = Presence(made.folder)
    storage = open_storage(made.storage)
    searched = [Searched(each, Study(storage, plan.suite.name, made.tune, each, presence)) for each in made.subjects]
    for each in searched:
        if more := each.study.surplus():
            said(
                f"{each.subject.name}: the first {made.tune.settings.trials} trials count, and {more} more stay stored"
            )
    with presence.at_work([each.study for each in searched]):
        search(plan, searched, made.folder, train, said)
    tried = [(each.subject, each.study.tried()) for each in searched]
    name = f"{plan.suite.name}-tune"
    begun = [each.study.begun for each in searched]
    record_search(store, name, made.tune, [(*one, when) for one, when in zip(tried, begun, strict=True)])
    if tracking is not None:
        tracking.begin()
    several = any(subject.further for subject in made.subjects)
    said("a front of settings on fresh seeds" if several else "the best settings again, on fresh seeds")
    found = found_again(plan, tried, train)
    cells = [variants(made.tune, subject, named) for (subject, _), named in zip(tried, found, strict=True)]
    # Of a front there is no one setting to be borrowed.
    best = [named.get("tuned") for named in found]
    lent = [[] for _ in found] if several else loans(made.subjects, best, fresh_seeds(made.tune))
    if tracking is not None:
        tracking.wait()
    if not several:
        said("default, recommended and tuned settings on fresh seeds")
    wanted = [row for named in cells for _, rows in named.values() for row in rows]
    result = finish(final_plan(plan, [*wanted, *(row for each in lent for loan in each for row in loan.rows)]))
    if result.outcomes["missing"]:
        raise Incomplete(
            [*result.errors, f"{result.outcomes['missing']} cells have no result; the same command goes on"]
        )
    findings = [
        replace(
            finding(store, each.subject, trials, named),
            importance=importance(each.study, trials, each.subject.better),
            borrowed=tuple(repaid(store, each.subject, loan, _own(named)) for loan in lending),
        )
        for each, (_, trials), named, lending in zip(searched, tried, cells, lent, strict=True)
    ]
    store.write_tuning(name, left_in(findings, made.tune.settings.sampler))
    record_findings(store, name, made.tune, findings)
    if tracking is not None and (untold := tracking.close()):
        result.untracked = "\n".join(each for each in (result.untracked, untold) if each)
    rows = [row for named in cells for name, (_, rows) in named.items() if name not in GIVEN for row in rows]
    return Tuned(tuple(findings), result, tuple(rows))


def _own(cells: Mapping[Variant, tuple[Settings, Sequence[Planned]]]) -> Sequence[Planned]:
    """Return the cells of the one best setting; none where no trial was feasible."""
    return cells["tuned"][1] if "tuned" in cells else ()
