"""What a run in MLflow holds of its cell as files: enough to make the store again from them.

    cell.json, status.json, trace.jsonl, scores.json, samples.npy, pictures.npz   as in the store
    samples.png          a picture of the samples
    suite.json           the suite, with the cell's own rows and those that have no cell
    suite-STORE.json     the whole suite as one store has it: in the run that was last sent from there

Snapshots of parameters are left out: they are many times as large as all the rest.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.arrays import unpacked
from ganbench.plain_data import as_json
from ganbench.records import Listed, SuiteRecord
from ganbench.sample_picture import sample_picture
from ganbench.store import StoreError

if TYPE_CHECKING:
    from ganbench.sent import Result
    from ganbench.store import Store

TRAINING = ("cell.json", "status.json", "trace.jsonl")
SCORES = ("scores.json", "samples.npy", "pictures.npz")
SUITE = "suite.json"
KEY = re.compile(r"[0-9a-f]{16}")
_WANTED = re.compile(
    r"cell\.json|status\.json|trace\.jsonl|scores\.json|samples\.npy|pictures\.npz|suite(-[0-9a-f]{16})?\.json"
)


def is_wanted(name: str) -> bool:
    """Say whether a store can be made with a file of this name: no other is ever fetched."""
    return _WANTED.fullmatch(name) is not None


@dataclass(frozen=True)
class SuiteFile:
    """A suite's list as a run holds it.

    `store` is the identity of the store that sent it, at `moment` (UTC). It is `whole`, or has only the rows of one
    cell and those without a cell; `places` are theirs in the whole list.
    """

    store: str
    moment: str
    whole: bool
    places: tuple[int, ...]
    suite: SuiteRecord


@dataclass(frozen=True)
class Listing:
    """The suite's list as one store sends it, whole or in parts."""

    suite: SuiteRecord
    store: str
    moment: str

    def part(self, result: Result) -> bytes:
        """Return the rows of one cell and those without a cell."""
        mine = [*self._rows_of.get((result.listed.key, result.listed.evaluation_key), ()), *self._without_cell]
        return self._written(sorted(mine), whole=False)

    def whole(self) -> tuple[str, bytes]:
        """Return the name and the content of the file that has all rows."""
        return f"suite-{self.store}.json", self._written(range(len(self.suite.listed)), whole=True)

    def _written(self, places: Sequence[int], whole: bool) -> bytes:
        rows = [asdict(self.suite.listed[place]) for place in places]
        content = {"store": self.store, "moment": self.moment, "whole": whole, "places": list(places)}
        return as_json({**content, "suite": {**self._about, "listed": rows}}, indented=False)

    @cached_property
    def _about(self) -> dict[str, Any]:
        return asdict(replace(self.suite, listed=()))

    @cached_property
    def _rows_of(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = {}
        for place, row in enumerate(self.suite.listed):
            if not row.skipped:
                found.setdefault((row.key, row.evaluation_key), []).append(place)
        return found

    @cached_property
    def _without_cell(self) -> list[int]:
        return [place for place, row in enumerate(self.suite.listed) if row.skipped]


def gather(listing: Listing, store: Store, result: Result, folder: Path) -> None:
    """Write all that a run holds of a cell into a folder."""
    key, evaluation = result.listed.key, result.listed.evaluation_key
    cell = store.cell_folder(key)
    scores = cell / "scores" / evaluation
    for path in (*(cell / name for name in TRAINING), *(scores / name for name in SCORES)):
        if path.exists():
            shutil.copyfile(path, folder / path.name)
    (folder / SUITE).write_bytes(listing.part(result))
    samples = store.samples(key, evaluation)
    picture = None if samples is None else sample_picture(samples)
    if picture is not None:
        # A file a third larger for a tenth of the time, which was a tenth of what it takes to send a cell.
        picture.save(folder / "samples.png", compress_level=1)


def read_suite_file(path: Path, name: str) -> SuiteFile:
    """Read a suite's list that somebody else wrote, for a suite of this name.

    Raises StoreError where it is none, or has a key that could lead out of a store.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        found = TypeAdapter(SuiteFile).validate_json(path.read_bytes())
    except ValidationError as error:
        raise StoreError(f"{path.name} is no list of a suite ({_first(error)})") from None
    for row in found.suite.listed:
        for what, key in (("key", row.key), ("evaluation key", row.evaluation_key)):
            if not KEY.fullmatch(key) and not (row.skipped and not key):
                raise StoreError(f"{path.name}: the {what} {key!r} of {_title(row)} is not 16 hexadecimal digits")
    if len(found.places) != len(found.suite.listed):
        raise StoreError(f"{path.name} has {len(found.suite.listed)} rows and {len(found.places)} places")
    return replace(found, suite=replace(found.suite, name=name))


def joined_list(files: Sequence[SuiteFile]) -> SuiteRecord | None:
    """Return the list of a suite as one store had it last, from what its runs hold of it; None where they do not.

    A whole list replaces those before it; rows that were sent after it are added, in their places.
    """
    rows: dict[tuple[Any, ...], tuple[int, int, Listed]] = {}
    latest: SuiteRecord | None = None
    for turn, file in enumerate(sorted(files, key=lambda file: (file.moment, file.whole))):
        latest = file.suite
        if file.whole:
            rows.clear()
        for place, row in zip(file.places, file.suite.listed, strict=True):
            rows.setdefault(identity(row), (place, turn, row))
    if latest is None:
        return None
    return replace(latest, listed=tuple(row for *_, row in sorted(rows.values(), key=lambda found: found[:2])))


def identity(row: Listed) -> tuple[Any, ...]:
    """Return what makes two rows the same: keys, labels, and why there is no cell."""
    labels = row.objective, row.architecture, row.dataset, row.seed
    # Rows without a cell have no key: their settings tell them apart.
    settings = () if row.key else tuple(sorted((name, repr(value)) for name, value in row.settings.items()))
    return row.key, row.evaluation_key, *labels, row.skipped, settings


def check_result(folder: Path) -> None:
    """Check that files which somebody else wrote are a result; nothing is unpickled.

    Raises StoreError with the file that is not as it should be, and why.
    """
    import numpy as np
    from pydantic import TypeAdapter, ValidationError

    from ganbench.records import Scores, Status

    shapes: dict[str, Any] = {"cell.json": dict[str, Any], "status.json": Status, "scores.json": Scores}
    record = TypeAdapter(dict[str, float | None])
    name = ""
    try:
        for name in (*TRAINING, *SCORES):
            path = folder / name
            if name in SCORES and not path.exists():
                continue
            if name in shapes:
                TypeAdapter(shapes[name]).validate_json(path.read_bytes())
            elif name == "trace.jsonl":
                for line in path.read_bytes().splitlines():
                    record.validate_json(line)
            elif name == "samples.npy":
                np.load(path, allow_pickle=False)
            else:
                unpacked(path)
    except FileNotFoundError:
        raise StoreError(f"{name} is missing") from None
    except ValidationError as error:
        raise StoreError(f"{name} cannot be read ({_first(error)})") from None
    except (ValueError, EOFError) as error:
        raise StoreError(f"{name} cannot be read ({error})") from None


def _first(error: Any) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ")


def _title(row: Listed) -> str:
    return f"{row.objective} · {row.dataset} · {row.seed}"
