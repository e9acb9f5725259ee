"""Cohorts are measured by the real loop, store nothing, cost nothing where little is left to do, and fail no cell."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ganbench import preparing
from ganbench.execution import sizing
from ganbench.execution.local import Local
from ganbench.execution.messages import Message
from ganbench.execution.sizing import Effort, SizingRun, cell_steps_per_second, from_text
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.execution.training_data import training_data
from ganbench.listener import Silence
from ganbench.paths import whole_file
from ganbench.planning import Options, Plan, make_plan
from ganbench.records import Scores, Status
from ganbench.store import Store
from ganbench.suite.cells import Cell
from ganbench.suite.cohorts import Measured, look_up, pack, size_key
from ganbench.suite.errors import SuiteError
from ganbench.suite.expected import expected_seconds
from ganbench.suite.sizing import Cache, Rates

SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 4
train: {g_steps: 1000000, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, metrics: [fid]}
"""


class Said(Silence):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def said(self, text: str) -> None:
        self.all.append(text)

    def preparing(self, names: Sequence[str]) -> None:
        self.all.extend(names)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))


def planned(folder: Path, text: str = SUITE, workers: int = 2, **options: Any) -> Plan:
    (folder / "suite.yaml").write_text(text)
    return make_plan(folder / "suite.yaml", Options(folder / "runs", device="cpu", workers=workers, **options))


def surroundings(folder: Path) -> Surroundings:
    return Surroundings(folder / "runs", folder / "data", folder / "cache")


def measure(folder: Path, monkeypatch: pytest.MonkeyPatch, rate: Callable[[int], float], cells: int = 8) -> Rates:
    """Let a task go up the sizes while the loop is said to be as fast as `rate` says."""
    monkeypatch.setattr(sizing, "cell_steps_per_second", lambda chosen, *_: rate(len(chosen)))
    told: list[Message] = []
    chosen = planned(folder).cohorts[0].cells
    task = SizingRun("key", "group", (chosen * cells)[:cells], Effort(10**9, 1, 2), surroundings(folder))
    task.work("cpu", told.append)
    assert [message.kind for message in told] == ["progress"] * (len(told) - 1) + ["done"]
    assert not (folder / "runs").exists()
    return from_text(told[-1].text)


def test_the_real_loop_is_timed_for_a_moment_and_ended(tmp_path: Path) -> None:
    cells = planned(tmp_path).cohorts[0].cells
    assert cells[0].train.g_steps == 10**6
    data, _ = training_data(cells[0].dataset, tmp_path, torch.device("cpu"))
    assert all(cell_steps_per_second(cells[:size], data) > 0 for size in (1, 2))


@pytest.mark.parametrize(("cell_steps", "glimpse"), [(1, True), (10**9, False)])
def test_a_glimpse_will_do_where_no_other_size_can_be_afforded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell_steps: int, glimpse: bool
) -> None:
    """A step is said to take 10 ms on a clock of its own: a window has twenty, a glimpse no more than it takes."""
    cells = planned(tmp_path).cohorts[0].cells
    data, _ = training_data(cells[0].dataset, tmp_path, torch.device("cpu"))
    steps: list[int] = []

    def loop(cohort: Sequence[Cell], *_: object, each: Callable[[int], None], **__: object) -> None:
        for step in range(1, 1000):
            steps.append(len(cohort))
            each(step)

    monkeypatch.setattr("ganbench.training.loop.train_cohort", loop)
    clock = SimpleNamespace(
        **{name: lambda: len(steps) / 100 for name in ("perf_counter", "process_time", "monotonic")}
    )
    monkeypatch.setattr(sizing, "time", clock)
    rates = sizing.measured(cells[:2], data, None, Effort(cell_steps, 1, 1))
    assert rates.by_size[1] == pytest.approx(100)
    assert (rates.largest == 1) is glimpse
    assert (steps.count(1) < 10) is glimpse


