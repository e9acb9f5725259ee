"""Conditioning techniques: what D computes, the terms, the codes, and that all of it runs as a cohort."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional

from ganbench import architectures, penalties, techniques
from ganbench.plugins import Conditioning, Lookahead, Penalty, Selection, View
from ganbench.techniques.conditioning import conditioning_of

F64 = torch.float64
NAMES = ("auxiliary_classifier", "conditional", "mutual_information")


class Drawn:
    """Each cell's own stream, from its own seed; float64 like the noise of a float64 cell."""

    def __init__(self, seeds):
        self.streams = [torch.Generator().manual_seed(seed) for seed in seeds]

    def uniform(self, shape):
        return torch.stack([torch.rand(shape, generator=s, dtype=F64) for s in self.streams])

    def normal(self, shape):
        return torch.stack([torch.randn(shape, generator=s, dtype=F64) for s in self.streams])


def part(name, **parameters):
    return techniques.registry.part(name, parameters)


def codes_of(labels, classes):
    return functional.one_hot(labels, classes).to(F64)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_conditioning_and_no_other_kind_of_technique(name):
    plugin = techniques.create(name)
    assert isinstance(plugin, Conditioning)
    assert not isinstance(plugin, View | Selection | Lookahead | Penalty)


def test_the_conditioning_of_an_objective_is_found_and_there_is_at_most_one():
    found = conditioning_of([part("conditional", features=3)])
    assert found == techniques.create("conditional", features=3)
    assert conditioning_of([]) is None
    with pytest.raises(ValueError, match="one conditioning technique, not conditional and mutual_information"):
        conditioning_of([part("conditional"), part("mutual_information")])


@pytest.mark.parametrize("name", ["conditional", "auxiliary_classifier"])
def test_labels_are_needed_where_they_are_used(name):
    plugin = techniques.create(name)
    assert plugin.needs_labels
    assert "no classes" in plugin.refusal((2,), 64, None)
    assert plugin.refusal((2,), 64, 8) is None
    with pytest.raises(ValueError, match="no classes"):
        plugin.code_size(None)
    with pytest.raises(ValueError, match="no labels"):
        plugin.codes(None, 8, 4, Drawn((0,)))


@pytest.mark.parametrize("name", ["conditional", "auxiliary_classifier"])
def test_codes_of_labels_are_one_hot(name):
    plugin = techniques.create(name)
    labels = torch.tensor([[2, 0], [1, 1]])
    codes = plugin.codes(labels, 3, 2, Drawn((0, 1)))
    assert codes.tolist() == [[[0, 0, 1], [1, 0, 0]], [[0, 1, 0], [0, 1, 0]]]
    assert codes.dtype == torch.get_default_dtype()
    assert plugin.code_size(3) == 3


def test_codes_to_be_read_back_are_one_hot_and_normal_and_each_cells_own():
    plugin = techniques.create("mutual_information", categories=4, gaussian=3)
    assert not plugin.needs_labels
    assert plugin.code_size(None) == plugin.code_size(12) == 7
    codes = plugin.codes(None, None, 20_000, Drawn((3, 4)))
    assert codes.shape == (2, 20_000, 7) and codes.dtype == F64
    kinds, numbers = codes[..., :4], codes[..., 4:]
    assert set(kinds.unique().tolist()) == {0.0, 1.0} and torch.equal(kinds.sum(-1), torch.ones(2, 20_000, dtype=F64))
    # 4.5 standard deviations of a share of a quarter, of a mean and of a variance
    torch.testing.assert_close(kinds.mean(1), torch.full((2, 4), 0.25, dtype=F64), rtol=0, atol=0.014)
    torch.testing.assert_close(numbers.mean(1), torch.zeros(2, 3, dtype=F64), rtol=0, atol=0.032)
    torch.testing.assert_close(numbers.var(1), torch.ones(2, 3, dtype=F64), rtol=0, atol=0.045)
    assert torch.equal(codes[1:], plugin.codes(None, None, 20_000, Drawn((4,))))
    assert not torch.equal(codes[0], codes[1])


