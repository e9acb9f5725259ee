"""The head of a run elsewhere: what workers say arrives, what is lost is given out again, and all can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import ganbench
from ganbench.execution import head as heads
from ganbench.execution import remote
from ganbench.execution.head import Head
from ganbench.execution.mail import FOLDER, Box, is_to_stop
from ganbench.execution.messages import Halt, Message, Task, Tell
from ganbench.execution.tasks import CohortRun
from ganbench.listener import Silence
from ganbench.paths import data_root
from ganbench.planning import Plan
from ganbench.store import Store, StoreError

Said = tuple[int, str, str, str]


@dataclass(frozen=True)
class Letters:
    """A task whose cells are letters, and which can be gone on with."""

    cells: str

    @property
    def name(self) -> str:
        return self.cells

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:
        raise AssertionError("it is played by its job")

    def rest(self, trained: Sequence[str], scored: Sequence[str], hung: bool, innocent: bool = False) -> list[Task]:
        left = "".join(cell for cell in self.cells if cell not in scored)
        if not innocent:
            return [Letters(cell) for cell in left] if len(left) > 1 else []
        return [Letters(left)] if left else []


@dataclass
class Part:
    """A job that plays a part: at each look it says one thing more, then it ends as told."""

    box: Box
    says: list[Message]
    end: str | StoreError | None
    cancelled: bool = False

    def ended(self) -> str | None:
        if self.cancelled:
            return "it was cancelled"
        if self.says:
            if self.box.path.exists() and is_to_stop(self.box):
                self.says, self.end = [Message("left")], ""
            self.box.post(self.says.pop(0))
            return None
        if isinstance(self.end, StoreError):
            raise self.end
        return self.end

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Stage:
    """An engine whose jobs play the parts that `cast` gives them, by the cells of their task and how often it came."""

    cast: Callable[[str, int], tuple[list[Message], str | StoreError | None]]
    devices: Sequence[str] = ("here", "there")
    given: list[str] = field(default_factory=list)
    jobs: list[Part] = field(default_factory=list)

    def submit(self, given: Sequence[tuple[Task, Box]]) -> list[Part]:
        new = []
        for task, box in given:
            new.append(Part(box, *self.cast(task.name, self.given.count(task.name))))
            self.given.append(task.name)
        self.jobs += new
        return new


def words(cells: str, done: bool = True, where: str = "there") -> list[Message]:
    said = [Message("began", text=where)]
    for cell in cells:
        said += [Message("trained", key=cell, text="completed"), Message("scored", key=cell)]
    return said + [Message("done")] * done


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "POLL", 0.001)


def play(stage: Stage, store: Path, *tasks: str, patience: float = 60, until: str = "") -> list[Said]:
    said: list[Said] = []

    def listen(slot: int, task: Task, message: Message) -> None:
        said.append((slot, task.name, message.kind, message.key or message.text))
        if message.kind == until or message.halts:
            raise Halt("enough")

    Head(stage, store, patience).run([Letters(cells) for cells in tasks], listen)
    assert not list((store / FOLDER).iterdir())
    return said


def kinds(said: Sequence[Said], task: str) -> list[str]:
    return [kind for _, name, kind, _ in said if name == task]


def test_all_that_workers_say_is_heard_in_order_in_the_slot_of_their_place(tmp_path: Path) -> None:
    stage = Stage(lambda cells, _: (words(cells, where="there" if cells == "ab" else "here"), ""))
    said = play(stage, tmp_path, "ab", "c", "de")
    assert stage.given == ["ab", "c", "de"]
    assert kinds(said, "ab") == ["began", "trained", "scored", "trained", "scored", "done"]
    slots = {name: {slot for slot, task, *_ in said if task == name} for name in ("ab", "c")}
    assert slots == {"ab": {1}, "c": {0}}


def test_what_a_lost_job_has_left_is_given_out_again_together(tmp_path: Path) -> None:
    stage = Stage(lambda cells, _: (words("ab", done=False), "node x died") if cells == "abcde" else (words(cells), ""))
    said = play(stage, tmp_path, "abcde")
    assert stage.given == ["abcde", "cde"]
    (lost,) = [text for _, _, kind, text in said if kind == "lost"]
    assert "node x died" in lost and "tried again" in lost
    assert kinds(said, "cde")[-1] == "done"


def test_a_task_whose_jobs_are_lost_without_end_is_tried_in_parts_and_dies(tmp_path: Path) -> None:
    stage = Stage(lambda cells, _: ([Message("began")], "killed") if "a" in cells else (words(cells), ""))
    said = play(stage, tmp_path, "abc")
    assert stage.given == ["abc"] * (heads.LOSSES + 1) + ["a", "b", "c"]
    assert kinds(said, "a")[-1] == "died"
    assert kinds(said, "b")[-1] == kinds(said, "c")[-1] == "done"


def test_a_job_lost_at_its_very_end_is_done(tmp_path: Path) -> None:
    said = play(Stage(lambda cells, _: (words(cells, done=False), "killed")), tmp_path, "ab")
    assert kinds(said, "ab")[-1] == "done"


def test_a_worker_that_says_nothing_any_longer_is_cancelled_and_replaced(tmp_path: Path) -> None:
    stage = Stage(lambda cells, _: (words("a", done=False), None) if cells == "ab" else (words("b"), ""))
    said = play(stage, tmp_path, "ab", patience=0.1)
    assert stage.jobs[0].cancelled and stage.given == ["ab", "b"]
    assert "said nothing" in next(text for _, _, kind, text in said if kind == "lost")


def test_a_worker_that_was_stopped_by_its_machine_is_replaced(tmp_path: Path) -> None:
    stage = Stage(lambda cells, before: (words(cells), "") if before else ([Message("began"), Message("left")], ""))
    said = play(stage, tmp_path, "ab")
    assert stage.given == ["ab", "ab"] and kinds(said, "ab")[-1] == "done"


def test_last_words_that_the_file_system_shows_late_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks = Box.read, []

    def late(box: Box) -> list[Message]:
        looks.append(box)
        return read(box) if len(looks) > 20 else []

    monkeypatch.setattr(Box, "read", late)
    stage = Stage(lambda cells, _: (words(cells), ""))
    assert kinds(play(stage, tmp_path, "ab"), "ab")[-1] == "done" and stage.given == ["ab"]
    monkeypatch.setattr(heads, "SILENT", 0.02)
    stage = Stage(lambda cells, before: (words(cells) if before else [], ""))
    said = play(stage, tmp_path, "ab")
    assert stage.given == ["ab", "ab"] and "without a word" in said[0][-1]


def test_a_machine_that_does_not_see_the_store_halts_the_run(tmp_path: Path) -> None:
    stage = Stage(lambda cells, _: ([], StoreError("x does not see y")) if cells == "a" else (words(cells)[:-1], None))
    with pytest.raises(Halt):
        play(stage, tmp_path, "a", "b")
    assert stage.jobs[1].ended() is not None


def test_a_job_lost_for_want_of_disk_halts_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Store) -> None:
        raise StoreError("No space left")

    monkeypatch.setattr(Store, "check_writable", full)
    stage = Stage(lambda *_: ([Message("began")], "killed"))
    with pytest.raises(Halt):
        play(stage, tmp_path, "a")
    assert stage.given == ["a"]


def test_a_halt_stops_those_at_work_and_takes_the_others_back(tmp_path: Path) -> None:
    endless = [Message("began"), *(Message("alive") for _ in range(10_000))]
    stage = Stage(
        lambda cells, _: {"a": (words(cells), ""), "b": (endless, None), "c": ([], None)}[cells], ("one", "two")
    )
    with pytest.raises(Halt):
        play(stage, tmp_path, "a", "b", "c", until="scored")
    assert [job.cancelled for job in stage.jobs] == [False, False, True]
    assert not stage.jobs[1].says and not list((tmp_path / FOLDER).iterdir())


def test_what_fails_in_the_head_itself_leaves_no_job_behind(tmp_path: Path) -> None:
    stage = Stage(lambda _, __: ([Message("began"), *(Message("alive") for _ in range(10_000))], None))

    def listen(slot: int, task: Task, message: Message) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Head(stage, tmp_path, 60).run([Letters("a"), Letters("b")], listen)
    assert all(job.cancelled for job in stage.jobs)


SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 2000, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 1000, metrics: [fid, modes]}
"""


