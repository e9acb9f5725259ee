"""Samples for evaluation: which latents and codes a generator gets, and conditional cells scored to the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector

from ganbench import architectures, datasets, objectives
from ganbench.evaluation.evaluate import EvaluationSettings, Evaluator
from ganbench.evaluation.sampling import Sampler
from ganbench.evaluation.scoring import score_cell
from ganbench.metrics import registry as metrics
from ganbench.objectives import Objective
from ganbench.registry import Part
from ganbench.store import Scores, Status, Store
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.settings import Train
from ganbench.training.streams import CellNoise, generator, latents

CPU = torch.device("cpu")
LATENT = 5


def cell(
    *techniques: Part, seed: int = 3, architecture: str = "mlp", dataset: str = "ring8", **parameters: object
) -> Cell:
    objective = Objective(objectives.loss("hinge"), techniques=techniques)
    network = architectures.registry.part(architecture, parameters)
    data = datasets.registry.part(dataset, {})
    return Cell(objective, network, data, Train(d_steps=1, latent_size=LATENT), seed)


def network_of(of: Cell, codes: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return of.architecture.create().generator(of.dataset.create().shape, LATENT + codes)


def flat(network: torch.nn.Module) -> torch.Tensor:
    return parameters_to_vector(network.parameters()).detach()


def own_latents(count: int) -> torch.Tensor:
    """The latents of a score, which the standing batches come before."""
    stream = generator(3, "evaluation")
    latents((20, 100, LATENT), "normal", stream)
    return latents((count, LATENT), "normal", stream)


def test_a_generator_without_codes_gets_the_latents_of_its_stream_and_nothing_else():
    of = cell(width=8)
    network = network_of(of, 0)
    sampler = Sampler(of, 270, CPU)
    assert sampler.labels is None
    torch.testing.assert_close(sampler.draw(flat(network)), network(own_latents(270)))


@pytest.mark.parametrize("name", ["conditional", "auxiliary_classifier"])
def test_classes_are_asked_for_in_turn(name: str):
    of = cell(objectives.technique(name), width=8)
    network = network_of(of, 8)
    sampler = Sampler(of, 20, CPU)
    assert sampler.labels.tolist() == [i % 8 for i in range(20)]
    told = torch.cat([own_latents(20), torch.eye(8)[torch.arange(20) % 8]], dim=1)
    torch.testing.assert_close(sampler.draw(flat(network)), network(told))


def test_codes_to_be_read_back_come_from_a_stream_of_their_own():
    technique = objectives.technique("mutual_information", categories=3, gaussian=2)
    of = cell(technique, width=8)
    network = network_of(of, 5)
    sampler = Sampler(of, 20, CPU)
    assert sampler.labels is None
    noise = CellNoise([3], "evaluation/codes", torch.float32, CPU)
    technique.create().codes(None, 8, 2000, noise)
    codes = technique.create().codes(None, 8, 20, noise)[0]
    torch.testing.assert_close(sampler.draw(flat(network)), network(torch.cat([own_latents(20), codes], dim=1)))


def test_standing_statistics_see_all_classes_too():
    of = cell(objectives.technique("conditional"), architecture="dcgan", dataset="digits", width=2)
    first, again = (Sampler(of, 30, CPU).draw(flat(network_of(of, 10))) for _ in range(2))
    assert first.shape == (30, 1, 8, 8) and torch.equal(first, again)
    standing = torch.cat(Sampler(of, 30, CPU)._standing, dim=1)[0]
    assert standing.shape == (2000, LATENT + 10)
    assert torch.equal(standing[:, LATENT:].mean(0), torch.full((10,), 0.1))


def perfect(of: Cell, order: list[int]) -> torch.Tensor:
    """Parameters of a generator that ignores its latent and puts class i on the centre of mode order[i]."""
    network = network_of(of, 8)
    first, last = network[0], network[2]
    for parameter in network.parameters():
        parameter.data.zero_()
    first.weight.data[:, LATENT:] = torch.eye(8)
    last.weight.data[:] = torch.from_numpy(of.dataset.create().centres[order]).float().T
    return flat(network)


def test_a_conditional_cell_is_scored_by_class_and_stored(tmp_path: Path, identity: Part, cache: Path):
    of = cell(objectives.technique("conditional"), width=8, depth=1)
    metric = tuple(metrics.part(name, {}) for name in ("modes", "fid", "class_match"))
    scoring = Scoring(EvaluationSettings(160, identity, metric), (1, 2))
    evaluator = Evaluator(of.dataset, scoring.settings, Path("unused"), cache)
    store = Store(tmp_path)
    snapshots = {"1": perfect(of, [1, 2, 3, 4, 5, 6, 7, 0]), "2": perfect(of, [0, 1, 2, 3, 4, 5, 7, 6])}
    store.write_training(of.key, of.as_json(), Status("completed", 2), [], snapshots)
    score_cell(store, of, scoring, evaluator, CPU)
    found = store.scores(of.key, scoring.key)
    assert [row["class_match"] for row in found.rows] == [0.0, 0.75]
    assert [row["accuracy"] for row in found.per_class] == [1, 1, 1, 1, 1, 1, 0, 0]
    assert {row["samples"] for row in found.per_class} == {20}
    # one point against a Gaussian of standard deviation .01 on each axis, and two neighbours mixed up
    side = (2 * np.sin(np.pi / 8)) ** 2
    assert [row["fid"] for row in found.per_class] == pytest.approx([2e-4] * 6 + [side] * 2, rel=0.1)
    assert found.reasons == {}


def test_an_unconditional_cell_has_no_scores_by_class(tmp_path: Path, identity: Part, cache: Path):
    of = cell(width=8, depth=1)
    metric = tuple(metrics.part(name, {}) for name in ("fid", "class_match"))
    scoring = Scoring(EvaluationSettings(50, identity, metric), (1,))
    evaluator = Evaluator(of.dataset, scoring.settings, Path("unused"), cache)
    store = Store(tmp_path)
    store.write_training(of.key, of.as_json(), Status("completed", 1), [], {"1": flat(network_of(of, 0))})
    score_cell(store, of, scoring, evaluator, CPU)
    found = store.scores(of.key, scoring.key)
    assert found.per_class == () and found.rows[0].keys() == {"step", "fid"} and found.reasons == {}


def test_scores_of_before_there_were_classes_still_load(tmp_path: Path):
    store = Store(tmp_path)
    scores = Scores("p", {}, {"fid": "lower"}, ({"step": 1, "fid": 2.0},))
    store.write_scores("k", "e", replace(scores, per_class=({"class": 0, "fid": 1.5, "accuracy": None},)), None)
    assert store.scores("k", "e").per_class == ({"class": 0, "fid": 1.5, "accuracy": None},)
    path = next(tmp_path.rglob("scores.json"))
    text = path.read_text()
    path.write_text(text[: text.rindex(',\n "per_class"')] + "\n}\n")
    assert store.scores("k", "e") == scores
