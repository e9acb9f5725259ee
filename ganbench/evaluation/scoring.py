"""From the stored generators of a cohort to stored scores."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ganbench.checkpoints import Paused
from ganbench.evaluation.beliefs import beliefs
from ganbench.evaluation.evaluate import Evaluator
from ganbench.evaluation.pictures import Arrays, Pictures
from ganbench.evaluation.real_side import RealSide
from ganbench.evaluation.sampling import Sampler, in_company, together
from ganbench.records import Scores, Status
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring

PICTURES, POINTS = 64, 2000  # of the last samples, kept for the report

Row = Mapping[str, float | None]


class ScoringError(Exception):
    """Some cells could not be scored: the message says which and why. The scores of the others are stored."""


@dataclass
class _Sheet:
    """What is known so far of one cell's scores."""

    cell: Cell
    pictures: Pictures = field(init=False)
    steps: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    charged: float = 0.0
    _since: float | None = None

    @property
    def seconds(self) -> float:
        """The time that the cell is charged with so far, with that of what is being done."""
        return self.charged + (0.0 if self._since is None else time.perf_counter() - self._since)

    @contextmanager
    def own(self) -> Iterator[None]:
        """Charge the cell with the time of what is done inside, and keep what goes wrong there."""
        self._since = time.perf_counter()
        try:
            yield
        except Exception as error:  # a plugin or a damaged file may raise anything: the other cells go on
            self.error = error
        self.charged, self._since = self.seconds, None


def score_cohort(
    store: Store,
    cells: Sequence[Cell],
    scoring: Scoring,
    roots: tuple[Path, Path],
    device: torch.device,
    going: Callable[[int, int], None] | None = None,
    scored: Callable[[Cell], None] | None = None,
    paused: Paused | None = None,
) -> None:
    """Score the trained cells of a cohort at every step of which there is a snapshot, and store the scores.

    `roots` are the folders of data and of the cache. `going(done, scores)` hears how many scores of all have been
    made, `scored(cell)` that a cell's are stored. A cell that cannot be scored costs no other its scores; ScoringError
    tells of it at the end. Cells that are `paused` are read there, and nothing is kept of them for the report.
    """
    sheets = [_Sheet(cell) for cell in cells if paused or _scorable(store.status(cell.key))]
    snapshots = paused or store
    if not sheets:
        return
    with _shared(sheets):
        evaluator = Evaluator(sheets[0].cell.dataset, scoring.settings, *roots, str(device))
    real = RealSide(sheets[0].cell.dataset, evaluator.references[0], roots[0])
    for sheet in sheets:
        with sheet.own():
            there = snapshots.snapshot_steps(sheet.cell.key)
            sheet.steps = [step for step in scoring.steps if step in there]
            sheet.pictures = Pictures(sheet.cell, real, scoring.steps, sheet.steps)
    done, total = 0, sum(len(one.steps) for one in sheets)
    rest = iter(sheets)
    for size in in_company(len(sheets), together(sheets[0].cell, scoring.settings.samples)):
        group = _Group(store, snapshots, scoring, evaluator, list(itertools.islice(rest, size)), device, scored)
        for step in scoring.steps:
            if going is not None:
                going(done, total)
            done += group.score(step)
    _tell_of_failures(sheets)


