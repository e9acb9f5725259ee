"""What the benchmarks train: cells, their samples in memory, and the cohorts that a run makes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import torch
import typer

from ganbench import architectures, objectives, penalties
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.objectives import Objective
from ganbench.registry import Part
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.choices import Choice
from ganbench.suite.cohorts import Cohort, Entry, pack
from ganbench.suite.plan import Planned
from ganbench.suite.settings import Train

POINTS = (2,)
LATENTS = {"points": 16, "images": 64}
SAMPLES = {"points": 10_000, "images": 1_000}
# Nothing is read of a dataset but the kind of its samples: what is trained on are random numbers.
DATASETS = {"points": Part("dataset", "ring8"), "images": Part("dataset", "digits")}


@dataclass(frozen=True)
class Work:
    """Cells that differ in their seeds and losses alone; `losses` are taken in turn, from one cell to the next."""

    architecture: str
    parameters: Mapping[str, object]
    shape: tuple[int, ...]
    batch: int
    cells: int = 1
    losses: tuple[str, ...] = ("non_saturating",)
    penalised: bool = False
    precision: str = "float32"
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def samples(self) -> str:
        return "points" if len(self.shape) == 1 else "images"

    def data(self, device: str = "cpu") -> torch.Tensor:
        """Return real samples as a dataset stores them: floats for points, uint8 for images."""
        source, rows = torch.Generator().manual_seed(0), SAMPLES[self.samples]
        if self.samples == "points":
            return torch.randn(rows, *self.shape, generator=source).to(device)
        return torch.randint(256, (rows, *self.shape), dtype=torch.uint8, generator=source).to(device)

    def planned(self) -> list[Cell]:
        """Return the cells, equal losses side by side as a cohort has them."""
        train = Train(
            batch_size=self.batch,
            d_steps=1,
            latent_size=LATENTS[self.samples],
            precision=self.precision,
            **self.settings,
        )
        architecture = architectures.registry.part(self.architecture, self.parameters)
        cells = [
            Cell(self._objective(self.losses[i % len(self.losses)]), architecture, DATASETS[self.samples], train, i)
            for i in range(self.cells)
        ]
        return sorted(cells, key=lambda cell: cell.objective.loss.name)

    def cohorts(self, slots: int) -> list[Cohort]:
        """Return the cells as a run packs them for so many slots, without scores."""
        scoring = Scoring(EvaluationSettings(1000, Part("extractor", "identity"), ()), ())
        entries = [Entry(_planned(cell, scoring), "to train") for cell in self.planned()]
        return pack(entries, slots)

    def _objective(self, loss: str) -> Objective:
        held = (penalties.registry.part("gradient_penalty", {"weight": 10.0}),) if self.penalised else ()
        return replace(objectives.create(loss), penalties=held)


def _planned(cell: Cell, scoring: Scoring) -> Planned:
    choices = (
        Choice(value.name, value.name, value) for value in (cell.objective.loss, cell.architecture, cell.dataset)
    )
    return Planned(*choices, cell.seed, cell.train, cell=cell, scoring=scoring)


def chosen(only: list[str] | None, known: Collection[str]) -> list[str]:
    """Return the names that `--only` asks for, all of them where it is not given."""
    wanted = [name for names in only or [] for name in names.split(",")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise typer.BadParameter(f"no {', '.join(unknown)} (there is: {', '.join(known)})", param_hint="--only")
    return [name for name in known if not wanted or name in wanted]


TOY = Work("mlp", {"depth": 3, "width": 64}, POINTS, 128)
DCGAN = Work("dcgan", {"width": 32}, (3, 32, 32), 64)
