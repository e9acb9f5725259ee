"""What a person asks to be scored outside a suite: read as a suite is, with a suite's defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ganbench import datasets
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import (
    EvaluationSettings,
    default_extractor,
    default_metrics,
    inapplicable,
    value_names,
)
from ganbench.metrics import registry as metrics
from ganbench.plugins import Dataset
from ganbench.registry import Part, Registry
from ganbench.suite.choices import choose_parts
from ganbench.suite.errors import Findings, Problem, SuiteError, wrong

FEWEST = 10  # samples, as in a suite


@dataclass(frozen=True)
class Request:
    """What is to be scored of a source, and how; None stands for what suites do.

    `dataset`, `metrics` and `extractors` are written as in a suite: names, or mappings from a name to parameters;
    text is read as YAML. `samples`: all that a source has, or 10,000 of a generator. `key` is for .npz files, `resize`
    for folders, `step` for checkpoints.
    """

    dataset: object = None
    metrics: object = None
    extractors: Sequence[object] = ()
    samples: int | None = None
    reference: int = 10_000
    seed: int | None = None
    step: int | None = None
    key: str | None = None
    resize: bool = False


def dataset_of(entry: object) -> Part | None:
    """Read the dataset as a suite does; one that is a Part already stays."""
    if entry is None or isinstance(entry, Part):
        return entry
    chosen = _parts(datasets.registry, entry, "--dataset")
    if len(chosen) != 1:
        raise wrong("--dataset", f"expected one dataset, got {len(chosen)} by {entry!r}")
    return chosen[0]


def _parts(registry: Registry, entry: object, option: str) -> list[Part]:
    """Read names or mappings, or YAML text that holds them; SuiteError lists every problem."""
    findings = Findings()
    if isinstance(entry, str):
        try:
            # as one YAML list, so that `a,b` and `{a: {x: 1}}` are both read
            listed = YAML(typ="safe", pure=True).load(f"[{entry}]")
        except YAMLError as error:
            raise wrong(f"{option} {entry}", f"not valid YAML: {' '.join(str(error).split())}") from None
        listed = listed[0] if len(listed) == 1 and isinstance(listed[0], list) else listed
    else:
        listed = list(entry) if isinstance(entry, list | tuple) else [entry]
    parts: list[Part] = []
    for item in listed:
        parts += [item] if isinstance(item, Part) else [one.value for one in choose_parts(registry, item, findings)]
    if findings.found:
        raise SuiteError([Problem(f"{option} {entry}", message) for _, message in findings.found])
    return parts


def settings_of(request: Request, dataset: Dataset, labelled: bool) -> tuple[EvaluationSettings, dict[str, str]]:
    """Choose extractors and metrics as a suite does; also why values are left out that were asked for."""
    listed = [request.extractors] if isinstance(request.extractors, str) else request.extractors
    given = [part for entry in listed for part in _parts(extractors, entry, "--extractor")]
    chosen = given or [extractors.part(default_extractor(dataset), {})]
    problems = [Problem(f"--extractor {part.name}", why) for part in chosen if (why := part.create().supports(dataset))]
    names = [part.name for part in chosen]
    problems += [Problem("--extractor", f"{name} is named twice") for name in {*names} if names.count(name) > 1]
    if problems:
        raise SuiteError(problems)
    asked = None if request.metrics is None else _parts(metrics, request.metrics, "--metrics")
    wanted = [metrics.part(name, {}) for name in default_metrics(dataset, labelled)] if asked is None else asked
    refused = {part.name: why for part in wanted if (why := inapplicable(part, dataset, chosen[0], labelled))}
    kept = tuple(part for part in wanted if part.name not in refused)
    if not kept:
        why = "; ".join(refused.values()) or "name at least one"
        raise wrong("--metrics", f"none of them can be computed ({why}; allowed: {', '.join(metrics.names())})")
    try:
        value_names(kept)
    except ValueError as error:
        raise wrong("--metrics", str(error)) from None
    settings = EvaluationSettings(
        request.samples or FEWEST, chosen[0], kept, request.reference, further=tuple(chosen[1:])
    )
    left_out = {
        value: refused[part.name] for part in wanted if part.name in refused for value in type(part.create()).better
    }
    return settings, {} if asked is None else left_out
