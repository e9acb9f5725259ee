"""DINOv2 and CLIP with weights made for the test: torch-fidelity's numbers, and files that are what they should be."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from ganbench import datasets
from ganbench.evaluation.extractors import clip as clip_module
from ganbench.evaluation.extractors import dinov2 as dinov2_module
from ganbench.evaluation.extractors import inception as inception_module
from ganbench.evaluation.extractors import pretrained
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.extractors.dinov2_network import SIZES, VisionTransformer
from ganbench.registry import Part

ROOT = Path("unused")
NETWORKS = {"inception": "Inception", "dinov2": "DINOv2", "clip": "CLIP"}


@pytest.fixture(scope="session")
def pictures() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def dinov2_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the form of Meta's for ViT-S/14, with random numbers in it."""
    path = tmp_path_factory.mktemp("dinov2") / "random.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(VisionTransformer(*SIZES["vit-s-14"]).state_dict(), path)
    return path


@pytest.fixture(scope="session")
def clip_tensors() -> dict[str, torch.Tensor]:
    """Tensors under OpenAI's names for a ViT-B/32 of one block, random, with some of the text side's."""
    from torch_fidelity.feature_extractor_clip import CLIPVisual

    with torch.random.fork_rng():
        torch.manual_seed(0)
        tensors = CLIPVisual(512, 224, 1, 768, 32).state_dict()
        return {**tensors, "text_projection": torch.randn(512, 512), "logit_scale": torch.ones(())}


