"""What is derived of an objective: needs, family, what it estimates."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench import objectives
from ganbench.objectives import Objective, loss, technique
from ganbench.objectives.facts import facts, needs
from ganbench.suite.load import load_suite


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("acgan", ("vector critic", "labels")),
        ("infogan", ("vector critic",)),
        ("diffaug_gan", ("images",)),
        ("mmd_gan", ("vector critic",)),
        ("cramer", ("vector critic",)),
        ("began", ("autoencoder critic",)),
        ("energy", ("autoencoder critic",)),
        ("pacgan", ()),
        ("icr_gan", ()),
        ("wgan_gp", ()),
    ],
)
def test_needs_follow_from_what_an_objective_consists_of(name: str, wanted: tuple[str, ...]) -> None:
    assert facts(name).needs == needs(objectives.create(name)) == wanted


def test_needs_add_up_and_a_batch_that_cannot_be_packed_is_no_need_for_images() -> None:
    both = Objective(loss("mmd"), techniques=(technique("diff_augment"), technique("instance_noise")))
    assert needs(both) == ("vector critic", "images")
    assert needs(Objective(loss("hinge"), techniques=(technique("packing", m=3),))) == ()
    assert needs(Objective(loss("hinge"), techniques=(technique("conditional"),))) == ("vector critic", "labels")
    concatenated = technique("conditional", kind="concatenation")
    assert needs(Objective(loss("hinge"), techniques=(concatenated,))) == ("labels",)


@pytest.mark.parametrize("name", objectives.names())
def test_every_objective_says_its_family_what_it_estimates_and_its_source(name: str) -> None:
    known = facts(name)
    assert known.family and known.divergence and "arXiv:" in known.source
    assert known.objective == objectives.create(name)


def test_a_recipe_says_of_itself_what_differs_from_its_loss() -> None:
    assert facts("wgan_gp").divergence == facts("wasserstein").divergence != facts("wgan_div").divergence
    assert facts("wgan_gp").family == facts("wgan_div").family == facts("wasserstein").family
    assert facts("fgan_pearson").divergence != facts("fgan_kl").divergence == facts("f_divergence").divergence
    assert facts("wgan_gp").source != facts("wasserstein").source
    assert facts("hinge").recommended == {}


def test_the_suite_of_all_objectives_has_every_recipe_that_points_without_labels_allow() -> None:
    suite = load_suite(Path(__file__).parents[2] / "suites" / "objectives.yaml")
    unconditional = {name for name in objectives.registry.names() if not {"labels", "images"} & {*facts(name).needs}}
    assert {choice.name for choice in suite.objectives} == unconditional
    assert len(suite.objectives) == len(unconditional) == len(objectives.registry.names()) - 2
