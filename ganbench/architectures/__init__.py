"""Architectures: a generator and a discriminator for samples of a shape."""

from ganbench.registry import Registry

registry = Registry(
    "architecture",
    {
        "dcgan": "ganbench.architectures.dcgan",
        "dirac": "ganbench.dirac",
        "infogan": "ganbench.architectures.infogan",
        "mlp": "ganbench.architectures.mlp",
        "r3gan": "ganbench.architectures.r3gan",
        "simple_cnn": "ganbench.architectures.simple_cnn",
        "sngan_resnet": "ganbench.architectures.sngan_resnet",
    },
)
register = registry.register
create = registry.create
names = registry.names
