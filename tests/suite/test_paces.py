"""How long cells will take, by what cells like them took: other cohorts, lengths of training, seeds and objectives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.cli.console import human_seconds
from ganbench.pacing import observed, remember
from ganbench.planning import Options, Plan, make_plan
from ganbench.records import Scores, Status
from ganbench.suite.cohorts import size_key
from ganbench.suite.expected import expected_seconds
from ganbench.suite.paces import Pace, PaceFile, Paces
from ganbench.suite.sizing import Rates

SUITE = """
objectives: [hinge, minimax, least_squares, non_saturating]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
train: {g_steps: 3000, batch_size: 16, latent_size: 4}
evaluate: {every: 300, samples: 100, reference: 200, metrics: [fid]}
"""


def small_network(size: int) -> float:
    """Return milliseconds per step of cohorts of an MLP as they were timed on one core of a CPU."""
    return 1.1 + 0.08 * (size - 1)


def convolutions(size: int) -> float:
    """Return milliseconds per step of cohorts of which each cell takes the same time."""
    return 190.0 * size


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))


def planned(folder: Path, *settings: str, seeds: int = 3, workers: int = 1, text: str = SUITE) -> Plan:
    (folder / "suite.yaml").write_text(text)
    return make_plan(folder / "suite.yaml", Options(folder / "runs", (), settings, seeds, "cpu", workers))


def run(plan: Plan, step: Callable[[int], float], score: float = 0.05) -> float:
    """Have the plan's cells done as fast as it is said; return the seconds on one worker."""
    passed = 0.0
    for cohort in plan.cohorts:
        size, steps = len(cohort.cells), cohort.steps
        seconds = steps * step(size) / 1000
        status = Status(
            "completed",
            steps,
            train_seconds=seconds / size,
            wait_seconds=0.3 / size,
            cohort_seconds=seconds,
            cohort_size=size,
            g_updates=steps,
            snapshot_steps=cohort.scoring.steps,
            provenance={"device": "cpu"},
        )
        rows = tuple({"step": float(at)} for at in cohort.scoring.steps)
        for cell in cohort.cells:
            plan.store.write_training(cell.key, cell.as_json(), status)
            scores = Scores("p", {}, {}, rows, evaluate_seconds=score * len(rows))
            plan.store.write_scores(cell.key, cohort.scoring.key, scores, None)
        passed += 0.3 + seconds + size * score * len(rows)
    return passed


def expected(plan: Plan) -> float:
    found = expected_seconds(plan.cohorts, len(plan.devices))
    assert found is not None and found[1]
    return found[0]


@pytest.mark.parametrize("measured", [0, 1, 2, 4, 16])
@pytest.mark.parametrize(
    ("settings", "seeds"), [(("train.g_steps=6000",), 16), ((), 6), (("train.g_steps=500", "train.g_lr=0.001"), 64)]
)
def test_other_lengths_seeds_and_cohorts_are_expected_within_a_factor_of_two(
    tmp_path: Path, settings: tuple[str, ...], seeds: int, measured: int
) -> None:
    first = planned(tmp_path)
    if measured:
        rates = Rates({2**at: 1000 * 2**at / small_network(2**at) for at in range(int(math.log2(measured)) + 1)})
        first.rates.write(shape_of(first), rates, "cells")
    run(first, small_network)
    remember(first)
    more = planned(tmp_path, *settings, seeds=seeds)
    assert 0.5 < expected(more) / run(more, small_network) < 2


def shape_of(plan: Plan) -> str:
    return size_key(plan.entries[0])


@pytest.mark.parametrize("step", [small_network, lambda size: 1.1 + 0.15 * size, lambda size: 1.1 + 0.05 * size])
def test_a_few_measured_sizes_alone_are_enough_for_large_cohorts_of_small_networks(
    tmp_path: Path, step: Callable[[int], float]
) -> None:
    before = planned(tmp_path)
    for sizes in ([1], [1, 2], [1, 2, 4]):
        before.rates.write(shape_of(before), Rates({size: 1000 * size / step(size) for size in sizes}), "cells")
        more = planned(tmp_path, seeds=16, text=SUITE.replace("[fid]", "[]"))
        truth = sum(cohort.steps * step(len(cohort.cells)) / 1000 for cohort in more.cohorts)
        assert 0.5 < expected(more) / truth < 2


