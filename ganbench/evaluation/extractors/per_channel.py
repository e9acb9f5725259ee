"""A classifier of single-channel pictures, applied to every channel: how the modes of stacked digits are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.plugins import Split
from ganbench.registry import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


Reader = Callable[["Tensor"], "tuple[Tensor, Tensor]"]


@dataclass(frozen=True)
class PerChannel:
    """The network of one channel; `mode_weights` `(classes ** channels,)` are the true shares of the joint classes.

    `identity` is that of the channel's classifier, with the number of channels.
    """

    reader: Reader
    identity: Mapping[str, Any]
    mode_weights: NDArray[np.float64]

    def __call__(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Map uint8 images `(n, c, h, w)` to features `(n, c * 64)` and joint log-probabilities `(n, classes ** c)`.

        The channels' features one after another; log p(a, b, ...) = log p(a) + log p(b) + ..., as for independent
        channels, so that the likeliest joint class is made of each channel's likeliest, the first one leading.
        """
        count, channels = samples.shape[:2]
        features, logits = self.reader(samples.reshape(count * channels, 1, *samples.shape[2:]))
        each = logits.double().log_softmax(dim=1).reshape(count, channels, -1).unbind(dim=1)
        joint = each[0].float()
        for following in each[1:]:
            joint = (joint[:, :, None] + following.float()[:, None, :]).flatten(1)
        return features.reshape(count, -1), joint


def per_channel(
    reader: Reader, identity: Mapping[str, Any], dataset: Part, channels: int, data_root: Path
) -> PerChannel:
    """Apply a dataset's classifier to pictures whose `channels` are drawn from its train split, each on its own."""
    import numpy as np

    source = dataset.create()
    split: Split = source.load(data_root, "train")
    if split.labels is None:
        raise ValueError(f"{dataset.label} has no labels, so that the joint classes have no known shares")
    shares = np.bincount(split.labels, minlength=source.classes) / len(split.labels)
    weights = shares
    for _ in range(channels - 1):
        weights = np.outer(weights, shares).ravel()
    return PerChannel(reader, {**identity, "channels": channels, "channels_as": dataset.as_json()}, weights)
