"""A cell again, from the `cell.json` that its training left: the other way round than `Cell.as_json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ganbench import architectures, datasets, losses, penalties, techniques
from ganbench.objectives import Objective
from ganbench.registry import Part, Registry, unknown
from ganbench.store import StoreError
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train

PLUGINS_LISTED = 3  # plugin files that the store's suites name


def stored_cell(path: Path, dataset: Part | None = None) -> Cell:
    """Rebuild the cell that a `cell.json` describes.

    `dataset` stands for the cell's own where it is the same plugin: a folder of pictures is stored without its path.
    Raises StoreError with everything that keeps the cell from being built: the file cannot be read, a plugin is not
    loaded, or has another version than the one that the cell was trained with.
    """
    found = _read(path)
    reader = _Parts(path)
    try:
        told = found["dataset"]
        loss = reader.part(losses.registry, found["objective"]["loss"])
        held_back = reader.parts(penalties.registry, found["objective"]["penalties"])
        more = reader.parts(techniques.registry, found["objective"].get("techniques", ()))
        network = reader.part(architectures.registry, found["architecture"])
        data = dataset if dataset and dataset.name == told["name"] else reader.part(datasets.registry, told)
        train = Train(**found["train"])
        seed, fingerprint = int(found["seed"]), str(told.get("fingerprint", ""))
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        why = f"{error.errors()[0]['loc']}" if isinstance(error, ValidationError) else f"{type(error).__name__} {error}"
        raise StoreError(f"{path} was written by another version of ganbench, or is no cell at all ({why})") from None
    if reader.problems:
        raise StoreError("\n".join(f"{path}: {problem}" for problem in dict.fromkeys(reader.problems)))
    assert loss and network and data
    # D steps are settings here: the objective's own default no longer matters.
    return Cell(Objective(loss, held_back, train.d_steps or 1, more), network, data, train, seed, fingerprint)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or too deep
        raise StoreError(f"{path} is not valid JSON ({error})") from None
    if not isinstance(found, dict):
        raise StoreError(f"{path} is no cell: expected a JSON object")
    return found


@dataclass
class _Parts:
    """Rebuilds the plugins of one cell, and collects what is wrong with them."""

    path: Path
    problems: list[str] = field(default_factory=list)

    def parts(self, registry: Registry, listed: Iterable[Mapping[str, Any]]) -> tuple[Part, ...]:
        built = [self.part(registry, one) for one in listed]
        return tuple(part for part in built if part)

    def part(self, registry: Registry, told: Mapping[str, Any]) -> Part | None:
        """Return the plugin with its stored parameters, or None when there is no such plugin any more."""
        kind, name, version = registry.kind, str(told["name"]), str(told["version"])
        if name not in registry.names():
            self.problems.append(self._absent(registry, name, version))
            return None
        here = registry.version(name)
        if here != version:
            self.problems.append(
                f"{kind} {name!r} had version {version} when this cell was trained, and is version {here} here, so it "
                f"may not be the same network or loss; {self._how_to_get(version)}"
            )
            return None
        try:
            return registry.part(name, self._parameters(registry, name, told["parameters"]))
        except ValueError as error:
            self.problems.append(f"{kind} {name!r}: {error}{_how_to_tell(kind, name, told['parameters'])}")
            return None

    def _parameters(self, registry: Registry, name: str, stored: Mapping[str, Any]) -> dict[str, object]:
        """Turn what JSON can hold into the types that the parameters have: a tuple is stored as a list."""
        known = registry.parameters(name)
        if odd := sorted(stored.keys() - known.keys()):
            raise ValueError(unknown("parameter", odd[0], known))
        try:
            return {
                key: TypeAdapter(known[key].type).validate_json(json.dumps(value), strict=True)
                for key, value in stored.items()
            }
        except ValidationError as error:
            raise ValueError("; ".join(problem["msg"] for problem in error.errors())) from None

    def _absent(self, registry: Registry, name: str, version: str) -> str:
        if "+" in version:
            told = f"{registry.kind} {name!r} came from a local plugin file, which is not loaded"
            return f"{told}; {_plugin_hint(self.path)}"
        return unknown(registry.kind, name, registry.names()) + "; it may come with a package that is not installed"

    def _how_to_get(self, version: str) -> str:
        if "+" in version:
            return f"load the plugin file as it was then; {_plugin_hint(self.path)}"
        return "train the cell again (`ganbench run`), or use the ganbench that trained it"


def _how_to_tell(kind: str, name: str, parameters: Mapping[str, Any]) -> str:
    """Say how to give a dataset that a cell does not hold in full, such as a folder's path."""
    if kind != "dataset":
        return ""
    stored = "".join(f", {key}: {json.dumps(value)}" for key, value in parameters.items())
    return f" (a cell does not hold it: say `--dataset '{{{name}: {{path: ...{stored}}}}}'`)"


def _plugin_hint(path: Path) -> str:
    """Name the option that loads a plugin file, and the files that the suites of the cell's store name."""
    named: dict[str, None] = {}
    for suite in sorted((path.parents[2] / "suites").glob("*.json")):
        try:
            named.update(dict.fromkeys(map(str, json.loads(suite.read_text()).get("plugins", ()))))
        except (OSError, ValueError, AttributeError, TypeError):
            continue  # a damaged list of cells costs the hint, nothing else
    listed = ", ".join([*named][:PLUGINS_LISTED])
    return "--plugin FILE loads one" + (f" (the suites of this store name {listed})" if listed else "")
