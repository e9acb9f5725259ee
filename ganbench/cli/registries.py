"""All registries by the word that names them in a suite."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganbench.registry import Registry, load_file


def registries(plugin_files: Iterable[str] = ()) -> dict[str, Registry]:
    """Return every registry by its plural, as `ganbench list` orders them, with what local files add."""
    for path in plugin_files:
        load_file(Path(path))
    from ganbench import architectures, datasets, losses, metrics, objectives, penalties, techniques
    from ganbench.evaluation import extractors

    modules = (objectives, losses, penalties, techniques, architectures, datasets, metrics, extractors)
    return {module.registry.plural: module.registry for module in modules}