@pytest.mark.parametrize(("given", "size"), [({"categories": 0}, 2), ({"gaussian": 0}, 10), ({}, 12)])
def test_either_part_of_a_code_can_be_left_out(given, size):
    plugin = techniques.create("mutual_information", **given)
    codes = plugin.codes(None, 5, 6, Drawn((0,)))
    assert codes.shape == (1, 6, size) and plugin.code_size(5) == size
    assert plugin.g_term(torch.randn(1, 6, size, dtype=F64), codes).shape == (1,)


@pytest.mark.parametrize("given", [{"categories": 0, "gaussian": 0}, {"categories": 1}, {"gaussian": -1}])
def test_codes_that_tell_nothing_are_refused(given):
    with pytest.raises(ValueError, match=r"no code to read|tells nothing|greater than"):
        techniques.create("mutual_information", **given)


@pytest.mark.parametrize(("name", "shape"), [("mlp", (2,)), ("mlp", (1, 4, 4)), ("dcgan", (1, 8, 8))])
def test_projection_is_the_papers_formula(name, shape):
    architecture = architectures.create(name, width=4)
    d = techniques.create("conditional", features=5).discriminator(architecture, shape, 3).to(F64)
    x, labels = torch.randn(6, *shape, dtype=F64), torch.tensor([0, 1, 2, 2, 0, 1])
    own = dict(d.named_parameters())
    w, b, e = own["plain.weight"], own["plain.bias"], own["embedding.weight"]
    assert w.shape == (1, 5) and b.shape == (1,) and e.shape == (5, 3)
    said = d(x, codes_of(labels, 3))
    assert said.shape == (6, 1)
    for i in range(6):
        raw = d.body[0](x)[i]
        phi = torch.where(raw > 0, raw, 0.2 * raw)
        torch.testing.assert_close(said[i, 0], w[0] @ phi + b[0] + e[:, labels[i]] @ phi, rtol=1e-10, atol=1e-12)
    assert sum(p.numel() for p in d.parameters()) == (
        sum(p.numel() for p in architecture.vector_critic(shape, 5).parameters()) + 5 + 1 + 5 * 3
    )


def test_spectral_norm_reaches_the_embedding_as_in_the_paper():
    d = techniques.create("conditional", features=5).discriminator(architectures.create("mlp"), (2,), 3).to(F64)
    stacked = {name: value.detach()[None] for name, value in d.named_parameters()}
    norm = penalties.create("spectral_norm", iterations=500)
    used = norm.normalised(stacked, norm.advance(stacked, norm.start(stacked, Drawn((1,)))))
    torch.testing.assert_close(
        torch.linalg.matrix_norm(used["embedding.weight"], ord=2), torch.ones(1, dtype=F64), rtol=1e-8, atol=0
    )


def test_concatenation_appends_the_code_to_points_and_as_constant_channels_to_images():
    plugin = techniques.create("conditional", kind="concatenation")
    labels = torch.tensor([1, 0])
    points = torch.tensor([[5.0, 6.0], [7.0, 8.0]], dtype=F64)
    d = plugin.discriminator(architectures.create("mlp"), (2,), 3).to(F64)
    joined = torch.tensor([[5.0, 6, 0, 1, 0], [7, 8, 1, 0, 0]], dtype=F64)
    assert torch.equal(d(points, codes_of(labels, 3)), d.body(joined))
    images = torch.randn(2, 1, 8, 8, dtype=F64)
    d = plugin.discriminator(architectures.create("dcgan", width=2), (1, 8, 8), 2).to(F64)
    zero, one = torch.zeros(8, 8, dtype=F64), torch.ones(8, 8, dtype=F64)
    joined = torch.stack([torch.stack([images[0, 0], zero, one]), torch.stack([images[1, 0], one, zero])])
    said = d(images, codes_of(labels, 2))
    assert torch.equal(said, d.body(joined)) and said.shape == (2, 1)


