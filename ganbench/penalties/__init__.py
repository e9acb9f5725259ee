"""Penalties, projections and normalisations that hold D back."""

from ganbench.registry import Registry

registry = Registry(
    "penalty",
    {
        "consensus": "ganbench.penalties.consensus",
        "consistency": "ganbench.penalties.consistency",
        "gradient_penalty": "ganbench.penalties.gradient_penalty",
        "latent_consistency": "ganbench.penalties.latent_consistency",
        "lecam": "ganbench.penalties.lecam",
        "orthogonal": "ganbench.penalties.orthogonal",
        "r1": "ganbench.penalties.zero_centred",
        "r2": "ganbench.penalties.zero_centred",
        "spectral_norm": "ganbench.penalties.spectral_norm",
        "weight_clip": "ganbench.penalties.weight_clip",
        "wgan_div": "ganbench.penalties.wgan_div",
    },
)
register = registry.register
create = registry.create
names = registry.names