class _Group:
    """Cells that are sampled together."""

    def __init__(
        self,
        store: Store,
        snapshots: Store | Paused,
        scoring: Scoring,
        evaluator: Evaluator,
        sheets: list[_Sheet],
        device: torch.device,
        scored: Callable[[Cell], None] | None,
    ) -> None:
        self._store, self._snapshots, self._scoring, self._evaluator = store, snapshots, scoring, evaluator
        self._sheets, self._scored, self._device = sheets, scored, device
        with _shared(sheets):
            self._sampler = Sampler([sheet.cell for sheet in sheets], scoring.settings.samples, device)
        for sheet in sheets:
            if not sheet.steps and not sheet.error:
                self._write(sheet, None, (), {})

    def score(self, step: int) -> int:
        """Score the cells that have a snapshot of a step, and return how many; a cell's last step stores its scores."""
        present = [place for place, sheet in enumerate(self._sheets) if step in sheet.steps and not sheet.error]
        if not present:
            return 0
        for place, samples in zip(present, self._drawn(present, step), strict=True):
            if samples is not None:
                with self._sheets[place].own():
                    self._read(self._sheets[place], step, samples)
        return len(present)

    def _drawn(self, present: Sequence[int], step: int) -> Sequence[Tensor | None]:
        """Draw samples of cells together, or each alone where that fails: one of them may be at fault."""
        try:
            with _shared([self._sheets[place] for place in present]):
                return self._samples(present, step).unbind()
        except Exception:  # whose fault it is turns out below
            found: list[Tensor | None] = []
            for place in present:
                found.append(None)
                with self._sheets[place].own():
                    found[-1] = self._samples([place], step)[0]
            return found

    def _samples(self, present: Sequence[int], step: int) -> Tensor:
        flats = [self._snapshots.snapshot(self._sheets[place].cell.key, step) for place in present]
        return self._sampler.draw(torch.stack(flats), present)

    def _read(self, sheet: _Sheet, step: int, samples: Tensor) -> None:
        last = step == sheet.steps[-1]
        critic = self._snapshots.d_snapshot(sheet.cell.key, step)
        believed = None if critic is None else beliefs(sheet.cell, critic, self._device)
        evidence = self._evaluator.read(samples, sheet.cell.seed, self._sampler.labels, believed)
        values, missing = self._evaluator.values(evidence, self._sampler.labels is not None, last)
        sheet.rows.append({"step": step, **values})
        sheet.reasons |= missing
        pictures = sheet.pictures
        pictures.add(step, self._evaluator.quantise(samples[: pictures.count]), evidence[0])
        if last and isinstance(self._snapshots, Paused):
            self._write(sheet, None, (), {})
        elif last:
            by_class, missing = self._evaluator.by_class(evidence)
            sheet.reasons |= missing
            self._write(sheet, samples, by_class, pictures.finished(evidence[0], critic, self._device))

    def _write(self, sheet: _Sheet, samples: Tensor | None, by_class: tuple[Row, ...], pictures: Arrays) -> None:
        scores = Scores(
            protocol_id=self._evaluator.protocol_id,
            protocol=self._evaluator.protocol,
            better=self._evaluator.better,
            rows=tuple(sheet.rows),
            reasons=sheet.reasons,
            evaluate_seconds=sheet.seconds,
            per_class=by_class,
            ceiling=self._evaluator.ceiling().values,
        )
        kept = None
        if samples is not None:
            kept = self._evaluator.quantise(samples[: PICTURES if samples.ndim == 4 else POINTS]).numpy()
        self._store.write_scores(sheet.cell.key, self._scoring.key, scores, kept, pictures)
        if self._scored is not None:
            self._scored(sheet.cell)


@contextmanager
def _shared(sheets: Sequence[_Sheet]) -> Iterator[None]:
    """Charge each cell with its share of the time of what is done inside."""
    started = time.perf_counter()
    yield
    share = (time.perf_counter() - started) / len(sheets)
    for sheet in sheets:
        sheet.charged += share


def _tell_of_failures(sheets: Sequence[_Sheet]) -> None:
    failed = [(sheet.cell, sheet.error) for sheet in sheets if sheet.error]
    if failed:
        cell, error = failed[0]
        told = f"{cell.objective.loss.label} on {cell.dataset.label}, seed {cell.seed}: {type(error).__name__}: {error}"
        raise ScoringError(f"{len(failed)} of {len(sheets)} cells could not be scored ({told})") from error


def _scorable(status: Status | None) -> bool:
    return status is not None and status.outcome != "failed"
