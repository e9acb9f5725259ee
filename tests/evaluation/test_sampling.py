"""Samples for evaluation: which latents and codes a generator gets, and conditional cells scored to the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from ganbench import architectures, datasets, objectives
from ganbench.evaluation import sampling
from ganbench.evaluation.evaluate import Evaluator
from ganbench.evaluation.sampling import Sampler
from ganbench.evaluation.scoring import ScoringError, score_cohort
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.metrics import registry as metrics
from ganbench.objectives import Objective
from ganbench.records import Scores, Status
from ganbench.registry import Part
from ganbench.store import Store
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
    sampler = Sampler([of], 270, CPU)
    assert sampler.labels is None
    torch.testing.assert_close(sampler.draw(flat(network)[None])[0], network(own_latents(270)))


@pytest.mark.parametrize("name", ["conditional", "auxiliary_classifier"])
def test_classes_are_asked_for_in_turn(name: str):
    of = cell(objectives.technique(name), width=8)
    network = network_of(of, 8)
    sampler = Sampler([of], 20, CPU)
    assert sampler.labels.tolist() == [i % 8 for i in range(20)]
    told = torch.cat([own_latents(20), torch.eye(8)[torch.arange(20) % 8]], dim=1)
    torch.testing.assert_close(sampler.draw(flat(network)[None])[0], network(told))


def test_codes_to_be_read_back_come_from_a_stream_of_their_own():
    technique = objectives.technique("mutual_information", categories=3, gaussian=2)
    of = cell(technique, width=8)
    network = network_of(of, 5)
    sampler = Sampler([of], 20, CPU)
    assert sampler.labels is None
    noise = CellNoise([3], "evaluation/codes", torch.float32, CPU)
    technique.create().codes(None, 8, 2000, noise)
    codes = technique.create().codes(None, 8, 20, noise)[0]
    torch.testing.assert_close(
        sampler.draw(flat(network)[None])[0], network(torch.cat([own_latents(20), codes], dim=1))
    )


def test_standing_statistics_see_all_classes_too():
    of = cell(objectives.technique("conditional"), architecture="dcgan", dataset="digits", width=2)
    first, again = (Sampler([of], 30, CPU).draw(flat(network_of(of, 10))[None])[0] for _ in range(2))
    assert first.shape == (30, 1, 8, 8) and torch.equal(first, again)
    standing = Sampler([of], 30, CPU)._standing[0]
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
    store = Store(tmp_path)
    snapshots = {"1": perfect(of, [1, 2, 3, 4, 5, 6, 7, 0]), "2": perfect(of, [0, 1, 2, 3, 4, 5, 7, 6])}
    store.write_training(of.key, of.as_json(), Status("completed", 2), [], snapshots)
    score_cohort(store, [of], scoring, (Path("unused"), cache), CPU)
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
    store = Store(tmp_path)
    store.write_training(of.key, of.as_json(), Status("completed", 1), [], {"1": flat(network_of(of, 0))})
    score_cohort(store, [of], scoring, (Path("unused"), cache), CPU)
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


@pytest.mark.parametrize("kind", ["points", "pictures", "codes"])
def test_a_cell_is_given_the_same_samples_alone_and_in_any_company(kind: str):
    technique = [objectives.technique("mutual_information", categories=3, gaussian=2)] if kind == "codes" else []
    where = {"architecture": "dcgan", "dataset": "digits", "width": 4} if kind == "pictures" else {"width": 16}
    cells = [cell(*technique, seed=seed, **where) for seed in (3, 8, 3, 5)]
    networks = []
    for at, of in enumerate(cells):
        torch.manual_seed(at)
        networks.append(of.architecture.create().generator(of.dataset.create().shape, LATENT + 5 * (kind == "codes")))
    flats = torch.stack([flat(network) for network in networks])
    whole = Sampler(cells, 300, CPU)
    together = whole.draw(flats)
    for at, of in enumerate(cells):
        assert torch.equal(Sampler([of], 300, CPU).draw(flats[at, None])[0], together[at])
        assert torch.equal(whole.draw(flats[at, None], [at])[0], together[at])
    assert torch.equal(whole.draw(flats[[1, 3]], [1, 3]), together[[1, 3]])
    assert not torch.equal(together[0], together[2])


def test_fewer_cells_are_drawn_from_at_once_the_larger_their_samples_are():
    pictures = cell(architecture="dcgan", dataset="mnist", width=4)
    assert sampling.together(cell(), 2000) > sampling.together(pictures, 2000) > 2
    assert sampling.together(pictures, 10**6) == 2


@pytest.mark.parametrize(("cells", "size"), [(1, 2), (2, 2), (5, 2), (8, 2), (9, 8), (24, 8), (7, 64)])
def test_no_cell_is_drawn_from_alone_that_could_have_company(cells: int, size: int):
    groups = sampling.in_company(cells, size)
    assert sum(groups) == cells
    assert all(2 <= group <= size + 1 for group in groups) or groups == [1]


def scored_cohort(tmp_path: Path, identity: Part, cache: Path, cells: list[Cell], broken: str = "") -> Store:
    metric = tuple(metrics.part(name, {}) for name in ("modes", "fid"))
    scoring, store = Scoring(EvaluationSettings(100, identity, metric), (1, 2, 3)), Store(tmp_path)
    for at, of in enumerate(cells):
        torch.manual_seed(at)
        steps = ("1", "2", "3")[: 3 - at] if len(cells) > 1 else ("1", "2", "3")
        snapshots = {step: flat(network_of(of, 0)) * (at + int(step)) for step in steps}
        store.write_training(of.key, of.as_json(), Status("completed", 3), [], snapshots)
    if broken:
        (store.cell_folder(broken) / "snapshots.safetensors").write_bytes(b"not a snapshot")
    told: list[str] = []
    try:
        score_cohort(store, cells, scoring, (Path("unused"), cache), CPU, scored=lambda of: told.append(of.key))
    finally:
        assert sorted(told) == sorted(of.key for of in cells if store.scores(of.key, scoring.key))
    return store


def test_cells_are_scored_together_as_each_alone(tmp_path: Path, identity: Part, cache: Path):
    cells = [cell(width=8, seed=seed) for seed in (1, 2, 3)]
    together = scored_cohort(tmp_path / "together", identity, cache, cells)
    for at, of in enumerate(cells):
        key = next((tmp_path / "together" / "cells" / of.key / "scores").iterdir()).name
        found = together.scores(of.key, key)
        assert [row["step"] for row in found.rows] == [1, 2, 3][: 3 - at]
        assert found.evaluate_seconds > 0 and len(together.samples(of.key, key)) == 100
        if at == 0:
            alone = scored_cohort(tmp_path / "alone", identity, cache, [of])
            assert alone.scores(of.key, key).rows == found.rows


def test_a_cell_is_charged_with_every_score_the_last_included(
    tmp_path: Path, identity: Part, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    scored_cohort(tmp_path / "before", identity, cache, [cell(width=8)])  # from here on the real side is known
    read, passed = Evaluator.read, [0.0]

    def slowly(self: Evaluator, samples: Tensor, *given: object, **named: object) -> object:
        passed[0] += 1
        return read(self, samples, *given, **named)

    monkeypatch.setattr(Evaluator, "read", slowly)
    monkeypatch.setattr("ganbench.evaluation.scoring.time", SimpleNamespace(perf_counter=lambda: passed[0]))
    cells = [cell(width=8, seed=seed) for seed in (1, 2, 3)]
    store = scored_cohort(tmp_path / "now", identity, cache, cells)
    keys = [next((tmp_path / "now" / "cells" / of.key / "scores").iterdir()).name for of in cells]
    found = [store.scores(of.key, key) for of, key in zip(cells, keys, strict=True)]
    assert [(len(one.rows), one.evaluate_seconds) for one in found] == [(3, 3), (2, 2), (1, 1)]


def test_a_cell_that_cannot_be_scored_costs_no_other_its_scores(tmp_path: Path, identity: Part, cache: Path):
    cells = [cell(width=8, seed=seed) for seed in (1, 2, 3)]
    with pytest.raises(ScoringError, match=r"1 of 3 cells could not be scored \(hinge on ring8, seed 2: "):
        scored_cohort(tmp_path, identity, cache, cells, broken=cells[1].key)
    assert len(list(tmp_path.rglob("scores.json"))) == 2


def test_parameters_that_do_not_fit_are_one_cells_failure(
    tmp_path: Path, identity: Part, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    cells = [cell(width=8, seed=seed) for seed in (1, 2, 3)]
    original = Store.snapshot

    def cut(self: Store, key: str, step: int) -> torch.Tensor:
        return original(self, key, step)[: 5 if key == cells[0].key else None]

    monkeypatch.setattr(Store, "snapshot", cut)
    with pytest.raises(ScoringError, match=r"1 of 3 cells.*seed 1"):
        scored_cohort(tmp_path, identity, cache, cells)
    assert len(list(tmp_path.rglob("scores.json"))) == 2


def test_standing_statistics_are_those_of_the_whole_network():
    of = cell(architecture="dcgan", dataset="digits", width=4)
    network = network_of(of, 0)
    sampler, found = Sampler([of], 40, CPU), flat(network)
    for norm in (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.momentum = None  # a plain average
    stream = generator(3, "evaluation")
    with torch.no_grad():
        for batch in latents((20, 100, LATENT), "normal", stream):
            network(batch)
        expected = network.eval()(latents((40, LATENT), "normal", stream))
    torch.testing.assert_close(sampler.draw(found[None])[0], expected, rtol=1e-5, atol=1e-5)


def test_some_metrics_are_computed_at_the_last_step_alone_and_come_out_the_same(
    tmp_path: Path, identity: Part, cache: Path
):
    of = cell(width=8)
    snapshots = {str(step): flat(network_of(of, 0)) * step for step in (1, 2, 3)}
    found = []
    for between in (None, ("modes",)):
        metric = tuple(metrics.part(name, {}) for name in ("modes", "fid", "coverage"))
        scoring = Scoring(EvaluationSettings(100, identity, metric, between=between), (1, 2, 3))
        store = Store(tmp_path / str(between is None))
        store.write_training(of.key, of.as_json(), Status("completed", 3), [], snapshots)
        score_cohort(store, [of], scoring, (Path("unused"), cache), CPU)
        found.append(store.scores(of.key, scoring.key))
    everything, some = found
    assert [set(row) for row in some.rows[:-1]] == [{"step", "modes", "high_quality", "mode_kl"}] * 2
    assert some.rows[-1] == everything.rows[-1] and len(some.rows[-1]) == 7
    assert all(row.items() <= whole.items() for row, whole in zip(some.rows, everything.rows, strict=True))
    assert some.protocol_id == everything.protocol_id
