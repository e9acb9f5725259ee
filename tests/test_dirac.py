"""The Dirac GAN through the project's own losses, penalties and loop: the radii and eigenvalues that theory gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganbench import dirac, losses, penalties, techniques
from ganbench.objectives import Objective
from ganbench.training.loop import train_cohort


def objective(loss: str, penalty: str = "", **parameters: object) -> Objective:
    held = (penalties.registry.part(penalty, parameters),) if penalty else ()
    return Objective(losses.registry.part(loss, {}), held)


def noisy(std: float) -> Objective:
    return replace(objective("minimax"), techniques=(techniques.registry.part("instance_noise", {"std": std}),))


# Rows of one group train as one cohort. The radii follow from the gradients of the losses, 500 steps of .2.
RADII = {
    "no penalty": [(objective("minimax"), 3.10), (objective("non_saturating"), 0.640)],
    "clipping": [(objective("wasserstein", "weight_clip", c=1.0), 1.00)],
    "gradient penalty": [(objective("wasserstein", "gradient_penalty", weight=0.35, target=1.0), 1.80)],
    "r1": [
        (objective("minimax", "r1", gamma=0.3), 2.64e-6),
        (objective("non_saturating", "r1", gamma=0.3), 2.21e-6),
        (objective("minimax", "r1", gamma=1.0), 9.5e-22),
    ],
    "consensus": [(objective("minimax", "consensus", gamma=1.0), 2.6e-10)],
}


@pytest.mark.parametrize("group", RADII)
def test_the_radius_after_500_steps_is_the_one_of_the_losses_gradients(group: str) -> None:
    paths = dirac.trajectories([objective for objective, _ in RADII[group]])
    for path, (_, expected) in zip(paths, RADII[group], strict=True):
        assert dirac.radius(path) == pytest.approx(expected, rel=0.02)


def test_instance_noise_converges_to_its_noise_floor() -> None:
    one = dirac.cell(noisy(0.7))
    cells = [replace(one, seed=seed, train=one.train.model_copy(update={"batch_size": 512})) for seed in range(4)]
    ends = [trained.trace[-1] for trained in train_cohort(cells, torch.zeros(dirac.COPIES, 1), ())]
    radii = [dirac.radius([(end["theta"], end["psi"])]) for end in ends]
    assert 0.005 < sum(radii) / 4 < 0.04


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (objective("minimax"), (0.5j, -0.5j)),
        (objective("non_saturating"), (0.5j, -0.5j)),
        (objective("wasserstein", "weight_clip", c=1.0), (1j, -1j)),
        (objective("minimax", "r1", gamma=0.3), (-0.15 + 0.47697j, -0.15 - 0.47697j)),
        (objective("minimax", "r2", gamma=0.3), (-0.15 + 0.47697j, -0.15 - 0.47697j)),
        (objective("non_saturating", "r1", gamma=1.0), (-0.5, -0.5)),
        (objective("non_saturating", "r1", gamma=2.5), (-0.10436, -2.39564)),
        (objective("wasserstein", "gradient_penalty", weight=0.5, target=0.0), (-0.5 + 0.86603j, -0.5 - 0.86603j)),
        (objective("minimax", "consensus", gamma=1.0), (-0.25 + 0.5j, -0.25 - 0.5j)),
        (noisy(0.7), (-0.1225 + 0.48476j, -0.1225 - 0.48476j)),
    ],
    ids=lambda value: " ".join(part.label for part in (value.loss, *value.penalties)) if hasattr(value, "loss") else "",
)
def test_eigenvalues_of_the_loops_gradients_are_those_of_theory(
    given: Objective, expected: tuple[complex, complex]
) -> None:
    computed, known = dirac.eigenvalues(given), dirac.theory(given)
    assert computed is not None and known is not None
    for found in (computed, known):
        assert sorted(found, key=lambda x: (x.real, x.imag)) == [
            pytest.approx(value, abs=2e-3) for value in sorted(map(complex, expected), key=lambda x: (x.real, x.imag))
        ]


def test_a_penalty_with_a_kink_at_the_equilibrium_has_no_eigenvalues_there() -> None:
    kinked = objective("wasserstein", "gradient_penalty", weight=0.35, target=1.0)
    assert dirac.eigenvalues(kinked) is None
    assert dirac.theory(kinked) is None


def test_a_lazy_penalty_has_the_eigenvalues_of_its_mean() -> None:
    found = dirac.eigenvalues(objective("minimax", "r1", gamma=0.3, every=4))
    assert found == pytest.approx(dirac.theory(objective("minimax", "r1", gamma=0.3)))


def test_what_a_penalty_draws_is_averaged() -> None:
    found = dirac.eigenvalues(objective("minimax", "consistency", real=10.0, std=0.05))
    assert found is not None
    assert found[0].real == pytest.approx(-10 * 0.05**2, rel=0.03)  # 10 E(psi std n)^2 damps psi by 2 x 10 std^2 psi


def test_where_g_looks_ahead_or_theory_is_silent_nothing_is_claimed() -> None:
    ahead = replace(objective("minimax"), techniques=(techniques.registry.part("unrolled", {}),))
    assert dirac.eigenvalues(ahead) is None
    labels = Objective(losses.registry.part("non_saturating", {"fake_label": 0.1}))
    assert dirac.theory(labels) is None


@pytest.mark.long
def test_an_r1_without_its_half_would_damp_twice_as_much() -> None:
    """The mistake of others: gamma without the half is our gamma doubled, which the radius tells apart."""
    (ours,), (doubled,) = (dirac.trajectories([objective("minimax", "r1", gamma=g)]) for g in (0.3, 0.6))
    assert dirac.radius(ours) == pytest.approx(2.64e-6, rel=0.02)
    assert dirac.radius(doubled) < 1e-9


def test_alternating_updates_keep_minimax_on_its_circle() -> None:
    """Mescheder et al. 2018, lemma 2.4: the alternating map's eigenvalues lie on the unit circle."""
    one = dirac.cell(objective("minimax"))
    alternating = replace(one, train=one.train.model_copy(update={"updates": "alternating", "g_steps": 800}))
    (trained,) = train_cohort([alternating], torch.zeros(dirac.COPIES, 1), ())
    radii = [dirac.radius([(row["theta"], row["psi"])]) for row in trained.trace]
    assert min(radii) > 1.0 and max(radii) < 1.9
