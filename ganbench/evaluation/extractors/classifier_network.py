"""The small network behind the `classifier` extractor, and how it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 64
LARGEST_SIDE = 32  # larger images are averaged down to it
BATCH = 128
STEPS, EPOCHS = 1200, 40  # whichever ends first: small sets are learnt in fewer steps
LEARNING_RATE = 4e-3
EXTRACTION_BATCH = 250  # its activations fit a core's cache


class Network(nn.Module):
    """3 convolutions and two linear layers: images to 64 features (after ReLU), one logit per class."""

    def __init__(self, channels: int, side: int, classes: int) -> None:
        """Build for images `(channels, side, side)`; small ones keep their resolution in the first layer."""
        super().__init__()
        large = side >= 16
        self.features = nn.Sequential(
            nn.Conv2d(channels, 16, 5 if large else 3, 2 if large else 1, 2 if large else 1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, 1, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(4 if large else 2),
            nn.Flatten(),
            nn.Linear(64 * (16 if large else 4), FEATURES),
            nn.ReLU(),
        )
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map uint8 images `(n, c, h, w)` to features `(n, 64)` and logits `(n, classes)`."""
        x = images.to(self.head.weight.dtype) / 127.5 - 1
        if max(x.shape[2:]) > LARGEST_SIDE:
            x = functional.adaptive_avg_pool2d(x, LARGEST_SIDE)
        features = self.features(x)
        return features, self.head(features)


def train(images: Tensor, labels: Tensor, classes: int) -> Network:
    """Train on uint8 images `(n, c, h, w)` and labels `(n,)` on the CPU: the same weights each time."""
    with _one_thread(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        network = Network(images.shape[1], images.shape[2], classes).train()
        steps = min(STEPS, max(1, EPOCHS * len(images) // BATCH))
        optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
        for _ in range(steps):
            chosen = torch.randint(len(images), (BATCH,))
            _, logits = network(_shifted(images[chosen]))
            loss = functional.cross_entropy(logits, labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    network.eval().requires_grad_(False)
    _normalise(network, images)
    return network


def extract(network: Network, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return features `(n, 64)` and logits `(n, classes)` of uint8 images, as float32 on the CPU."""
    device = network.head.weight.device
    features, logits = [], []
    # TF32 would make the same pictures score differently on another card
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        for batch in torch.split(images, EXTRACTION_BATCH):
            both = network(batch.to(device))
            features.append(both[0].float().cpu())
            logits.append(both[1].float().cpu())
    return torch.cat(features), torch.cat(logits)


def accuracy(network: Network, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose class the network gets right."""
    _, logits = extract(network, images)
    return float((logits.argmax(dim=1) == labels).double().mean())


def _normalise(network: Network, images: Tensor) -> None:
    """Scale the features to a mean square of one over the train split; the logits stay as they are.

    Frechet distances and the cubic kernel of KID then have a like scale on every dataset.
    """
    features, _ = extract(network, images)
    scale = features.double().square().mean().sqrt().clamp_min(1e-6).float()
    last = network.features[-2]
    assert isinstance(last, nn.Linear)
    last.weight.div_(scale)
    last.bias.div_(scale)  # ReLU passes a positive factor on
    network.head.weight.mul_(scale)


def _shifted(images: Tensor) -> Tensor:
    """Move a batch by up to one pixel each way, repeating the border."""
    down, right = torch.randint(0, 3, (2,)).tolist()
    height, width = images.shape[2:]
    rows = (torch.arange(height) + down - 1).clamp(0, height - 1)
    columns = (torch.arange(width) + right - 1).clamp(0, width - 1)
    return images[:, :, rows][:, :, :, columns]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums depend on how they are split between threads, and the weights' hash is part of every protocol."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
