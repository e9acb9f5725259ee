"""Losses: what the two players minimise."""

from ganbench.registry import Registry

registry = Registry(
    "loss",
    {
        "boundary_equilibrium": "ganbench.losses.boundary_equilibrium",
        "cramer": "ganbench.losses.cramer",
        "energy": "ganbench.losses.energy",
        "f_divergence": "ganbench.losses.f_divergence",
        "hinge": "ganbench.losses.hinge",
        "least_squares": "ganbench.losses.least_squares",
        "minimax": "ganbench.losses.minimax",
        "mmd": "ganbench.losses.mmd",
        "non_saturating": "ganbench.losses.non_saturating",
        "relativistic_average": "ganbench.losses.relativistic_average",
        "relativistic_paired": "ganbench.losses.relativistic_paired",
        "wasserstein": "ganbench.losses.wasserstein",
    },
)
register = registry.register
create = registry.create
names = registry.names
