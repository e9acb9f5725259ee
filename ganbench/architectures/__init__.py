"""Architectures: a generator and a discriminator for samples of a shape."""

from ganbench.registry import Registry

registry = Registry(
    "architecture",
    {
        "dcgan": "ganbench.architectures.dcgan",
        "dirac": "ganbench.dirac",
        "mlp": "ganbench.architectures.mlp",
    },
)
register = registry.register
create = registry.create
names = registry.names
