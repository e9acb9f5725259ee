"""From a YAML file, and what the command line adds to it, to a suite; errors say file and line."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ganbench.registry import load_file, unknown
from ganbench.suite.errors import Findings, Problem, SuiteError
from ganbench.suite.schema import Match, Override, Suite, check_evaluate, parse
from ganbench.suite.settings import Evaluate, Train, check_sweeps


def load_suite(path: Path, settings: Sequence[str] = (), seeds: int | None = None) -> Suite:
    """Read the suite at `path`, with `key=value` settings and a seed count that replace what it says.

    Raises SuiteError with every problem that the file, the settings and its plugins have.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SuiteError([Problem(str(path), f"cannot be read: {why}")]) from None
    raw = _yaml(text, str(path))
    if not isinstance(raw, CommentedMap):
        raise SuiteError([Problem(f"{path}:1", "a suite is a mapping: `objectives: [...]`, `datasets: [...]`")])
    findings = Findings(lambda place: f"{path}:{_line(raw, place)}")
    problems: list[Problem] = []
    if seeds is not None:
        raw["seeds"] = seeds
    for position, name in enumerate(raw.get("plugins") or []):
        _load_plugin(path.parent / str(name), findings, "plugins", position)
    suite = parse(_plain(raw), path.stem, findings)
    last = _from_command_line(settings, problems)
    plugins = tuple(str((path.parent / name).resolve()) for name in suite.plugins)
    found = sorted((_line(raw, place), message) for place, message in findings.found)
    problems = [Problem(f"{path}:{line}", message) for line, message in dict.fromkeys(found)] + problems
    if problems:
        raise SuiteError(problems)
    return replace(suite, plugins=plugins, overrides=(*suite.overrides, *last), source=text)


def read_value(text: str, where: str) -> Any:
    """Read what the command line says, as YAML; SuiteError says what is wrong with it."""
    return _plain(_yaml(text, where))


def _yaml(text: str, where: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark is not None else ""
        said = " ".join(str(error.problem or error.context).split())
        raise SuiteError([Problem(f"{where}{line}", f"not valid YAML: {said}")]) from None
    except YAMLError as error:
        raise SuiteError([Problem(where, f"not valid YAML: {' '.join(str(error).split())}")]) from None


def _plain(value: Any) -> Any:
    """Turn what the YAML reader gives into Python's own types."""
    if isinstance(value, CommentedMap | dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, CommentedSeq | list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _line(raw: Any, place: Iterable[str | int]) -> int:
    """Return the 1-based line of a path of keys and positions, or of the nearest ancestor in the file."""
    line = 0
    for step in place:
        if isinstance(raw, CommentedMap):
            key = next((key for key in raw if str(key) == str(step)), None)
            if key is None or key not in raw.lc.data:
                break
            line, raw = raw.lc.key(key)[0], raw[key]
        elif isinstance(raw, CommentedSeq) and isinstance(step, int) and step < len(raw):
            line, raw = raw.lc.item(step)[0], raw[step]
        else:
            break
    return int(line) + 1


def _load_plugin(path: Path, findings: Findings, *place: str | int) -> None:
    try:
        load_file(path)
    except FileNotFoundError:
        findings.add(f"plugin {path} does not exist", *place)
    except Exception as error:  # whatever a plugin's own code raises is the suite's problem, told with its line
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path.resolve())]
        line = frames[-1].lineno if frames else getattr(error, "lineno", None)
        at = f"{path}:{line}" if line else str(path)
        findings.add(f"plugin {at} cannot be loaded: {type(error).__name__}: {error}", *place)


def _from_command_line(settings: Sequence[str], problems: list[Problem]) -> list[Override]:
    found: list[Override] = []
    sections = {f"train.{name}" for name in Train.model_fields} | {f"evaluate.{name}" for name in Evaluate.model_fields}
    for setting in settings:
        where = f"--set {setting}"
        key, equals, text = setting.partition("=")
        if not equals or key not in sections:
            message = unknown("setting", key, sections) if equals else "expected key=value, such as train.g_steps=200"
            problems.append(Problem(where, message))
            continue
        section, name = key.split(".")
        findings = Findings()
        given = {name: read_value(text, where)}
        if section == "train":
            found.append(Override(Match(), train=check_sweeps(Train, given, findings)))
        else:
            found.append(Override(Match(), evaluate=check_evaluate(given, findings)))
        problems.extend(Problem(where, message) for _, message in findings.found)
    return found
