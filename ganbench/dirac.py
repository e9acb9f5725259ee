"""The Dirac GAN: two numbers in place of two networks, where it can be computed which objectives converge.

Real data is one point at 0, G makes one point at theta, and D(x) = psi x (Mescheder, Geiger and Nowozin 2018,
arXiv:1801.04406). The only equilibrium is theta = psi = 0. `trajectories` runs objectives through the training loop
that every other cell goes through, and `eigenvalues` differentiates the same loop's gradients at the equilibrium.
"""

from __future__ import annotations

import cmath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ganbench import architectures, datasets
from ganbench.objectives import Objective
from ganbench.plugins import Lookahead, Shape, Split, SplitName
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganbench.suite.cells import Cell

Path2D = list[tuple[float, float]]
Eigenvalues = tuple[complex, complex]

COPIES = 64  # of the one real point, so that a reference has a mean and a covariance
NOISE_SAMPLES = 65_536  # over which eigenvalues average what is random in a gradient
KINK = 1e-3  # how far from the equilibrium a field is looked at, to see whether it has a derivative there
SLOPES = {"minimax": 0.5, "non_saturating": 0.5, "wasserstein": 1.0}  # f'(0) of the losses that the theory is about
CURVATURES = {"minimax": 0.5, "non_saturating": 0.5, "wasserstein": 0.0}  # of L_D, over its two terms


@datasets.register("dirac")
@dataclass(frozen=True)
class DiracPoint:
    """One real point, at 0 (Mescheder et al. 2018, arXiv:1801.04406). Fréchet distance here is theta^2."""

    version: ClassVar[int] = 1

    @property
    def shape(self) -> Shape:
        """Points on a line."""
        return (1,)

    @property
    def classes(self) -> None:
        """No labels."""
        return None

    def missing(self, root: Path) -> None:
        """Nothing: the point is known."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Return copies of the point: float32 `(64, 1)`."""
        import numpy as np

        return Split(np.zeros((COPIES, 1), dtype=np.float32))


@architectures.register("dirac")
@dataclass(frozen=True)
class DiracPlayers:
    """Two players of one number each (Mescheder et al. 2018, arXiv:1801.04406, definition 2.1).

    G(z) = theta, whatever the latent z
    D(x) = psi x
    The fields are where the two start.
    """

    theta: float = 1.0
    psi: float = -1.0

    version: ClassVar[int] = 1

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None."""
        return None if shape == (1,) else f"dirac makes one number, not samples of shape {shape}; try mlp"

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to theta, `(batch, 1)`."""
        import torch
        from torch import nn

        class Point(nn.Module):
            def __init__(self, theta: float) -> None:
                super().__init__()
                self.theta = nn.Parameter(torch.tensor([theta]))

            def forward(self, latents: Tensor) -> Tensor:
                return self.theta.expand(len(latents), 1)

        return Point(self.theta)

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: points `(batch, 1)` to logits `(batch, 1)`."""
        import torch
        from torch import nn

        class Slope(nn.Module):
            def __init__(self, psi: float) -> None:
                super().__init__()
                self.psi = nn.Parameter(torch.tensor([psi]))

            def forward(self, points: Tensor) -> Tensor:
                return self.psi * points

        return Slope(self.psi)

    def observe(self, g_parameters: Mapping[str, Tensor], d_parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return theta and psi of every cell `(cells,)`, for the trace."""
        return {"theta": g_parameters["theta"][:, 0], "psi": d_parameters["psi"][:, 0]}

    def facts(self, cell: Cell) -> dict[str, float]:
        """Return the eigenvalues of the cell's objective, computed and by theory, as far as there are any."""
        return {
            f"{name}_{part}_{place}": getattr(value, {"real": "real", "imaginary": "imag"}[part])
            for name, pair in (("eigenvalue", eigenvalues(cell.objective)), ("theory", theory(cell.objective)))
            for place, value in enumerate(pair or (), start=1)
            for part in ("real", "imaginary")
        }


def cell(objective: Objective, g_steps: int = 500, lr: float = 0.2, seed: int = 0, **players: float) -> Cell:
    """Return the cell of an objective on the Dirac GAN: plain simultaneous gradient steps in float64.

    `players` may set where `theta` and `psi` start.
    """
    from ganbench.suite.cells import Cell
    from ganbench.suite.settings import Train

    train = Train(
        g_steps=g_steps,
        batch_size=1,
        optimiser="sgd",
        g_lr=lr,
        d_lr=lr,
        d_steps=1,
        updates="simultaneous",
        latent_size=1,
        precision="float64",
    )
    players_part = architectures.registry.part("dirac", players)
    return Cell(objective, players_part, datasets.registry.part("dirac", {}), train, seed)


