"""The store: a folder with every cell's results, written atomically, read by everything else.

    STORE/cells/KEY/cell.json               what the cell is (everything that its key hashes)
    STORE/cells/KEY/trace.jsonl             one JSON object per record, by step
    STORE/cells/KEY/snapshots.safetensors   the generator's parameters at each evaluation, by step; D's as d/STEP
    STORE/cells/KEY/checkpoint.safetensors  where its training stands, until it is finished
    STORE/cells/KEY/status.json             how training ended: written last, so a cell with a status is trained
    STORE/cells/KEY/scores/EKEY/samples.npy samples of the last scored step, for pictures
    STORE/cells/KEY/scores/EKEY/pictures.npz what else the report draws: see ganbench.evaluation.pictures
    STORE/cells/KEY/scores/EKEY/scores.json all scores under one evaluation: written last
    STORE/suites/NAME.json                  the cells of the last run of a suite, with their labels
    STORE/tuning/NAME.json                  what tuning came to whose cells are those of the suite NAME: its trials
    STORE/studies/NAME.json                 the same as MLflow is sent it: see ganbench.studies

Numbers that are not finite are null in every file. Nothing here is ever unpickled.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.arrays import packed, unpacked
from ganbench.paths import write_whole
from ganbench.plain_data import as_json
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.store_files import (
    ANEW,
    built,
    clear,
    names_in,
    opened,
    plain_key,
    read_json,
    read_lines,
    refuse_links,
    told,
)
from ganbench.store_files import StoreError as StoreError  # of the store, wherever it is raised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


CHECKPOINT = "checkpoint.safetensors"


class Store:
    """A folder of results; reading never changes it."""

    def __init__(self, root: Path) -> None:
        """Point at `root`, which need not exist yet."""
        self.root = Path(root)
        self._cells = str(self.root / "cells")

    def cell_folder(self, key: str) -> Path:
        """Return the folder of one cell; StoreError for a key that could lead out of the store."""
        return self.root / "cells" / plain_key(key)

    def own_folder(self, key: str) -> Path:
        """Return the folder of one cell to train in; a link in its place goes, what it points to stays as it is."""
        folder = self.cell_folder(key)
        if folder.is_symlink():
            folder.unlink()
        return folder

    def keys(self) -> frozenset[str]:
        """List the cells of which there is anything, by one look at the folder."""
        return names_in(self._cells)

    def status(self, key: str) -> Status | None:
        """Return how the cell's training ended, or None when it has not been trained."""
        path = self._file(key, "status.json")
        found = read_json(path)
        if found is None:
            return None
        return built(Status, {**found, "snapshot_steps": tuple(found.get("snapshot_steps", ()))}, path)

    def scores(self, key: str, evaluation_key: str) -> Scores | None:
        """Return the cell's scores under one evaluation, or None when it has not been scored."""
        path = self._file(key, f"scores/{plain_key(evaluation_key)}/scores.json")
        found = read_json(path)
        if found is None:
            return None
        tuples = {name: tuple(found.get(name, ())) for name in ("rows", "per_class")}
        return built(Scores, {**found, **tuples}, path)

    def scored(self, key: str, evaluation_key: str) -> bool:
        """Whether the cell has been scored under one evaluation, without reading the scores."""
        return (self._scores_folder(key, evaluation_key) / "scores.json").exists()

    def cell(self, key: str) -> dict[str, Any] | None:
        """Return what the cell is, as its key hashed it."""
        return read_json(self._file(key, "cell.json"))

    def trace(self, key: str) -> list[dict[str, float | None]]:
        """Return the cell's trace, one dict per record, oldest first; empty when there is none."""
        return read_lines(self._file(key, "trace.jsonl"))

    def snapshot_steps(self, key: str) -> list[int]:
        """List the steps of which there is a snapshot; none when the generator was never finite."""
        path = self.cell_folder(key) / "snapshots.safetensors"
        if not path.exists():
            return []
        with opened(path) as file:
            return sorted(int(name) for name in file.keys() if name.isdecimal())  # noqa: SIM118 - no mapping

    def snapshot(self, key: str, step: int) -> Tensor:
        """Return the scored generator's flat parameters `(size,)` at one step, without reading the others."""
        with opened(self.cell_folder(key) / "snapshots.safetensors") as file:
            found: Tensor = file.get_tensor(str(step))
        return found

    def d_snapshot(self, key: str, step: int) -> Tensor | None:
        """Return D's flat parameters at one step, where they were kept."""
        with opened(self.cell_folder(key) / "snapshots.safetensors") as file:
            name = f"d/{step}"
            found: Tensor | None = file.get_tensor(name) if name in file.keys() else None  # noqa: SIM118 - no mapping
        return found

    def samples(self, key: str, evaluation_key: str) -> NDArray[np.generic] | None:
        """Return samples of the last scored step (uint8 NCHW or float32 points), or None."""
        import numpy as np

        path = self._scores_folder(key, evaluation_key) / "samples.npy"
        if not path.exists():
            return None
        try:
            found: NDArray[np.generic] = np.load(path, allow_pickle=False)
        except (ValueError, EOFError, MemoryError) as error:
            raise StoreError(f"{path} cannot be read ({error}); {ANEW}") from None
        return found

    def pictures(self, key: str, evaluation_key: str) -> dict[str, NDArray[np.generic]] | None:
        """Return what the report draws by name (see ganbench.evaluation.pictures), read-only, or None."""
        path = self._scores_folder(key, evaluation_key) / "pictures.npz"
        if not path.exists():
            return None
        try:
            return unpacked(path)
        except ValueError as error:
            raise StoreError(f"{path} cannot be read ({error}); {ANEW}") from None

    def suites(self) -> list[str]:
        """List the suites that ran here, the latest first."""
        found = sorted((self.root / "suites").glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [path.stem for path in found]

    def suite(self, name: str) -> SuiteRecord | None:
        """Return the record of a suite's last run."""
        path = self.root / "suites" / f"{name}.json"
        found = read_json(str(path))
        if found is None:
            return None
        try:
            listed = found.get("listed", ())
            rows = tuple(built(Listed, {**row, "swept": tuple(row.get("swept", ()))}, path) for row in listed)
            whole = {**found, "listed": rows, "plugins": tuple(found.get("plugins", ())), "name": name}
        except (TypeError, AttributeError) as error:
            raise StoreError(f"{path} is not what ganbench writes ({error})") from None
        return built(SuiteRecord, whole, path)

    def write_training(
        self,
        key: str,
        cell: Mapping[str, Any],
        status: Status,
        trace: Iterable[Mapping[str, float]] = (),
        snapshots: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Write all that training made, the status last; an older training of the cell is replaced.

        Until then its checkpoint stays: what is lost by a crash in between can be gone on with. That of a cell whose
        time is over stays beyond, for when it is given more.
        """
        folder = self.own_folder(key)
        with told(folder):
            clear(folder, but=CHECKPOINT)
            write_whole(folder / "cell.json", as_json(cell))
            write_whole(folder / "trace.jsonl", b"".join(as_json(record, indented=False) for record in trace))
            if snapshots:
                from safetensors.torch import save

                write_whole(folder / "snapshots.safetensors", save(dict(snapshots)))
            write_whole(folder / "status.json", as_json(asdict(status)))
            if status.outcome != "timed_out":
                (folder / CHECKPOINT).unlink(missing_ok=True)

    def write_checkpoint(self, key: str, content: bytes) -> None:
        """Write where a cell's training stands, in place of the last."""
        folder = self.own_folder(key)
        with told(folder):
            write_whole(folder / CHECKPOINT, content)

    def write_scores(
        self,
        key: str,
        evaluation_key: str,
        scores: Scores,
        samples: NDArray[np.generic] | None,
        pictures: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> None:
        """Write one evaluation of a trained cell, `scores.json` last."""
        import numpy as np

        folder = self._scores_folder(key, evaluation_key)
        refuse_links(self.cell_folder(key), folder.parent, folder)
        with told(folder):
            if samples is not None:
                buffer = io.BytesIO()
                np.save(buffer, samples, allow_pickle=False)
                write_whole(folder / "samples.npy", buffer.getvalue())
            if pictures:
                write_whole(folder / "pictures.npz", packed(pictures))
            write_whole(folder / "scores.json", as_json(asdict(scores)))

    def write_suite(self, record: SuiteRecord) -> None:
        """Write the list of a suite's cells, replacing the one of its previous run."""
        # As `asdict` has it, which copies all settings of all cells.
        plain = {**vars(record), "listed": [vars(row) for row in record.listed]}
        path = self.root / "suites" / f"{record.name}.json"
        with told(path.parent):
            write_whole(path, as_json(plain))

    def tuning(self, name: str) -> dict[str, Any] | None:
        """Return what tuning left whose reported cells are a suite's, or None; StoreError where it is no JSON object.

        What it has to hold is `ganbench.reporting.tuning.reading`'s to say.
        """
        return read_json(str(self.root / "tuning" / f"{name}.json"))

    def write_tuning(self, name: str, content: Mapping[str, Any]) -> None:
        """Write what tuning came to, in place of what it came to before."""
        path = self.root / "tuning" / f"{name}.json"
        with told(path.parent):
            write_whole(path, as_json(content))

    def check_writable(self) -> None:
        """Raise StoreError where nothing can be written; leaves a folder behind and nothing in it."""
        with told(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                return

    def discard(self, keys: Iterable[str]) -> None:
        """Remove cells: the status first, so that an interrupted removal leaves no half cell behind."""
        refuse_links(self.root / "cells")
        for key in keys:
            clear(self.cell_folder(key))

    def forget_checkpoints(self, keys: Iterable[str]) -> None:
        """Remove where the training of cells stands: it starts anew."""
        for key in keys:
            (self.cell_folder(key) / CHECKPOINT).unlink(missing_ok=True)

    def _scores_folder(self, key: str, evaluation_key: str) -> Path:
        return self.cell_folder(key) / "scores" / plain_key(evaluation_key)

    def _file(self, key: str, name: str) -> str:
        return f"{self._cells}/{plain_key(key)}/{name}"
