"""Which trials of a search end early: the `prune` key of a suite's `tune` section."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ganbench.registry import unknown
from ganbench.suite.errors import Findings
from ganbench.suite.settings import check_field

EXAMPLE = "`{by: halving, reduction: 3, first: 500}` or `{by: wilcoxon, p: 0.1}`"
OF = {
    "reduction": ("halving", "hyperband"),
    "first": ("halving", "hyperband"),
    "p": ("wilcoxon",),
    "seeds": ("wilcoxon",),
}


class Prune(BaseModel):
    """How trials are told that are not worth their whole training.

    `halving` (Li et al. 2020, arXiv:1810.05934) trains all trials to a first G step, the best 1 / `reduction` of them
    `reduction` times as far, and so on; `hyperband` (Li et al. 2018, arXiv:1603.06560) does so with several first
    steps, shared out among the trials. `wilcoxon` trains some seeds of a trial first, and the others unless a
    signed-rank test says with `p` that the best trial was better on the same seeds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["halving", "hyperband", "wilcoxon"]
    reduction: int = Field(3, ge=2, description="one in so many trials goes on, so many times as far")
    first: int | None = Field(
        None, gt=0, description="G steps of the first rung, rounded up to a scored step; unset: g_steps / reduction^2"
    )
    p: float = Field(0.1, gt=0, lt=1, description="of the test, below which a trial is pruned")
    seeds: int | None = Field(
        None, ge=2, description="seeds that are trained at a time; unset: as few as the test needs"
    )

    @property
    def by_seeds(self) -> bool:
        """Whether seeds are compared, and not steps."""
        return self.by == "wilcoxon"

    @property
    def least_seeds(self) -> int:
        """Return how many seeds the signed-rank test needs to fall below `p`: with n of them it gives 2^-n at least."""
        return max(2, math.floor(-math.log2(self.p)) + 1)

    @property
    def wave(self) -> int:
        """Return how many seeds are trained at a time."""
        return self.seeds or self.least_seeds

    def as_json(self) -> dict[str, Any]:
        """Give what decides which trials are pruned, and nothing else."""
        kept = [name for name in OF if self.by in OF[name]]
        return {"by": self.by, **{name: getattr(self, name) for name in kept}}


def check_prune(given: object, seeds_per_trial: int, findings: Findings, *place: str | int) -> Prune | None:
    """Read the key; problems go to `findings`, each at its own place. None where nothing is to be pruned."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or "by" not in given:
        findings.add(f"prune: expected such as {EXAMPLE}, got {given!r}", *place)
        return None
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if name not in Prune.model_fields:
            findings.add(unknown("key of prune", name, Prune.model_fields), *place, name)
        elif name in OF and given["by"] not in OF[name] and given["by"] in {by for each in OF.values() for by in each}:
            findings.add(f"{name}: is for {' and '.join(OF[name])}, not for {given['by']}", *place, name)
        else:
            try:
                chosen[name] = check_field(Prune, name, value)
            except ValueError as error:
                findings.add(f"{name}: {error}", *place, name)
    if findings.below(*place):
        return None
    found = Prune(**chosen)
    if found.by_seeds and seeds_per_trial <= max(found.wave, found.least_seeds):
        if found.wave > found.least_seeds:
            why, key = f"{found.wave} seeds are trained before anything is compared", "seeds"
        else:
            why, key = f"the test needs {found.least_seeds} seeds to fall below p = {found.p:g}", "by"
        least = max(found.wave, found.least_seeds) + 1
        findings.add(
            f"wilcoxon: {why}, so a trial of {seeds_per_trial} would be spared none; seeds_per_trial: {least} or more",
            *place,
            key,
        )
    return found
