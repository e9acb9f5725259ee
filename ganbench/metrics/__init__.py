"""Metrics: scores of samples against real ones."""

from ganbench.registry import Registry

registry = Registry(
    "metric",
    {
        "class_match": "ganbench.metrics.class_match",
        "coverage": "ganbench.metrics.coverage",
        "duplicates": "ganbench.metrics.duplicates",
        "fid": "ganbench.metrics.fid",
        "fid_infinity": "ganbench.metrics.fid_infinity",
        "is": "ganbench.metrics.inception_score",
        "kid": "ganbench.metrics.kid",
        "log_likelihood": "ganbench.metrics.log_likelihood",
        "lpips": "ganbench.metrics.lpips",
        "memorisation": "ganbench.metrics.memorisation",
        "modes": "ganbench.metrics.modes",
        "ms_ssim": "ganbench.metrics.ms_ssim",
        "optimality_gap": "ganbench.metrics.optimality_gap",
        "precision_recall": "ganbench.metrics.precision_recall",
        "sliced_wasserstein": "ganbench.metrics.sliced_wasserstein",
        "w2": "ganbench.metrics.w2",
    },
)
register = registry.register
create = registry.create
names = registry.names