@pytest.mark.parametrize("kind", ["projection", "concatenation"])
def test_a_conditional_d_adds_nothing_to_either_loss(kind):
    plugin = techniques.create("conditional", kind=kind)
    nothing = torch.empty(3, 4, 0, dtype=F64, requires_grad=True)
    codes = codes_of(torch.zeros(3, 4, dtype=torch.long), 2)
    for term in (plugin.d_term(nothing, nothing, codes), plugin.g_term(nothing, codes)):
        assert torch.equal(term, torch.zeros(3, dtype=F64))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6), st.floats(0, 5), st.floats(0, 5), st.booleans())
def test_terms_of_the_auxiliary_classifier_are_torchs_cross_entropy(seed, classes, d_weight, g_weight, on_fake):
    stream = torch.Generator().manual_seed(seed)
    plugin = techniques.create("auxiliary_classifier", d_weight=d_weight, g_weight=g_weight, d_on_fake=on_fake)
    real, fake = (torch.randn(3, 7, classes, generator=stream, dtype=F64) * 4 for _ in range(2))
    labels = torch.randint(classes, (3, 7), generator=stream)
    codes = codes_of(labels, classes)
    d_term, g_term = plugin.d_term(real, fake, codes), plugin.g_term(fake, codes)
    assert d_term.shape == g_term.shape == (3,)
    for i in range(3):
        of_real = functional.cross_entropy(real[i], labels[i])
        of_fake = functional.cross_entropy(fake[i], labels[i])
        torch.testing.assert_close(d_term[i], d_weight * (of_real + on_fake * of_fake))
        torch.testing.assert_close(g_term[i], g_weight * of_fake)
        torch.testing.assert_close(plugin.d_term(real[i], fake[i], codes[i]), d_term[i])


def test_the_auxiliary_classifier_by_hand():
    plugin = techniques.create("auxiliary_classifier", d_weight=2.0)
    undecided, sure = torch.zeros(4, 3, dtype=F64), 100 * codes_of(torch.tensor([0, 1, 2, 0]), 3)
    codes = codes_of(torch.tensor([0, 1, 2, 0]), 3)
    assert plugin.d_term(undecided, sure, codes).item() == pytest.approx(2 * 1.0986122886681098)
    assert plugin.g_term(sure, codes).item() == pytest.approx(0, abs=1e-12)
    assert plugin.g_term(-sure, codes).item() == pytest.approx(100 + 0.6931471805599453)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 5))
def test_what_reading_codes_back_costs_is_torchs_log_likelihood(seed, weight):
    stream = torch.Generator().manual_seed(seed)
    plugin = techniques.create("mutual_information", categories=3, gaussian=2, weight=weight)
    fake = torch.randn(2, 6, 5, generator=stream, dtype=F64)
    kinds = torch.randint(3, (2, 6), generator=stream)
    numbers = torch.randn(2, 6, 2, generator=stream, dtype=F64)
    codes = torch.cat([codes_of(kinds, 3), numbers], -1)
    term = plugin.g_term(fake, codes)
    of_kinds = torch.distributions.Categorical(logits=fake[..., :3]).log_prob(kinds).mean(-1)
    of_numbers = torch.distributions.Normal(fake[..., 3:], 1.0).log_prob(numbers).sum(-1).mean(-1)
    constant = 2 * 0.9189385332046727  # of the density of N(0, 1), once for each number
    torch.testing.assert_close(term, -weight * (of_kinds + of_numbers + constant))
    torch.testing.assert_close(plugin.d_term(fake + 9, fake, codes), term)


