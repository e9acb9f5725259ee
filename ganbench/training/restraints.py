"""What penalties do in the game: terms of the players' losses, weights held back or reparametrised.

They are the objective's, and the normalisations that an architecture needs beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugins import (
    Critic,
    JointPenalty,
    LatentPenalty,
    LogitPenalty,
    Memory,
    Noise,
    Normalisation,
    Penalty,
    Projection,
    Remembering,
    WeightPenalty,
)

SETTLING = 100  # advances of a normalisation until it fits weights that it has not followed


def overwrite(memory: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> None:
    """Put new values where a memory lies: what has been captured reads them there."""
    with torch.no_grad():
        for name, tensor in memory.items():
            tensor.copy_(new[name])


def with_architecture(plugins: Sequence[Any], architecture: Any) -> list[Any]:
    """Return an objective's penalties and what its architecture needs beside them.

    A normalisation that the objective already has for a player is not applied to that player twice.
    """
    joined = list(plugins)
    for restraint in getattr(architecture, "restraints", ()):
        taken = {letter for plugin in plugins if isinstance(plugin, type(restraint)) for letter in _players(plugin)}
        left = [letter for letter in _players(restraint) if letter not in taken]
        if len(left) == len(_players(restraint)):
            joined.append(restraint)
        else:
            joined += [replace(restraint, on=letter) for letter in left]
    return joined


def _players(plugin: Any) -> tuple[str, ...]:
    on: str = getattr(plugin, "on", "d")
    return ("d", "g") if on == "both" else (on,)


class Restraints:
    """The terms that the penalties add to the losses, `(cells,)` each, and the projections after D's step."""

    def __init__(self, plugins: Sequence[Any], like: Tensor) -> None:
        """Take the penalties of all cells, built once for the cohort; `like` is a tensor `(cells,)`."""
        self._penalties = [plugin for plugin in plugins if isinstance(plugin, Penalty)]
        self._on_logits = [plugin for plugin in plugins if isinstance(plugin, LogitPenalty)]
        self._on_latents = [plugin for plugin in plugins if isinstance(plugin, LatentPenalty)]
        self.reads_logits = bool(self._on_logits)
        self._projections = [plugin for plugin in plugins if isinstance(plugin, Projection)]
        self.joint = [plugin for plugin in plugins if isinstance(plugin, JointPenalty)]
        self.memories: list[Memory] = [
            plugin.start(torch.zeros_like(like)) if isinstance(plugin, Remembering) else {}
            for plugin in self._on_logits
        ]

    def due(self, update: int) -> tuple[bool, ...]:
        """Return which of D's penalties at samples count at its `update`-th step: a lazy one does at some only."""
        return tuple(update % getattr(plugin, "every", 1) == 0 for plugin in self._penalties)

    def on_samples(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise, update: int) -> list[Tensor]:
        """Return D's penalties at its samples; a lazy one counts n-fold at every n-th update, else not at all."""
        terms = []
        for plugin, counts in zip(self._penalties, self.due(update), strict=True):
            if counts:
                every = getattr(plugin, "every", 1)
                term = plugin(critic, real, fake, noise)
                terms.append(term if every == 1 else every * term)
        return terms

    def on_logits(self, real: Tensor, fake: Tensor) -> list[Tensor]:
        """Return D's penalties on its logits `(cells, batch)`."""
        pairs = zip(self._on_logits, self.memories, strict=True)
        return [plugin.on_logits(real, fake, memory) for plugin, memory in pairs]

    def remember(self, real: Tensor, fake: Tensor) -> None:
        """Bring the memories up to date after a D step."""
        for plugin, memory in zip(self._on_logits, self.memories, strict=True):
            if isinstance(plugin, Remembering):
                overwrite(memory, plugin.remember(memory, real, fake))

    def d_on_latents(
        self, critic: Critic, generate: Critic, latents: Tensor, fake: Tensor, noise: Noise
    ) -> list[Tensor]:
        """Return D's penalties on neighbouring latents."""
        return [plugin.d_term(critic, generate, latents, fake, noise) for plugin in self._on_latents]

    def g_on_latents(self, generate: Critic, latents: Tensor, fake: Tensor, noise: Noise) -> list[Tensor]:
        """Return G's penalties on neighbouring latents."""
        return [plugin.g_term(generate, latents, fake, noise) for plugin in self._on_latents]

    def of_gradients(self, d_gradient: Tensor, g_gradient: Tensor) -> Tensor:
        """Return the sum of the penalties on both players' gradients."""
        return torch.stack([plugin.of_gradients(d_gradient, g_gradient) for plugin in self.joint]).sum(0)

    def after_step(self, flat: Tensor) -> None:
        """Project D's parameters after its step, in place."""
        for plugin in self._projections:
            plugin.after_step(flat)


class Weights:
    """What becomes of one player's weights: normalisations that its forward pass sees, penalties on them."""

    def __init__(self, plugins: Sequence[Any], player: str) -> None:
        """Take the penalties of all cells and the player's letter, "d" or "g"."""
        own = [plugin for plugin in plugins if player in _players(plugin)]
        self._normalisations = [plugin for plugin in own if isinstance(plugin, Normalisation)]
        self._penalties = [plugin for plugin in own if isinstance(plugin, WeightPenalty)]
        self.states: list[dict[str, Tensor]] = []

    def start(self, parameters: Mapping[str, Tensor], noise: Noise) -> None:
        """Make the state of the normalisations for the player's first parameters."""
        self.states = [plugin.start(parameters, noise) for plugin in self._normalisations]

    def advance(self, parameters: Mapping[str, Tensor]) -> None:
        """Bring the normalisations up to date before a step of the player."""
        for plugin, state in zip(self._normalisations, self.states, strict=True):
            overwrite(state, plugin.advance(parameters, state))

    def normalised(self, parameters: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the parameters that the forward pass uses: the given ones, where nothing is normalised."""
        used = parameters
        for plugin, state in zip(self._normalisations, self.states, strict=True):
            used = plugin.normalised(used, state)
        return used

    def settled(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return other weights than the player's own as a forward pass would use them: the state is brought to them."""
        used = dict(parameters)
        for plugin, state in zip(self._normalisations, self.states, strict=True):
            for _ in range(SETTLING):
                state = plugin.advance(used, state)
            used = plugin.normalised(used, state)
        return used

    def penalties(self, parameters: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the penalties on the weights, each `(cells,)`."""
        return [plugin.of_weights(parameters) for plugin in self._penalties]
