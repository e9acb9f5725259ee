"""A profile of training: a cohort's own loop under torch's profiler, in a worker as ever, storing no cell."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.execution.messages import Message, Tell
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.training_data import training_data
from ganbench.paths import write_whole
from ganbench.suite.cells import Cell
from ganbench.suite.cohorts import Cohort

if TYPE_CHECKING:
    import torch

    from ganbench.training.streamed import Streamed

WARM_UP, STEPS = 10, 20


@dataclass(frozen=True)
class ProfileRun:
    """Train a cohort for WARM_UP steps and then STEPS under the profiler; write a Chrome trace and a table."""

    cohort: Cohort
    surroundings: Surroundings
    folder: Path
    stem: str

    @property
    def name(self) -> str:
        """Say what is being done, for progress lines."""
        return f"profiling {self.cohort.name}"

    @property
    def trace(self) -> Path:
        """The Chrome trace, which chrome://tracing and ui.perfetto.dev show."""
        return self.folder / f"{self.stem}.trace.json.gz"

    @property
    def table(self) -> Path:
        """The table of where the time goes."""
        return self.folder / f"{self.stem}.txt"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - nothing is stored
        """Do it; whatever raises reaches the parent as an error."""
        import torch

        from ganbench.execution.profile_table import table

        self.surroundings.load_plugins()
        dataset = self.cohort.cells[0].dataset
        dataset.create().prepare(self.surroundings.data_root)
        data, labels = training_data(dataset, self.surroundings.data_root, torch.device(device))
        events = _profiled(self.cohort.cells, data, labels, self.trace)
        plugins = [Path(path) for path in self.surroundings.plugins]
        heading = f"{self.cohort.name} on {device}: {STEPS} G steps after {WARM_UP} of warm-up"
        write_whole(self.table, f"{heading}\n\n{table(events, STEPS, plugins)}".encode())
        tell(Message("done"))


def _profiled(
    cells: tuple[Cell, ...], data: torch.Tensor | Streamed, labels: torch.Tensor | None, path: Path
) -> list[dict[str, Any]]:
    """Write the trace and return its events; the profiler sees Python's calls too, so that ops have places."""
    from torch import profiler

    from ganbench.training.loop import train_cohort

    short = [replace(cell, train=cell.train.model_copy(update={"g_steps": WARM_UP + STEPS})) for cell in cells]
    activities = [profiler.ProfilerActivity.CPU]
    if data.device.type == "cuda":
        activities.append(profiler.ProfilerActivity.CUDA)
    # The last step of the warm-up has the profiler on already: its own start is slow.
    plan = profiler.schedule(wait=WARM_UP - 1, warmup=1, active=STEPS, repeat=1)
    with tempfile.TemporaryDirectory(prefix="ganbench-") as folder:
        plain = Path(folder) / "trace.json"
        with profiler.profile(
            activities=activities,
            schedule=plan,
            with_stack=True,
            on_trace_ready=lambda seen: seen.export_chrome_trace(str(plain)),
        ) as seen:
            train_cohort(short, data, (), labels=labels, each=lambda _: seen.step())
        zipped = Path(folder) / path.name
        with plain.open("rb") as source, gzip.open(zipped, "wb", compresslevel=5) as target:
            shutil.copyfileobj(source, target)
        write_whole(path, zipped.read_bytes())
        events: list[dict[str, Any]] = json.loads(plain.read_bytes())["traceEvents"]
    return events
