"""All registries by the word that names them in a suite."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganbench.registry import Registry, load_file


def registries(plugin_files: Iterable[str] = ()) -> dict[str, Registry]:
    """Return every registry by its plural, as `ganbench list` orders them, with what local files add."""
    load_plugins(plugin_files)
    from ganbench import architectures, datasets, losses, metrics, objectives, penalties, techniques
    from ganbench.evaluation import extractors

    modules = (objectives, losses, penalties, techniques, architectures, datasets, metrics, extractors)
    return {module.registry.plural: module.registry for module in modules}


def load_plugins(plugin_files: Iterable[str]) -> None:
    """Register what local files define; SuiteError says which of them cannot be loaded, and why."""
    from ganbench.suite.errors import wrong

    for path in plugin_files:
        try:
            load_file(Path(path))
        except OSError:
            raise
        except Exception as error:  # whatever a plugin's own code raises
            raise wrong(f"--plugin {path}", f"cannot be loaded: {type(error).__name__}: {error}") from None
