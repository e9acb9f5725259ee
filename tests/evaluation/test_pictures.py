"""What scoring keeps for the report: known values, the same bytes, and no score that differs for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector

from ganbench import architectures, datasets, objectives
from ganbench.evaluation import pictures
from ganbench.evaluation.beliefs import beliefs
from ganbench.evaluation.evaluate import prepare
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.pictures import Pictures, chosen
from ganbench.evaluation.real_side import RealSide
from ganbench.evaluation.reference import reference, rows_of
from ganbench.evaluation.scoring import score_cohort
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.losses import registry as losses
from ganbench.metrics import registry as metrics
from ganbench.objectives import Objective
from ganbench.records import Status
from ganbench.registry import Part
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.settings import Train

CPU = torch.device("cpu")
ROWS, SAMPLES = 400, 100
NOWHERE = Path("unused")
POINTS = {"steps", "by_step", "neighbours", "neighbour_distances", "real_distances", "box", "bandwidth", "truth"}
POINTS |= {"generated", "best"}
MODES = {"mode_counts", "mode_weights"}


def cell(objective: Objective | str, dataset: str = "ring8", seed: int = 3, architecture: str = "mlp") -> Cell:
    network = architectures.registry.part(architecture, {"width": 8})
    if objective in ("instance_noise", "conditional"):
        objective = Objective(objectives.loss("non_saturating"), techniques=(objectives.technique(objective),))
    made = objectives.create(objective) if isinstance(objective, str) else objective
    return Cell(made, network, datasets.registry.part(dataset, {}), Train(latent_size=2), seed)


def networks(of: Cell) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(of.seed)
    shape, plain = of.dataset.create().shape, of.architecture.create()
    loss = of.objective.loss.create()
    codes = 8 * any(part.name == "conditional" for part in of.objective.techniques)
    vector = getattr(loss, "critic", "scalar") == "vector"
    d = plain.vector_critic(shape, loss.features) if vector else plain.discriminator(shape)
    return tuple(
        parameters_to_vector(network.parameters()).detach() for network in (plain.generator(shape, 2 + codes), d)
    )


def scoring_of(extractor: Part, steps: tuple[int, ...] = (1, 2, 3), names: tuple[str, ...] = ("fid",)) -> Scoring:
    return Scoring(EvaluationSettings(SAMPLES, extractor, tuple(metrics.part(n, {}) for n in names), ROWS), steps)


def stored(root: Path, cells: list[Cell], scoring: Scoring, cache: Path, with_d: bool = True) -> Store:
    store = Store(root)
    for of in cells:
        g, d = networks(of)
        snapshots = {str(step): g * step for step in scoring.steps}
        snapshots |= {f"d/{scoring.steps[-1]}": d} if with_d else {}
        store.write_training(of.key, of.as_json(), Status("completed", 3), [], snapshots)
    score_cohort(store, cells, scoring, (NOWHERE, cache), CPU)
    return store


@pytest.fixture(scope="module")
def real(cache: Path, ring: Part, identity: Part) -> RealSide:
    unchanged = identity.create().load(ring, NOWHERE, cache, "cpu")
    return RealSide(ring, reference(ring, unchanged, {"for": "pictures"}, ROWS, NOWHERE, cache), NOWHERE)


def test_the_same_steps_are_chosen_of_all_cells_and_the_last_of_each() -> None:
    planned = list(range(250, 10_001, 250))
    whole = chosen(planned, planned)
    assert len(whole) == 12 and whole[0] == 250 and whole[-1] == 10_000
    assert max(np.diff(whole)) - min(np.diff(whole)) <= 250
    cut = chosen(planned, planned[:20])
    assert cut[-1] == 5000 and set(cut[:-1]) <= set(whole)
    assert chosen([5], [5]) == [5] and chosen([5, 10], []) == [] and chosen([1, 2, 3], [1, 2, 3]) == [1, 2, 3]


def test_a_cell_of_points_keeps_what_there_is_to_draw(tmp_path: Path, cache: Path, identity: Part) -> None:
    of, scoring = cell("nsgan"), scoring_of(identity)
    store = stored(tmp_path, [of], scoring, cache)
    found = store.pictures(of.key, scoring.key)
    assert found.keys() == POINTS | MODES | {"surface"}
    assert found["steps"].tolist() == [1, 2, 3] and found["steps"].dtype == np.int64
    assert found["by_step"].shape == (3, SAMPLES, 2) and found["by_step"].dtype == np.float16
    samples = store.samples(of.key, scoring.key)
    assert found["by_step"][-1] == pytest.approx(samples, rel=1e-3)
    for name in ("truth", "generated", "best", "surface"):
        assert found[name].shape == (48, 48) and found[name].dtype == np.float16
    xmin, xmax, ymin, ymax = found["box"]
    assert xmax - xmin == pytest.approx(ymax - ymin) == pytest.approx(2.66, abs=0.03)
    assert found["bandwidth"] == pytest.approx((xmax - xmin) / 48)
    assert found["mode_counts"].shape == (3, 8) and found["mode_weights"].tolist() == [1 / 8] * 8


def test_the_surface_is_what_d_holds_at_the_centres_of_the_pixels(tmp_path: Path, cache: Path, identity: Part) -> None:
    of, scoring = cell("nsgan"), scoring_of(identity)
    found = stored(tmp_path, [of], scoring, cache).pictures(of.key, scoring.key)
    believed = beliefs(of, networks(of)[1], CPU)
    assert believed is not None
    width = float(found["bandwidth"])
    for row, column in ((0, 0), (5, 40), (47, 3)):
        point = torch.tensor([[found["box"][0] + (column + 0.5) * width, found["box"][2] + (row + 0.5) * width]])
        assert float(found["surface"][row, column]) == pytest.approx(float(believed(point)), abs=1e-3)


@pytest.mark.parametrize(
    ("objective", "dataset", "name"),
    [
        ("wgan_gp", "ring8", "logits"),
        ("nsgan", "spiral", "surface"),
        ("unrolled_gan", "ring8", "surface"),
        ("instance_noise", "ring8", "logits"),
        ("pacgan", "ring8", None),
        ("mmd_gan", "ring8", None),
        ("conditional", "ring8", None),
    ],
)
def test_what_d_says_is_a_probability_logits_or_nothing(
    objective: str, dataset: str, name: str | None, tmp_path: Path, cache: Path, identity: Part
) -> None:
    of, scoring = cell(objective, dataset), scoring_of(identity, (1,))
    found = stored(tmp_path, [of], scoring, cache, with_d=name is not None).pictures(of.key, scoring.key)
    assert {"surface", "logits"} & found.keys() == ({name} if name else set())
    assert found.keys() >= POINTS
    assert found.get("absent", np.array([])).tolist() == (
        [] if name else ["surface: this objective's D gives a point no number of its own"]
    )


def test_a_loss_whose_best_d_tells_nothing_leaves_logits(tmp_path: Path, cache: Path, identity: Part) -> None:
    equal = Objective(losses.part("least_squares", {"a": 1.0, "b": 1.0}))
    of, scoring = cell(equal), scoring_of(identity, (1,))
    found = stored(tmp_path, [of], scoring, cache).pictures(of.key, scoring.key)
    assert found["logits"].dtype == np.float32 and "surface" not in found


def test_logits_are_those_of_d_itself(tmp_path: Path, cache: Path, identity: Part) -> None:
    of, scoring = cell("wgan_gp"), scoring_of(identity, (1,))
    found = stored(tmp_path, [of], scoring, cache).pictures(of.key, scoring.key)
    d = of.architecture.create().discriminator((2,))
    torch.nn.utils.vector_to_parameters(networks(of)[1], d.parameters())
    x, y = (np.linspace(low, high, 97)[1::2] for low, high in (found["box"][:2], found["box"][2:]))
    with torch.no_grad():
        expected = d(torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)).float())
    torch.testing.assert_close(torch.from_numpy(found["logits"].copy()).flatten(), expected.flatten())


def test_cells_that_were_trained_before_d_was_kept_have_no_surface(tmp_path: Path, cache: Path, identity: Part) -> None:
    of, scoring = cell("nsgan"), scoring_of(identity)
    found = stored(tmp_path, [of], scoring, cache, with_d=False).pictures(of.key, scoring.key)
    assert found.keys() == POINTS | MODES | {"absent"}
    assert found["absent"].tolist() == ["surface: D's parameters of the last scored step are not kept"]


def test_samples_are_counted_by_mode(real: RealSide, identity: Part) -> None:
    of = cell("nsgan")
    centres = torch.from_numpy(of.dataset.create().centres).float()
    kept = Pictures(of, real, [1, 2], [1, 2])
    for step, order in ((1, [0] * 60 + [3] * 40), (2, list(range(8)) * 12 + [0] * 4)):
        samples = centres[order].clone()
        samples[-4:] = 0.0  # nowhere near a mode
        kept.add(step, samples[: kept.count], evidence(of, real, samples))
    found = kept.finished(evidence(of, real, samples), None, CPU)
    assert found["mode_counts"].tolist() == [[60, 0, 0, 36, 0, 0, 0, 0], [12] * 8]
    assert found["mode_counts"].dtype == np.int64


def evidence(of: Cell, real: RealSide, samples: torch.Tensor):
    from ganbench.evaluation.evidence import Evidence

    modes = of.dataset.create().modes(samples.numpy())
    return Evidence(samples, None, modes, real._reference, samples=samples)


def test_a_copy_of_a_training_row_is_its_own_neighbour(real: RealSide, ring: Part) -> None:
    of, rows = cell("nsgan"), rows_of(ring, ROWS, NOWHERE)[0]
    samples = rows[torch.arange(SAMPLES) * 3].clone()
    samples[1, 0] += 1e-6
    kept = Pictures(of, real, [1], [1])
    kept.add(1, samples, evidence(of, real, samples))
    found = kept.finished(evidence(of, real, samples), None, CPU)
    assert np.array_equal(found["neighbours"], rows[torch.arange(8) * 3].numpy())
    assert found["neighbour_distances"][[0, 2, 3, 4, 5, 6, 7]].tolist() == [0.0] * 7
    assert 0 < found["neighbour_distances"][1] < 2e-6
    apart = torch.cdist(rows.double(), rows.double()).fill_diagonal_(np.inf).amin(dim=1)
    assert found["real_distances"] == pytest.approx(np.quantile(apart, (0.01, 0.5)), rel=1e-6)
    # A generator that is the truth leaves the best D one half.
    whole = Pictures(of, real, [1], [1])
    whole.add(1, rows, evidence(of, real, rows))
    drawn = whole.finished(evidence(of, real, rows), None, CPU)
    heavy = drawn["truth"] > 0.01
    assert heavy.sum() > 8 and drawn["best"][heavy].astype(float) == pytest.approx(0.5, abs=0.06)


def test_samples_that_are_not_finite_are_told_and_keep_the_rest(real: RealSide) -> None:
    of = cell("nsgan")
    fine = torch.from_numpy(of.dataset.create().centres).float().repeat(20, 1)
    kept = Pictures(of, real, [1, 2], [1, 2])
    kept.add(1, fine, evidence(of, real, fine))
    kept.add(2, torch.full_like(fine, np.nan), "160 of 160 samples are not finite")
    found = kept.finished("160 of 160 samples are not finite", None, CPU)
    assert found["mode_counts"].tolist() == [[20] * 8, [-1] * 8]
    assert np.isnan(found["by_step"][1]).all() and found["by_step"][0].shape == (160, 2)
    assert found.keys() >= {"box", "truth"} and not {"generated", "best", "neighbours"} & found.keys()
    told = found["absent"].tolist()
    assert told[:2] == [f"{name}: 160 of 160 samples are not finite" for name in ("neighbours", "generated")]


def test_what_a_plugin_breaks_costs_no_score_and_no_other_picture(
    tmp_path: Path, cache: Path, identity: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("no surface today")

    monkeypatch.setattr(pictures, "surface", broken)
    of, scoring = cell("nsgan"), scoring_of(identity)
    store = stored(tmp_path, [of], scoring, cache)
    assert store.pictures(of.key, scoring.key)["absent"].tolist() == ["surface: RuntimeError: no surface today"]
    assert len(store.scores(of.key, scoring.key).rows) == 3


def test_pictures_have_modes_of_a_classifier_and_neighbours_as_they_are(
    tmp_path: Path, cache: Path, classifier: Part, digits: Part
) -> None:
    scoring = scoring_of(classifier, (1, 2), ("fid", "modes"))
    prepare(digits, scoring.settings, NOWHERE, cache)
    of = cell("nsgan", "digits", architecture="dcgan")
    store = stored(tmp_path, [of], scoring, cache)
    found = store.pictures(of.key, scoring.key)
    assert found.keys() == {"steps", "by_step", "neighbours", "neighbour_distances", "real_distances"} | MODES
    assert found["by_step"].shape == (2, 16, 1, 8, 8) and found["by_step"].dtype == np.uint8
    assert np.array_equal(found["by_step"][-1], store.samples(of.key, scoring.key)[:16])
    assert found["mode_counts"].sum(axis=1).tolist() == [SAMPLES, SAMPLES]
    rows = rows_of(digits, ROWS, NOWHERE)[0].numpy()
    assert found["neighbours"].shape == (8, 1, 8, 8) and found["neighbours"].dtype == np.uint8
    assert all((rows == one).all(axis=(1, 2, 3)).any() for one in found["neighbours"])


def test_fewer_of_large_pictures_are_kept(real: RealSide) -> None:
    cells, steps = [cell("nsgan", name) for name in ("digits", "cifar10", "celeba")], list(range(1, 13))
    assert [Pictures(of, real, steps, steps).count for of in cells] == [16, 16, 4]
    assert Pictures(cells[2], real, steps[:2], steps[:2]).count == 16


def test_the_real_rows_are_read_from_the_cache_and_the_dataset_no_more(
    real: RealSide, ring: Part, identity: Part, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real.prepare()
    unchanged = identity.create().load(ring, NOWHERE, cache, "cpu")
    monkeypatch.delattr(type(ring.create()), "load")
    again = RealSide(ring, reference(ring, unchanged, {"for": "pictures"}, ROWS, NOWHERE, cache), NOWHERE)
    assert np.array_equal(again.rows, real.rows) and isinstance(again.rows, np.memmap)
    assert np.array_equal(again.truth, real.truth) and again.plane == real.plane


def test_two_runs_and_any_company_give_the_same_bytes(tmp_path: Path, cache: Path, identity: Part) -> None:
    cells, scoring = [cell("nsgan", seed=seed) for seed in (1, 2)], scoring_of(identity)
    first, again = (stored(tmp_path / name, cells, scoring, cache) for name in ("first", "again"))
    alone = stored(tmp_path / "alone", cells[1:], scoring, cache)
    for of in cells:
        files = [
            (store.cell_folder(of.key) / "scores" / scoring.key / "pictures.npz").read_bytes()
            for store in (first, again, alone)
            if store.status(of.key)
        ]
        assert len(files) == 2 + (of.seed == 2) and len(set(files)) == 1


def test_objectives_of_one_seed_share_latents(tmp_path: Path, cache: Path, identity: Part) -> None:
    cells, scoring = [cell(name, seed=1) for name in ("nsgan", "wgan_gp")], scoring_of(identity)
    store = stored(tmp_path, cells, scoring, cache)
    first, second = (store.pictures(of.key, scoring.key)["by_step"] for of in cells)
    assert np.array_equal(first, second)  # the same parameters, as the seed that they are drawn from is the same
    other = stored(tmp_path / "other", [cell("nsgan", seed=2)], scoring, cache)
    assert not np.array_equal(other.pictures(cell("nsgan", seed=2).key, scoring.key)["by_step"], first)


def test_the_file_is_small(tmp_path: Path, cache: Path) -> None:
    extractor = extractors.part("identity", {})
    of, scoring = cell("nsgan"), scoring_of(extractor, tuple(range(1, 41)))
    store = stored(tmp_path, [of], scoring, cache)
    assert len(store.pictures(of.key, scoring.key)["steps"]) == 12
    path = store.cell_folder(of.key) / "scores" / scoring.key / "pictures.npz"
    assert path.stat().st_size < 40_000
