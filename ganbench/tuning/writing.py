"""A suite of tuned settings, as YAML that anyone can run: the very cells whose numbers are reported."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ganbench.paths import write_whole
from ganbench.registry import Part
from ganbench.reporting.tuning.record import settings_told
from ganbench.suite.errors import SuiteError, wrong
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Planned
from ganbench.suite.schema import Suite
from ganbench.suite.settings import Train
from ganbench.tuning.confirming import Finding, choice_seeds, fresh_seeds
from ganbench.tuning.telling import judged_told, measured_told

WIDTH = 110


def write_tuned_suite(path: Path, suite: Suite, findings: Sequence[Finding], rows: Sequence[Planned]) -> None:
    """Write the suite of the tuned cells; its comments say where its numbers come from.

    Raises SuiteError where there is nothing to write, or a part has parameters that no suite can name.
    """
    if not rows:
        raise wrong(path, "no trial was feasible, so there are no tuned settings to write")
    content = _text(path, suite, findings, rows).encode()
    draft = path.with_name(f".{path.stem}.draft{path.suffix}")
    write_whole(draft, content)
    try:
        written = {choice.value.text for choice in load_suite(draft).objectives}
    except SuiteError as error:
        raise wrong(path, f"the tuned settings cannot be written as a suite: {error.problems[0].message}") from None
    finally:
        draft.unlink()
    if written != {row.cell.objective.text for row in rows if row.cell}:
        raise wrong(path, "the tuned settings cannot be written as a suite: an objective would be another one")
    write_whole(path, content)


def _text(path: Path, suite: Suite, findings: Sequence[Finding], rows: Sequence[Planned]) -> str:
    entries = _entries(rows)
    train = {label: _train(row) for label, row in entries.items()}
    scored = {label: _evaluate(row) for label, row in entries.items()}
    names, networks = _dataset_names(entries.values()), _networks(entries.values())
    parts = {row.dataset.label: row.dataset.value for row in entries.values()}
    plain: dict[str, Any] = {
        "name": path.stem,
        "description": f"The settings that `ganbench tune` found for {suite.name}.",
        "plugins": [os.path.relpath(each, path.resolve().parent) for each in suite.plugins],
        "objectives": [_objective(row, label) for label, row in entries.items()],
        "datasets": [_labelled("dataset", names[label], part) for label, part in parts.items()],
        "architectures": {
            names[label]: [_labelled("architecture", each, networks[each]) for each in _used(entries, label, networks)]
            for label in parts
        },
        "seeds": sorted({row.seed for row in rows}),
        "train": _shared(train.values()),
        "evaluate": _shared(scored.values()),
        "overrides": [each for label in entries if len(each := _override(label, train, scored)) > 1],
        "exclude": list(_excluded(entries, names, networks)),
    }
    yaml, text = YAML(), io.StringIO()
    yaml.width, yaml.default_flow_style = WIDTH, None
    yaml.dump(json.loads(json.dumps({key: value for key, value in plain.items() if value != []})), text)
    return "".join(f"# {line}".rstrip() + "\n" for line in _comments(suite, findings, path)) + text.getvalue()


def _comments(suite: Suite, findings: Sequence[Finding], path: Path) -> Iterable[str]:
    tune = suite.tune
    assert tune is not None
    settings, fresh = tune.settings, fresh_seeds(tune)
    yield f"Written by `ganbench tune`, from the suite {suite.name}. Run it with `ganbench run {path.name}`."
    yield ""
    yield (
        f"Searched: {settings.trials} trials of each study, {settings.seeds_per_trial} "
        f"seed{'s' * (settings.seeds_per_trial > 1)} each, sampler "
        f"{settings.sampler} with seed {settings.seed}."
    )
    if tune.prune is not None:
        pruned, tried = sum(each.pruned.total() for each in findings), sum(len(each.tried) for each in findings)
        yield f"Pruned by {tune.prune.by}: {pruned} of {tried} trials were not trained to their end."
    if len(settings.asked) > 1:
        yield (
            f"Of those that no other one beats in every value at most {tune.confirm.k} are written, from the best in "
            f"{settings.asked[0]} (front 1) on."
        )
    elif tune.confirm.k > 1:
        seeds = choice_seeds(tune)
        yield (
            f"The best {tune.confirm.k} and the suite's own settings were compared on the seeds {seeds[0]} to "
            f"{seeds[-1]}, fresh to the search."
        )
    yield f"What is said below was measured on the seeds {fresh[0]} to {fresh[-1]}, by which nothing was chosen."
    for finding in findings:
        yield ""
        yield f"{finding.subject.name}: {judged_told(finding.subject)}"
        own = {"tuned": ", the suite's own settings, which no trial beats"}
        for name, measured in finding.measured.items():
            told = f" with {settings_told(measured.settings)}" if measured.settings else own.get(name, "")
            yield f"  {name}: {measured_told(measured, finding.subject)}{told}"
        if not finding.found:
            yield "  none of its trials was feasible: it is left out"


def _entries(rows: Sequence[Planned]) -> dict[str, Planned]:
    """Return one row per tuned subject, by a label of its own."""
    first: dict[tuple[str, str, str], Planned] = {}
    for row in rows:
        first.setdefault((row.objective.label, row.dataset.label, row.architecture.label), row)
    several = [len({place[axis] for place in first}) > 1 for axis in range(3)]
    found = {}
    for (objective, dataset, architecture), row in first.items():
        on = f" on {dataset}" if several[1] else ""
        by = f" by {architecture}" if several[2] else ""
        found[f"{objective}{on}{by}"] = row
    return found


def _objective(row: Planned, label: str) -> dict[str, Any]:
    recipe = row.objective.value
    return {
        "label": label,
        "loss": _part(recipe.loss),
        **({"penalties": [_part(each) for each in recipe.penalties]} if recipe.penalties else {}),
        **({"techniques": [_part(each) for each in recipe.techniques]} if recipe.techniques else {}),
    }


def _part(part: Part) -> Any:
    return {part.name: part.own} if part.own else part.name


def _labelled(kind: str, label: str, part: Part) -> Any:
    return _part(part) if label == part.label else {kind: _part(part), "label": label}


def _dataset_names(rows: Iterable[Planned]) -> dict[str, str]:
    """Return by label what datasets are called: a match goes by labels and plugins' names, and must mean one."""
    found = {row.dataset.label: row.dataset.name for row in rows}
    names = list(found.values())
    return {label: label if names.count(name) == 1 else f"{label} (data)" for label, name in found.items()}