def trajectories(objectives: Sequence[Objective], g_steps: int = 500, lr: float = 0.2) -> list[Path2D]:
    """Return each objective's path of (theta, psi), as the training loop records it: the last point is the end.

    The objectives must agree in all that a cohort agrees in: penalties by name, techniques.
    """
    import torch

    from ganbench.training.loop import train_cohort

    cells = [cell(objective, g_steps, lr) for objective in objectives]
    found = train_cohort(cells, torch.zeros(COPIES, 1), ())
    return [[(record["theta"], record["psi"]) for record in one.trace] for one in found]


def radius(path: Path2D) -> float:
    """Return the distance from the equilibrium at the end of a trajectory."""
    theta, psi = path[-1]
    return abs(complex(theta, psi))


def eigenvalues(objective: Objective) -> Eigenvalues | None:
    """Return the eigenvalues of the gradient field at the equilibrium, by differentiating the loop's own gradients.

    Both real parts below 0: simultaneous steps converge, if they are short enough. On the imaginary axis: they do
    not. What is random in a gradient is averaged over 65,536 samples; a lazy penalty counts by its mean. None where
    the field has a kink at the equilibrium, and so no derivative, and where G looks ahead of the field.
    """
    import torch

    if any(isinstance(part.create(), Lookahead) for part in objective.techniques):
        return None
    field = _Field(replace(objective, penalties=tuple(map(_eager, objective.penalties))))
    jacobian = field.jacobian()
    across = [(field.at(*ahead) - field.at(*(-x for x in ahead))) / (2 * KINK) for ahead in ((KINK, 0.0), (0.0, KINK))]
    if not torch.allclose(torch.stack(across, dim=1), jacobian, rtol=0.05, atol=1e-3):
        return None
    first, second = torch.linalg.eigvals(jacobian).tolist()
    return (first, second) if (first.imag, first.real) >= (second.imag, second.real) else (second, first)


def theory(objective: Objective) -> Eigenvalues | None:
    """Return the eigenvalues by the theory of Mescheder et al. 2018, or None for objectives that it leaves out.

    -(d + g)/2 +- sqrt((d - g)^2 / 4 - f'(0)^2), where d and g are what damps D and G: gamma for r1 and r2 (section
    4.1), curvature times the noise's variance for instance noise (section 3.2), gamma f'(0)^2 on both for consensus.
    """
    if objective.loss.name not in SLOPES or objective.loss.label != objective.loss.name:
        return None
    slope, d_damping, g_damping = SLOPES[objective.loss.name], 0.0, 0.0
    for part in (*objective.penalties, *objective.techniques):
        values = part.parameters
        if part.name in ("r1", "r2"):
            d_damping += values["gamma"]
        elif part.name == "gradient_penalty" and values["target"] == 0:
            d_damping += 2 * values["weight"]
        elif part.name == "consensus":
            d_damping += values["gamma"] * slope**2
            g_damping += values["gamma"] * slope**2
        elif part.name == "instance_noise" and values["until"] == 0:
            d_damping += values["std"] ** 2 * CURVATURES[objective.loss.name]
        elif part.name != "weight_clip":  # which does nothing near 0
            return None
    root = cmath.sqrt((d_damping - g_damping) ** 2 / 4 - slope**2)
    middle = -(d_damping + g_damping) / 2
    return middle + root, middle - root


def _eager(penalty: Part) -> Part:
    lazy = "every" in penalty.parameters
    return replace(penalty, parameters={**penalty.parameters, "every": 1}) if lazy else penalty


class _Field:
    """The direction in which simultaneous steps move (theta, psi), with the same noise at every point."""

    def __init__(self, objective: Objective) -> None:
        import torch

        from ganbench.training.game import Game
        from ganbench.training.samples import Draw

        one = cell(objective, theta=0.0, psi=0.0)
        size = NOISE_SAMPLES if objective.techniques or objective.penalties else 1
        one = replace(one, train=one.train.model_copy(update={"batch_size": size}))
        self._game = Game([one], torch.zeros(COPIES, 1))
        rows = torch.zeros(1, size, dtype=torch.int64)
        self._batch = self._game.batch(Draw(rows, torch.zeros(1, size, 1, dtype=torch.float64)))

    def _move(self, theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        self._game.begin(0)
        for_psi, for_theta = self._game.field(psi, theta, self._batch)
        return -for_theta, -for_psi

    def at(self, theta: float, psi: float) -> Tensor:
        """Return the direction `(2,)` at a point."""
        import torch

        place = (torch.tensor([[x]], dtype=torch.float64, requires_grad=True) for x in (theta, psi))
        return torch.cat([part.detach().flatten() for part in self._move(*place)])

    def jacobian(self) -> Tensor:
        """Return the derivative `(2, 2)` of the direction at the equilibrium."""
        import torch

        place = tuple(torch.zeros(1, 1, dtype=torch.float64, requires_grad=True) for _ in range(2))
        rows = []
        for part in self._move(*place):
            by = torch.autograd.grad(part.sum(), place, retain_graph=True, allow_unused=True, materialize_grads=True)
            rows.append(torch.cat([derivative.flatten() for derivative in by]))
        return torch.stack(rows)
