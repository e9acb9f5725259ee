"""Networks of linear layers, forward and backward by hand, against the same modules by autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from ganbench import architectures
from ganbench.training.bent import Bent
from ganbench.training.players import Player
from ganbench.training.straight import straightened

BATCH = 8
NETWORKS = {
    "D": (lambda: architectures.create("mlp", width=16).discriminator((2,)), (2,)),
    "G": (lambda: architectures.create("mlp", width=16).generator((2,), 5), (5,)),
    "D on pictures": (lambda: architectures.create("mlp", width=12).discriminator((1, 4, 4)), (1, 4, 4)),
    "G of pictures": (
        lambda: architectures.create("mlp", width=12, g_activation="leaky_relu").generator((1, 4, 4), 8),
        (8,),
    ),
    "features": (lambda: architectures.create("mlp", width=32, depth=1).vector_critic((2,), 6), (2,)),
    "one layer": (lambda: nn.Sequential(nn.Linear(4, 1)), (4,)),
    "no biases": (lambda: nn.Sequential(nn.Linear(8, 12, bias=False), nn.ReLU(), nn.Linear(12, 1, bias=False)), (8,)),
    "no activation between": (
        lambda: nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 16), nn.LeakyReLU(0.1), nn.Sigmoid()),
        (8,),
    ),
}


def players(name: str, cells: int, dtype: torch.dtype) -> tuple[Player, Tensor, Tensor, Tensor]:
    """Return a player, its rows, and two batches of inputs."""
    torch.manual_seed(0)
    build, shape = NETWORKS[name]
    player = Player(build(), torch.device("cpu"), dtype)
    flat = nn.functional.pad(torch.randn(cells, player.size, dtype=dtype) / 3, (0, -player.size % 64))
    return player, flat, *torch.randn(2, cells, BATCH, *shape, dtype=dtype)


def weighed(*outputs: Tensor) -> Tensor:
    """Return a number that depends on each output another way."""
    return sum(
        (k + 1) * (torch.linspace(0.5, 1.5, out[0].numel()).view_as(out[0]) * out).sum()
        for k, out in enumerate(outputs)
    )


@pytest.mark.parametrize("cells", [1, 2, 5])
@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_and_gradients_are_those_of_the_module(name: str, cells: int) -> None:
    player, flat, *batches = players(name, cells, torch.float64)
    assert straightened(player.module) is not None
    for tensor in (flat, *batches):
        tensor.requires_grad_()
    own = player.parameters(flat)
    found = player.each(own, *batches)
    alone = [
        torch.stack(
            [functional_call(player.module, {n: v[cell] for n, v in own.items()}, batch[cell]) for cell in range(cells)]
        )
        for batch in batches
    ]
    torch.testing.assert_close(found, tuple(alone), rtol=1e-12, atol=1e-14)
    slopes, expected = (torch.autograd.grad(weighed(*o), (flat, *batches), retain_graph=True) for o in (found, alone))
    torch.testing.assert_close(slopes, expected, rtol=1e-10, atol=1e-12)
    assert not slopes[0][:, player.size :].any()
    (frozen,) = torch.autograd.grad(weighed(player(player.parameters(flat.detach()), batches[0])), batches[0])
    torch.testing.assert_close(frozen, expected[1], rtol=1e-10, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(player(own, batches[0]), alone[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_cells_bits_do_not_depend_on_its_cohort(name: str) -> None:
    player, flat, first, second = players(name, 9, torch.float32)

    def outcome(cells: list[int]) -> list[Tensor]:
        own, *batches = (tensor[cells].requires_grad_() for tensor in (flat, first, second))
        outputs = player.each(player.parameters(own), *batches)
        return [*outputs, *torch.autograd.grad(weighed(*outputs), (own, *batches))]

    whole = outcome(list(range(9)))
    for cells in ([8, 3], [5, 1, 0, 2, 4], [7, 6, 5, 4, 3, 2, 1, 0]):
        for a, b in zip(outcome(cells), whole, strict=True):
            assert torch.equal(a, b[cells])


SINGLE = ("D", "D on pictures", "one layer", "no biases")


def by_autograd(player: Player, flat: Tensor, batch: Tensor) -> Tensor:
    samples = batch.detach().requires_grad_()
    outputs = player(player.parameters(flat), samples, twice=True)
    return torch.autograd.grad(outputs.sum(), samples, create_graph=True)[0]


@pytest.mark.parametrize("cells", [1, 2, 5])
@pytest.mark.parametrize("name", SINGLE)
def test_the_gradient_for_samples_and_its_own_are_autograds(name: str, cells: int) -> None:
    player, flat, batch, _ = players(name, cells, torch.float64)
    flat.requires_grad_()
    found, expected = player.gradient(player.parameters(flat), batch), by_autograd(player, flat, batch)
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    slopes = [torch.autograd.grad(weighed(slope.square()), flat)[0] for slope in (found, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=1e-12)
    assert slopes[0].any()


@pytest.mark.parametrize("name", SINGLE)
def test_a_cells_bits_in_a_gradient_for_samples_do_not_depend_on_its_cohort(name: str) -> None:
    player, flat, batch, _ = players(name, 9, torch.float32)

    def outcome(cells: list[int]) -> list[Tensor]:
        own = flat[cells].requires_grad_()
        found = player.gradient(player.parameters(own), batch[cells])
        assert found is not None
        return [found, *torch.autograd.grad(weighed(found.square()), own)]

    whole = outcome(list(range(9)))
    for cells in ([8, 3], [5, 1, 0, 2, 4], [7, 6, 5, 4, 3, 2, 1, 0]):
        for a, b in zip(outcome(cells), whole, strict=True):
            assert torch.equal(a, b[cells])


@pytest.mark.parametrize("name", ["G", "features", "no activation between"])
def test_the_gradient_of_more_than_one_number_is_left_to_autograd(name: str) -> None:
    player, flat, batch, _ = players(name, 2, torch.float64)
    assert player.gradient(player.parameters(flat), batch) is None


def test_a_third_derivative_is_refused() -> None:
    player, flat, batch, _ = players("D", 2, torch.float64)
    found = player.gradient(player.parameters(flat.requires_grad_()), batch)
    assert found is not None
    with pytest.raises(RuntimeError, match="twice=True"):
        torch.autograd.grad(found.square().sum(), flat, create_graph=True)


def test_equal_pulls_of_two_batches_cancel_to_zero() -> None:
    """One sum over both would leave a last digit, of which Adam makes a step as long as any other."""
    player, flat, batch, _ = players("D", 3, torch.float32)
    own = player.parameters(flat.requires_grad_())
    real, fake = player.each(own, batch, batch.clone())
    (slope,) = torch.autograd.grad((real * real.detach() - fake * fake.detach()).sum(), flat)
    assert not slope.any()


def test_nothing_of_the_callers_is_written_over() -> None:
    player, flat, batch, _ = players("no activation between", 3, torch.float64)
    kept = flat.clone(), batch.clone()
    outputs = player(player.parameters(flat.requires_grad_()), batch.requires_grad_())
    slope = torch.randn_like(outputs)
    given = slope.clone()
    once = torch.autograd.grad(outputs, (flat, batch), slope, retain_graph=True)
    again = torch.autograd.grad(outputs, (flat, batch), slope)
    assert torch.equal(slope, given)
    assert torch.equal(flat, kept[0])
    assert torch.equal(batch, kept[1])
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


def test_parameters_that_were_read_without_gradients_have_them_all_the_same() -> None:
    player, flat, batch, _ = players("D", 2, torch.float64)
    own = player.parameters(flat.requires_grad_())
    with torch.no_grad():
        known = {name: value.clone() for name, value in own.items()}
        player(own, batch)
    slopes = torch.autograd.grad(sum(value.square().sum() for value in own.values()), flat)[0]
    assert torch.equal(slopes[:, : player.size], 2 * player.flat(known))
    assert all(torch.equal(own[name], value) for name, value in known.items())


def test_who_changes_weights_before_the_way_back_is_told() -> None:
    player, flat, batch, _ = players("D", 2, torch.float32)
    own = player.parameters(flat).learning()
    outputs = player(own, batch)
    flat.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_a_second_derivative_is_refused_unless_it_was_asked_for() -> None:
    player, flat, batch, _ = players("D", 2, torch.float64)
    flat.requires_grad_()
    batch.requires_grad_()
    with pytest.raises(RuntimeError, match="twice=True"):
        torch.autograd.grad(player(player.parameters(flat), batch).sum(), batch, create_graph=True)
    (slope,) = torch.autograd.grad(player(player.parameters(flat), batch, twice=True).sum(), batch, create_graph=True)
    assert torch.autograd.grad(slope.square().sum(), flat)[0].any()


def test_networks_of_anything_else_are_not_taken() -> None:
    for network in (
        architectures.create("mlp", width=16, d_norm="layer").discriminator((2,)),
        architectures.create("mlp", width=16, g_activation="silu").generator((2,), 4),
        architectures.create("mlp", width=15).discriminator((2,)),
        architectures.create("dcgan", width=4).discriminator((1, 16, 16)),
        nn.Sequential(nn.ReLU(), nn.Linear(4, 4)),
        nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(-0.5), nn.Linear(4, 4)),
        nn.Sequential(nn.Flatten()),
    ):
        assert straightened(network) is None


class Counted(TorchDispatchMode):
    """Counts products."""

    def __init__(self) -> None:
        super().__init__()
        self.products = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.products += func.overloadpacket in (torch.ops.aten.bmm, torch.ops.aten.baddbmm)
        return func(*args, **(kwargs or {}))


def test_a_gradient_penalty_carries_no_zeros_back() -> None:
    """Three products forward (the logit has none), three to the samples, and two back through each of those."""
    player, flat, batch, _ = players("D", 2, torch.float32)
    flat.requires_grad_()
    batch.requires_grad_()
    counted = {}
    for twice in (False, True):
        with Counted() as counted[twice]:
            chain = player._chains[twice]
            (slope,) = torch.autograd.grad(chain(player.parameters(flat), batch, {}).sum(), batch, create_graph=True)
            (found,) = torch.autograd.grad(slope.square().sum(), flat)
        assert found.any()
    with Counted() as by_hand:
        known = player.gradient(player.parameters(flat), batch.detach())
        assert known is not None
        torch.autograd.grad(known.square().sum(), flat)
    assert counted[True].products == by_hand.products == 12
    assert counted[False].products > 12


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_a_bent_activation_is_torchs_and_differentiable_twice(slope: float) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(3, 7, dtype=torch.float64).requires_grad_()
    expected = nn.functional.leaky_relu(inputs, slope)
    assert torch.equal(Bent.apply(inputs, slope), expected)
    assert torch.autograd.gradcheck(lambda x: Bent.apply(x, slope), inputs)
    assert torch.autograd.gradgradcheck(lambda x: Bent.apply(x * x, slope), inputs)
