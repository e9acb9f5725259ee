"""All registries by the word that names them in a suite."""

from __future__ import annotations

from ganbench.registry import Registry


def registries() -> dict[str, Registry]:
    """Return every registry by its plural, in the order in which `ganbench list` shows them."""
    from ganbench import architectures, datasets, losses, metrics, objectives, penalties
    from ganbench.evaluation import extractors

    modules = (objectives, losses, penalties, architectures, datasets, metrics, extractors)
    return {module.registry.plural: module.registry for module in modules}
