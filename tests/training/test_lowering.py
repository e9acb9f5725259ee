"""Networks without vmap against the same modules one cell at a time, and the bits of a cell in any cohort."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganbench import architectures
from ganbench.architectures.residual import Residual
from ganbench.training.lowering import lowered
from ganbench.training.players import Player

BATCH = 6


def mixed() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, stride=2, padding=1, groups=2, bias=False),
        nn.Sequential(nn.InstanceNorm2d(6, affine=True), nn.GELU()),
        nn.Upsample(scale_factor=2),
        nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
        nn.GroupNorm(2, 4),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 8 * 8, 3),
        nn.Softplus(),
    )


def activations_in_a_row() -> nn.Module:
    """Return a network whose activations need their own outputs in the backward pass."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.Tanh(),
        nn.LeakyReLU(0.2),
        nn.Sigmoid(),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 8 * 8, 6),
        nn.Tanh(),
        nn.ReLU(),
    )


def normalised_rows() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 8), nn.GroupNorm(2, 8), nn.ReLU(), nn.Linear(8, 3))


def branching() -> nn.Module:
    """Return residual connections, one within another, whose inputs are needed twice."""
    inner = Residual(nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)))
    outer = Residual(nn.Sequential(nn.ReLU(), inner, nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1, groups=2)))
    outer.skip = nn.Conv2d(4, 6, 1)
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), outer, nn.LeakyReLU(0.2)),
        *(nn.Upsample(scale_factor=2, mode="bilinear"), Residual(nn.Sigmoid(), nn.ReLU()), nn.Tanh()),
        nn.AvgPool2d(16, divisor_override=1),
    )


PUBLISHED = {
    "infogan": ((1, 8, 8), {"width": 2, "d_norm": "batch"}),
    "sngan_resnet": ((3, 32, 32), {"width": 1}),
    "sngan_resnet layer": ((3, 32, 32), {"width": 1, "g_norm": "layer", "d_norm": "layer", "d_activation": "silu"}),
    "r3gan": ((3, 8, 8), {"width": 24, "blocks": 1}),
    "simple_cnn": ((3, 8, 8), {"width": 4, "d_norm": "instance"}),
}


