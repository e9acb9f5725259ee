"""What is tuned: one subject per objective, architecture and dataset, and the cells that a trial of it consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import ValidationError

from ganbench import objectives
from ganbench.evaluation.settings import again, named, value_names
from ganbench.objectives import Objective
from ganbench.records import Scores
from ganbench.registry import Part, unknown
from ganbench.store import Store
from ganbench.suite.aims import COST
from ganbench.suite.cells import Cell, Scoring, digest
from ganbench.suite.errors import wrong
from ganbench.suite.pairing import refusal
from ganbench.suite.plan import Planned
from ganbench.suite.schema import Suite
from ganbench.suite.settings import Train, check_field
from ganbench.suite.tunable import applied, value_in
from ganbench.suite.tune import Range, Tune
from ganbench.tuning.stages import Stage, stages

Which = Literal["final", "best"]
Better = Literal["lower", "higher"]
Settings = Mapping[str, Any]
CHANGES_COST = {"batch_size", "d_steps"}


@dataclass(frozen=True)
class Aim:
    """One value that trials are judged by: a score, `final` or `best` of a run, or what a cell costs (no `which`)."""

    value: str
    which: Which | None
    better: Better

    @property
    def name(self) -> str:
        """What a suite calls it, such as fid_final."""
        return self.value if self.which is None else f"{self.value}_{self.which}"


@dataclass(frozen=True)
class Subject:
    """One combination of a suite with its own settings, its space, and the value by which its trials are judged.

    Where there are several values, `further` are the others.
    """

    row: Planned
    ranges: tuple[Range, ...]
    value: str
    which: Which
    better: Better
    further: tuple[Aim, ...] = ()

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return f"{self.row.objective.label} / {self.row.dataset.label} / {self.row.architecture.label}"

    @property
    def objective(self) -> str:
        """The name of what is tuned for, such as fid_final."""
        return f"{self.value}_{self.which}"

    @property
    def aims(self) -> tuple[Aim, ...]:
        """All values that trials are judged by."""
        return (Aim(self.value, self.which, self.better), *self.further)

    def identity(self, tune: Tune) -> str:
        """Hash all that makes trials comparable: the combination, how it is scored, the space, and how it is searched.

        How many trials there are is no part of that, nor how many are asked for at a time.
        """
        cell, scoring = self.row.cell, self.row.scoring
        assert cell is not None
        assert scoring is not None
        settings = tune.settings
        return digest(
            {
                "cell": replace(cell, seed=0).as_json(),
                "scoring": scoring.key,
                "space": {each.name: each.as_json() for each in self.ranges},
                "objective": [self.objective, self.better],
                "search": [settings.sampler, settings.seed, settings.seeds_per_trial],
                **({"further": [[each.name, each.better] for each in self.further]} if self.further else {}),
                **({"prune": tune.prune.as_json()} if tune.prune else {}),
            }
        )

    def stages(self, tune: Tune) -> tuple[Stage, ...]:
        """Return the stages of its trials; SuiteError where there is no step to prune at."""
        assert self.row.scoring is not None
        return stages(tune, self.row.train.g_steps, self.row.scoring.steps)

    def staged(self, settings: Settings, stage: Stage) -> list[Planned]:
        """Return the cells of these settings up to the end of a stage of their trial."""
        rows, step = self.rows(settings, range(stage.seeds)), stage.step
        if step is None:
            return rows
        return [replace(row, pause=self._at(row.scoring, step)) for row in rows]

    def _at(self, scoring: Scoring | None, step: int) -> Scoring | None:
        """Return what is scored at a rung: that step, or all up to there where the best of them counts."""
        if scoring is None:
            return None
        kept = (step,) if self.which == "final" else tuple(at for at in scoring.steps if at <= step)
        return replace(scoring, steps=kept)

    def rows(self, settings: Settings, seeds: Sequence[int], label: str | None = None) -> list[Planned]:
        """Return the cells of these settings, one per seed; skipped, with the reason, where they cannot be."""
        row, cell = self.row, self.row.cell
        assert cell is not None
        objective = replace(row.objective, label=label or row.objective.label)
        try:
            recipe, network, train = applied(settings, cell.objective, cell.architecture, row.train)
            source = cell.dataset.create()
            why = network.create().supports(source.shape) or refusal(recipe, network, source, train.batch_size)
        except (ValueError, ValidationError) as error:
            recipe, network, train, why = cell.objective, cell.architecture, row.train, str(error)
        objective = replace(objective, value=recipe)
        architecture = replace(row.architecture, value=network)
        found = replace(row, objective=objective, architecture=architecture, train=train)
        if why:
            return [replace(found, seed=seed, cell=None, scoring=None, skipped=why) for seed in seeds]
        return [
            replace(found, seed=seed, cell=Cell(recipe, network, cell.dataset, train, seed, cell.fingerprint))
            for seed in seeds
        ]

    def recommended(self) -> Settings:
        """Return the training settings that the objective's source used; empty where there are none, or no others."""
        if self.row.objective.name not in objectives.names():  # a name that a plugin file no longer has
            return {}
        told = objectives.recommended(self.row.objective.name)
        found = {name: check_field(Train, name, value) for name, value in told.items() if name != "g_steps"}
        return found if any(getattr(self.row.train, name) != value for name, value in found.items()) else {}

    @property
    def parts(self) -> tuple[Objective, Part, Train]:
        """The suite's own objective, architecture and training settings."""
        assert self.row.cell is not None
        return self.row.cell.objective, self.row.cell.architecture, self.row.train

    def values(self, settings: Settings) -> Settings:
        """Return the values that all parameters of the space have with these settings, where they have one."""
        whole = applied(settings, *self.parts)
        found = {each.name: value_in(each.name, *whole) for each in self.ranges}
        return {name: value for name, value in found.items() if value is not None}

    def cost(self, settings: Settings) -> float:
        """Return the samples that both players see in a cell of these settings: what it costs, about."""
        return samples_seen(applied(settings, *self.parts)[2])


