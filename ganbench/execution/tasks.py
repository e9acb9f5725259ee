"""What worker processes do: prepare a dataset and its extractor, or train and score one cohort."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ganbench.checkpoints import Paused, StoredCheckpoints, step_of
from ganbench.execution.endings import Failure, device_name, ended, facts_of
from ganbench.execution.energy import metered
from ganbench.execution.messages import Message, Tell
from ganbench.execution.presence import present
from ganbench.execution.signs_of_life import signs_of_life
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.training_data import Real, training_data
from ganbench.records import Outcome, Status
from ganbench.registry import Part
from ganbench.store import Store, StoreError
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.cohorts import Cohort

if TYPE_CHECKING:
    import torch

    from ganbench.evaluation.settings import EvaluationSettings
    from ganbench.training.loop import Trained

WRITERS = 8  # files that wait for the disk at once


@dataclass(frozen=True)
class Preparation:
    """Fetch a dataset, get its extractor ready and compute the real side of its scores."""

    dataset: Part
    settings: EvaluationSettings
    surroundings: Surroundings
    label: str
    tries: int = 0

    @property
    def name(self) -> str:
        """Say what is being done, for progress lines."""
        extractors = ", ".join(part.name for part in self.settings.extractors)
        return f"preparing {self.label} ({extractors if self.settings.metrics else 'no scores'})"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - nothing waits
        """Do it; whatever raises reaches the parent as an error."""
        from ganbench.evaluation.evaluate import prepare

        ours = self.surroundings
        with present(ours.store, self.name), signs_of_life(tell):
            ours.load_plugins()
            prepare(self.dataset, self.settings, ours.data_root, ours.cache, device)
        tell(Message("done"))

    def rest(
        self,
        trained: Collection[str],  # noqa: ARG002 - there are no cells
        scored: Collection[str],  # noqa: ARG002
        hung: bool,
        innocent: bool = False,
    ) -> list[Preparation]:
        """Return it once more where it hung, as a server may have been slow, and where it is not to blame."""
        if innocent:
            return [self]
        return [replace(self, tries=self.tries + 1)] if hung and not self.tries else []


@dataclass(frozen=True)
class CohortRun:
    """Train a cohort where needed, then score its cells; every cell is stored as soon as it is finished.

    Of a cohort that pauses, cells have no status then: their checkpoints are kept, and their scores up to there.

    `tries` is how often workers were lost at it that could not be told from each other's fault.
    """

    cohort: Cohort
    surroundings: Surroundings
    tries: int = 0

    @property
    def name(self) -> str:
        """Say what is being done, for progress lines."""
        return self.cohort.name

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:
        """Do it: a plugin that raises fails its own cells, and the rest go on.

        `started` is the moment (`time.time()`) at which the parent started this worker.
        """
        started = time.time() if started is None else started
        with present(self.surroundings.store, self.name):
            self._work(device, tell, started)

    def _work(self, device: str, tell: Tell, started: float) -> None:
        import torch

        self.surroundings.load_plugins()
        where = torch.device(device)
        store = Store(self.surroundings.store)
        if self.cohort.trains:
            # The preparation has read this once, so what fails here is the machine's doing and no cell's.
            with signs_of_life(tell):
                data = training_data(self.cohort.cells[0].dataset, self.surroundings.data_root, where)
            waited = (time.time() - started) / len(self.cohort.cells)
            self._train(self.cohort.cells, data, waited, store, tell)
        if self.cohort.scoring.wanted:
            with signs_of_life(tell):
                self._score(store, where, tell)
        tell(Message("done"))

    def rest(
        self, trained: Collection[str], scored: Collection[str], hung: bool, innocent: bool = False
    ) -> list[CohortRun]:
        """Return what is left after a worker was lost, in parts that find out who is to blame; nothing in the end.

        The cells of a worker that died are tried in halves, as memory may have been short, down to lone cells, which
        are tried twice. Those of one that hung are tried once more, each objective apart from the others. Where the
        task is `innocent`, its cells stay together as far as they stand at one step.
        """
        store, groups = Store(self.surroundings.store), dict[tuple[str, bool, int], list[Cell]]()
        for cell in self.cohort.cells:
            trains = self.cohort.trains and cell.key not in trained
            if trains or (self.cohort.scoring.wanted and cell.key not in scored):
                # A worker that died while it kept checkpoints has left its cells at different steps.
                step = step_of(store, cell.key, self.cohort.scoring.steps) if trains else 0
                apart = str(cell.objective.as_json()) if hung else ""
                groups.setdefault((apart, trains, step), []).append(cell)
        lone = not innocent and sum(map(len, groups.values())) == 1
        if self.tries and (hung or lone):
            return []
        parts = [(cells, trains, step) for (_, trains, step), cells in groups.items()]
        if len(parts) == 1 and not (hung or lone or innocent):
            ((cells, trains, step),) = parts
            parts = [(half, trains, step) for half in (cells[: len(cells) // 2], cells[len(cells) // 2 :])]
        return [
            replace(
                self,
                cohort=replace(self.cohort, cells=tuple(cells), trains=trains, step=step, seconds=None),
                tries=self.tries + (hung or lone),
            )
            for cells, trains, step in parts
        ]

    def bury(self, trained: Collection[str], outcome: Outcome, reason: str) -> list[Cell]:
        """Record how the cells ended that no worker could train, all but those of these keys; return them."""
        from ganbench.execution.provenance import now

        store, buried = Store(self.surroundings.store), []
        made_by = {**(self.surroundings.provenance or {}), "finished": now()}
        for cell in self.cohort.cells if self.cohort.trains else ():
            if cell.key not in trained:
                status = Status(outcome, step_of(store, cell.key), reason, provenance=made_by)
                store.write_training(cell.key, cell.as_json(), status)
                buried.append(cell)
        return buried

    def _train(self, cells: Sequence[Cell], data: Real, waited: float, store: Store, tell: Tell) -> None:
        from ganbench.training.loop import train_cohort

        started = time.perf_counter()
        until = self.cohort.until
        steps = until or cells[0].train.g_steps
        keys, ours = [cell.key for cell in cells], self.surroundings
        kept = StoredCheckpoints(store, keys, self.cohort.step > 0, ours.checkpoint_seconds, ours.cell_seconds, until)
        failure, drawn = None, metered(data[0].device)
        try:
            with kept.stoppable():
                results = train_cohort(
                    cells,
                    data[0],
                    self.cohort.scoring.steps,
                    lambda step, alive: tell(Message("progress", step, steps, alive)),
                    labels=data[1],
                    checkpoints=kept,
                )
            facts = [facts_of(cell) for cell in cells]
        except StoreError:
            raise  # a full disk is no cell's fault
        # A plugin may raise anything, and its cells are recorded as failed. A worker does not hear of a Ctrl-C.
        except (Exception, KeyboardInterrupt) as error:
            # The error itself would keep the failed attempt's tensors alive.
            failure = Failure.of(error)
        if failure:
            self._train_apart(cells, data, waited, store, tell, failure)
            return
        seconds = time.perf_counter() - started
        joules = None if kept.spent else drawn()
        cost = Status(
            "completed",
            0,
            train_seconds=kept.spent + seconds / len(cells),
            wait_seconds=waited,
            cohort_seconds=seconds,
            cohort_size=len(cells),
            energy_joules=None if joules is None else joules / len(cells),
        )
        # Every file waits for the disk, which keeps many of them in little more time than one.
        with ThreadPoolExecutor(WRITERS, "write") as writers:
            keep = partial(self._keep, cost=cost, device=data[0].device, store=store)
            outcomes = writers.map(keep, cells, results, facts)
            for cell, outcome in zip(cells, outcomes, strict=True):
                tell(Message("trained", key=cell.key, text=outcome))
        if kept.asked_to_stop:
            # Too near its end for one more checkpoint: what is finished is stored, and scored by the next run.
            sys.exit(0)

    def _keep(
        self, cell: Cell, result: Trained, facts: Mapping[str, float], cost: Status, device: torch.device, store: Store
    ) -> str:
        """Store what became of one cell, and return its outcome."""
        until = self.cohort.until
        if until is not None and result.diverged_at is None and result.step >= until:
            return "paused"  # its checkpoint is all that there is of it
        made = replace(cost, provenance=self._made_by(device, result.execution), facts=facts)
        status = ended(cell, result, made)
        snapshots = {str(step): flat for step, flat in result.snapshots.items()}
        snapshots |= {f"d/{step}": flat for step, flat in result.d_snapshots.items()}
        store.write_training(cell.key, cell.as_json(), status, result.trace, snapshots)
        return status.outcome

    def _train_apart(
        self, cells: Sequence[Cell], data: Real, waited: float, store: Store, tell: Tell, failure: Failure
    ) -> None:
        """Train fewer cells together: halves where memory was short, else one objective after another.

        The latter finds out whose cells fail, until only one objective is left to blame.
        """
        objectives = {str(cell.objective.as_json()) for cell in cells}
        if failure.memory and len(cells) > 1:
            parts = [cells[: len(cells) // 2], cells[len(cells) // 2 :]]
        else:
            parts = [[cell for cell in cells if str(cell.objective.as_json()) == name] for name in sorted(objectives)]
        if len(parts) > 1:
            for part in parts:
                self._train(part, data, waited, store, tell)
            return
        made_by = self._made_by(data[0].device)
        status = Status("failed", 0, failure.reason, failure.told, wait_seconds=waited, provenance=made_by)
        for cell in cells:
            store.write_training(cell.key, cell.as_json(), status)
            tell(Message("trained", key=cell.key, text="failed"))

    def _score(self, store: Store, device: torch.device, tell: Tell) -> None:
        from ganbench.evaluation.scoring import score_cohort

        pause, cells = self.cohort.pause, self.cohort.cells
        if pause is not None:
            cells = tuple(cell for cell in cells if _stands_at(pause, cell, store))
        score_cohort(
            store,
            cells,
            pause or self.cohort.scoring,
            (self.surroundings.data_root, self.surroundings.cache),
            device,
            lambda done, scores: tell(Message("scoring", done, scores)),
            lambda cell: tell(Message("scored", key=cell.key)),
            None if pause is None else Paused(store),
        )

    def _made_by(self, device: torch.device, execution: str = "") -> dict[str, str]:
        from ganbench.execution.provenance import now

        steps = {"steps": execution} if execution else {}
        return {**(self.surroundings.provenance or {}), "device": device_name(device), **steps, "finished": now()}


def _stands_at(pause: Scoring, cell: Cell, store: Store) -> bool:
    """Whether a cell can be scored at its pause: it stands there, or has gone on from there to a good end."""
    status = store.status(cell.key)
    ended = status is not None and status.outcome != "completed"
    return not ended and set(pause.steps) <= set(Paused(store).snapshot_steps(cell.key))
