"""What tuning a suite came to, as plain data: STORE/studies/SUITE.json, which MLflow is sent and anybody can read.

The search itself goes by its journal or database. This is what came of it, so that it can be sent later, and again,
without the suite and without Optuna.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

from ganbench.paths import write_whole
from ganbench.plain_data import as_json
from ganbench.store import Store, StoreError
from ganbench.store_files import told

KEY = re.compile(r"[0-9a-f]{16}")
State = Literal["complete", "infeasible", "pruned", "failed"]
Setting = bool | int | float | str | None


@dataclass(frozen=True)
class TrialRecord:
    """One finished trial: its settings, what its seeds scored by value, and why others have no score.

    `cells` are the keys of its cells in the store. A pruned one has the scores of where it `ended`: a G step, or a
    number of seeds. It trained from `started` to `finished` (UTC), where that is known.
    """

    number: int
    state: State
    settings: Mapping[str, Setting]
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    ended: int | None = None
    started: str = ""
    finished: str = ""


@dataclass(frozen=True)
class MeasuredRecord:
    """What one setting, such as the default or the tuned one, scored on the fresh seeds.

    By value: the mean as `value`, its seeds as `n`, and `low` and `high` where an interval holds.
    """

    settings: Mapping[str, Setting | tuple[Setting, ...]]
    means: Mapping[str, Mapping[str, float]]
    lost: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyRecord:
    """The search of one subject. `identity` is the same wherever the study is, and that of no other one.

    `values` are what was tuned for, with the better direction; `search` and `space` say how and over which ranges.
    """

    name: str
    identity: str
    values: Mapping[str, Literal["lower", "higher"]]
    search: Mapping[str, Setting]
    space: Mapping[str, Mapping[str, tuple[Setting, ...]]]
    trials: tuple[TrialRecord, ...] = ()
    measured: Mapping[str, MeasuredRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class Studies:
    """The studies of a suite; `suite` is the name of the reported one, under which MLflow has them."""

    suite: str
    studies: tuple[StudyRecord, ...] = ()


@dataclass(frozen=True)
class Piece:
    """What MLflow has a run for: a study as a whole (`trial` None), or one trial of it."""

    study: StudyRecord
    trial: TrialRecord | None = None

    @property
    def mark(self) -> str:
        """What tells it from every other run of its experiment."""
        return f"study {self.study.identity}" + (f" {self.trial.number}" if self.trial else "")

    @cached_property
    def content(self) -> str:
        """A hash that changes when what is sent does; when trials ran, which each store sees for itself, is no part."""
        plain = asdict(self.trial or self.study)
        for trial in [plain] if self.trial else plain["trials"]:
            del trial["started"], trial["finished"]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def pieces(held: Studies) -> list[Piece]:
    """List what there is to send, every study before its trials."""
    return [each for study in held.studies for each in pieces_of(study)]


def pieces_of(study: StudyRecord) -> list[Piece]:
    """List a study and its trials."""
    return [Piece(study), *(Piece(study, trial) for trial in study.trials)]


def write_studies(store: Store, held: Studies) -> None:
    """Write what tuning came to, in place of what it was."""
    folder = store.root / "studies"
    with told(folder):
        write_whole(folder / f"{held.suite}.json", as_json(asdict(held)))


def read_studies(store: Store, suite: str) -> Studies | None:
    """Return what tuning came to, by the name of the reported suite; None where it was not tuned.

    Raises StoreError where the file is not as it should be: a store may be anybody's.
    """
    path = store.root / "studies" / f"{suite}.json"
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror or error})") from None
    from pydantic import TypeAdapter, ValidationError

    try:
        found = TypeAdapter(Studies).validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise StoreError(f"{path} is not what ganbench writes ({place}: {problem['msg']}); delete it") from None
    if wrong := next((study.identity for study in found.studies if not KEY.fullmatch(study.identity)), None):
        raise StoreError(f"{path}: the identity {wrong!r} of a study is not 16 hexadecimal digits; delete it")
    return Studies(suite, found.studies)


def tuned_suites(store: Store) -> list[str]:
    """List the reported suites that tuning came to something of, by name."""
    return sorted(path.stem for path in (store.root / "studies").glob("*.json"))
