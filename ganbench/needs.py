"""What must be there before anything can run: the datasets and extractors of a suite or a name, and how to get them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.datasets import registry as datasets
from ganbench.evaluation.extractors import registry as extractors
from ganbench.plugins import SplitName
from ganbench.registry import Part, UnknownName, unknown
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Planned, expand


@dataclass(frozen=True)
class Need:
    """A dataset, or an extractor made ready for it."""

    dataset: Part
    extractor: Part | None = None

    @property
    def trained(self) -> bool:
        """Whether it is an extractor that is trained on the dataset, and not one network for all."""
        return self.extractor is not None and hasattr(self.extractor.create(), "known")

    @property
    def name(self) -> str:
        """Name it as the command line does: `mnist`, `inception`, `classifier of mnist`."""
        if self.extractor is None:
            return self.dataset.label
        return f"{self.extractor.label} of {self.dataset.label}" if self.trained else self.extractor.label


@dataclass(frozen=True)
class State:
    """Whether a need is met: the folder of its files, their bytes (None: it has none), what is `missing`, if anything.

    `told` is what else is known of it, such as a classifier's accuracy.
    """

    place: Path | None
    size: int | None
    missing: str = ""
    told: str = ""


def named(name: str) -> Need:
    """Find a dataset or an extractor by its name, with its defaults.

    Raises UnknownName for a name that is not known, or not enough.
    """
    if name in datasets.names():
        return Need(_with_defaults(name))
    if name not in extractors.names():
        raise UnknownName(unknown("dataset or extractor", name, [*datasets.names(), *extractors.names()]))
    part = extractors.part(name, {})
    readable = _readable(part)
    if not readable:
        raise UnknownName(f"{name} reads none of the datasets that need no parameters: name a suite that uses it")
    need = Need(readable[0], part)
    if need.trained:
        raise UnknownName(f"{name} is trained on a dataset: name a suite that uses it")
    return need


def of_suite(path: Path, data_root: Path, cache: Path) -> list[Need]:
    """List what the cells of a suite need, each once; SuiteError with every problem of the suite."""
    return of_planned(expand(load_suite(path), data_root, cache).planned)


def of_planned(planned: Iterable[Planned]) -> list[Need]:
    """List what planned cells need, each once."""
    found: list[Need] = []
    for row in planned:
        if row.cell is not None and row.scoring is not None:
            found.append(Need(row.cell.dataset))
            if row.scoring.wanted:
                found += [Need(row.cell.dataset, part) for part in row.scoring.settings.extractors]
    return _once(found)


def everything() -> tuple[list[Need], list[str]]:
    """List all datasets and extractors with their defaults; and the names of the datasets that have no defaults."""
    parts = [(name, _defaults(name)) for name in datasets.names()]
    found = [Need(part) for _, part in parts if part is not None]
    for name in extractors.names():
        part = extractors.part(name, {})
        found += [Need(dataset, part) for dataset in _readable(part)]
    return _once(found), [name for name, part in parts if part is None]


def look(need: Need, data_root: Path, cache: Path) -> State:
    """Say whether a need is met; writes nothing, and imports no torch.

    Datasets may have `files(root) -> tuple[Path, ...]`, which lists what lies on disk; so may extractors.
    """
    source: Any = need.dataset.create()
    absent_data = source.missing(data_root) or ""
    if need.extractor is None:
        files = source.files(data_root) if hasattr(source, "files") and not absent_data else None
        return _state(files, absent_data, "")
    plugin = need.extractor.create()
    if need.trained and absent_data:
        return State(None, None, f"not trained yet: {need.dataset.label} is missing")
    told = plugin.known(need.dataset, data_root, cache) if need.trained else ""
    files = plugin.files(need.dataset, data_root, cache) if hasattr(plugin, "files") else None
    absent = plugin.missing(source, cache) or ""
    if need.trained and not absent and files is not None and not all(path.is_file() for path in files):
        absent, told = told, ""
    return _state(files, absent, told)


def files(need: Need, data_root: Path, cache: Path) -> list[Path]:
    """List the files of a need that is met; none where it has none, or does not say."""
    plugin: Any = (need.extractor or need.dataset).create()
    if not hasattr(plugin, "files"):
        return []
    place = (data_root,) if need.extractor is None else (need.dataset, data_root, cache)
    return [path for path in plugin.files(*place) if path.exists()]


def get(need: Need, data_root: Path, cache: Path) -> str:
    """Fetch or train what is missing of a need, then read it as a run would; return a word on what was read.

    Raises whatever the plugin raises; ValueError when what is there is not what it should be.
    """
    if need.extractor is None:
        need.dataset.create().prepare(data_root)
        return _read(need.dataset, data_root)
    plugin = need.extractor.create()
    plugin.prepare(need.dataset, data_root, cache)
    loaded = plugin.load(need.dataset, data_root, cache, "cpu")
    if need.trained:
        return str(plugin.known(need.dataset, data_root, cache))
    return f"weights {loaded.identity['weights']}" if "weights" in loaded.identity else "no weights"


def _read(dataset: Part, data_root: Path) -> str:
    source, counts = dataset.create(), []
    splits: tuple[SplitName, ...] = ("train", "test")
    for name in splits:
        split = source.load(data_root, name)
        if tuple(split.samples.shape[1:]) != tuple(source.shape):
            raise ValueError(f"the {name} split has samples of shape {split.samples.shape[1:]}, not {source.shape}")
        counts.append(len(split.samples))
    return f"{counts[0]:,} samples to train on, {counts[1]:,} to test, {' x '.join(map(str, source.shape))}"


def _state(files: tuple[Path, ...] | None, missing: str, told: str) -> State:
    if not files:
        return State(None, None, missing, told)
    here = [path for path in files if path.is_file()]
    place = Path(os.path.commonpath([path.parent for path in files]))
    return State(place, sum(path.stat().st_size for path in here) if here else None, missing, told)


def _defaults(name: str) -> Part | None:
    needed = [parameter for parameter in datasets.parameters(name).values() if parameter.required]
    return None if needed else datasets.part(name, {})


def _with_defaults(name: str) -> Part:
    part = _defaults(name)
    if part is None:
        needed = [parameter.name for parameter in datasets.parameters(name).values() if parameter.required]
        raise UnknownName(f"{name} needs {', '.join(needed)}: name a suite that uses it")
    return part


def _readable(extractor: Part) -> list[Part]:
    """List the datasets with defaults that an extractor supports."""
    plugin = extractor.create()
    parts = [part for part in map(_defaults, datasets.names()) if part is not None]
    return [part for part in parts if plugin.supports(part.create()) is None]


def _once(needs: Iterable[Need]) -> list[Need]:
    """Keep the first need of each name, datasets first: extractors are trained on them."""
    found: dict[str, Need] = {}
    for need in needs:
        found.setdefault(need.name, need)
    return sorted(found.values(), key=lambda need: need.extractor is not None)
