"""A task on another machine: what is posted of it, when it stops, and what such a machine must see."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ganbench.execution import remote
from ganbench.execution.mail import Box, Room
from ganbench.execution.messages import Message, Task
from ganbench.execution.provenance import provenance
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.planning import Options, make_plan
from ganbench.store import Store, StoreError

SUITE = """
objectives: [hinge]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 30, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 10, metrics: [fid]}
"""
Played = Callable[[Task, Callable[[Message], None], Callable[[], None]], None]


@dataclass
class Place:
    """A store with a room, a task for it, and what is to happen instead of the task."""

    room: Room
    task: CohortRun
    patch: pytest.MonkeyPatch

    def play(self, played: Played) -> list[Message]:
        """Do the task, which is played, and return what was posted."""

        def run(tasks: list[Task], devices: list[str], listen: Any, tick: Any, **_: object) -> None:
            assert devices == ["cpu"]
            played(tasks[0], lambda message: listen(0, tasks[0], message), tick)

        self.patch.setattr(remote.local, "run", run)
        box = self.room.box()
        remote.work(self.task, "cpu", box, where="node x, GPU 3")
        return box.read()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    (tmp_path / "suite.yaml").write_text(SUITE)
    store = tmp_path / "runs"
    (cohort,) = make_plan(tmp_path / "suite.yaml", Options(store, device="cpu", workers=1)).cohorts
    monkeypatch.setenv("GANBENCH_DATA", "elsewhere")
    monkeypatch.setenv("GANBENCH_CACHE", "elsewhere")
    monkeypatch.setattr(remote, "EVERY", 0.0)
    made_by = {"host": "the head", "torch": "0.1"}
    surroundings = Surroundings(store, tmp_path / "data", tmp_path / "cache", provenance=made_by)
    return Place(Room(store), CohortRun(cohort, surroundings), monkeypatch)


def test_the_first_word_is_the_place_and_the_last_one_done(place: Place) -> None:
    said = [Message("trained", key="k", text="completed"), Message("scored", key="k")]

    def played(task: Task, tell: Callable[[Message], None], tick: Callable[[], None]) -> None:
        for message in [*said, Message("done")]:
            tell(message)

    assert place.play(played) == [Message("began", text="node x, GPU 3"), *said, Message("done")]


def test_of_frequent_news_the_latest_is_posted(place: Place) -> None:
    def played(task: Task, tell: Callable[[Message], None], tick: Callable[[], None]) -> None:
        for step in (1, 2, 3):
            tell(Message("progress", step=step, steps=9, alive=2))
            tell(Message("alive"))
        tick()
        tick()
        tell(Message("progress", step=4, steps=9, alive=2))

    told = place.play(played)[1:-1]
    assert told == [Message("progress", step=3, steps=9, alive=2), Message("alive")]


def test_a_busy_worker_too_stops_when_it_is_asked(place: Place) -> None:
    def played(task: Task, tell: Callable[[Message], None], tick: Callable[[], None]) -> None:
        for step in range(5):
            tell(Message("progress", step=step, steps=9, alive=2))
            tell(Message("trained", key=str(step)))
            tick()
            if step == 1:
                place.room.stop()

    told = place.play(played)
    assert told[-1] == Message("left")
    assert [message.key for message in told if message.kind == "trained"] == ["0", "1", "2"]


@pytest.mark.parametrize("ended", [KeyboardInterrupt, "stop"])
def test_a_worker_that_is_not_to_begin_leaves(ended: object, place: Place) -> None:
    def played(task: Task, tell: Callable[[Message], None], tick: Callable[[], None]) -> None:
        assert ended is KeyboardInterrupt
        raise KeyboardInterrupt

    if ended == "stop":
        place.room.stop()
    assert [message.kind for message in place.play(played)] == ["began", "left"]


def test_cells_that_no_worker_can_train_are_buried_where_that_is_found_out(place: Place) -> None:
    first, second = place.task.cohort.cells

    def played(task: Task, tell: Callable[[Message], None], tick: Callable[[], None]) -> None:
        tell(Message("trained", key=first.key, text="completed"))
        tell(Message("died", text="killed by SIGSEGV"))

    told = place.play(played)
    assert told[2:] == [
        Message("trained", key=second.key, text="failed"),
        Message("error", text="killed by SIGSEGV"),
        Message("done"),
    ]
    store = Store(place.task.surroundings.store)
    status = store.status(second.key)
    assert status is not None and status.outcome == "failed" and "SIGSEGV" in status.reason
    assert store.status(first.key) is None


def test_a_cell_is_made_by_the_machine_that_trains_it_in_the_folders_of_the_run(place: Place) -> None:
    seen: list[Surroundings] = []

    def played(task: Task, tell: Callable[[Message], None], tick: Callable[[], None]) -> None:
        assert isinstance(task, CohortRun)
        seen.append(task.surroundings)
        assert os.environ["GANBENCH_CACHE"] == str(task.surroundings.cache)
        assert os.environ["GANBENCH_DATA"] == str(task.surroundings.data_root)
        assert not hasattr(sys.modules["__main__"], "__file__")  # workers would import it

    before = sys.modules["__main__"]
    place.play(played)
    assert sys.modules["__main__"] is before
    assert seen[0].provenance == provenance() and provenance()["host"] == socket.gethostname()


def test_a_machine_that_does_not_see_the_files_of_the_run_says_which(place: Place, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=rf"{socket.gethostname()} does not see .*nowhere: the store must be at the"):
        remote.work(place.task, "cpu", Box(tmp_path / "nowhere" / "1.jsonl"))
    plugged = replace(place.task, surroundings=replace(place.task.surroundings, plugins=("/no/plugin.py",)))
    with pytest.raises(StoreError, match=r"does not see /no/plugin.py: a plugin of the suite must be at the same path"):
        remote.work(plugged, "cpu", place.room.box())


def test_a_machine_that_cannot_write_to_the_store_says_so(place: Place) -> None:
    def full(self: Box, message: Message) -> None:
        raise OSError(28, "No space left on device")

    place.patch.setattr(Box, "post", full)
    with pytest.raises(StoreError, match=r"cannot write .*1\.jsonl \(No space left on device\)"):
        place.play(lambda *_: None)
