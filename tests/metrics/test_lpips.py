"""LPIPS with weights made here, against torch-fidelity's class with the same ones."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch_fidelity import sample_similarity_lpips
from torchvision.models.vgg import cfgs, make_layers

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics.lpips import CHANNELS, VGG
from ganbench.metrics.pairs import within_classes

NOTHING = Reference(torch.zeros(2, 2), None, np.zeros(2), np.eye(2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lpips")
    torch.manual_seed(0)
    layers = make_layers(cfgs["D"])
    of_vgg = {f"features.{name}": value for name, value in layers.state_dict().items()}
    torch.save({**of_vgg, "classifier.0.weight": torch.zeros(3)}, folder / VGG)
    sizes = (64, 128, 256, 512, 512)
    torch.save({f"lin{i}.model.1.weight": torch.rand(1, size, 1, 1) for i, size in enumerate(sizes)}, folder / CHANNELS)
    return folder


def pictures(count: int, channels: int, side: int = 32) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(3)
    return torch.randint(256, (count, channels, side, side), generator=drawn, dtype=torch.uint8)


def evidence(samples: torch.Tensor, seed: int = 0) -> Evidence:
    return Evidence(samples.flatten(1).float(), None, None, NOTHING, seed, samples=samples)


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_mean_of_torch_fidelitys_over_the_pairs(channels: int, folder: Path, monkeypatch: pytest.MonkeyPatch):
    def vgg():
        layers = make_layers(cfgs["D"])
        found = torch.load(folder / VGG, weights_only=True)
        layers.load_state_dict({n.removeprefix("features."): v for n, v in found.items() if n.startswith("features.")})
        return SimpleNamespace(features=layers)

    weights = torch.load(folder / CHANNELS, weights_only=True)
    monkeypatch.setattr(sample_similarity_lpips, "torchvision_load_pretrained_vgg16", vgg)
    monkeypatch.setattr(sample_similarity_lpips, "load_state_dict_from_url", lambda *_, **__: weights)
    theirs = sample_similarity_lpips.SampleSimilarityLPIPS("lpips")
    what = evidence(pictures(9, channels), seed=5)
    first, second = within_classes(what, 40)
    a, b = (what.samples[rows].expand(-1, 3, -1, -1) for rows in (first, second))
    found = metrics.create("lpips", pairs=40, weights=str(folder)).compute(what)["lpips"]
    assert found == pytest.approx(float(theirs(a, b).mean()), rel=1e-5)
    assert found > 1e-4


def test_one_picture_repeated_has_no_diversity(folder: Path):
    for repeated in (pictures(1, 1).expand(20, -1, -1, -1), torch.zeros(20, 1, 28, 28, dtype=torch.uint8)):
        assert metrics.create("lpips", pairs=20, weights=str(folder)).compute(evidence(repeated)) == {"lpips": 0.0}


def test_what_it_cannot_compare_is_said(folder: Path, tmp_path: Path):
    metric = metrics.create("lpips", weights=str(folder))
    for samples in (pictures(4, 1, 8), pictures(4, 2)):
        with pytest.raises(ValueError, match="of 16 px and more with 1 or 3 channels"):
            metric.compute(evidence(samples))
    with pytest.raises(ValueError, match="no pictures"):
        metric.compute(evidence(torch.zeros(4, 2)))
    absent = metrics.create("lpips", weights=str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"vgg16-397923af\.pth and weights-vgg16-lpips\.pth in .*name their folder"
    ):
        absent.compute(evidence(pictures(4, 3)))
    with pytest.raises(FileNotFoundError, match="there are no LPIPS weights"):
        absent.prepare(NOTHING, 10)


def test_weights_are_fetched_once_into_the_cache_before_anything_trains(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    fetched = []

    def download(url: str, path: str, hash_prefix: str | None, progress: bool) -> None:
        fetched.append((url.rsplit("/", 1)[1], hash_prefix))
        Path(path).write_bytes((folder / Path(path).name).read_bytes())

    monkeypatch.setattr("torch.hub.download_url_to_file", download)
    reference = Reference(
        torch.zeros(2, 2), None, np.zeros(2), np.eye(2), path=tmp_path / "references" / "abc.safetensors"
    )
    metric = metrics.create("lpips", pairs=3)
    metric.prepare(reference, 10)
    metric.prepare(reference, 10)
    assert fetched == [(VGG, "397923af"), (CHANNELS, None)]
    samples = pictures(4, 3)
    found = metric.compute(Evidence(samples.flatten(1).float(), None, None, reference, samples=samples))["lpips"]
    assert found > 0
    assert sorted(path.name for path in (tmp_path / "lpips").iterdir()) == [VGG, CHANNELS]


def test_where_the_weights_lie_is_not_part_of_the_protocol(folder: Path):
    here, there = (metrics.registry.part("lpips", {"weights": where}) for where in ("", str(folder)))
    assert here.as_json() == there.as_json()
