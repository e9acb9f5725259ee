"""Penalties that look at weights or at both players' gradients."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from ganbench import penalties

F64 = torch.float64


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def test_orthogonal_of_explicit_matrices():
    # rows (1, 2) and (3, 4): their product is 11, and stands twice off the diagonal
    parameters = {
        "0.weight": torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 9.0]]]),
        "0.bias": torch.tensor([[5.0, 5.0], [5.0, 5.0]]),
        "1.weight": torch.tensor([[7.0, 7.0], [7.0, 7.0]]),  # the scale of a norm layer
    }
    found = penalties.create("orthogonal", weight=1.0).of_weights(parameters)
    assert found.tolist() == [2 * 11.0**2, 0.0]


def test_orthogonal_takes_outputs_as_rows_and_sums_over_weights():
    parameters = {"a.weight": normal(3, 4, 2, 3, 3), "b.weight": normal(3, 2, 5, seed=1), "b.bias": normal(3, 2)}
    found = penalties.create("orthogonal").of_weights(parameters)
    for cell in range(3):
        expected = 0.0
        for name, rows in (("a.weight", 4), ("b.weight", 2)):
            matrix = parameters[name][cell].reshape(rows, -1)
            gram = matrix @ matrix.T * (1 - torch.eye(rows, dtype=F64))
            expected += 1e-4 * torch.linalg.matrix_norm(gram).item() ** 2
        assert found[cell].item() == pytest.approx(expected)


def test_orthogonal_is_zero_for_orthogonal_filters_of_any_length():
    rotation, _ = torch.linalg.qr(normal(2, 6, 6))
    lengths = torch.tensor([1.0, 2.0, 5.0], dtype=F64).reshape(3, 1)
    parameters = {"weight": (rotation[:, :3] * lengths).reshape(2, 3, 2, 3)}
    found = penalties.create("orthogonal", weight=1.0).of_weights(parameters)
    torch.testing.assert_close(found, torch.zeros(2, dtype=F64), rtol=0, atol=1e-20)


def test_orthogonal_gradient_is_four_times_the_product_and_twice_that_of_the_papers_code():
    weight = normal(2, 4, 3, 2).requires_grad_()
    penalty = penalties.create("orthogonal", weight=0.5)
    (slope,) = torch.autograd.grad(penalty.of_weights({"weight": weight}).sum(), weight)
    matrix = weight.detach().flatten(2)
    off_diagonal = matrix @ matrix.mT * (1 - torch.eye(4, dtype=F64))
    torch.testing.assert_close(slope.flatten(2), 0.5 * 4 * off_diagonal @ matrix)
    assert torch.autograd.gradcheck(lambda w: penalty.of_weights({"weight": w}), (weight,))
    assert torch.autograd.gradgradcheck(lambda w: penalty.of_weights({"weight": w}), (weight,))


def test_orthogonal_without_weights_is_zero_and_says_whose_weights():
    found = penalties.create("orthogonal").of_weights({"psi": normal(3, 1), "norm.weight": normal(3, 8)})
    assert found.tolist() == [0.0, 0.0, 0.0]
    assert penalties.create("orthogonal").on == "g"
    assert {penalties.create("orthogonal", on=on).on for on in ("d", "g", "both")} == {"d", "g", "both"}
    with pytest.raises(ValueError, match="on of orthogonal"):
        penalties.create("orthogonal", on="D")


def test_consensus_is_half_gamma_times_both_squares():
    d_gradient, g_gradient = torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.tensor([[12.0], [2.0]])
    assert penalties.create("consensus").of_gradients(d_gradient, g_gradient).tolist() == [845.0, 25.0]
    assert penalties.create("consensus", gamma=1.0).of_gradients(d_gradient, g_gradient).tolist() == [84.5, 2.5]


def test_consensus_of_the_bilinear_game_is_its_squared_radius():
    # L_D = psi theta, L_G = -psi theta: the joint gradient is (theta, -psi), and the term (theta^2 + psi^2) / 2
    psi, theta = (torch.tensor([[0.3], [-2.0]], dtype=F64) * sign for sign in (1, -2))
    psi, theta = psi.requires_grad_(), theta.requires_grad_()
    (for_d,) = torch.autograd.grad((psi * theta).sum(), psi, create_graph=True)
    (for_g,) = torch.autograd.grad(-(psi * theta).sum(), theta, create_graph=True)
    value = penalties.create("consensus", gamma=2.0).of_gradients(for_d, for_g)
    slopes = torch.autograd.grad(value.sum(), (psi, theta))
    torch.testing.assert_close(value, (psi.square() + theta.square()).squeeze(-1))
    torch.testing.assert_close(slopes, (2 * psi, 2 * theta))


@pytest.mark.parametrize(("name", "field"), [("consensus", "gamma"), ("orthogonal", "weight")])
def test_a_tensor_over_cells_equals_separate_runs(name, field):
    plugin, values = penalties.registry.get(name), torch.tensor([0.5, 3.0], dtype=F64)

    def compute(penalty, rows):
        if name == "consensus":
            return penalty.of_gradients(normal(2, 5)[rows], normal(2, 4, seed=1)[rows])
        return penalty.of_weights({"weight": normal(2, 3, 4)[rows]})

    assert plugin.per_cell == (field,)
    together = compute(plugin(**{field: values}), slice(None))
    for i in range(2):
        alone = compute(plugin(**{field: values[i].item()}), slice(i, i + 1))
        torch.testing.assert_close(together[i : i + 1], alone)


def test_reading_the_penalties_does_not_import_torch():
    code = (
        "import sys\n"
        "from ganbench import penalties\n"
        "for name in penalties.names():\n"
        "    penalties.create(name)\n"
        "    assert 'arXiv:' in penalties.registry.doc(name)\n"
        "assert 'torch' not in sys.modules and 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
