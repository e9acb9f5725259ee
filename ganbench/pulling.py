"""Pulling: a store made again from MLflow, or filled up with what others sent there.

Each run of an experiment is fetched into a folder of its own, checked, and joined to the store like a cell of another
store. Nothing that comes from there is executed or unpickled, and nothing that it says names a path: files are asked
for by names known here, and keys are 16 hexadecimal digits.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ganbench.joining import add_suite, join_cell, join_suites, said
from ganbench.locks import alone
from ganbench.paths import write_whole
from ganbench.plain_data import as_json
from ganbench.records import SuiteRecord
from ganbench.registry import unknown
from ganbench.run_files import KEY, SCORES, TRAINING, SuiteFile, check_result, joined_list, read_suite_file
from ganbench.sent import SQLITE, Result, list_is_sent, remember, remember_list, shown, unsent
from ganbench.store import Store, StoreError
from ganbench.tracking import Reader, TrackedRun, TrackingError, reading

FETCHERS = 4  # runs that are fetched at once: a server answers in milliseconds that one would wait for
TAGS = ("key", "evaluation_key", "content")
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass
class Pulled:
    """What a pull did: cells added and already there, other results that stay, runs that were not taken, and why."""

    added: int = 0
    known: int = 0
    conflicts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    underway: int = 0


@dataclass(frozen=True)
class _Cell:
    """A run of ours: its cell, and the result that was sent."""

    run: TrackedRun
    key: str
    evaluation: str
    content: str

    @property
    def name(self) -> str:
        return f"run {self.run.number} ({self.key})"


def pull(store: Store, uri: str, experiment: str, waiting: Callable[[], None] = lambda: None) -> Pulled:
    """Add to a store what the runs of an experiment hold, and mark it as sent there.

    `waiting` is called where another run has the store. Raises StoreError where there is no such MLflow or experiment.
    """
    uri = _reachable(uri)
    pulled = Pulled()
    try:
        with reading(uri) as mlflow:
            names = mlflow.experiments()
            if experiment not in names:
                raise StoreError(f"MLflow at {shown(uri)}: {unknown('experiment', experiment, names)}")
            if not PLAIN.fullmatch(experiment):
                raise StoreError(
                    f"the experiment {experiment!r} was not made by ganbench: its suites have plain file names "
                    "(letters, digits, '.', '_', '-')"
                )
            cells = list(_cells(mlflow.runs(experiment), pulled))
            with alone(store.root / "run", waiting):
                _take(store, uri, experiment, cells, mlflow, pulled)
    except TrackingError as error:
        raise StoreError(str(error)) from None
    return pulled


def _reachable(uri: str) -> str:
    """Return the URI of a database where its file is named; MLflow would make one that is not there."""
    if "://" not in uri or uri.startswith(SQLITE):
        path = Path(uri.removeprefix(SQLITE))
        if not path.is_file():
            raise StoreError(f"{path}: there is no such database; name a server (http://...) or an mlflow.db")
        _check_database(path)
        return f"{SQLITE}{path.resolve()}"
    return uri


def _check_database(path: Path) -> None:
    """See that a file is a database of MLflow, which would make its tables in any other."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        try:
            database.execute("SELECT 1 FROM experiments LIMIT 1")
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path} is no database of MLflow ({error})") from None


def _cells(runs: Sequence[TrackedRun], pulled: Pulled) -> Iterator[_Cell]:
    """Go through the runs that ganbench has finished sending, and refuse keys that are none."""
    for run in runs:
        if "ganbench.key" not in run.tags:
            continue
        if run.running:
            pulled.underway += 1
            continue
        if "ganbench.content" not in run.tags:
            continue  # left by a killed sync
        key, evaluation, content = (run.tags.get(f"ganbench.{name}", "") for name in TAGS)
        wrong = next((one for one in (key, evaluation) if not KEY.fullmatch(one)), None)
        if wrong is None:
            yield _Cell(run, key, evaluation, content)
        else:
            pulled.refused.append(f"run {run.number} is not taken: its key {wrong!r} is not 16 hexadecimal digits")


