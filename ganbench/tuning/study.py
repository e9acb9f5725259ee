"""The search of one subject as an Optuna study, which several processes may share.

Only this module, and those that have its storages, samplers and pruners, import optuna.

A trial carries the claim of the process that trains it. A process that ends, however it ends, leaves its trials
running; whoever comes next takes them up with the settings that they have.
"""

from __future__ import annotations

import contextlib
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from ganbench.suite.errors import wrong
from ganbench.suite.tune import Range, Tune
from ganbench.tuning.at_work import Claims
from ganbench.tuning.choosing import Tried
from ganbench.tuning.cma_states import CmaStates
from ganbench.tuning.ped_anova import divergences
from ganbench.tuning.pruners import losers, pruner_of
from ganbench.tuning.samplers import EVEN, draws, sampler_of_trial
from ganbench.tuning.storage import open_storage as open_storage
from ganbench.tuning.subjects import Settings, Subject

IDENTITY, CLAIM, SCORES, LOST, RACED = (f"ganbench.{name}" for name in ("identity", "claim", "scores", "lost", "raced"))
FURTHER = "ganbench.further"  # what the seeds scored of each value beside the first
PASSED, ENDED = "ganbench.passed", "ganbench.ended"  # the stages that a trial has passed; after which it ended early
PASSES_OVER = "cmaes"  # the sampler that does not know constraints
CONSTRAINTS = "constraints"  # one: the share of its seeds lost; optuna-dashboard reads none of `Trial.set_constraint`
BATCH = "ganbench.batch"  # the first trial of those that are asked for together
DRAWN = "ganbench.drawn"  # whether it was drawn at random, before the sampler had enough to learn from


@dataclass(frozen=True)
class Asked:
    """A trial to be trained, which has `passed` so many stages."""

    number: int
    settings: Settings
    passed: int = 0


