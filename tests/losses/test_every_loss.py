"""What holds for every loss in every reading: rows, gradients, extremes, equilibrium, direction, and its own words."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from ganbench import losses
from ganbench.plugins import Witness

FAMILIES = {
    "logistic",
    "least squares",
    "hinge",
    "Wasserstein",
    "relativistic",
    "f-divergence",
    "kernel",
    "energy",
}


def test_every_built_in_loss_is_read_here(names_read):
    # other tests of this process may have registered losses from files of their own
    assert names_read == {n for n in losses.names() if losses.registry.get(n).__module__.startswith("ganbench.")}


leading = st.lists(st.integers(1, 3), max_size=2).map(tuple)


@settings(max_examples=5, deadline=None)
@given(cells=leading, batch=st.integers(2, 5), scale=st.sampled_from([0.1, 3.0, 40.0]), seed=st.integers(0, 2**16))
def test_each_cell_is_reduced_alone_whatever_the_leading_dimensions(reading, cells, batch, scale, seed):
    stream = torch.Generator().manual_seed(seed)
    shape = (*cells, batch, *reading.says)
    real, fake = (scale * torch.randn(shape, generator=stream, dtype=torch.float64) for _ in range(2))
    for compute in (reading.d, reading.g):
        together = compute(real, fake)
        assert together.shape == cells
        for at in itertools.product(*map(range, cells)):
            torch.testing.assert_close(together[at], compute(real[at], fake[at]), rtol=1e-9, atol=1e-9)


def test_gradients_equal_finite_differences(reading):
    stream = torch.Generator().manual_seed(0)
    shape = (2, 3, *reading.says)
    real, fake = (torch.randn(shape, dtype=torch.float64, generator=stream).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(reading.d, (real, fake))
    assert torch.autograd.gradgradcheck(reading.d, (real[0], fake[0]))
    assert torch.autograd.gradcheck(reading.g, (real, fake))


def finite(reading, real, fake):
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    for compute in (reading.d, reading.g):
        value = compute(real, fake)
        assert value.isfinite().all()
        slopes = torch.autograd.grad(value.sum(), (real, fake), allow_unused=True)
        assert all(slope.isfinite().all() for slope in slopes if slope is not None)


EXTREMES = torch.tensor([-1e4, -100.0, -88.8, -20.0, 0.0, 20.0, 88.8, 100.0, 1e4])


def test_extreme_logits_give_finite_losses_and_gradients(reading):
    real, fake = (
        column.reshape(-1, *(1 for _ in reading.says)).repeat(1, *reading.says)
        for column in torch.cartesian_prod(EXTREMES, EXTREMES).T
    )
    finite(reading, real, fake)
    alike = [side.unsqueeze(1).repeat(1, 3, *(1 for _ in reading.says)) for side in (real, fake)]
    finite(reading, *alike)


@settings(max_examples=8, deadline=None)
@given(data=st.data(), batch=st.integers(2, 4))
def test_no_logits_within_ten_thousand_give_nan_or_infinity(reading, data, batch):
    # zeros, equal samples and the ends come up often: hypothesis likes them
    number = st.one_of(st.sampled_from([0.0, -0.0, 1e4, -1e4]), st.floats(-1e4, 1e4, width=32))
    shape = (batch, *reading.says)
    rows = st.lists(number, min_size=math.prod(shape), max_size=math.prod(shape))
    real, fake = (torch.tensor(data.draw(rows), dtype=torch.float32).reshape(shape) for _ in range(2))
    finite(reading, real, fake)


def test_equilibrium_is_the_least_l_d_of_a_constant_d(reading):
    equilibrium = getattr(reading.loss, "equilibrium", None)
    if equilibrium is None:
        assert reading.name == "boundary_equilibrium"
        return
    codes = torch.zeros(max(0, sum(reading.says) - 1), dtype=torch.float64)

    def of(constant: float) -> float:
        said = torch.tensor([constant], dtype=torch.float64)
        sample = torch.cat([said, codes]) if reading.says else said.squeeze(0)
        batch = sample.expand(4, *reading.says)
        return reading.d(batch, batch).item()

    autoencoder = getattr(reading.loss, "critic", "") == "autoencoder"  # whose errors are not negative
    best = minimize_scalar(of, bounds=(0.0 if autoencoder else -6.0, 6.0), method="bounded", options={"xatol": 1e-9})
    assert best.fun == pytest.approx(equilibrium, abs=1e-6)


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_descending_l_d_raises_r_and_lowers_f_and_descending_l_g_raises_f(scalar, data):
    low, high = scalar.span
    row = st.lists(st.floats(low, high), min_size=4, max_size=4)
    real, fake = (torch.tensor(data.draw(row), dtype=torch.float64).requires_grad_() for _ in range(2))
    of_real, of_fake = torch.autograd.grad(scalar.d(real, fake), (real, fake))
    assert (of_real <= 0).all() and (of_fake >= 0).all()
    assert (torch.autograd.grad(scalar.g(real, fake), fake)[0] <= 0).all()


def test_where_real_and_fake_are_equal_both_players_are_pushed(scalar):
    real, fake = (torch.full((4,), sum(scalar.span) / 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    of_real, of_fake = torch.autograd.grad(scalar.d(real, fake), (real, fake))
    assert (of_real < 0).all() and (of_fake > 0).all()
    assert (torch.autograd.grad(scalar.g(real, fake), fake)[0] < 0).all()


def test_needs_real_says_whether_g_looks_at_real_samples(reading):
    stream = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(4, *reading.says, generator=stream).requires_grad_() for _ in range(2))
    (slope,) = torch.autograd.grad(reading.g(real, fake), real, allow_unused=True)
    assert (slope is not None) == reading.loss.needs_real


def test_a_loss_on_features_has_a_size_of_them_and_a_vector_one_a_witness(reading):
    critic = getattr(reading.loss, "critic", None)
    assert critic in (None, "vector", "autoencoder")
    assert (critic is None) == (not hasattr(reading.loss, "features"))
    assert (critic == "vector") == isinstance(reading.loss, Witness)
    assert (critic == "autoencoder") == (getattr(reading.loss, "error", None) in ("squared", "absolute"))


def test_family_divergence_and_source_are_told(reading):
    assert reading.loss.family in FAMILIES
    assert "arXiv:" in reading.loss.source
    assert 5 < len(reading.loss.divergence) < 90


@pytest.mark.parametrize("name", losses.names())
def test_docstring_names_source_and_both_losses(name):
    text = losses.registry.doc(name)
    assert "arXiv:" in text and "L_D = " in text and "L_G = " in text


@pytest.mark.parametrize(
    ("name", "parameters", "part"),
    [
        ("hinge", {"margin": 0.0}, "greater than 0"),
        ("non_saturating", {"real_label": 1.2}, "less than or equal to 1"),
        ("relativistic_paired", {"kind": "logistic", "margin": 2.0}, "no margin"),
        ("relativistic_average", {"margin": 2.0}, "no margin"),
        ("least_squares", {"on": "logits"}, "'logit' or 'probability'"),
        ("wasserstein", {"clip": 0.1}, "unknown parameter of wasserstein 'clip'"),
        ("f_divergence", {"kind": "total_variation"}, "'jensen_shannon' or 'gan'"),
        ("mmd", {"features": 0}, "greater than 0"),
        ("energy", {"pulling_away": -0.1}, "greater than or equal to 0"),
        ("boundary_equilibrium", {"gamma": 1.5}, "less than or equal to 1"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name, parameters, part):
    with pytest.raises(ValueError, match=part):
        losses.create(name, **parameters)


def test_reading_the_plugins_does_not_import_torch():
    code = (
        "import sys\n"
        "from ganbench import architectures, losses, penalties\n"
        "for module in (architectures, losses, penalties):\n"
        "    for name in module.names():\n"
        "        plugin = module.create(name)\n"
        "        module.registry.doc(name)\n"
        "        [getattr(plugin, word, None) for word in ('family', 'divergence', 'source', 'equilibrium')]\n"
        "assert 'torch' not in sys.modules and 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