@pytest.fixture(scope="session")
def clip_weights(clip_tensors: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "random.pt"
    torch.save(clip_tensors, path)
    return path


def features_of(name: str, weights: Path, pictures: torch.Tensor, **parameters: str) -> torch.Tensor:
    plugin = extractors.create(name, weights=str(weights), **parameters)
    dataset = datasets.registry.part("digits", {})
    features, logits = plugin.load(dataset, ROOT, ROOT, "cpu")(pictures)
    assert logits is None
    return features


def test_dinov2_gives_what_torch_fidelity_gives_around_the_same_network(
    dinov2_weights: Path, pictures: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

    network = VisionTransformer(*SIZES["vit-s-14"])
    network.load_state_dict(torch.load(dinov2_weights, weights_only=True))
    asked = []

    def from_hub(repository: str, model: str) -> nn.Module:
        asked.append((repository, model))
        return network

    monkeypatch.setattr(torch.hub, "load", from_hub)
    monkeypatch.setenv("XFORMERS_DISABLED", "1")  # which torch-fidelity would set for good
    theirs = FeatureExtractorDinoV2("dinov2-vit-s-14", ["dinov2"])
    assert asked == [("facebookresearch/dinov2", "dinov2_vits14")]
    monkeypatch.setattr(torch.hub, "load", lambda *_: pytest.fail("code was asked of the network"))
    ours = features_of("dinov2", dinov2_weights, pictures, model="vit-s-14")
    assert ours.shape == (3, 384)
    assert torch.allclose(ours, theirs(pictures)[0], atol=1e-5)
    assert not torch.allclose(ours[0], ours[1], atol=1e-3)


def test_the_transformer_of_dinov2_is_torchs_own_where_branches_are_not_scaled() -> None:
    """Block for block against nn.TransformerEncoderLayer, in double precision."""
    torch.manual_seed(0)
    ours = VisionTransformer(64, 2, 4).double().eval()
    images = torch.randn(2, 3, 42, 28, dtype=torch.float64)
    tokens = torch.cat([ours.cls_token.expand(2, -1, -1), ours.patch_embed["proj"](images).flatten(2).mT], dim=1)
    tokens = tokens + ours._positions(3, 2)
    for block in ours.blocks:
        layer = nn.TransformerEncoderLayer(
            64, 4, 256, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True, dtype=torch.float64
        ).eval()
        names = {"self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj.": "attn.proj.", "linear1.": "mlp.fc1."}
        names |= {"linear2.": "mlp.fc2.", "norm1.": "norm1.", "norm2.": "norm2."}
        own = block.state_dict()
        layer.load_state_dict({a + kind: own[b + kind] for a, b in names.items() for kind in ("weight", "bias")})
        tokens = layer(tokens)
    expected = nn.functional.layer_norm(tokens[:, 0], (64,), eps=1e-6)
    assert torch.allclose(ours(images), expected, atol=1e-10)
    with torch.no_grad():
        ours.blocks[0].ls1["gamma"].mul_(2)
    assert not torch.allclose(ours(images), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("model", "size"), {"vit-s-14": 88_283_115, "vit-b-14": 346_378_731, "vit-l-14": 1_217_586_395}.items()
)
def test_the_transformer_has_as_many_numbers_as_metas_file_has_bytes_for(model: str, size: int) -> None:
    with torch.device("meta"):
        tensors = VisionTransformer(*SIZES[model]).state_dict().values()
    beside = size - sum(4 * tensor.numel() for tensor in tensors)
    assert 0 < beside < 400 * len(tensors)  # names, shapes and padding: the smallest tensor has 1,536 bytes


def test_the_published_grid_of_positions_is_used_as_it_is_and_stretched_otherwise() -> None:
    network = VisionTransformer(8, 0, 1)
    assert network._positions(37, 37) is network.pos_embed
    smooth = torch.linspace(0, 1, 37)[None, :, None, None].expand(1, 37, 37, 8).flatten(1, 2)
    with torch.no_grad():
        network.pos_embed[:, 1:] = smooth
    rows = network._positions(16, 16)[:, 1:].unflatten(1, (16, 16))
    assert torch.allclose(rows, rows[:, :, :1].expand_as(rows), atol=1e-6)
    # the middle of row r of 16 lies at (r + 0.5) * 37 / 16.1 of the 37 rows, not at (r + 0.5) * 37 / 16
    expected = ((torch.arange(3, 13) + 0.5) * 37 / 16.1 - 0.5) / 36
    away = rows[0, 3:13, 0, 0] - expected
    assert away.abs().max() < 3e-3 and away.mean().abs() < 5e-4  # the cubic wavers; with 16 the mean is off by 3e-3


def test_clip_gives_what_torch_fidelity_gives_from_a_torchscript_archive(
    clip_weights: Path, clip_tensors: dict[str, torch.Tensor], pictures: torch.Tensor, tmp_path: Path
) -> None:
    from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP

    archive = tmp_path / "archive.pt"
    archive.write_bytes(torchscript(clip_tensors))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = FeatureExtractorCLIP("clip-vit-b-32", ["clip"], str(archive))
    ours = features_of("clip", clip_weights, pictures)
    assert ours.shape == (3, 512)
    assert torch.allclose(ours, theirs(pictures)[0], atol=1e-5)
    assert not torch.allclose(ours[0], ours[1], atol=1e-3)


def test_a_torchscript_archive_is_opened_only_with_the_published_checksum(
    clip_weights: Path,
    clip_tensors: dict[str, torch.Tensor],
    pictures: torch.Tensor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = torchscript(clip_tensors)
    archive = tmp_path / "ViT-B-32.pt"
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="TorchScript"):
        features_of("clip", archive, pictures)
    published = {"vit-b-32": ("ViT-B-32", 354, hashlib.sha256(content).hexdigest())}
    monkeypatch.setattr(clip_module, "PUBLISHED", published)
    assert torch.equal(features_of("clip", archive, pictures), features_of("clip", clip_weights, pictures))


def torchscript(tensors: dict[str, torch.Tensor]) -> bytes:
    """Save tensors as OpenAI does: as the parameters of a scripted module, here one without a forward pass."""
    import io

    root = nn.Module()
    for name, tensor in tensors.items():
        *path, last = name.split(".")
        module = root
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        module.register_parameter(last, nn.Parameter(tensor.detach(), requires_grad=False))
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(root), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "parameters", "error", "said"),
    [
        ("dinov2", {"model": "vit-b-14"}, RuntimeError, "size mismatch"),
        ("clip", {"model": "vit-b-16"}, ValueError, "patches of 32 pixels, which is not vit-b-16"),
    ],
)
def test_weights_of_another_size_are_refused(
    name: str, parameters: dict[str, str], error: type[Exception], said: str, pictures, dinov2_weights, clip_weights
) -> None:
    weights = {"dinov2": dinov2_weights, "clip": clip_weights}[name]
    with pytest.raises(error, match=said):
        features_of(name, weights, pictures, **parameters)


