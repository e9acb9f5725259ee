"""Datasets: sources of real samples."""

from ganbench.registry import Registry

registry = Registry(
    "dataset",
    {
        "celeba": "ganbench.datasets.celeba",
        "cifar10": "ganbench.datasets.cifar",
        "cifar100": "ganbench.datasets.cifar",
        "digits": "ganbench.datasets.digits",
        "dirac": "ganbench.dirac",
        "fashion_mnist": "ganbench.datasets.mnist",
        "gaussian1d": "ganbench.datasets.lines",
        "grid": "ganbench.datasets.mixtures",
        "grid25": "ganbench.datasets.mixtures",
        "image_folder": "ganbench.datasets.image_folder",
        "kmnist": "ganbench.datasets.mnist",
        "mixture1d": "ganbench.datasets.lines",
        "mnist": "ganbench.datasets.mnist",
        "ring": "ganbench.datasets.mixtures",
        "ring8": "ganbench.datasets.mixtures",
        "spiral": "ganbench.datasets.curves",
        "stacked_mnist": "ganbench.datasets.stacked_mnist",
        "stl10": "ganbench.datasets.stl10",
        "swiss_roll": "ganbench.datasets.curves",
    },
)
register = registry.register
create = registry.create
names = registry.names
