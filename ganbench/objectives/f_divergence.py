"""f-GAN: one recipe per divergence, all alike but for the function that generates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from ganbench.losses.variational_bounds import Kind
from ganbench.objectives import Objective, loss, register
from ganbench.plugins import Count


@dataclass(frozen=True)
class Written:
    """A divergence as it is written: f, T and f*(T) of a logit v, D's best logit, and what to know of it."""

    title: str
    f: str
    output: str
    conjugate: str
    best: str
    remark: str


WRITTEN: dict[Kind, Written] = {
    "kl": Written(
        "Kullback-Leibler, KL(real, fake)",
        "u log u",
        "v",
        "exp(v - 1)",
        "1 + log u",
        "Real samples that G misses cost most: G covers all modes.",
    ),
    "reverse_kl": Written(
        "reverse Kullback-Leibler, KL(fake, real)",
        "-log u",
        "-exp(-v)",
        "v - 1",
        "log u",
        "Fake samples away from real ones cost most: G keeps to few modes.",
    ),
    "pearson": Written(
        "the Pearson chi^2 divergence",
        "(u - 1)^2",
        "v",
        "v^2 / 4 + v",
        "2 (u - 1)",
        "D fits the ratio u itself, where most others fit its logarithm.",
    ),
    "neyman": Written(
        "the Neyman chi^2 divergence",
        "(1 - u)^2 / u",
        "1 - exp(-v)",
        "2 - 2 exp(-v / 2)",
        "2 log u",
        "It is Pearson's with real and fake exchanged.",
    ),
    "squared_hellinger": Written(
        "the squared Hellinger distance",
        "(sqrt(u) - 1)^2",
        "1 - exp(-v)",
        "exp(v) - 1",
        "1/2 log u",
        "It is symmetric in real and fake, and never above 2.",
    ),
    "jensen_shannon": Written(
        "twice the Jensen-Shannon divergence",
        "u log u - (u + 1) log((u + 1) / 2)",
        "log 2 - sp(-v)",
        "sp(v) - log 2",
        "log u",
        "Gradients as of nsgan, or of goodfellow2014 with game=minimax.",
    ),
    "gan": Written(
        "the first GAN's 2 Jensen-Shannon - 2 log 2",
        "u log u - (u + 1) log(u + 1)",
        "-sp(-v)",
        "sp(v)",
        "log u",
        "Losses as of nsgan, or of goodfellow2014 with game=minimax.",
    ),
}

DOC = """f-GAN for {title} (Nowozin et al. 2016, arXiv:1606.00709).

L_D = -E[T(D(x))] + E[f*(T(D(G(z))))]
L_G = -E[T(D(G(z)))],  with game=minimax -E[f*(T(D(G(z))))]
f(u) = {f},  u = p_real / p_fake
T(v) = {output},  f*(T(v)) = {conjugate}{softplus}

{remark}
Where D is at its best, D(x) = {best}.{tangent}
The formulas are those of the paper's tables 2 and 6, the settings its for MNIST.
"""


def register_kind(kind: Kind) -> None:
    """Register the recipe `fgan_<kind>`."""

    @dataclass(frozen=True)
    class FGan:
        version: ClassVar[int] = 1
        source: ClassVar[str] = "Nowozin et al. 2016, arXiv:1606.00709"
        recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
            {
                "optimiser": "adam",
                "g_lr": 2e-4,
                "d_lr": 2e-4,
                "betas": (0.5, 0.999),
                "batch_size": 4096,
                "latent_size": 100,
                "latent": "uniform",
            }
        )
        game: Literal["minimax", "non_saturating"] = "non_saturating"
        d_steps: Count = 1

        def recipe(self) -> Objective:
            """Build the objective."""
            return Objective(loss("f_divergence", kind=kind, game=self.game), d_steps=self.d_steps)

    written = WRITTEN[kind]
    softplus = ",  sp(v) = log(1 + exp(v))" if "sp(" in written.conjugate else ""
    tangent = " Beyond 20 exp goes on as its tangent." if "exp(" in written.output + written.conjugate else ""
    FGan.__doc__ = DOC.format(**vars(written), softplus=softplus, tangent=tangent)
    FGan.__name__ = FGan.__qualname__ = f"FGan_{kind}"
    register(f"fgan_{kind}")(FGan)


for _kind in WRITTEN:
    register_kind(_kind)
