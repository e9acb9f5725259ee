"""Training that is interrupted and taken up again: the same bits as if it never had been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ganbench import architectures, datasets, objectives
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.loop import Trained, train_cohort

POINTS = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
STEPS, KEPT_AT = 40, 16


class Interrupted(Exception):  # noqa: N818 - reads as what happened
    """Raised where a process would be killed."""


class Memory:
    """Keeps courses once, after a given step, and then interrupts training."""

    until: int | None = None
    over = False

    def __init__(self, cells: Sequence[dict[str, Tensor]] = ()) -> None:
        self.cells, self.asked, self.warm_ups = list(cells), 0, 0

    def warming_up(self) -> None:
        self.warm_ups += 1

    def due(self) -> bool:
        self.asked += 1
        return not self.cells

    def write(self, cells: Sequence[dict[str, Tensor]]) -> None:
        self.cells = list(cells)
        raise Interrupted

    def read(self) -> list[dict[str, Tensor]]:
        return self.cells


def cell(name: str, seed: int, **train: object) -> Cell:
    settings = {"g_steps": STEPS, "batch_size": 8, "latent_size": 2, "ema": 0.9, "d_warmup": 2} | train
    mlp = architectures.registry.part("mlp", {"width": 8, "depth": 2})
    return Cell(objectives.create(name), mlp, datasets.registry.part("ring8", {}), Train(**settings), seed)


def interrupted(cells: Sequence[Cell]) -> list[dict[str, Tensor]]:
    memory = Memory()
    with pytest.raises(Interrupted):
        train_cohort(cells, POINTS, (10, STEPS), checkpoints=memory)
    assert [int(saved["step"]) for saved in memory.cells] == [KEPT_AT] * len(cells)
    return memory.cells


def assert_same(found: Trained, whole: Trained) -> None:
    assert found.trace == whole.trace and len(found.trace) == STEPS
    assert found.snapshots.keys() == whole.snapshots.keys()
    assert all(torch.equal(found.snapshots[at], flat) for at, flat in whole.snapshots.items())
    assert all(torch.equal(found.d_snapshots[at], flat) for at, flat in whole.d_snapshots.items())
    assert (found.d_updates, found.g_updates, found.diverged_at) == (
        whole.d_updates,
        whole.g_updates,
        whole.diverged_at,
    )


@pytest.mark.parametrize("name", ["nsgan", "wgan_gp", "sngan", "began", "lecam_gan", "wgan", "unrolled_gan"])
@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_what_was_interrupted_ends_as_if_it_had_not_been(name: str, optimiser: str) -> None:
    cells = [cell(name, seed, optimiser=optimiser, d_steps=2) for seed in (0, 1)]
    whole = train_cohort(cells, POINTS, (10, STEPS))
    for found, expected in zip(
        train_cohort(cells, POINTS, (10, STEPS), checkpoints=Memory(interrupted(cells))), whole, strict=True
    ):
        assert_same(found, expected)


def test_cells_may_go_on_in_another_cohort_or_alone() -> None:
    cells = [cell(name, seed) for name in ("nsgan", "hinge_gan") for seed in (0, 1)]
    whole, kept = train_cohort(cells, POINTS, (10, STEPS)), interrupted(cells)
    for chosen in ([3, 0], [2, 1, 3], [1]):
        memory = Memory([kept[place] for place in chosen])
        found = train_cohort([cells[place] for place in chosen], POINTS, (10, STEPS), checkpoints=memory)
        for one, place in zip(found, chosen, strict=True):
            assert_same(one, whole[place])


class Pausing(Memory):
    """Keeps courses at a pause, and goes on from there with others."""

    until = KEPT_AT

    def due(self) -> bool:
        return False

    def write(self, cells: Sequence[dict[str, Tensor]]) -> None:
        self.cells = list(cells)


def paused(cells: Sequence[Cell]) -> list[dict[str, Tensor]]:
    memory = Pausing()
    found = train_cohort(cells, POINTS, (10, STEPS), checkpoints=memory)
    assert {one.step for one in found} == {int(saved["step"]) for saved in memory.cells} == {KEPT_AT}
    again = train_cohort(cells, POINTS, (10, STEPS), checkpoints=memory)  # it stands there already
    assert [one.step for one in again] == [KEPT_AT] * len(cells)
    assert all(torch.equal(one.snapshots[10], other.snapshots[10]) for one, other in zip(found, again, strict=True))
    return memory.cells


def test_paused_cells_go_on_together_though_their_losses_remember_with_other_parameters() -> None:
    """As trials of BEGAN's gamma do, of which some are pruned."""
    both = [cell("began", seed) for seed in (0, 1)]
    cells = [
        replace(one, objective=objectives.create("began", gamma=gamma)) for gamma in (0.3, 0.5, 0.7) for one in both
    ]
    whole = train_cohort(cells, POINTS, (10, STEPS))
    first, second = paused(cells[:4]), paused(cells[4:])
    kept, chosen = [*first, *second], [3, 4, 0]
    memory = Memory([kept[place] for place in chosen])
    for one, place in zip(
        train_cohort([cells[place] for place in chosen], POINTS, (10, STEPS), checkpoints=memory), chosen, strict=True
    ):
        assert_same(one, whole[place])