def samples_seen(train: Train) -> float:
    """Return how many samples both players see while a cell trains."""
    return float(((train.d_steps or 1) + 1) * train.batch_size * train.g_steps)


def subjects(suite: Suite, rows: Sequence[Planned]) -> list[Subject]:
    """Return what is tuned of a suite, given its planned cells; combinations that cannot be trained are left out.

    Raises SuiteError where the suite has no `tune`, sweeps settings, or asks for a value that its metrics do not give.
    """
    tune = suite.tune
    if tune is None:
        raise wrong(suite.name, "there is no `tune` section: it says what is tuned, over which ranges and how often")
    found: dict[tuple[str, str, str], Subject] = {}
    for row in rows:
        if row.swept:
            raise wrong(
                tune.where, f"the suite sweeps {', '.join(row.swept)}; a suite that is tuned gives one value of each"
            )
        if row.cell is None:
            continue
        place = row.objective.label, row.architecture.label, row.dataset.label
        if place not in found:
            found[place] = _subject(tune, row)
    if not found:
        raise wrong(tune.where, "none of the suite's combinations can be trained, so there is nothing to tune")
    return list(found.values())


def _subject(tune: Tune, row: Planned) -> Subject:
    assert row.cell is not None
    assert row.scoring is not None
    if not row.scoring.wanted:
        raise wrong(tune.where, f"{row.dataset.label}: scores are switched off (`evaluate.metrics` is empty)")
    settings, source = row.scoring.settings, row.cell.dataset.create()
    better = value_names(settings.metrics)
    headline = next(iter(better))
    for extractor in settings.further:
        parts = [part for part in settings.metrics if again(part, source, extractor)]
        better |= {named(value, extractor): way for value, way in value_names(parts).items()}
    ranges = tune.ranges(row.objective.label)
    first, *further = [
        _aim(tune, row, asked, better, ranges) for asked in tune.settings.asked or (f"{headline}_final",)
    ]
    assert first.which is not None
    return Subject(row, ranges, first.value, first.which, tune.settings.direction or first.better, tuple(further))


def _aim(tune: Tune, row: Planned, asked: str, better: Mapping[str, str], ranges: Sequence[Range]) -> Aim:
    if asked == COST:
        if not {each.name for each in ranges} & CHANGES_COST:
            raise wrong(
                tune.objective_where,
                f"objective: {COST}: no setting in the space of {row.objective.label} changes it; "
                f"{' and '.join(sorted(CHANGES_COST))} do",
            )
        return Aim(COST, None, "lower")
    value, _, which = (asked, "", "final") if asked in better else asked.rpartition("_")
    if value not in better or which not in ("final", "best"):
        allowed = [f"{name}_{when}" for name in better for when in ("final", "best")]
        if len(tune.settings.asked) > 1:
            allowed.append(COST)
        raise wrong(tune.objective_where, f"objective: {unknown('value', asked, allowed)} on {row.dataset.label}")
    return Aim(value, "final" if which == "final" else "best", "lower" if better[value] == "lower" else "higher")


def score(store: Store, row: Planned, subject: Subject) -> tuple[float, ...] | str:
    """Return what one cell of a subject scored, each value, or in words why it lacks one: it diverged, failed, ...

    LookupError where the cell has not been trained and scored, up to its pause where it has one.
    """
    if row.cell is None or row.scoring is None:
        return f"cannot be trained: {row.skipped}"
    status = store.status(row.cell.key)
    if status is None and row.pause is None:
        raise LookupError(row.cell.key)
    if status is not None and status.outcome != "completed":
        return status.outcome.replace("_", " ")
    scores = store.scores(row.cell.key, (row.pause or row.scoring).key)
    if scores is None:
        raise LookupError(row.cell.key)
    found = [samples_seen(row.train) if aim.which is None else _read(scores, aim) for aim in subject.aims]
    missing = next((each for each in found if isinstance(each, str)), None)
    return missing or tuple(each for each in found if not isinstance(each, str))


def _read(scores: Scores, aim: Aim) -> float | str:
    known = [entry.get(aim.value) for entry in scores.rows]
    numbers = [number for number in (known[-1:] if aim.which == "final" else known) if number is not None]
    if not numbers:
        return f"no {aim.value}: {scores.reasons.get(aim.value, 'not computed')}"
    return min(numbers) if aim.better == "lower" else max(numbers)
