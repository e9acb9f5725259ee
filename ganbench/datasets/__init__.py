"""Datasets: sources of real samples."""

from ganbench.registry import Registry

registry = Registry(
    "dataset",
    {
        "digits": "ganbench.datasets.digits",
        "dirac": "ganbench.dirac",
        "grid25": "ganbench.datasets.mixtures",
        "image_folder": "ganbench.datasets.image_folder",
        "mnist": "ganbench.datasets.mnist",
        "ring8": "ganbench.datasets.mixtures",
    },
)
register = registry.register
create = registry.create
names = registry.names