def test_weights_of_another_network_are_refused(dinov2_weights: Path, clip_weights: Path, pictures) -> None:
    with pytest.raises(ValueError, match=r"lack .*visual\.proj"):
        features_of("clip", dinov2_weights, pictures)
    with pytest.raises(RuntimeError, match="Missing key"):
        features_of("dinov2", clip_weights, pictures, model="vit-s-14")


@pytest.mark.parametrize("name", ["dinov2", "clip"])
def test_code_in_a_weights_file_is_not_run(name: str, pictures: torch.Tensor, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"weights": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(pickle.UnpicklingError):
        features_of(name, tmp_path / "trap.pth", pictures)
    assert not (tmp_path / "ran").exists()


def test_the_identity_tells_weights_resize_and_what_becomes_of_grey(
    dinov2_weights: Path, clip_weights: Path, pictures: torch.Tensor
) -> None:
    made = {
        "dinov2": extractors.create("dinov2", model="vit-s-14", weights=str(dinov2_weights)),
        "clip": extractors.create("clip", weights=str(clip_weights)),
    }
    for name, path in {"dinov2": dinov2_weights, "clip": clip_weights}.items():
        grey = made[name].load(datasets.registry.part("digits", {}), ROOT, ROOT, "cpu")
        assert grey.identity == {
            "weights": hashlib.sha256(path.read_bytes()).hexdigest()[:16],
            "resize": "bilinear to 224 x 224 as in TensorFlow 1, inside the network",
            "grey": "repeated to three channels",
        }
        one = pictures[:, :1]
        assert torch.allclose(grey(one)[0], grey(one.repeat(1, 3, 1, 1))[0], atol=1e-6)


def test_the_size_is_part_of_a_protocol_and_the_path_is_not() -> None:
    parts = [extractors.part("dinov2", given) for given in ({}, {"model": "vit-s-14"}, {"weights": "/elsewhere"})]
    assert parts[0].as_json() == parts[2].as_json() != parts[1].as_json()


def published_at(monkeypatch: pytest.MonkeyPatch, name: str, url: str, sha256: str) -> Part:
    """Let an extractor's published file lie at `url`, with this checksum."""
    module = {"inception": inception_module, "dinov2": dinov2_module, "clip": clip_module}[name]
    if name == "inception":
        monkeypatch.setattr(module, "PUBLISHED", pretrained.Weights("Inception", "file.pth", 91, url, sha256))
    else:
        monkeypatch.setattr(module, "SITE", url)
        monkeypatch.setattr(module, "PUBLISHED", dict.fromkeys(module.PUBLISHED, ("file", 1, sha256)))
    return extractors.part(name, {})


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_downloaded_once_and_checked(
    name: str, digits: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, cache, site = b"weights of the test", tmp_path / "cache", tmp_path / "site"
    sha256 = hashlib.sha256(content).hexdigest()
    url = site.as_uri() + ("/file.pth" if name == "inception" else "")
    plugin = published_at(monkeypatch, name, url, sha256).create()
    (path,) = plugin.files(digits, ROOT, cache)
    assert path.is_relative_to(cache)
    absent = plugin.missing(digits.create(), cache)
    assert f"{NETWORKS[name]} weights" in absent and str(path) in absent and url in absent
    assert not cache.exists()

    with pytest.raises(ConnectionError, match=r"was not downloaded .*put it at"):
        plugin.prepare(digits, ROOT, cache)
    places = {
        "inception": site / "file.pth",
        "dinov2": site / "file" / "file_pretrain.pth",
        "clip": site / sha256 / "file.pt",
    }
    places[name].parent.mkdir(parents=True)
    places[name].write_bytes(b"something else")
    with pytest.raises(ConnectionError, match="hash"):
        plugin.prepare(digits, ROOT, cache)
    assert not path.exists()
    places[name].write_bytes(content)
    plugin.prepare(digits, ROOT, cache)
    assert path.read_bytes() == content
    assert plugin.missing(digits.create(), cache) is None
    places[name].unlink()
    plugin.prepare(digits, ROOT, cache)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wrong_path_is_said_and_nothing_is_downloaded(name: str, digits: Part, tmp_path: Path) -> None:
    plugin = extractors.create(name, weights=str(tmp_path / "none.pth"))
    assert f"no {NETWORKS[name]} weights" in plugin.missing(digits.create(), tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        plugin.prepare(digits, ROOT, tmp_path)
