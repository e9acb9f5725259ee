"""How far a run is, as another terminal sees it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench import pulse, runner
from ganbench.cli import app
from ganbench.getting_ready import GettingReady
from ganbench.listener import Listener, Silence
from ganbench.plain_data import as_json
from ganbench.planning import Options, Plan, make_plan
from ganbench.pulse import Beat, Slot
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.standing import Watch
from ganbench.store import Store
from ganbench.suite.errors import Problem, SuiteError

CELL = "0123456789abcde"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    rows = [
        Listed(f"{CELL}{seed}", "e", name, "mlp", "ring8", seed, {}) for name, seed in (("a", 0), ("a", 1), ("b", 2))
    ]
    rows.append(Listed("", "", "b", "dcgan", "ring8", 0, {}, skipped="no pictures"))
    made = Store(tmp_path)
    made.write_suite(SuiteRecord("mine", tuple(rows)))
    return made


def told(store: Store, seconds_ago: float, suite: str = "mine") -> None:
    now = time.time()
    slots = [Slot("cpu", "ring8 x mlp (2 cells)", "training", 30, 120, 2, 2, now), Slot("cpu")]
    beat = Beat(suite, "here", 12, now - 60 - seconds_ago, now - seconds_ago, 10.0, 2.5, 3, {}, slots)
    (store.root / pulse.FILE).write_bytes(as_json(asdict(beat)))


def test_cells_are_counted_as_they_end_and_are_scored(store: Store) -> None:
    watch = Watch(store, store.suite("mine"))
    first = watch.look()
    assert first.cells == {"a": {"left": 2}, "b": {"left": 1, "skipped": 1}} and not first.at_work
    store.write_training(f"{CELL}0", {}, Status("completed", 10))
    store.write_training(f"{CELL}1", {}, Status("failed", 0, "why"))
    second = watch.look()
    assert second.cells["a"] == {"completed": 1, "failed": 1} and second.unscored == 1
    store.write_scores(f"{CELL}0", "e", Scores("p", {}, {}, ()), None)
    assert watch.look().unscored == 0


def test_a_run_at_work_is_shown_slot_by_slot_with_the_time_that_is_left(store: Store) -> None:
    told(store, 1)
    said = CliRunner().invoke(app, ["status", str(store.root)], env={"COLUMNS": "120"})
    assert said.exit_code == 0
    assert "mine: 0 of 3 cells trained" in said.output
    assert "at work for 60 s, about 3 min left (process 12 on here)" in said.output
    assert "30/120, 2/2 alive" in said.output and "idle" in said.output
    narrow = CliRunner().invoke(app, ["status", str(store.root)], env={"COLUMNS": "62"}).output
    assert "30/120, 2/2 alive" in narrow and all(word in narrow for word in ("ring8", "mlp", "cells"))


def test_a_run_that_was_killed_is_told_from_one_at_work_and_from_one_of_another_suite(store: Store) -> None:
    told(store, 100)
    assert "has said nothing for 2 min" in CliRunner().invoke(app, ["status", str(store.root)]).output
    told(store, 1, suite="another")
    assert "no run is at work" in CliRunner().invoke(app, ["status", str(store.root), "--suite", "mine"]).output
    for content in ("", "{", "{}", '{"slots": 3}'):
        (store.root / pulse.FILE).write_text(content)
        assert "no run is at work" in CliRunner().invoke(app, ["status", str(store.root)]).output


def test_a_store_without_results_is_bad_input(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["status", str(tmp_path)])
    assert said.exit_code == 2 and "holds no results" in said.output


def test_a_run_that_gets_ready_says_with_what_in_a_new_store_too(tmp_path: Path, store: Store) -> None:
    new = Store(tmp_path / "new")
    heard = Heard()
    with GettingReady(heard, new, "mine", 8) as ready:
        ready.preparing(["preparing ring8 (identity)"])
        told_at_once = shown_once(new, "none of 8 cells trained yet")
        assert "getting ready for" in told_at_once
        ready.said("measuring how many cells train fastest together (1 kind of cells)")
        assert "measuring how many cells" in shown_once(new, "measuring")
        ready.over()
        assert pulse.read(new) is not None  # until the first beat of the training
    assert pulse.read(new) is None
    assert heard.texts == [
        "preparing ring8 (identity)",
        "measuring how many cells train fastest together (1 kind of cells)",
    ]
    with GettingReady(heard, store, "mine", 4):  # and from the first moment on, in one of before
        said = CliRunner().invoke(app, ["status", str(store.root), "--once"], env={"COLUMNS": "160"}).output
        assert "0 of 3 cells trained" in said and "getting ready for" in said


class Heard(Silence):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def said(self, text: str) -> None:
        self.texts.append(text)

    def preparing(self, names: Sequence[str]) -> None:
        self.texts.extend(names)


def shown_once(store: Store, awaited: str) -> str:
    """Return what `ganbench status` shows as soon as it shows this."""
    for _ in range(600):
        said = CliRunner().invoke(app, ["status", str(store.root), "--once"], env={"COLUMNS": "160"})
        if said.exit_code == 0 and awaited in said.output:
            return said.output
        time.sleep(0.05)
    raise AssertionError(said.output)


def test_a_run_tells_of_itself_while_its_dataset_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing a run does is to get its data ready: by then whoever looks on sees it."""
    (tmp_path / "suite.yaml").write_text("{objectives: [hinge], datasets: [ring8], seeds: 1}")
    seen: list[Beat | None] = []

    def prepare(plan: Plan, _: object, __: object, listener: Listener, tick: object) -> None:
        listener.preparing(["preparing ring8"])
        while (beat := pulse.read(plan.store)) is None or beat.doing != "preparing ring8":
            time.sleep(0.02)
        seen.append(beat)
        raise SuiteError([Problem("ring8", "cannot be read")])

    monkeypatch.setattr(runner, "prepare", prepare)
    plan = make_plan(tmp_path / "suite.yaml", Options(tmp_path / "runs", device="cpu", workers=1))
    with pytest.raises(SuiteError):
        runner.train(plan, Silence())
    assert seen and pulse.read(plan.store) is None
