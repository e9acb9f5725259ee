"""Penalties, projections and normalisations that hold D back."""

from ganbench.registry import Registry

registry = Registry(
    "penalty",
    {
        "gradient_penalty": "ganbench.penalties.gradient_penalty",
        "r1": "ganbench.penalties.zero_centred",
        "r2": "ganbench.penalties.zero_centred",
        "spectral_norm": "ganbench.penalties.spectral_norm",
        "weight_clip": "ganbench.penalties.weight_clip",
    },
)
register = registry.register
create = registry.create
names = registry.names
