"""Consistency of D under augmentation and of both players between neighbouring latents."""

from __future__ import annotations

import pytest
import torch

from ganbench import penalties

F64 = torch.float64


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def total(x):
    """D(x) = sum of x."""
    return x.flatten(2).sum(-1)


def test_points_are_jittered_by_std_for_each_sample(seeded):
    real, fake = normal(2, 5, 3), normal(2, 5, 3, seed=1)
    found = penalties.create("consistency", std=0.2)(total, real, fake, seeded((1, 2)))
    drawn = seeded((1, 2)).normal((5, 3))
    torch.testing.assert_close(found, 10 * (0.2 * drawn.sum(-1)).square().mean(-1))
    assert drawn.unique().numel() == 30


def test_the_balanced_form_adds_the_same_on_fake_samples(seeded):
    real, fake = normal(2, 5, 3), normal(2, 5, 3, seed=1)

    def critic(x):
        return x.square().sum(-1)

    noise = seeded((1, 2))
    terms = []
    for samples in (real, fake):
        moved = samples + 0.05 * noise.normal((5, 3))
        terms.append((critic(samples) - critic(moved)).square().mean(-1))
    found = penalties.create("consistency", real=3.0, fake=7.0)(critic, real, fake, seeded((1, 2)))
    torch.testing.assert_close(found, 3 * terms[0] + 7 * terms[1])
    only_real = penalties.create("consistency", real=3.0)(
        critic, real, torch.full_like(fake, torch.nan), seeded((1, 2))
    )
    torch.testing.assert_close(only_real, 3 * terms[0])


def seen_by_d(parameters, images, noise):
    seen = []

    def critic(x):
        seen.append(x)
        return total(x)

    penalties.create("consistency", **parameters)(critic, images, images, noise)
    assert torch.equal(seen[0], images)
    return seen[1]


@pytest.mark.parametrize("flip", [True, False])
def test_images_are_mirrored_and_shifted_with_their_border_repeated(flip, seeded):
    images = normal(2, 30, 3, 16, 8)
    found = seen_by_d({"flip": flip}, images, seeded((1, 2)))
    choices = set()
    for cell in range(2):
        for sample in range(30):
            image, matches = images[cell, sample], []
            for mirrored in (False, True):
                for down in (-2, -1, 0, 1, 2):
                    for right in (-1, 0, 1):
                        padded = torch.nn.functional.pad(
                            image.flip(-1) if mirrored else image, (1, 1, 2, 2), "replicate"
                        )
                        moved = padded[:, 2 - down : 18 - down, 1 - right : 9 - right]
                        if torch.equal(moved, found[cell, sample]):
                            matches.append((mirrored, down, right))
            assert len(matches) == 1
            choices.update(matches)
    assert {choice[0] for choice in choices} == ({True, False} if flip else {False})
    assert {choice[1] for choice in choices} == {-2, -1, 0, 1, 2} and {choice[2] for choice in choices} == {-1, 0, 1}


def test_a_d_that_does_not_mind_pays_nothing(seeded):
    constant = penalties.create("consistency", fake=5.0)(
        lambda x: total(x) * 0 + 3, normal(2, 4, 1, 8, 8), normal(2, 4, 1, 8, 8), seeded((1, 2))
    )
    assert constant.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("shape", [(3,), (1, 8, 8)])
def test_gradients_in_ds_parameters_equal_finite_differences(shape, seeded):
    size = torch.Size(shape).numel()
    first, last = normal(2, size, 2, seed=2).div_(4).requires_grad_(), normal(2, 2, seed=3).requires_grad_()
    penalty, real, fake = penalties.create("consistency", fake=2.0), normal(2, 3, *shape), normal(2, 3, *shape, seed=1)

    def value(first, last):
        def critic(x):
            return (torch.bmm(x.flatten(2), first).tanh() * last.unsqueeze(1)).sum(-1)

        return penalty(critic, real, fake, seeded((1, 2)))

    assert torch.autograd.gradcheck(value, (first, last)) and torch.autograd.gradgradcheck(value, (first, last))


def test_cells_are_of_their_own(seeded):
    images = normal(2, 5, 1, 8, 8)
    penalty = penalties.create("consistency", fake=1.0)
    before = penalty(total, images, images, seeded((1, 2)))
    other = torch.stack([images[0], images[1] * torch.nan])
    after = penalty(total, other, other, seeded((1, 2)))
    assert before[0] == after[0] and after[1].isnan()
    alone = penalty(total, images[1:], images[1:], seeded((2,)))
    torch.testing.assert_close(before[1:], alone)


def test_latent_terms_of_linear_players_are_known(seeded):
    # D(G(z)) moves by w.A delta, and G(z) by A delta
    latents, matrix, w = normal(2, 6, 3), normal(2, 3, 4, seed=1), normal(2, 1, 4, seed=2)

    def generate(z):
        return z @ matrix

    def critic(x):
        return (x * w).sum(-1)

    penalty, fake = penalties.create("latent_consistency", sigma=0.1), generate(latents)
    moved = 0.1 * seeded((1, 2)).normal((6, 3)) @ matrix
    d_term = penalty.d_term(critic, generate, latents, fake, seeded((1, 2)))
    torch.testing.assert_close(d_term, 5 * (moved * w).sum(-1).square().mean(-1))
    g_term = penalty.g_term(generate, latents, fake, seeded((1, 2)))
    torch.testing.assert_close(g_term, -0.5 * moved.square().mean((1, 2)))
    assert (d_term > 0).all() and (g_term < 0).all()


def test_gs_term_is_differentiable_through_both_samples_and_does_not_grow_with_their_size(seeded):
    penalty, latents = penalties.create("latent_consistency"), normal(2, 4, 3)
    matrix = normal(2, 3, 4, seed=1).requires_grad_()

    def value(matrix):
        def generate(z):
            return (z @ matrix).tanh().unflatten(-1, (1, 2, 2))

        return penalty.g_term(generate, latents, generate(latents), seeded((1, 2)))

    assert torch.autograd.gradcheck(value, (matrix,))
    wide = penalty.g_term(lambda z: z.repeat(1, 1, 5), latents, latents.repeat(1, 1, 5), seeded((1, 2)))
    torch.testing.assert_close(wide, penalty.g_term(lambda z: z, latents, latents, seeded((1, 2))))


def test_latent_weights_may_differ_between_cells(seeded):
    latents = normal(2, 4, 3)
    plugin = penalties.registry.get("latent_consistency")
    both = plugin(d_weight=torch.tensor([1.0, 3.0], dtype=F64), g_weight=torch.tensor([2.0, 5.0], dtype=F64))
    for i, (d_weight, g_weight) in enumerate([(1.0, 2.0), (3.0, 5.0)]):
        one, own = plugin(d_weight=d_weight, g_weight=g_weight), latents[i : i + 1]
        d_term = both.d_term(total, lambda z: z, latents, latents, seeded((1, 2)))
        g_term = both.g_term(lambda z: z, latents, latents, seeded((1, 2)))
        torch.testing.assert_close(d_term[i : i + 1], one.d_term(total, lambda z: z, own, own, seeded((1 + i,))))
        torch.testing.assert_close(g_term[i : i + 1], one.g_term(lambda z: z, own, own, seeded((1 + i,))))