class Study:
    """The trials of one subject, at most as many as its budget."""

    def __init__(self, storage: BaseStorage, suite: str, tune: Tune, subject: Subject, claims: Claims) -> None:
        """Open the study, or make it; SuiteError where it was made by another suite."""
        self._tune, self._subject, self._claims = tune, subject, claims
        self._budget, self._states = tune.settings.trials, CmaStates()
        self.stages = subject.stages(tune)
        pruner = pruner_of(tune.prune, self.stages[0].at, subject.row.train.g_steps)
        # Proposals come from samplers made for each trial: this one never draws.
        self._study = optuna.create_study(
            storage=storage,
            study_name=f"{suite}: {subject.name}",
            directions=["minimize" if aim.better == "lower" else "maximize" for aim in subject.aims],
            load_if_exists=True,
            sampler=optuna.samplers.RandomSampler(),
            pruner=pruner,
        )
        mine, found = subject.identity(tune), self._study.user_attrs.get(IDENTITY)
        if found is None and not self._trials():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._study.set_metric_names([aim.name for aim in subject.aims])
            self._study.set_user_attr(IDENTITY, mine)
        elif found != mine:
            raise wrong(
                tune.where,
                f"the study {self._study.study_name!r} was made by another suite (its cells, scores, space, sampler or "
                "seeds differ); give the suite another `name`, or take another --store or --storage",
            )

    def batch(self, size: int) -> list[Asked]:
        """Return trials to be trained together: what is left of a batch that was broken off, else a new one.

        What is left is trained on its own: so all that follows is as it would have been without the break.
        """
        taken_up = self.take_up(size)
        if not taken_up:
            return self.ask(size)
        mine = max(self._trial(each.number).user_attrs.get(BATCH, each.number) for each in taken_up)
        together = [trial for trial in self._trials() if trial.user_attrs.get(BATCH) == mine]
        known = sum(trial.state != TrialState.WAITING for trial in together)
        return [*taken_up, *self.ask(size - max(known, len(taken_up)), mine)]

    def take_up(self, most: int) -> list[Asked]:
        """Claim trials that a process left running when it ended, with the settings that they have."""
        left = [trial for trial in self._trials() if trial.state == TrialState.RUNNING and self._abandoned(trial)]
        return [self._claimed(trial) for trial in left[:most]]

    def ask(self, most: int, batch: int | None = None) -> list[Asked]:
        """Propose new trials, as many as the budget has left: of a new batch, or of one that was begun."""
        found: list[Asked] = []
        while len(found) < most:
            trials = self._trials()
            waiting = [trial.number for trial in trials if trial.state == TrialState.WAITING]
            if not waiting:
                if len(trials) >= self._budget:
                    break
                # Claimed from its first moment: a process that is killed here leaves nothing that nobody owns.
                batch = len(trials) if batch is None else batch
                drawn = int(draws(self._tune.settings, trials))  # optuna-dashboard writes truths in no JSON
                self._study.enqueue_trial({}, {CLAIM: self._claim(), BATCH: batch, DRAWN: drawn})
            self._see_that_nothing_would_execute()
            self._study.sampler = sampler_of_trial(self._tune.settings, waiting[0] if waiting else len(trials))
            trial = self._study.ask()
            if trial.number >= self._budget:  # another machine was faster
                trial.set_user_attr(RACED, True)
                self._study.tell(trial, state=TrialState.FAIL)
                break
            trial.set_user_attr(CLAIM, self._claim())
            batch = trial.user_attrs.get(BATCH, trial.number)
            found.append(Asked(trial.number, self._suggested(trial)))
        return found

    def report(self, asked: Asked, scores: Sequence[float]) -> None:
        """Say what a trial scored after its next stage: a value at the stage's G step, or one per seed."""
        trial, stage = self._trial(asked.number), self.stages[asked.passed]
        by_seed = self._tune.prune is not None and self._tune.prune.by_seeds
        step = stage.step or self._subject.row.train.g_steps
        values = dict(enumerate(scores)) if by_seed else {step: statistics.fmean(scores)}
        with contextlib.suppress(UpdateFinishedTrialError):  # another process took it for abandoned
            for at in sorted(values.keys() - trial.intermediate_values.keys()):
                optuna.Trial(self._study, trial._trial_id).report(values[at], at)

    def losers(self, asked: Sequence[Asked]) -> list[Asked]:
        """Return which of these trials, whose next stage is the same and has been reported, are not worth the rest.

        Optuna's pruner decides. At a rung it has all that stood there before it; one that lost a seed up to there is
        worse than any.
        """
        stage = self.stages[asked[0].passed]
        if stage.step is None:
            live = [optuna.Trial(self._study, self._trial(each.number)._trial_id) for each in asked]
            return [each for each, trial in zip(asked, live, strict=True) if trial.should_prune()]
        trials = self._trials()
        attrs = {trial.number: trial.user_attrs for trial in trials}
        lost = {number: of[ENDED] for number, of in attrs.items() if ENDED in of and of[LOST]}
        found = losers(self._study, trials, lost, [each.number for each in asked], stage.step)
        return [each for each in asked if each.number in found]

    def go_on(self, asked: Asked) -> Asked:
        """Remember that a trial has passed its next stage, and return it so."""
        found = replace(asked, passed=asked.passed + 1)
        with contextlib.suppress(UpdateFinishedTrialError):  # as above
            self._study._storage.set_trial_user_attr(self._trial(asked.number)._trial_id, PASSED, found.passed)
        return found

    def tell(
        self, asked: Asked, scores: Sequence[float], lost: Sequence[str], further: Sequence[Sequence[float]] = ()
    ) -> None:
        """Finish a trial: its value is the mean of its scores; one that lost a seed is infeasible.

        Of several values, `scores` are the first, and `further` has the others of each seed that has them.
        Where no seed has a score there is no value: the trial counts as pruned, and as infeasible. A trial that has
        stages left is pruned, with what was last reported of it. CMA-ES passes over constraints, and would take the
        mean of the seeds that are left for a value: it is given none of an infeasible trial.
        """
        early = asked.passed + 1 < len(self.stages)
        trial = self._trial(asked.number)
        try:
            if trial.state.is_finished():  # another process took it for abandoned
                return
            live = optuna.Trial(self._study, trial._trial_id)
            live.set_user_attr(SCORES, list(scores))
            live.set_user_attr(LOST, list(lost))
            others = [list(scores) for scores in zip(*further, strict=True)]
            if self._subject.further:
                live.set_user_attr(FURTHER, others)
            share = len(lost) / (len(scores) + len(lost))
            self._study._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, [share])
            if early:
                live.set_user_attr(ENDED, self.stages[asked.passed].at)
            # What a sampler does after a trial is to say that it passes over constraints.
            self._study.sampler = optuna.samplers.RandomSampler()
            if scores and not early and not (lost and self._tune.settings.sampler == PASSES_OVER):
                self._study.tell(
                    asked.number, [statistics.fmean(each) for each in (scores, *others)], skip_if_finished=True
                )
            else:
                self._study.tell(asked.number, state=TrialState.PRUNED, skip_if_finished=True)
        except UpdateFinishedTrialError:
            return

    def beat(self) -> None:
        """Say of the trials that this process has claimed that it is still at them."""
        self._renew(self._claim())

    def release(self) -> None:
        """Give up the claims: whoever comes next takes the trials up at once."""
        self._renew(["", 0.0])

    def tried(self) -> list[Tried]:
        """Return the finished trials within the budget, the first first."""
        done = [trial for trial in self._trials() if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        return [
            Tried(
                trial.number,
                trial.params,
                tuple(trial.user_attrs[SCORES]),
                tuple(trial.user_attrs[LOST]),
                trial.user_attrs.get(ENDED),
                tuple(map(tuple, trial.user_attrs.get(FURTHER, ()))),
                bool(trial.user_attrs.get(DRAWN, self._tune.settings.sampler in EVEN)),
            )
            for trial in done
        ]

    @property
    def begun(self) -> str:
        """When its first trial was: no other study has that in its storage, wherever it is looked at."""
        first = min(self._trials(), key=lambda trial: trial.number, default=None)
        return str(first.datetime_start) if first is not None else ""

    def at_work(self) -> list[Settings]:
        """Return the settings of all trials that are being trained, by whomever."""
        return [trial.params for trial in self._trials() if trial.state == TrialState.RUNNING]

    def divergences(self, losses: Sequence[Mapping[int, float]], share: float) -> list[dict[str, float]]:
        """Return PED-ANOVA's importance of each parameter for each way to rank these trials (see `importance`)."""
        return divergences([trial for trial in self._trials() if trial.number in losses[0]], losses, share)

    def surplus(self) -> int:
        """Return how many trials there are beyond the budget, of a larger one that was given before."""
        trials = self._study.get_trials(deepcopy=False)
        return sum(trial.number >= self._budget and RACED not in trial.user_attrs for trial in trials)

    def left(self) -> int:
        """Return how many trials of the budget are not finished."""
        return self._budget - sum(trial.state.is_finished() for trial in self._trials())

    def _trials(self) -> list[FrozenTrial]:
        return [trial for trial in self._study.get_trials(deepcopy=False) if trial.number < self._budget]

    def _trial(self, number: int) -> FrozenTrial:
        return next(trial for trial in self._trials() if trial.number == number)

    def _claim(self) -> list[Any]:
        return [self._claims.token, time.time()]

    def _abandoned(self, trial: FrozenTrial) -> bool:
        token, told = trial.user_attrs.get(CLAIM, ["", 0.0])
        return bool(token != self._claims.token and (not token or self._claims.dead(token, told)))

    def _claimed(self, trial: FrozenTrial) -> Asked:
        self._see_that_nothing_would_execute()
        self._study.sampler = sampler_of_trial(self._tune.settings, trial.number)
        live = optuna.Trial(self._study, trial._trial_id)
        live.set_user_attr(CLAIM, self._claim())
        settings = self._suggested(live)  # what it lacks, where a process ended in between
        return Asked(trial.number, settings, trial.user_attrs.get(PASSED, 0))

    def _renew(self, claim: Sequence[Any]) -> None:
        for trial in self._trials():
            if trial.state == TrialState.RUNNING and trial.user_attrs.get(CLAIM, [""])[0] == self._claims.token:
                try:
                    self._study._storage.set_trial_user_attr(trial._trial_id, CLAIM, list(claim))
                except UpdateFinishedTrialError:
                    continue

    def _see_that_nothing_would_execute(self) -> None:
        if self._tune.settings.sampler != PASSES_OVER:
            return
        if not self._states.harmless(self._study.get_trials(deepcopy=False)):
            raise wrong(
                self._tune.where,
                f"the study {self._study.study_name!r} holds what is no state of cmaes, and loading it might execute "
                "anything; take another --store or --storage",
            )

    def _suggested(self, trial: optuna.Trial) -> Settings:
        return {each.name: _suggest(trial, each) for each in self._subject.ranges}


def _suggest(trial: optuna.Trial, wanted: Range) -> Any:
    if wanted.kind == "choice":
        return trial.suggest_categorical(wanted.name, wanted.choices)
    if wanted.kind == "int":
        return trial.suggest_int(wanted.name, int(wanted.low), int(wanted.high))
    return trial.suggest_float(wanted.name, wanted.low, wanted.high, log=wanted.kind == "log")