def _networks(rows: Iterable[Planned]) -> dict[str, Part]:
    """Return the architectures, of which a tuned parameter makes several, by labels like those of datasets."""
    found = list({row.architecture.value.text: row.architecture.value for row in rows}.values())
    names = [part.name for part in found]
    return {
        part.label if names.count(part.name) == 1 else f"network {place}": part for place, part in enumerate(found, 1)
    }


def _used(entries: Mapping[str, Planned], dataset: str, networks: Mapping[str, Part]) -> list[str]:
    used = [row.architecture.value for row in entries.values() if row.dataset.label == dataset]
    return [name for name, part in networks.items() if part in used]


def _excluded(
    entries: Mapping[str, Planned], names: Mapping[str, str], networks: Mapping[str, Part]
) -> Iterable[dict[str, Any]]:
    """Leave each objective the dataset and the architecture that it was tuned with."""
    for label, row in entries.items():
        if others := [name for dataset, name in names.items() if dataset != row.dataset.label]:
            yield {"objective": label, "dataset": others}
        if others := [name for name, part in networks.items() if part != row.architecture.value]:
            yield {"objective": label, "architecture": others}


def _train(row: Planned) -> dict[str, Any]:
    default = Train().model_dump(mode="json")
    return {name: value for name, value in row.train.model_dump(mode="json").items() if value != default[name]}


def _evaluate(row: Planned) -> dict[str, Any]:
    assert row.scoring is not None
    settings = row.scoring.settings
    between = {} if settings.between is None else {"between": list(settings.between)}
    return {
        "every": row.scoring.steps[0],
        "samples": settings.samples,
        "reference": settings.reference,
        "metrics": [_part(each) for each in settings.metrics],
        "extractor": [_part(each) for each in settings.extractors],
        **between,
    }


def _shared(all_of_them: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings that are the same in all of them."""
    first, *others = all_of_them
    return {
        name: value for name, value in first.items() if all(name in each and each[name] == value for each in others)
    }


def _override(
    label: str, train: Mapping[str, Mapping[str, Any]], scored: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = {"match": {"objective": label}}
    for section, all_of_them in (("train", train), ("evaluate", scored)):
        shared = _shared(all_of_them.values())
        if own := {name: value for name, value in all_of_them[label].items() if name not in shared}:
            found[section] = own
    return found
