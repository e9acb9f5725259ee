"""Weight clipping and spectral normalisation, against hand-made values and torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.utils import parametrizations

from ganbench import penalties
from ganbench.plugins import (
    JointPenalty,
    LatentPenalty,
    LogitPenalty,
    Normalisation,
    Penalty,
    Projection,
    Remembering,
    WeightPenalty,
)

F64 = torch.float64
KINDS = (Penalty, LogitPenalty, LatentPenalty, WeightPenalty, JointPenalty, Projection, Normalisation)


def test_kinds_are_told_apart_by_what_they_do():
    kinds = {name: penalties.create(name) for name in penalties.names()}
    assert isinstance(kinds["weight_clip"], Projection) and isinstance(kinds["spectral_norm"], Normalisation)
    assert isinstance(kinds["lecam"], LogitPenalty) and isinstance(kinds["lecam"], Remembering)
    assert isinstance(kinds["latent_consistency"], LatentPenalty)
    assert isinstance(kinds["orthogonal"], WeightPenalty) and isinstance(kinds["consensus"], JointPenalty)
    for name in ("gradient_penalty", "r1", "r2", "wgan_div", "consistency"):
        assert isinstance(kinds[name], Penalty)
    for name, penalty in kinds.items():
        assert sum(isinstance(penalty, kind) for kind in KINDS) == 1, name
        assert isinstance(penalty, Remembering) == (name == "lecam")


def test_weight_clip_clips_in_place_and_leaves_no_graph():
    parameters = torch.tensor([[-3.0, 0.005, 0.5], [0.0, -0.02, 0.01]], requires_grad=True)
    penalties.create("weight_clip").after_step(parameters)
    expected = torch.tensor([[-0.01, 0.005, 0.01], [0.0, -0.01, 0.01]])
    assert torch.equal(parameters, expected) and parameters.is_leaf


def test_weight_clip_takes_a_bound_for_each_cell():
    parameters = torch.tensor([[-3.0, 3.0], [-3.0, 0.5]])
    penalties.registry.get("weight_clip")(c=torch.tensor([1.0, 2.0])).after_step(parameters)
    assert parameters.tolist() == [[-1.0, 1.0], [-2.0, 0.5]]


def test_weight_clip_does_not_hide_a_nan():
    parameters = torch.tensor([[torch.nan, 1.0]])
    penalties.create("weight_clip").after_step(parameters)
    assert parameters[0, 0].isnan()


def network():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16, 1))


def cells(count):
    torch.manual_seed(0)
    modules = [network().to(F64) for _ in range(count)]
    parameters, buffers = stack_module_state(modules)
    return modules, {name: p.detach().requires_grad_() for name, p in parameters.items()}, buffers


def run(parameters, buffers, x):
    skeleton = network().to(F64)
    return vmap(lambda p, b, x: functional_call(skeleton, (p, b), (x,)))(parameters, buffers, x)


def with_torchs_own(module, state, cell):
    """Give the module torch's parametrisation, starting from this cell's vectors."""
    for name in ("0", "4"):
        layer = module.get_submodule(name)
        parametrizations.spectral_norm(layer)
        own = layer.parametrizations.weight[0]
        own._u.copy_(state[f"{name}.weight.u"][cell])
        own._v.copy_(state[f"{name}.weight.v"][cell])
    return module


@pytest.mark.parametrize("iterations", [1, 3])
def test_spectral_norm_equals_torchs_for_every_cell(iterations, seeded):
    modules, parameters, buffers = cells(3)
    norm = penalties.create("spectral_norm", iterations=iterations)
    state = norm.start(parameters, seeded((1, 2, 3)))
    peers = [with_torchs_own(module, state, i) for i, module in enumerate(modules)]
    for peer in peers:
        for name in ("0", "4"):
            peer.get_submodule(name).parametrizations.weight[0].n_power_iterations = iterations
    x = torch.randn(3, 5, 1, 4, 4, dtype=F64)
    for _ in range(4):
        state = norm.advance(parameters, state)
        used = norm.normalised(parameters, state)
        logits = run(used, buffers, x)
        slopes = torch.autograd.grad(logits.square().sum(), list(parameters.values()))
        for i, peer in enumerate(peers):
            own = peer(x[i])
            torch.testing.assert_close(logits[i], own, rtol=1e-10, atol=1e-12)
            wanted = dict(peer.named_parameters())
            theirs = torch.autograd.grad(own.square().sum(), list(wanted.values()))
            for name, slope in zip(wanted, theirs, strict=True):
                plain = name.replace("parametrizations.weight.original", "weight")
                mine = slopes[list(parameters).index(plain)][i]
                torch.testing.assert_close(mine, slope, rtol=1e-9, atol=1e-12)


def test_warm_up_equals_torchs_from_the_same_vector(seeded):
    _, parameters, _ = cells(2)
    state = penalties.create("spectral_norm").start(parameters, seeded((5, 6)))
    drawn = seeded((5, 6)).normal((4,))
    for cell in range(2):
        layer = nn.Conv2d(1, 4, 3).to(F64)
        layer.weight.data.copy_(parameters["0.weight"][cell])
        parametrizations.spectral_norm(layer)
        own = layer.parametrizations.weight[0]
        matrix = parameters["0.weight"][cell].detach().flatten(1)
        own._v.copy_(nn.functional.normalize(matrix.T @ drawn[cell], dim=0))
        own._power_method(matrix, 15)
        torch.testing.assert_close(state["0.weight.u"][cell], own._u, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state["0.weight.v"][cell], own._v, rtol=1e-10, atol=1e-12)


def test_normalised_weights_have_norm_one_and_the_rest_is_untouched(seeded):
    _, parameters, _ = cells(2)
    norm = penalties.create("spectral_norm", iterations=300)
    state = norm.advance(parameters, norm.start(parameters, seeded((1, 2))))
    used = norm.normalised(parameters, state)
    assert list(used) == list(parameters)
    for name, tensor in used.items():
        if name in ("0.weight", "4.weight"):
            largest = torch.linalg.matrix_norm(tensor.flatten(2), ord=2)
            torch.testing.assert_close(largest, torch.ones(2, dtype=F64), rtol=1e-8, atol=0)
        else:
            assert tensor is parameters[name]
    assert not any(vector.requires_grad for vector in state.values())


def test_u_and_v_are_constants_of_the_gradient(seeded):
    weight = torch.randn(2, 3, 4, dtype=F64, requires_grad=True)
    norm = penalties.create("spectral_norm")
    state = norm.start({"weight": weight}, seeded((1, 2)))
    assert torch.autograd.gradcheck(lambda w: norm.normalised({"weight": w}, state)["weight"], (weight,))


def test_each_cell_draws_its_own_vectors(seeded):
    weight = torch.randn(1, 3, 4, dtype=F64).expand(2, 3, 4)
    norm = penalties.create("spectral_norm")
    together = norm.start({"a.weight": weight}, seeded((7, 8)))
    alone = norm.start({"a.weight": weight[:1]}, seeded((8,)))
    torch.testing.assert_close(together["a.weight.u"][1:], alone["a.weight.u"])


def test_whose_weights_are_normalised_changes_nothing_else(seeded):
    _, parameters, _ = cells(2)
    results = []
    for on in ("d", "g", "both"):
        norm = penalties.create("spectral_norm", on=on)
        assert norm.on == on
        results.append(norm.normalised(parameters, norm.start(parameters, seeded((1, 2)))))
    assert penalties.create("spectral_norm").on == "d"
    for name in parameters:
        assert torch.equal(results[0][name], results[1][name]) and torch.equal(results[0][name], results[2][name])


def test_a_transposed_convolution_is_a_matrix_with_its_inputs_as_rows(seeded):
    layer = nn.ConvTranspose2d(3, 5, 4).to(F64)
    norm = penalties.create("spectral_norm", iterations=300)
    parameters = {"weight": layer.weight.detach().unsqueeze(0), "bias": layer.bias.detach().unsqueeze(0)}
    used = norm.normalised(parameters, norm.advance(parameters, norm.start(parameters, seeded((1,)))))
    as_stored = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
    torch.testing.assert_close(used["weight"][0] * as_stored, layer.weight.detach(), rtol=1e-8, atol=1e-12)
