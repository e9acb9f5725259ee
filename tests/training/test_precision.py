"""What `train.precision` changes: the networks' arithmetic, and never that of penalties, weights or optimisers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ganbench import architectures, datasets, objectives, penalties
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.game import Game
from ganbench.training.loop import train_cohort
from ganbench.training.precision import Precision

CPU = torch.device("cpu")
POINTS = torch.randn(512, 2, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randint(256, (64, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def cell(precision: str, architecture: Part, *held: Part, steps: int = 30) -> Cell:
    objective = replace(objectives.create("non_saturating"), penalties=held)
    train = Train(g_steps=steps, batch_size=16, latent_size=4, d_steps=1, precision=precision)
    return Cell(objective, architecture, datasets.registry.part("ring8", {}), train, 0)


MLP = architectures.registry.part("mlp", {"width": 16, "depth": 2})
DCGAN = architectures.registry.part("dcgan", {"width": 4})


@pytest.mark.parametrize(("architecture", "data"), [(MLP, POINTS), (DCGAN, IMAGES)], ids=["mlp", "dcgan"])
def test_bf16_follows_float32_to_its_own_rounding(architecture: Part, data: Tensor) -> None:
    half, full = (train_cohort([cell(name, architecture)], data, (30,))[0] for name in ("bf16", "float32"))
    assert half.snapshots[30].dtype == torch.float32
    assert not torch.equal(half.snapshots[30], full.snapshots[30])
    # 30 steps of 2e-4 each: weights that had gone another way would be farther apart
    assert (half.snapshots[30] - full.snapshots[30]).abs().max() < 30 * 2e-4
    assert abs(half.trace[0]["d_loss"] - full.trace[0]["d_loss"]) < 0.01


def test_bf16_multiplies_in_bfloat16_and_sums_up_in_float32() -> None:
    game = Game([cell("bf16", MLP)] * 2, POINTS)
    seen: list[torch.dtype] = []
    game.d.module.register_forward_hook(lambda *_: None)
    original = torch.baddbmm

    def keep(*arguments: Tensor) -> Tensor:
        found = original(*arguments)
        seen.append(found.dtype)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "baddbmm", keep)
        inputs = torch.randn(2, 16, 2)
        said, _ = game._says(game.d.parameters(game.d_flat), inputs, None)
        exact, _ = game._says(game.d.parameters(game.d_flat), inputs, None, exact=True)
    assert seen == [torch.bfloat16] * 2 + [torch.float32] * 2
    assert (said.dtype, exact.dtype) == (torch.float32, torch.float32)
    assert 0 < (said - exact).abs().max() < 0.02


def test_a_penalty_is_the_same_to_float32s_last_digits_under_bf16() -> None:
    held = penalties.registry.part("gradient_penalty", {"weight": 10.0})
    values = []
    for name in ("bf16", "float32"):
        game = Game([cell(name, MLP, held)] * 2, POINTS)
        game.begin(0)
        rows, latents = torch.arange(16).expand(2, 16), torch.zeros(2, 16, 4)
        real = POINTS[rows]
        # the same fakes for both: only the penalty's own arithmetic is compared
        (value,) = game.restraints.on_samples(
            lambda samples, game=game: game._says(game.d.parameters(game.d_flat), samples, None, exact=True)[0],
            real,
            real.flip(1),
            game.noise,
            0,
        )
        values.append(value)
        assert latents.shape[0] == len(value)
    torch.testing.assert_close(*values, rtol=1e-6, atol=0)


def test_tf32_is_the_setting_of_a_session_and_given_back() -> None:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    chosen = Precision("tf32", CPU)
    with chosen.session():
        assert torch.get_float32_matmul_precision() == "high"
        with chosen.networks(exact=True):
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before
    with Precision("float32", CPU).session():
        assert not torch.backends.cudnn.allow_tf32  # torch allows it in convolutions unless told otherwise


def test_tf32_is_float32_on_a_cpu() -> None:
    rounded, full = (train_cohort([cell(name, MLP)], POINTS, (30,))[0] for name in ("tf32", "float32"))
    assert torch.equal(rounded.snapshots[30], full.snapshots[30])