@pytest.mark.parametrize("g_norm", ["none", "spectral"])
def test_cells_with_and_without_an_average_part_and_meet_with_the_bits_of_each_alone(g_norm: str) -> None:
    """As trials of `ema: {choice: [0, 0.9]}` do, of which some are pruned, and cells that are tried again in halves."""
    mlp = architectures.registry.part("mlp", {"width": 8, "depth": 2, "g_norm": g_norm})
    cells = [replace(cell("nsgan", seed, ema=ema), architecture=mlp) for ema in (0.0, 0.9) for seed in (0, 1)]
    alone = [*train_cohort(cells[:2], POINTS, (10, STEPS)), *train_cohort(cells[2:], POINTS, (10, STEPS))]
    for one, expected in zip(train_cohort(cells, POINTS, (10, STEPS)), alone, strict=True):
        assert_same(one, expected)
    mixed, apart = interrupted(cells), [*interrupted(cells[:2]), *interrupted(cells[2:])]
    assert [{*one} for one in mixed] == [{*other} for other in apart]  # a course does not tell of its neighbours
    for kept, chosen in ((mixed, [0, 1]), (mixed, [3, 2]), (mixed, [0]), (apart, [2, 0, 1, 3])):
        memory = Memory([kept[place] for place in chosen])
        found = train_cohort([cells[place] for place in chosen], POINTS, (10, STEPS), checkpoints=memory)
        for one, place in zip(found, chosen, strict=True):
            assert_same(one, alone[place])


def test_a_checkpoint_of_before_courses_were_told_apart_goes_on_too() -> None:
    cells = [cell("nsgan", seed, ema=0.0) for seed in (0, 1)]
    kept = [{**saved, "game/averaged": saved["game/g"]} for saved in interrupted(cells)]  # from beside others with EMA
    for one, whole in zip(
        train_cohort(cells, POINTS, (10, STEPS), checkpoints=Memory(kept)),
        train_cohort(cells, POINTS, (10, STEPS)),
        strict=True,
    ):
        assert_same(one, whole)


def test_a_divergence_before_the_interruption_is_remembered() -> None:
    bad = replace(cell("nsgan", 0), train=cell("nsgan", 0).train.model_copy(update={"optimiser": "sgd", "g_lr": 1e38}))
    cells = [bad, replace(bad, train=bad.train.model_copy(update={"g_lr": 1e-3}))]
    whole = train_cohort(cells, POINTS, (10, STEPS))
    assert whole[0].diverged_at is not None and whole[0].diverged_at < KEPT_AT and whole[1].diverged_at is None
    found = train_cohort(cells, POINTS, (10, STEPS), checkpoints=Memory(interrupted(cells)))
    assert found[0].diverged_at == whole[0].diverged_at
    assert [row["step"] for row in found[0].trace] == [row["step"] for row in whole[0].trace]
    assert_same(found[1], whole[1])


def test_a_course_is_kept_between_blocks_alone() -> None:
    memory = Memory([])
    memory.cells = [{}]  # never due

    class Never(Memory):
        def read(self) -> list[dict[str, Tensor]]:
            return []

    never = Never([{}])
    train_cohort([cell("nsgan", 0)] * 2, POINTS, (), checkpoints=never)
    assert never.asked == STEPS // 16


def test_a_warm_up_is_told_and_asks_whether_to_stop_and_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganbench.training.loop.SECONDS_BETWEEN_REPORTS", 0)
    cells, memory, told = [cell("nsgan", 0), cell("hinge", 0)], Pausing(), list[tuple[int, int]]()
    memory.until = None
    found = train_cohort(cells, POINTS, (10, STEPS), lambda step, alive: told.append((step, alive)), checkpoints=memory)
    assert memory.warm_ups == 2 and told[:3] == [(0, 2), (0, 2), (1, 2)]
    for one, whole in zip(found, train_cohort(cells, POINTS, (10, STEPS)), strict=True):
        assert_same(one, whole)


def test_the_course_of_another_game_is_refused() -> None:
    kept = interrupted([cell("nsgan", 0), cell("nsgan", 1)])
    with pytest.raises(ValueError, match="checkpoint is of another game"):
        train_cohort([cell("began", 0), cell("began", 1)], POINTS, (), checkpoints=Memory(kept))