def test_a_training_that_is_over_at_once_has_a_rate_too(tmp_path: Path) -> None:
    cells = planned(tmp_path, SUITE.replace("1000000", "1")).cohorts[0].cells
    data, _ = training_data(cells[0].dataset, tmp_path, torch.device("cpu"))
    assert 0 < cell_steps_per_second(cells[:2], data) < float("inf")


def test_sizes_are_tried_upwards_until_they_are_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert measure(tmp_path, monkeypatch, lambda size: 100.0 * size) == Rates(
        {1: 100, 2: 200, 4: 400, 8: 800}, False, pytest.approx(0, abs=1e9)
    )
    tried: list[int] = []

    def falling(size: int) -> float:
        tried.append(size)
        return {1: 100.0, 2: 70.0, 4: 65.0}[size]

    rates = measure(tmp_path, monkeypatch, falling)
    assert rates.settled and rates.size(8) == 1
    assert tried == [1, 2, 4, 4, 2, 1]  # and once more, downwards


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no more"),
        torch.OutOfMemoryError("CUDA"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_what_does_not_fit_the_memory_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def short(size: int) -> float:
        if size > 2:
            raise error
        return 100.0 * size

    rates = measure(tmp_path, monkeypatch, short)
    assert (rates.by_size, rates.settled, rates.size(32)) == ({1: 100, 2: 200}, True, 2)


def test_other_errors_are_the_parents_to_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(size: int) -> float:
        raise RuntimeError("a mistake in the plugin")

    with pytest.raises(RuntimeError, match="a mistake in the plugin"):
        measure(tmp_path, monkeypatch, broken)


def size_all(plan: Plan, folder: Path, *answers: Message) -> tuple[list[Any], Said]:
    """Size a plan's cohorts by workers that say these things; return the tasks that they were given."""
    given: list[Any] = []

    class Workers(Local):
        def run(self, tasks: Iterable[Any], listen: Callable[..., None], *_: Any, **__: Any) -> None:
            given.extend(tasks)
            for task in given:
                for answer in answers:
                    listen(0, task, answer)

    said = Said()
    after = preparing.sized(plan, surroundings(folder), Workers(plan.devices), said)
    assert given or after is plan
    return given, said


FOUR = Message("done", text=sizing.as_text(Rates({1: 100.0, 2: 190.0, 4: 300.0, 8: 290.0}, True, 1e6)))


def test_what_was_measured_is_kept_told_and_not_measured_again(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert [len(cohort.cells) for cohort in plan.cohorts] == [4, 4] and not plan.notes
    tasks, said = size_all(plan, tmp_path, FOUR)
    assert len(tasks) == 2 and len(tasks[0].cells) == 8  # both slots are at it, on all cells of the one group
    told = "ring8 x mlp(width=8, depth=1): cohorts of 4 (measured: 1: 100, 2: 190, 4: 300, 8: 290 cell-steps/s)"
    assert said.all[-1] == told
    again = planned(tmp_path)
    assert told in again.notes
    assert size_all(again, tmp_path, FOUR)[0] == []
    expected = expected_seconds(again.cohorts, 2)
    assert expected is not None and expected[0] == pytest.approx(4 * 10**6 / 300, rel=0.01)
    assert not expected[1]  # scores were never timed
    # As many on one slot are another matter, and so is another shape.
    assert size_all(planned(tmp_path, workers=1), tmp_path, FOUR)[0]
    assert size_all(planned(tmp_path, SUITE.replace("width: 8", "width: 9")), tmp_path, FOUR)[0]


def test_a_cache_that_cannot_be_written_costs_a_measurement_and_no_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "/cache/cohorts/.x.json")

    monkeypatch.setattr(Cache, "write", read_only)
    plan = planned(tmp_path)
    given, said = size_all(plan, tmp_path, FOUR)
    assert given and "cohorts of 4" in said.all[-1]  # this run has what it measured
    folder = tmp_path / "cache" / "cohorts"
    assert f"measure this again: {folder} cannot be written (Read-only file system)" in said.all[-2]


def test_data_are_got_ready_once_for_all_lengths_of_training(tmp_path: Path) -> None:
    plan, given = planned(tmp_path, SUITE.replace("1000000", "[100, 200]")), list[Any]()

    class Workers(Local):
        def run(self, tasks: Iterable[Any], *_: Any, **__: Any) -> None:
            given.extend(tasks)

    preparing.prepare(plan, surroundings(tmp_path), Workers(plan.devices), said := Said())
    assert len({cohort.scoring.key for cohort in plan.cohorts}) == 2
    assert len(given) == 1 and said.all == ["preparing ring8 (identity)"]


def test_a_full_disk_is_told_with_the_file_that_had_no_room(tmp_path: Path) -> None:
    def write() -> None:
        with whole_file(tmp_path / "references" / "real.safetensors"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=re.escape(f"No space left on device: '{tmp_path}/references/real.safetensors'")):
        write()
    assert not list((tmp_path / "references").iterdir())


def test_other_lengths_of_training_and_other_scores_share_what_was_measured(tmp_path: Path) -> None:
    def key(text: str) -> str:
        return size_key(planned(tmp_path, text).entries[0])

    assert key(SUITE) == key(SUITE.replace("1000000", "777")) == key(SUITE.replace("samples: 100", "samples: 50"))
    assert key(SUITE) == key(SUITE.replace("[hinge, minimax]", "[least_squares]"))
    assert key(SUITE) != key(SUITE.replace("batch_size: 16", "batch_size: 17"))


@pytest.mark.parametrize("number", [1, 3, 8])
def test_a_number_measures_nothing_and_is_the_most_that_train_together(tmp_path: Path, number: int) -> None:
    for plan in (planned(tmp_path, cohort=str(number), workers=1), planned(tmp_path, f"{SUITE}cohort: {number}\n", 1)):
        assert size_all(plan, tmp_path, FOUR)[0] == []
        assert max(len(cohort.cells) for cohort in plan.cohorts) == number
    asked = planned(tmp_path, f"{SUITE}cohort: {number}\n", cohort="auto")
    assert asked.cohort == "auto"  # the command line wins


@pytest.mark.parametrize(
    "text", [SUITE.replace("1000000", "200"), SUITE.replace("seeds: 4", "seeds: 1\nexclude: [{objective: hinge}]")]
)
def test_where_little_is_left_or_a_cell_is_alone_nothing_is_measured(tmp_path: Path, text: str) -> None:
    assert size_all(planned(tmp_path, text), tmp_path, FOUR)[0] == []


def test_a_worker_that_fails_or_dies_leaves_the_default_or_what_it_had_said(tmp_path: Path) -> None:
    tasks, said = size_all(planned(tmp_path), tmp_path, Message("error", text="a mistake"))
    assert tasks and "not all sizes of cohorts could be measured: a mistake" in said.all[-1]
    assert not list((tmp_path / "cache").rglob("*.json"))
    two = Message("progress", text=sizing.as_text(Rates({1: 100.0, 2: 190.0})))
    size_all(planned(tmp_path), tmp_path, two, Message("died", text="killed by SIGKILL"))
    after = planned(tmp_path)
    assert max(len(cohort.cells) for cohort in after.cohorts) == 2  # more may have been too much for the memory


def test_a_wrong_number_on_the_command_line_is_told(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"--cohort: expected auto or the most cells .*, got 'all'"):
        planned(tmp_path, cohort="all")


def test_scores_and_traces_do_not_depend_on_the_cohort_setting(tmp_path: Path) -> None:
    text = SUITE.replace("1000000", "20").replace("seeds: 4", "seeds: 2").replace("{samples", "{every: 20, samples")
    (tmp_path / "suite.yaml").write_text(text)
    found: list[list[Any]] = []
    for setting in ("3", "auto"):
        plan = make_plan(tmp_path / "suite.yaml", Options(tmp_path / setting, device="cpu", workers=1, cohort=setting))
        for cohort in plan.cohorts:
            CohortRun(cohort, Surroundings(tmp_path / setting, tmp_path / "data", tmp_path / "cache")).work(
                "cpu", print
            )
        cells = [(e.planned.cell, e.planned.scoring) for e in plan.entries]
        found.append(
            [
                (plan.store.trace(cell.key), plan.store.scores(cell.key, scoring.key).rows)
                for cell, scoring in cells
                if cell and scoring
            ]
        )
    assert len(found[0]) == 4 and found[0] == found[1]


def finish(plan: Plan, seeds: int, size: int, seconds: float, scored: float) -> None:
    """Have the cells of the first seeds done, at so many seconds a step and a score."""
    for entry in plan.entries:
        cell, scoring = entry.planned.cell, entry.planned.scoring
        assert cell is not None and scoring is not None
        if cell.seed < seeds:
            status = Status(
                "completed",
                cell.train.g_steps,
                train_seconds=seconds * cell.train.g_steps,
                wait_seconds=0.5 / size,
                cohort_size=size,
                g_updates=cell.train.g_steps,
                snapshot_steps=scoring.steps,
                provenance={"device": "cpu"},
            )
            plan.store.write_training(cell.key, cell.as_json(), status)
            rows = tuple({"step": float(step)} for step in scoring.steps)
            scores = Scores("p", {}, {}, rows, evaluate_seconds=scored * len(rows))
            plan.store.write_scores(cell.key, scoring.key, scores, None)


def test_the_expected_time_counts_training_scores_starts_and_slots(tmp_path: Path) -> None:
    text = SUITE.replace("1000000", "1000")
    finish(planned(tmp_path, text), seeds=2, size=2, seconds=0.01, scored=0.25)
    left = planned(tmp_path, text)  # two seeds of two objectives: two cohorts of two cells, each on a slot
    assert [len(cohort.cells) for cohort in left.cohorts] == [2, 2]
    expected = expected_seconds(left.cohorts, 2)
    assert expected == (pytest.approx(0.5 + 2 * (1000 * 0.01 + 10 * 0.25)), True)
    alone = expected_seconds(planned(tmp_path, text, workers=1).cohorts, 1)
    assert alone is not None and alone[0] < 2 * expected[0]  # four cells together


def test_the_expected_time_follows_measured_rates_to_other_sizes(tmp_path: Path) -> None:
    text = SUITE.replace("1000000", "1000").replace("[fid]", "[]")
    finish(planned(tmp_path, text), seeds=2, size=2, seconds=0.01, scored=0.0)
    entries = look_up([entry.planned for entry in planned(tmp_path, text).entries], Store(tmp_path / "runs"))
    cache = Cache(tmp_path, "cpu", 1)
    cache.write(size_key(entries[0]), Rates({1: 100.0, 2: 200.0, 4: 800.0}, True), "cells")
    (cohort,) = pack(entries, 1, measured=Measured(cache.read))
    assert cohort.seconds == pytest.approx(0.5 + 4 * 1000 * 0.01 / 4)  # four together are four times as fast as two
    elsewhere = pack(entries, 1, measured=Measured(device="NVIDIA H200"))
    assert [one.seconds for one in elsewhere] == [None]  # times of another device say nothing


def test_a_group_that_was_not_measured_makes_the_expected_time_a_least_one(tmp_path: Path) -> None:
    text = SUITE.replace("1000000", "1000")
    finish(planned(tmp_path, text), seeds=4, size=4, seconds=0.01, scored=0.25)
    more = planned(
        tmp_path, text.replace("[hinge, minimax]", "[hinge, minimax, wgan_gp]").replace("seeds: 4", "seeds: 6")
    )
    expected = expected_seconds(more.cohorts, 2)
    assert expected is not None and expected[0] > 0 and not expected[1]
    assert expected_seconds((), 2) == (0.0, True)
