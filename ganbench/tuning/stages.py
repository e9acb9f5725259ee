"""The stages of a trial: how far it is trained before it is asked whether it is worth more. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.suite.errors import wrong
from ganbench.suite.prune import Prune
from ganbench.suite.tune import Tune
from ganbench.training.blocks import taken_up_at

LEAST_LEFT = 0.25  # of the training, after a rung that is not the first


@dataclass(frozen=True)
class Stage:
    """A part of a trial: its first `seeds`, up to the G step `step`, or to their end where that is None."""

    seeds: int
    step: int | None = None

    @property
    def at(self) -> int:
        """How far a trial has come after it: a G step, or where all are trained to their end a number of seeds."""
        return self.seeds if self.step is None else self.step

    @property
    def said(self) -> str:
        """Say where it ends."""
        return f"{self.seeds} seeds" if self.step is None else f"G step {self.step}"


def stages(tune: Tune, g_steps: int, scored: Sequence[int]) -> tuple[Stage, ...]:
    """Return the stages of every trial of a subject, which is trained for `g_steps` and scored after these.

    The last one is the whole of it. SuiteError where there is no step at which training could pause.
    """
    seeds = tune.settings.seeds_per_trial
    if tune.prune is None:
        return (Stage(seeds),)
    if tune.prune.by_seeds:
        wave = tune.prune.wave
        return (*(Stage(count) for count in range(wave, seeds, wave)), Stage(seeds))
    return (*(Stage(seeds, step) for step in rungs(tune.prune, g_steps, scored, tune.prune_where)), Stage(seeds))


def rungs(prune: Prune, g_steps: int, scored: Sequence[int], where: str = "prune") -> tuple[int, ...]:
    """Return the scored G steps at which trials are compared: a first one, and `reduction` times that, again and again.

    The first is rounded up to a scored step. Training can be taken up again between two blocks of the random streams,
    so it pauses up to 15 G steps later. A further one with less than a quarter of the training left is not worth the
    pause. SuiteError where no scored step is before the last.
    """
    if prune.first is not None and prune.first >= g_steps:
        raise wrong(where, f"first: {prune.first}: a first rung must lie before the last of {g_steps} G steps")
    wanted = prune.first or max(1, g_steps // prune.reduction**2)
    allowed = [step for step in scored if taken_up_at(step) < g_steps]
    first = next((step for step in allowed if step >= wanted), None)
    if first is None:
        raise wrong(
            where,
            f"{prune.by}: no score is made from G step {wanted} on at which training can pause before its end: it is "
            f"{g_steps} G steps long and scored after {', '.join(map(str, scored[:4]))}{', ...' * (len(scored) > 4)}; "
            "`evaluate.every` sets how often",
        )
    found = [first]
    while (step := found[-1] * prune.reduction) in allowed and g_steps - step >= LEAST_LEFT * g_steps:
        found.append(step)
    return tuple(found)


def told(found: Sequence[Stage], prune: Prune, g_steps: int) -> str:
    """Say after what trials are compared."""
    after = ", ".join(str(stage.at) for stage in found[:-1])
    if prune.by_seeds:
        return f"pruning by {prune.by}: trials are compared with the best one after {after} of {found[-1].seeds} seeds"
    rounded = f" (first: {prune.first} is no scored step)" if prune.first not in (None, found[0].at) else ""
    return f"pruning by {prune.by}: trials are compared after G step {after} of {g_steps}{rounded}"


def spared(stage: Stage, whole: Stage, g_steps: int) -> int:
    """Return the G steps, over all seeds, that a trial did without which ended after a stage."""
    done = g_steps if stage.step is None else min(g_steps, taken_up_at(stage.step))
    return whole.seeds * g_steps - stage.seeds * done
