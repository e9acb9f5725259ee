"""Techniques: what an objective changes in the game beside its loss and its penalties."""

from ganbench.registry import Registry

registry = Registry(
    "technique",
    {
        "auxiliary_classifier": "ganbench.techniques.auxiliary_classifier",
        "conditional": "ganbench.techniques.conditional",
        "diff_augment": "ganbench.techniques.diff_augment",
        "instance_noise": "ganbench.techniques.instance_noise",
        "mutual_information": "ganbench.techniques.mutual_information",
        "packing": "ganbench.techniques.packing",
        "top_k": "ganbench.techniques.top_k",
        "unrolled": "ganbench.techniques.unrolled",
    },
)
register = registry.register
create = registry.create
names = registry.names