@dataclass
class InTurn:
    """An engine whose jobs are threads of this process, one after another."""

    devices: Sequence[str] = ("this process",)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def submit(self, given: Sequence[tuple[Task, Box]]) -> list[Threaded]:
        return [Threaded(self.pool.submit(remote.work, task, "cpu", box)) for task, box in given]


@dataclass
class Threaded:
    future: Future[None]

    def ended(self) -> str | None:
        if not self.future.done():
            return None
        return "" if self.future.cancelled() or self.future.exception() is None else str(self.future.exception())

    def cancel(self) -> None:
        self.future.cancel()


@pytest.mark.long  # three runs of real cells, to see the whole way of the messages once
def test_cells_trained_elsewhere_are_kept_gone_on_with_and_the_same_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.runner.LiveTracking", Untracked)
    monkeypatch.setenv("GANBENCH_DATA", str(data_root()))  # which workers set, here in this process
    (tmp_path / "suite.yaml").write_text(SUITE)
    common = {"workers": 1, "checkpoint_every": 0.1}
    ganbench.run(tmp_path / "suite.yaml", store=tmp_path / "local", **common)
    monkeypatch.setattr(remote, "EVERY", 0.1)
    engine = InTurn()

    @contextmanager
    def opened(plan: Plan, said: Callable[[str], None]) -> Iterator[Head]:
        yield Head(engine, plan.store.root, 60)

    monkeypatch.setattr("ganbench.runner.open_executor", opened)
    with engine.pool:
        halted = ganbench.run(tmp_path / "suite.yaml", store=tmp_path / "runs", listener=HaltsAtWork(), **common)
        assert dict(halted.outcomes) == {"missing": 4} and "as asked" in halted.errors[0]
        assert not list((tmp_path / "runs" / FOLDER).iterdir())
        (cohort,) = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1).cohorts
        assert 0 < cohort.step < 2000
        done = ganbench.run(tmp_path / "suite.yaml", store=tmp_path / "runs", **common)
    assert dict(done.outcomes) == {"completed": 4} and not done.failed
    assert scores(tmp_path / "runs") == scores(tmp_path / "local")


def scores(folder: Path) -> dict[str, object]:
    store = Store(folder)
    record = store.suite("suite")
    assert record is not None
    return {row.key: store.scores(row.key, row.evaluation_key).rows for row in record.listed}


class Untracked:
    """Takes cells and sends none: MLflow has tests of its own."""

    def __init__(self, *_: object) -> None: ...
    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *_: ""


class HaltsAtWork(Silence):
    """Asks for an end once a cohort is at work."""

    def heard(self, slot: int, task: Task, message: Message) -> None:
        if isinstance(task, CohortRun) and message.kind in ("progress", "alive"):
            raise Halt("as asked by the test")
