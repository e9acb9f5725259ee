"""Metrics: scores of samples against real ones."""

from ganbench.registry import Registry

registry = Registry(
    "metric",
    {
        "class_match": "ganbench.metrics.class_match",
        "coverage": "ganbench.metrics.coverage",
        "duplicates": "ganbench.metrics.duplicates",
        "fid": "ganbench.metrics.fid",
        "is": "ganbench.metrics.inception_score",
        "kid": "ganbench.metrics.kid",
        "modes": "ganbench.metrics.modes",
        "precision_recall": "ganbench.metrics.precision_recall",
    },
)
register = registry.register
create = registry.create
names = registry.names
