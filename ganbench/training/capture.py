"""One step of a game as a CUDA graph: all its kernels launched at once, from buffers that stay where they are.

A step is rehearsed eagerly a few times, then captured, then replayed. What a step does may differ from one to the
next (a trace is recorded, a lazy penalty is due): every such variant has a graph of its own. Random numbers are drawn
by the host, as ever, and copied into the buffers that the graph reads, in the order in which a rehearsal asked for
them; so captured steps compute what eager ones do. A game that cannot be captured goes on eagerly, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganbench.plugins import Shape
from ganbench.training.game import Game
from ganbench.training.samples import Draw
from ganbench.training.streams import StreamNoise

ENABLED = True
REHEARSALS = 3

Seen = dict[str, Tensor]


class CudaGraph:
    """What a function launches, captured once."""

    def __init__(self, run: Callable[[], Seen]) -> None:
        """Capture `run` without executing it; RuntimeError when it does what a graph cannot."""
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._seen = run()

    def replay(self) -> Seen:
        """Launch all of it; what it returns is overwritten by the next replay."""
        self._graph.replay()
        return self._seen


class ScriptedNoise:
    """Noise that is asked for in the same order at every step: rehearsed from a source, then handed out of buffers."""

    def __init__(self, source: StreamNoise) -> None:
        """Take the noise of eager steps."""
        self.source = source
        self._asked: list[tuple[str, Shape]] = []
        self._buffers: list[Tensor] = []
        self._next: int | None = None

    def begin(self, step: int) -> None:
        """Start a step."""
        self.source.begin(step)

    def uniform(self, shape: Shape) -> Tensor:
        """Draw from U[0, 1): `(cells, *shape)`."""
        return self._given("uniform", shape)

    def normal(self, shape: Shape) -> Tensor:
        """Draw from N(0, 1): `(cells, *shape)`."""
        return self._given("normal", shape)

    def rehearse(self) -> None:
        """Draw as asked, and note what is asked."""
        self._asked, self._buffers, self._next = [], [], None

    def refill(self) -> None:
        """Draw all that a step asks for, into the buffers that hand it out."""
        drawn = [getattr(self.source, kind)(shape) for kind, shape in self._asked]
        if not self._buffers:
            self._buffers = drawn
        else:
            for buffer, values in zip(self._buffers, drawn, strict=True):
                buffer.copy_(values)
        self.rewind()

    def rewind(self) -> None:
        """Hand the buffers out once more."""
        self._next = 0

    def _given(self, kind: str, shape: Shape) -> Tensor:
        if self._next is None:
            self._asked.append((kind, shape))
            drawn: Tensor = getattr(self.source, kind)(shape)
            return drawn
        if self._asked[self._next : self._next + 1] != [(kind, shape)]:
            raise RuntimeError("a step asks for other noise than the one before it")
        self._next += 1
        return self._buffers[self._next - 1]


@dataclass
class _Variant:
    """One way that a step can go: how often it was rehearsed, the noise that it asks for, and its graph."""

    noise: ScriptedNoise
    rehearsed: int = 0
    graph: Any = None
    draws: list[Draw] = field(default_factory=list)


class Captured:
    """Plays the steps of a game from graphs, as `Game.update` would."""

    def __init__(self, game: Game, graph: Callable[[Callable[[], Seen]], Any] = CudaGraph) -> None:
        """Take a game, and how a step is captured: something with `replay()`."""
        self._game, self._graph = game, graph
        self._source = game.noise
        self._variants: dict[tuple[Any, ...], _Variant] = {}
        self.refused = _unsteady(game)

    def update(self, draws: Sequence[Draw]) -> Seen:
        """Take one step of the game; what it returns holds until the next."""
        if self.refused:
            return self._game.update(draws)
        kind = _variant(self._game, len(draws) - 1)
        variant = self._variants.setdefault(kind, _Variant(ScriptedNoise(self._source)))
        self._game.noise = variant.noise
        try:
            return self._step(variant, draws)
        finally:
            self._game.noise = self._source

    def _step(self, variant: _Variant, draws: Sequence[Draw]) -> Seen:
        if variant.rehearsed < REHEARSALS:
            variant.rehearsed += 1
            variant.noise.rehearse()
            return self._game.update(draws)
        variant.noise.refill()
        if variant.graph is not None:
            _overwrite(variant.draws, draws)
            self._game.d_updates += len(draws) - 1
            seen: Seen = variant.graph.replay()
            return seen
        return self._capture(variant, draws)

    def _capture(self, variant: _Variant, draws: Sequence[Draw]) -> Seen:
        variant.draws = [_copy(draw) for draw in draws]
        before = self._game.d_updates
        try:
            variant.graph = self._graph(lambda: self._game.update(variant.draws))
        except RuntimeError as error:
            # Nothing has been executed: the step is taken eagerly, with the numbers that were drawn for it.
            self.refused = f"it cannot be captured: {str(error).splitlines()[0]}"
            self._game.d_updates = before
            variant.noise.rewind()
            return self._game.update(draws)
        seen: Seen = variant.graph.replay()
        return seen


def _copy(draw: Draw) -> Draw:
    return Draw(draw.rows.clone(), draw.latents.clone(), None if draw.real is None else draw.real.clone())


def _overwrite(buffers: Sequence[Draw], draws: Sequence[Draw]) -> None:
    for buffer, draw in zip(buffers, draws, strict=True):
        buffer.rows.copy_(draw.rows)
        buffer.latents.copy_(draw.latents)
        if buffer.real is not None and draw.real is not None:
            buffer.real.copy_(draw.real)


def _variant(game: Game, d_steps: int) -> tuple[Any, ...]:
    """Return all in which the coming update, of so many D steps, may differ from others of this game."""
    return game.recorded, *(game.restraints.due(game.d_updates + k) for k in range(d_steps + game.ahead))


def _unsteady(game: Game) -> str:
    """Say which technique does something else at every step, if any does."""
    named = (part for part in (*game.views, *game.selections) if not getattr(part, "steady", False))
    return ", ".join(f"{type(part).__name__} changes from step to step" for part in named)
