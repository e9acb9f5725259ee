"""The network of LPIPS: VGG-16 up to its last convolution, and a weight for each of its channels at five depths."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch_fidelity.sample_similarity_lpips import URL_VGG16_LPIPS, SampleSimilarityLPIPS, normalize_tensor
from torchvision.models.vgg import VGG16_Weights, cfgs, make_layers

from ganbench.metrics.lpips import CHANNELS, VGG

URLS = {VGG: VGG16_Weights.IMAGENET1K_V1.url, CHANNELS: URL_VGG16_LPIPS}
ENDS = (4, 9, 16, 23, 30)  # of the layers of VGG-16, after the last ReLU before each pooling
BATCH = 32


def fetch(folder: Path) -> None:
    """Download into a folder which weights it lacks; VGG's are checked by the hash in their name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (name for name in URLS if not (folder / name).is_file()):
        # of the other file no hash is published
        prefix = name.rsplit("-", 1)[1].removesuffix(".pth") if name == VGG else None
        torch.hub.download_url_to_file(URLS[name], str(folder / name), hash_prefix=prefix, progress=False)


class Lpips:
    """LPIPS of pictures, with weights as they are published.

    torch-fidelity's own class has no way but to download them, nor to leave out the 480 MB of VGG's classifier.
    """

    def __init__(self, folder: Path) -> None:
        """Read both files from a folder; nothing is unpickled but tensors."""
        vgg, channels = (torch.load(folder / name, map_location="cpu", weights_only=True) for name in (VGG, CHANNELS))
        layers = make_layers(cfgs["D"])
        own = {name: value for name, value in vgg.items() if name.startswith("features.")}
        layers.load_state_dict({name.removeprefix("features."): value for name, value in own.items()})
        layers.requires_grad_(False)
        self._parts = [nn.Sequential(*layers[a:b]) for a, b in zip((0, *ENDS), ENDS, strict=False)]
        self._channels = [channels[f"lin{depth}.model.1.weight"] for depth in range(len(ENDS))]

    @torch.no_grad()
    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance `(n,)` of uint8 pictures `(n, 1 or 3, h, w)`; grey is repeated to three channels."""
        pairs = zip(torch.split(a, BATCH), torch.split(b, BATCH), strict=True)
        return torch.cat([self._of_batch(x, y) for x, y in pairs])

    def _of_batch(self, a: Tensor, b: Tensor) -> Tensor:
        seen = SampleSimilarityLPIPS.normalize(torch.cat([a, b]).expand(-1, 3, -1, -1))
        found = torch.zeros(len(a))
        for part, weights in zip(self._parts, self._channels, strict=True):
            seen = part(seen)
            of_a, of_b = torch.split(normalize_tensor(seen), len(a))
            found += nn.functional.conv2d((of_a - of_b).square(), weights).mean(dim=(1, 2, 3))
        return found
