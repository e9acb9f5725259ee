"""Every loss in every reading, called in one way whatever D says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from ganbench import losses
from ganbench.plugins import Remembering

ANY = (-30.0, 30.0)

# name, parameters, logits between which no target is overshot: there D wants r up and f down, G wants f up
SCALAR: list[tuple[str, dict[str, Any], tuple[float, float]]] = [
    ("minimax", {}, ANY),
    ("non_saturating", {}, ANY),
    ("non_saturating", {"real_label": 0.9, "fake_label": 0.2}, (-1.38, 2.19)),
    ("least_squares", {}, (0.0, 1.0)),
    ("least_squares", {"a": -1.0, "c": 0.0}, (-1.0, 0.0)),
    ("least_squares", {"on": "probability"}, ANY),
    ("hinge", {}, ANY),
    ("hinge", {"margin": 2.5}, ANY),
    ("wasserstein", {}, ANY),
    *(
        (f"relativistic_{against}", parameters, span)
        for against in ("paired", "average")
        for parameters, span in [
            ({}, ANY),
            ({"kind": "hinge", "margin": 2.0}, ANY),
            ({"kind": "least_squares"}, (0.0, 1.0)),
        ]
    ),
    *(
        ("f_divergence", {"kind": kind, "game": game}, (-2.0, 30.0) if kind == "pearson" else ANY)
        for kind in ("kl", "reverse_kl", "pearson", "neyman", "squared_hellinger", "jensen_shannon", "gan")
        for game in ("minimax", "non_saturating")
    ),
]
ON_FEATURES: list[tuple[str, dict[str, Any]]] = [
    ("mmd", {}),
    ("mmd", {"kernel": "rbf"}),
    ("cramer", {}),
    ("energy", {"margin": 1.5}),
    ("energy", {"pulling_away": 0.1}),
    ("boundary_equilibrium", {}),
]


@dataclass(frozen=True)
class Reading:
    """A loss with its parameters; BEGAN plays with k = 0.3."""

    name: str
    parameters: dict[str, Any]
    span: tuple[float, float] = ANY

    @property
    def id(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.parameters.items())])

    @property
    def loss(self) -> Any:
        return losses.create(self.name, **self.parameters)

    @property
    def says(self) -> tuple[int, ...]:
        """The dimensions of what D says of one sample."""
        return {"vector": (3,), "autoencoder": (4,)}.get(getattr(self.loss, "critic", ""), ())

    def d(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return self.loss.discriminator(real, fake, *self._memory(real))

    def g(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return self.loss.generator(real, fake, *self._memory(real))

    def _memory(self, real: torch.Tensor) -> tuple[dict[str, torch.Tensor], ...]:
        if not isinstance(self.loss, Remembering):
            return ()
        batch_at = real.ndim - 1 - len(self.says)
        return ({"k": torch.full(real.shape[:batch_at], 0.3, dtype=real.dtype)},)


SCALAR_READINGS = [Reading(*row) for row in SCALAR]
READINGS = SCALAR_READINGS + [Reading(*row) for row in ON_FEATURES]


@pytest.fixture(scope="session", params=READINGS, ids=lambda reading: reading.id)
def reading(request: pytest.FixtureRequest) -> Reading:
    return request.param


@pytest.fixture(scope="session", params=SCALAR_READINGS, ids=lambda reading: reading.id)
def scalar(request: pytest.FixtureRequest) -> Reading:
    return request.param


@pytest.fixture(scope="session")
def names_read() -> set[str]:
    return {reading.name for reading in READINGS}
