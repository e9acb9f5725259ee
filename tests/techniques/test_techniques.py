"""Instance noise, packing, top-k and unrolling: what D sees and what G learns from."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench import techniques
from ganbench.plugins import Conditioning, Lookahead, Selection, View
from ganbench.training.streams import CellNoise

F64 = torch.float64
OWN = {"diff_augment": View, "instance_noise": View, "packing": View, "top_k": Selection, "unrolled": Lookahead}


def noise(*seeds):
    return CellNoise(seeds, "noise", F64, torch.device("cpu"))


@pytest.mark.parametrize(("name", "kind"), OWN.items())
def test_kinds_are_told_apart_by_what_they_do(name, kind):
    technique = techniques.create(name)
    assert [k for k in (View, Selection, Lookahead, Conditioning) if isinstance(technique, k)] == [kind]


@pytest.mark.parametrize("name", OWN)
def test_docstring_names_its_source(name):
    assert "arXiv:" in techniques.registry.doc(name)


def test_reading_the_techniques_does_not_import_torch():
    code = (
        "import sys\n"
        "from ganbench import techniques\n"
        f"for name in {list(OWN)}:\n"
        "    technique = techniques.create(name)\n"
        "    if hasattr(technique, 'refusal'):\n"
        "        technique.refusal((1, 8, 8), 64, None)\n"
        "    techniques.registry.doc(name)\n"
        "assert 'torch' not in sys.modules and 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("until", "step", "part"), [(0, 10**6, 1.0), (100, 0, 1.0), (100, 25, 0.75), (100, 100, 0.0), (100, 500, 0.0)]
)
def test_instance_noise_decays_linearly(until, step, part):
    technique = techniques.create("instance_noise", std=0.4, until=until)
    samples = torch.randn(2, 5, 1, 4, 4, dtype=F64)
    expected = samples + 0.4 * part * noise(1, 2).normal((5, 1, 4, 4))
    torch.testing.assert_close(technique.seen(samples, noise(1, 2), step), expected)


def test_instance_noise_has_its_std_and_is_new_at_every_look():
    technique, source = techniques.create("instance_noise", std=0.7), noise(1, 2)
    first, again = (technique.seen(torch.zeros(2, 5000, 2, dtype=F64), source, 0) for _ in range(2))
    assert first.std().item() == pytest.approx(0.7, rel=0.02) and abs(first.mean().item()) < 0.02
    assert first.unique().numel() > 19_900 and (first - again).abs().median() > 0.3


def test_instance_noise_lets_the_whole_gradient_pass():
    samples = torch.randn(2, 3, 2, dtype=F64, requires_grad=True)
    seen = techniques.create("instance_noise").seen(samples, noise(1, 2), 0)
    (slope,) = torch.autograd.grad((3 * seen).sum(), samples)
    assert torch.equal(slope, torch.full_like(slope, 3.0))


shapes = st.one_of(st.tuples(st.integers(1, 5)), st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)))


@settings(max_examples=50, deadline=None)
@given(m=st.integers(1, 4), packs=st.integers(1, 3), cells=st.integers(1, 3), shape=shapes)
def test_packs_hold_neighbours_whole_and_unpack_to_the_batch(m, packs, cells, shape):
    technique = techniques.create("packing", m=m)
    samples = torch.arange(cells * packs * m * torch.Size(shape).numel()).reshape(cells, packs * m, *shape)
    seen = technique.seen(samples, noise(*range(cells)), 0)
    assert seen.shape == (cells, packs, *technique.input_shape(shape))
    for cell in range(cells):
        for pack in range(packs):
            members = [samples[cell, pack * m + i] for i in range(m)]
            assert torch.equal(seen[cell, pack], torch.cat(members, 0))
    assert torch.equal(seen.reshape(samples.shape), samples)


def test_packing_says_what_d_sees_and_which_batches_it_cannot_divide():
    technique = techniques.create("packing", m=3)
    assert technique.input_shape((2,)) == (6,) and technique.input_shape((1, 28, 28)) == (3, 28, 28)
    assert technique.refusal((2,), 63, None) is None
    assert "64" in technique.refusal((2,), 64, None) and "3" in technique.refusal((2,), 64, None)
    assert techniques.create("packing").m == 2


def test_top_k_keeps_the_most_realistic_fakes_of_each_cell_and_their_gradient():
    fake = torch.tensor([[0.1, 5.0, -2.0, 3.0], [9.0, 8.0, 7.0, 6.0]], requires_grad=True)
    real = torch.arange(8.0).reshape(2, 4)
    kept_real, kept = techniques.create("top_k", decay=0.5, every=1).kept(real, fake, 7)
    assert kept.tolist() == [[5.0, 3.0], [9.0, 8.0]] and kept_real.tolist() == [[0.0, 1.0], [4.0, 5.0]]
    (slope,) = torch.autograd.grad(kept.sum(), fake)
    assert slope.tolist() == [[0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("parameters", "step", "k"),
    [
        ({}, 0, 64),
        ({}, 49, 64),
        ({}, 50, 63),  # .99 * 64 = 63.36
        ({}, 149, 63),  # .99^2 * 64 = 62.73
        ({}, 1000, 52),  # .99^20 * 64 = 52.35
        ({}, 3400, 32),  # .99^68 * 64 = 32.31
        ({}, 10**6, 32),
        ({"share": 0.3}, 10**6, 20),  # 19.2 rounded up
        ({"share": 1.0}, 10**6, 64),
        ({"decay": 1.0}, 10**6, 64),
        ({"share": 0.001, "decay": 0.5, "every": 10}, 10**4, 1),
    ],
)
def test_k_shrinks_with_the_steps_down_to_its_share(parameters, step, k):
    real, fake = techniques.create("top_k", **parameters).kept(torch.zeros(2, 64), torch.randn(2, 64), step)
    assert real.shape == fake.shape == (2, k)


def test_unrolled_says_how_far_it_looks():
    assert techniques.create("unrolled").d_steps_ahead == 5
    assert techniques.create("unrolled", d_steps_ahead=8).d_steps_ahead == 8


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("instance_noise", {"std": -0.1}),
        ("instance_noise", {"until": -1}),
        ("packing", {"m": 0}),
        ("top_k", {"share": 0.0}),
        ("top_k", {"share": 1.1}),
        ("top_k", {"decay": 0.0}),
        ("unrolled", {"d_steps_ahead": 0}),
        ("diff_augment", {"color": "yes"}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name, parameters):
    with pytest.raises(ValueError, match=f"{next(iter(parameters))} of {name}"):
        techniques.create(name, **parameters)