def test_what_a_run_takes_beside_its_cohorts_counts_but_not_what_was_got_ready_once(tmp_path: Path) -> None:
    run(first := planned(tmp_path), small_network)
    for around in (90.0, 5.0, 7.0, 0.0):
        remember(first, around)
    assert first.paces.read().around == 5
    more = planned(tmp_path, "train.g_steps=100")
    told = (
        CliRunner()
        .invoke(
            app,
            [
                "plan",
                str(tmp_path / "suite.yaml"),
                "--store",
                str(tmp_path / "runs"),
                "--device",
                "cpu",
                "--workers",
                "1",
                "--seeds",
                "3",
                "--set",
                "train.g_steps=100",
            ],
        )
        .output
    )
    with_it = expected_seconds(more.cohorts, 1, 5.0)
    assert with_it is not None and with_it[0] == pytest.approx(expected(more) + 5)
    assert f"expected time: about {human_seconds(with_it[0])}" in told
    assert expected_seconds((), 1, 5.0) == (0.0, True)


def test_convolutions_on_a_cpu_take_as_long_together_as_one_by_one(tmp_path: Path) -> None:
    text = SUITE.replace("[ring8]", "[digits]").replace("{mlp: {width: 8, depth: 1}}", "simple_cnn")
    run(first := planned(tmp_path, text=text, seeds=1), convolutions)
    remember(first)
    more = planned(tmp_path, "train.g_steps=6000", text=text, seeds=8)
    assert 0.9 < expected(more) / run(more, convolutions) < 1.1


def test_what_was_learnt_holds_in_other_stores_and_with_other_numbers_of_workers(tmp_path: Path) -> None:
    run(first := planned(tmp_path, workers=2), small_network)
    remember(first)
    (tmp_path / "other").mkdir()
    other = planned(tmp_path / "other", seeds=6)
    assert 0.5 < expected(other) / run(other, small_network) < 2


def test_other_objectives_are_expected_by_the_updates_of_both_players(tmp_path: Path) -> None:
    run(first := planned(tmp_path), small_network)
    remember(first)
    critic = planned(tmp_path, text=SUITE.replace("minimax", "wgan_gp"))
    new = [cohort for cohort in critic.cohorts if cohort.cells[0].train.d_steps == 5]
    assert new and all(cohort.seconds is not None for cohort in new)
    alike = [planned(tmp_path, text=SUITE.replace("minimax", name)).cohorts[0] for name in ("r1_gan", "lecam_gan")]
    assert all(one.seconds is not None and one.timed for one in alike)


def test_a_cell_taken_up_again_or_that_broke_off_teaches_nothing(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    run(plan, small_network)
    for cell in plan.cohorts[0].cells:
        status = plan.store.status(cell.key)
        assert status is not None
        again = replace(status, train_seconds=3 * status.train_seconds)
        plan.store.write_training(cell.key, cell.as_json(), again if cell.seed else replace(status, outcome="diverged"))
    found = observed(plan)
    assert not found.training and not found.starts


def test_of_two_observations_the_later_one_counts_unless_it_saw_much_less() -> None:
    long, short, again = Pace(4, 1, 0.01, 100.0), Pace(4, 1, 0.05, 1.0), Pace(4, 1, 0.02, 60.0)
    known = Paces({"a": (long,)}, {"s": 1.0}).joined(Paces({"a": (short, Pace(8, 2, 0.03, 1.0))}, {"s": 2.0}))
    assert known.steps("a", 1) == {4: 0.01} and known.steps("a", 3) == {8: 0.03} and known.steps("b", 1) == {}
    assert known.joined(Paces({"a": (again,)})).steps("a", 1) == {4: 0.02}
    assert known.scoring == {"s": 2.0}


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"training": 3}', "half", "negative"])
def test_a_damaged_file_is_no_file(tmp_path: Path, damage: str) -> None:
    file = PaceFile(tmp_path, "a CPU")
    assert file.read() == Paces()
    file.add(kept := Paces({"a": (Pace(4, 1, 0.25, 100.0),)}, {"s": 1.0}, {"ring8": 0.5}, 3.5))
    assert file.read() == kept and PaceFile(tmp_path, "another").read() == Paces()
    (path,) = tmp_path.glob("*.json")
    whole = path.read_text()
    path.write_text({"half": whole[: len(whole) // 2], "negative": whole.replace("0.25", "-0.25")}.get(damage, damage))
    assert file.read() == Paces()
    file.add(kept)
    assert file.read() == kept


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    run(plan := planned(tmp_path), small_network)
    (tmp_path / "cache").write_text("a file where the folder would be")
    remember(plan)
    assert plan.paces.read() == Paces()
