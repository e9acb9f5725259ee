"""The two sides of a comparison: a suite's results in a store, or what a report wrote of them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ValidationError

from ganbench.records import Listed, Scores, SuiteRecord
from ganbench.registry import UnknownName, unknown
from ganbench.reporting.frame import COSTS, IDENTITY, LABELS, STABILITY, Frame, load
from ganbench.reporting.ranking import Ranking, rankings
from ganbench.store import Store, StoreError
from ganbench.suite.errors import wrong

AXES = ("contender", "objective", "architecture", "dataset", "seed")
TABLE, SUMMARY = "cells.csv", "summary.json"  # what of a report's folder is read


@dataclass(frozen=True)
class Side:
    """One side: the place as it was asked for, what was found there, and its results."""

    place: str
    kind: Literal["store", "report"]
    frame: Frame

    @property
    def suite(self) -> str:
        """The name of its suite."""
        return self.frame.suite.name

    @cached_property
    def rankings(self) -> list[Ranking]:
        """The contenders of each dataset and protocol."""
        return rankings(self.frame)


class _Value(BaseModel):
    title: str
    better: Literal["lower", "higher"]


class _Ranked(BaseModel):
    protocol_id: str
    protocol: dict[str, Any] | None = None
    headline: str | None = None
    title: str = ""
    better: Literal["lower", "higher"] = "lower"
    ceiling: dict[str, float | None] = {}
    values: dict[str, _Value] = {}
    other_protocols: list[_Ranked] = []


class _Summary(BaseModel):
    suite: str
    started: str = ""
    seconds: float | None = None
    datasets: dict[str, _Ranked]


def read_side(place: str) -> Side:
    """Read STORE, STORE:SUITE or the folder of a report; StoreError says what is there instead.

    Of a store it reads the latest suite where none is named.
    """
    folder, suite = _parted(place)
    if not folder.is_dir():
        raise StoreError(f"{folder} is no folder{_near(folder)}: name a store, STORE:SUITE or the folder of a report")
    if (folder / "suites").is_dir():
        store = Store(folder)
        found = store.suites()
        if suite and suite not in found:
            raise StoreError(f"{folder}: {unknown('suite', suite, found)}")
        return Side(place, "store", load(store, suite or None, with_traces=False))
    if not ((folder / TABLE).is_file() and (folder / SUMMARY).is_file()):
        raise StoreError(f"{folder} is neither a store (suites/) nor the folder of a report ({TABLE} and {SUMMARY})")
    side = Side(place, "report", _reported(folder))
    if suite and suite != side.suite:
        raise StoreError(f"{folder}: {unknown('suite', suite, [side.suite])}")
    return side


def only_those(a: Side, b: Side, filters: Sequence[str]) -> tuple[Side, Side]:
    """Keep the cells of filters such as `objective=hinge,wgan_gp`; a name has to be on one of the two sides.

    Raises SuiteError or UnknownName for a filter that keeps nothing it names.
    """
    for text in filters:
        axis, equals, listed = text.partition("=")
        names = [name.strip() for name in listed.split(",") if name.strip()]
        if not equals or not names:
            raise wrong(f"--only {text}", "expected axis=value, such as objective=hinge,wgan_gp")
        if axis not in AXES:
            raise wrong(f"--only {text}", unknown("axis", axis, AXES))
        known = {str(name) for side in (a, b) for name in side.frame.cells[axis]}
        for name in names:
            if name not in known:
                raise UnknownName(f"--only {text}: {unknown(axis, name, known)}")
        a, b = (replace(side, frame=_kept(side.frame, axis, names)) for side in (a, b))
    return a, b


def _kept(frame: Frame, axis: str, names: Sequence[str]) -> Frame:
    return replace(frame, cells=frame.cells[frame.cells[axis].astype(str).isin(names)])


def _parted(place: str) -> tuple[Path, str]:
    """Part STORE:SUITE, where that is no folder by itself."""
    folder, colon, suite = place.rpartition(":")
    if colon and folder and not Path(place).is_dir() and Path(folder).is_dir():
        return Path(folder), suite
    return Path(place), ""


def _near(folder: Path) -> str:
    parent = folder.parent
    names = [path.name for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
    near = difflib.get_close_matches(folder.name, names, n=1)
    return f"; did you mean {str(parent / near[0])!r}?" if near else ""


def _reported(folder: Path) -> Frame:
    """Read back what a report wrote; there are no curves, traces and statuses in it."""
    summary, cells = _summary(folder / SUMMARY), _cells(folder / TABLE)
    ranked = [(name, one) for name, first in summary.datasets.items() for one in (first, *first.other_protocols)]
    better = {value: about.better for _, one in ranked for value, about in _values(one).items()}
    better = {name: way for name, way in better.items() if {f"{name}_final", f"{name}_best"} <= set(cells)}
    protocols = {one.protocol_id: _protocol(one) for _, one in ranked}
    switched_off = {(name, one.protocol_id) for name, one in ranked if one.headline is None}
    scores = {
        place: Scores(protocol_id, protocols.get(protocol_id, {}), better, ())
        for place, protocol_id in enumerate(cells["protocol_id"])
        if protocol_id
    }
    datasets = {
        name: {
            "headline": first.headline,
            "titles": {
                value: about.title for one in (*first.other_protocols, first) for value, about in _values(one).items()
            },
        }
        for name, first in summary.datasets.items()
    }
    listed = tuple(
        _listed(dict(zip(map(str, cells), row, strict=True)), switched_off) for row in cells.itertuples(index=False)
    )
    record = SuiteRecord(summary.suite, listed, started=summary.started, datasets=datasets)
    nothing = pd.DataFrame({"cell": [], "step": []})
    ceilings = {
        one.protocol_id: {name: value for name, value in one.ceiling.items() if value is not None} for _, one in ranked
    }
    return Frame(Store(folder), record, cells, nothing, nothing, {}, scores, better, protocols, ceilings)


def _values(one: _Ranked) -> dict[str, _Value]:
    """Return the values with their directions; older reports told those of the headline alone."""
    headline = {one.headline: _Value(title=one.title, better=one.better)} if one.headline else {}
    return {**headline, **one.values}


def _protocol(one: _Ranked) -> dict[str, Any]:
    return {name: value for name, value in (one.protocol or {}).items() if name != "cells"}


def _summary(path: Path) -> _Summary:
    try:
        return _Summary.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreError(f"{path} is not what a report writes: {where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not valid JSON ({error})") from None


def _cells(path: Path) -> pd.DataFrame:
    try:
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        if missing := [name for name in (*IDENTITY, *LABELS) if name not in cells]:
            raise StoreError(f"{path} has no column {missing[0]!r}: write the report again")
        numbers = [
            name for name in map(str, cells) if name in (*STABILITY, *COSTS) or name.endswith(("_final", "_best"))
        ]
        cells = cells.assign(**{name: _floats(cells[name]) for name in numbers})
        return cells.assign(seed=cells["seed"].astype(int))
    except ValueError as error:  # also what pandas says of a table that is none
        raise StoreError(f"{path} is not what a report writes ({error})") from None


def _floats(column: pd.Series[str]) -> pd.Series[float]:
    return pd.Series([float(text or "nan") for text in column], column.index, dtype=float)


def _listed(row: Mapping[str, Any], switched_off: set[tuple[str, str]]) -> Listed:
    known = {*IDENTITY, *LABELS, *STABILITY, *COSTS}
    settings = {
        name.removeprefix("setting_"): value
        for name, value in row.items()
        if name not in known and not name.endswith(("_final", "_best"))
    }
    return Listed(
        key=str(row["key"]),
        evaluation_key=str(row["protocol_id"]),
        objective=str(row["objective"]),
        architecture=str(row["architecture"]),
        dataset=str(row["dataset"]),
        seed=int(row["seed"]),
        settings=settings,
        skipped=str(row["reason"]) if row["outcome"] == "skipped" else "",
        scoring=(row["dataset"], row["protocol_id"]) not in switched_off,
    )