def _take(store: Store, uri: str, experiment: str, cells: list[_Cell], mlflow: Reader, pulled: Pulled) -> None:
    lists: dict[str, list[SuiteFile]] = {}
    taken: list[_Cell] = []
    with tempfile.TemporaryDirectory(prefix="ganbench-pull-") as temporary, ThreadPoolExecutor(FETCHERS) as fetchers:
        folders = [Path(temporary) / str(number) for number in range(len(cells))]
        fetched = fetchers.map(lambda cell, folder: _fetch(mlflow, cell, folder), cells, folders)
        for cell, folder, trouble in zip(cells, folders, fetched, strict=True):
            try:
                if trouble:
                    raise trouble
                for path in sorted(folder.glob("suite*.json")):
                    file = read_suite_file(path, experiment)
                    lists.setdefault(file.store, []).append(file)
                if not list(folder.glob("suite*.json")):
                    raise StoreError("an earlier ganbench sent it; `ganbench track` of its store sends it again")
                _join(store, cell, folder, pulled)
                taken.append(cell)
            except StoreError as error:
                pulled.refused.append(f"{cell.name} is not taken: {error}")
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    record = _record(list(lists.values()))
    if record is None:
        return
    add_suite(store, record)
    _mark(store, uri, experiment, record, taken)


def _fetch(mlflow: Reader, cell: _Cell, folder: Path) -> StoreError | None:
    """Fetch the files of a run; a server that is gone ends the pull, a run that is damaged does not."""
    folder.mkdir()
    try:
        mlflow.fetch(cell.run, folder)
        check_result(folder)
    except StoreError as error:
        return error
    except TrackingError as error:
        mlflow.experiments()
        return StoreError(str(error))
    return None


def _join(store: Store, cell: _Cell, folder: Path, pulled: Pulled) -> None:
    """Lay the files of a run out as a store, which is then joined."""
    staged = Store(folder / "store")
    inside = staged.cell_folder(cell.key)
    scores = inside / "scores" / cell.evaluation
    scores.mkdir(parents=True)
    for name in (*TRAINING, *SCORES):
        if (folder / name).exists():
            (folder / name).rename((inside if name in TRAINING else scores) / name)
    status = staged.status(cell.key)
    assert status is not None
    # What has no snapshots here must not say that it has: a new metric then trains the cell again.
    write_whole(inside / "status.json", as_json({**asdict(status), "snapshot_steps": ()}))
    joined = join_cell(store, staged, cell.key)
    pulled.added += joined.added
    pulled.known += not joined.added and not joined.differences
    if joined.differences:
        pulled.conflicts.append(
            f"{cell.key}: {said(joined.differences, str(store.root), f'run {cell.run.number}')}; "
            f"what {store.root} has stays"
        )


def _record(lists: list[list[SuiteFile]]) -> SuiteRecord | None:
    """Join the lists of all stores that sent to the experiment, the one of the oldest first."""
    found: SuiteRecord | None = None
    for files in sorted(lists, key=lambda files: min(file.moment for file in files)):
        record = joined_list(files)
        assert record is not None
        found = record if found is None else join_suites(found, record)
    return found


def _mark(store: Store, uri: str, experiment: str, record: SuiteRecord, taken: list[_Cell]) -> None:
    """Mark what the store has as it was sent, so that it is not sent back."""
    mine = store.suite(experiment)
    assert mine is not None
    runs = {(f"{cell.key}/{cell.evaluation}", cell.content): cell.run.number for cell in taken}
    result: Result
    for result in unsent(store, mine, uri):
        if run := runs.get((result.mark, result.content)):
            remember(store, mine, uri, result, run)
    if taken and mine == record and not list_is_sent(store, mine, uri):
        remember_list(store, mine, uri, taken[-1].run.number)