@pytest.mark.parametrize("name", ["auxiliary_classifier", "mutual_information"])
def test_terms_are_differentiable_in_what_d_says(name):
    plugin = techniques.create(name)
    size = plugin.code_size(4)
    codes = plugin.codes(torch.tensor([[3, 0, 1]]), 4, 3, Drawn((0,))).to(F64)
    real, fake = (torch.randn(1, 3, size, dtype=F64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda r, f: plugin.d_term(r, f, codes), (real, fake))
    assert torch.autograd.gradcheck(lambda f: plugin.g_term(f, codes), (fake,))


def test_terms_stay_finite_at_extreme_logits():
    codes = codes_of(torch.tensor([[0, 1]]), 2)
    for size in (1e4, -1e4):
        fake = (size * codes).requires_grad_()
        term = techniques.create("auxiliary_classifier").g_term(fake, codes)
        (slope,) = torch.autograd.grad(term.sum(), fake)
        assert term.isfinite().all() and slope.isfinite().all()


@pytest.mark.parametrize("name", ["auxiliary_classifier", "mutual_information"])
def test_a_d_that_is_to_tell_the_code_is_not_told_it(name):
    plugin = techniques.create(name)
    d = plugin.discriminator(architectures.create("mlp", width=8), (2,), 4)
    x, size = torch.randn(5, 2), plugin.code_size(4)
    said = d(x, torch.zeros(5, size))
    assert said.shape == (5, 1 + size)
    assert torch.equal(said, d(x, torch.randn(5, size)))


CHOICES = [
    part("conditional", features=5),
    part("conditional", kind="concatenation"),
    part("auxiliary_classifier"),
    part("mutual_information", categories=3, gaussian=1),
]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda p: p.label)
@pytest.mark.parametrize(("name", "shape"), [("mlp", (2,)), ("dcgan", (1, 8, 8))])
def test_three_cells_together_equal_each_alone(choice, name, shape):
    """Forward, and the double backward of a gradient penalty through D's logit."""
    torch.manual_seed(0)
    plugin, architecture = choice.create(), architectures.create(name, width=4)
    cells = [plugin.discriminator(architecture, shape, 4).to(F64) for _ in range(3)]
    codes = plugin.codes(torch.randint(4, (3, 6)), 4, 6, Drawn((0, 1, 2))).to(F64)
    x = torch.randn(3, 6, *shape, dtype=F64)
    parameters, buffers = stack_module_state(cells)
    parameters = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    run = vmap(lambda p, b, x, c: functional_call(cells[0], (p, b), (x, c)))
    r1 = penalties.create("r1")
    penalty = r1(lambda x: run(parameters, buffers, x, codes)[..., 0], x, x, None)
    slopes = torch.autograd.grad(penalty.sum(), list(parameters.values()), materialize_grads=True)
    said = run(parameters, buffers, x, codes)
    assert said.shape[:2] == (3, 6)
    for i, cell in enumerate(cells):
        torch.testing.assert_close(said[i], cell(x[i], codes[i]), rtol=1e-10, atol=1e-12)
        own = r1(lambda x, i=i, cell=cell: cell(x[0], codes[i])[None, :, 0], x[i : i + 1], x, None)
        torch.testing.assert_close(penalty[i], own[0], rtol=1e-10, atol=1e-12)
        theirs = torch.autograd.grad(own.sum(), list(cell.parameters()), materialize_grads=True)
        for slope, other in zip(slopes, theirs, strict=True):
            torch.testing.assert_close(slope[i], other, rtol=1e-9, atol=1e-12)


def test_an_architecture_without_a_vector_critic_is_named():
    class Bare:
        def discriminator(self, shape):
            return torch.nn.Linear(shape[0], 1)

    assert techniques.create("conditional", kind="concatenation").discriminator(Bare(), (2,), 3)
    for plugin in (techniques.create("conditional"), techniques.create("auxiliary_classifier")):
        with pytest.raises(TypeError, match="Bare has no vector_critic"):
            plugin.discriminator(Bare(), (2,), 3)


def test_listing_them_does_not_import_torch():
    code = f"""
import sys
from ganbench import techniques
from ganbench.techniques.conditioning import conditioning_of
for name in {NAMES!r}:
    techniques.registry.parameters(name), techniques.registry.doc(name)
    conditioning_of([techniques.registry.part(name, {{}})])
    getattr(techniques.create(name), "refusal", lambda *_: None)((2,), 64, 8)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
