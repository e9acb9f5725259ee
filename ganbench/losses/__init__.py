"""Losses: what the two players minimise."""

from ganbench.registry import Registry

registry = Registry(
    "loss",
    {
        "hinge": "ganbench.losses.hinge",
        "least_squares": "ganbench.losses.least_squares",
        "minimax": "ganbench.losses.minimax",
        "non_saturating": "ganbench.losses.non_saturating",
        "relativistic_paired": "ganbench.losses.relativistic_paired",
        "wasserstein": "ganbench.losses.wasserstein",
    },
)
register = registry.register
create = registry.create
names = registry.names