def built(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Build a network, and say what it takes."""
    if name == "mixed":
        return mixed(), (2, 8, 8)
    if name == "activations in a row":
        return activations_in_a_row(), (2, 8, 8)
    if name == "branching":
        return branching(), (2, 8, 8)
    if name[2:] in PUBLISHED:
        shape, parameters = PUBLISHED[name[2:]]
        plugin = architectures.create(name.split()[1], **parameters)
        return (plugin.generator(shape, 5), (5,)) if name[0] == "G" else (plugin.discriminator(shape), shape)
    if name == "mlp batch":
        return architectures.create("mlp", width=16, g_norm="batch").generator((2,), 5), (5,)
    if name == "normalised rows":
        return normalised_rows(), (5,)
    if name == "mlp":
        return architectures.create("mlp", width=16).discriminator((2,)), (2,)
    if name == "mlp on pictures":
        return architectures.create("mlp", width=16).generator((1, 8, 8), 5), (5,)
    side, norm, width = {"G": 8, "D": 16}[name[0]], name.split()[1], 40 if "wide" in name else 4
    dcgan = architectures.create("dcgan", width=width, g_norm=norm, d_norm=norm)
    if name[0] == "G":
        return dcgan.generator((3, side, side), 5), (5,)
    return dcgan.discriminator((3, side, side)), (3, side, side)


NETWORKS = [
    "mixed",
    "activations in a row",
    "normalised rows",
    "mlp",
    "mlp on pictures",
    "mlp batch",
    "branching",
    *(f"{p} {n}" for p in "GD" for n in PUBLISHED),
    *(f"{p} {n}" for p in "GD" for n in ("batch", "instance", "layer")),
]
NETWORKS += ["G none", "D none", "G batch wide", "D none wide"]


def players(name: str, cells: int, dtype: torch.dtype) -> tuple[Player, Tensor, Tensor]:
    torch.manual_seed(0)
    module, shape = built(name)
    player = Player(module, torch.device("cpu"), dtype)
    flat = torch.randn(cells, player.size, dtype=dtype) * (0.1 if "resnet" in name else 0.2)
    return player, flat, torch.randn(cells, BATCH, *shape, dtype=dtype)


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("cells", [1, 2, 5])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_cell_computes_its_own_module(name: str, cells: int, twice: bool) -> None:
    """Values, gradients of weights and inputs, and the gradient of a gradient's norm."""
    player, flat, inputs = players(name, cells, torch.float64)
    assert lowered(player.module) is not None
    flat.requires_grad_()
    inputs.requires_grad_()

    def outcome(outputs: Tensor) -> list[Tensor]:
        value = (outputs * torch.linspace(0.5, 1.5, outputs[0].numel()).reshape(outputs[0].shape)).sum()
        first = torch.autograd.grad(value, (flat, inputs), create_graph=True)
        second = torch.autograd.grad(first[1].square().sum(), flat)
        return [outputs, *first, *second]

    own = player.parameters(flat)
    alone = [
        functional_call(player.module, {name: value[cell] for name, value in own.items()}, inputs[cell])
        for cell in range(cells)
    ]
    found, expected = outcome(player(own, inputs, twice=twice)), outcome(torch.stack(alone))
    for a, b in zip(found, expected, strict=True):
        # Gradients that cancel to nothing (of a bias before a norm) are as small as the others' last digits.
        torch.testing.assert_close(a, b, rtol=1e-9, atol=max(1e-11, 1e-14 * b.abs().max().item()))


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_cells_bits_do_not_depend_on_its_cohort(name: str, twice: bool) -> None:
    player, flat, inputs = players(name, 9, torch.float32)

    def outcome(cells: list[int]) -> list[Tensor]:
        own, given = flat[cells].requires_grad_(), inputs[cells].requires_grad_()
        outputs = player(player.parameters(own), given, twice=twice)
        first = torch.autograd.grad(outputs.square().sum(), (own, given), create_graph=True)
        return [outputs, *first, *torch.autograd.grad(first[1].square().sum(), own)]

    whole = outcome(list(range(9)))
    for cells in ([8, 3], [5, 1, 0, 2, 4], [7, 6, 5, 4, 3, 2, 1, 0]):
        for a, b in zip(outcome(cells), whole, strict=True):
            assert torch.equal(a, b[cells])


@pytest.mark.parametrize("cells", [1, 3])
@pytest.mark.parametrize("name", ["G batch", "G infogan", "G sngan_resnet", "mlp batch"])
def test_standing_statistics_are_those_of_the_module(name: str, cells: int) -> None:
    player, flat, inputs = players(name, cells, torch.float64)
    batches = [inputs, inputs + 1]
    own = player.parameters(flat)
    with torch.no_grad():
        found = player.standing_statistics(own, batches)
        with player.settled():
            settled = player(own, inputs, buffers=found)
    for cell in range(cells):
        module, _ = built(name)
        module.double().load_state_dict({name: value[cell] for name, value in own.items()}, strict=False)
        for norm in (layer for layer in module.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)):
            norm.momentum = None  # torch's own way to average over all batches
        for batch in batches:
            module(batch[cell])
        for buffer, value in found.items():
            if not buffer.endswith("tracked"):
                torch.testing.assert_close(value[cell], module.get_buffer(buffer), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(settled[cell], module.eval()(inputs[cell]), rtol=1e-10, atol=1e-12)


def test_what_is_not_known_is_left_to_vmap() -> None:
    class Doubled(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            return 2 * super().forward(inputs)

    hooked = nn.Sequential(nn.Linear(2, 3))
    hooked[0].register_forward_hook(lambda *_: None)
    circular = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"))
    normed = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    beside = nn.Sequential(nn.Linear(2, 3), Residual(nn.Sequential(nn.ReLU(), Doubled(3, 3))))
    of_rows = Residual(nn.Sequential(nn.ReLU(), nn.Linear(3, 3)))
    skipping = Residual(nn.Linear(3, 3), Doubled(3, 3))
    watched = nn.Sequential(Residual(nn.Linear(2, 2)))
    watched[0].register_forward_hook(lambda *_: None)
    for module in (Doubled(2, 3), normed, hooked, circular, beside, of_rows, skipping, watched):
        assert lowered(module) is None
    player = Player(Doubled(2, 3), torch.device("cpu"), torch.float64)
    flat, inputs = torch.randn(2, player.size, dtype=torch.float64), torch.randn(2, 4, 2, dtype=torch.float64)
    own = player.parameters(flat)
    expected = 2 * (inputs @ own["weight"].mT + own["bias"].unsqueeze(1))
    torch.testing.assert_close(player(own, inputs), expected)
