"""What a large plan, a full store and the parent of many workers cost: 100,000 planned cells, 10,000 finished ones."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from sleeping import DryRun

from ganbench.cli.progress import Display
from ganbench.execution import fork_server, local
from ganbench.execution.surroundings import Surroundings
from ganbench.hearing import Ear
from ganbench.paths import cache_root, data_root
from ganbench.pulse import Pulse
from ganbench.records import Scores, Status
from ganbench.store import Store
from ganbench.suite.cohorts import Cohort, look_up, pack
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Planned, expand
from ganbench.suite.record import suite_record
from ganbench.untracked import Untracked

OBJECTIVES = (
    "minimax, non_saturating, least_squares, hinge, wgan, wgan_gp, wgan_lp, wgan_div, dragan, r1_gan, sngan, r3gan, "
    "ragan, rahinge, rals, rsgan, consensus_gan, lecam_gan, pacgan, fgan_kl, fgan_pearson, fgan_neyman, "
    "fgan_reverse_kl, fgan_squared_hellinger, fgan_jensen_shannon"
)
RATES = ", ".join(f"{place}.0e-6" for place in range(1, 101))
SUITES = {
    "25 objectives x 4 x 1000 seeds": f"""
name: seeds
objectives: [{OBJECTIVES}]
datasets: [ring8, grid25]
architectures: [{{mlp: {{width: [32, 64]}}}}]
seeds: 1000
""",
    "10 x 100 x 100 learning rates": f"""
name: rates
objectives: [minimax, non_saturating, least_squares, hinge, wgan_gp]
datasets: [ring8, grid25]
train: {{g_lr: [{RATES}], d_lr: [{RATES}]}}
""",
}
SEEDS, *_ = SUITES
COMPANY = 16  # cells that sleep together
VALUES = ("modes", "high_quality", "mode_kl", "fid", "precision", "recall", "coverage", "density", "duplicates")
TRACED = ("d_loss", "d_penalty", "g_loss", "real_logit", "fake_logit", "d_accuracy", "d_grad_norm", "g_grad_norm")
RECORDS = 200  # of a trace


def clocked(name: str) -> contextlib.AbstractContextManager[None]:
    """Print how long the block took, by the clock and on a core."""

    @contextlib.contextmanager
    def clock() -> Iterator[None]:
        wall, core = time.perf_counter(), time.process_time()
        yield
        told(name, time.perf_counter() - wall, time.process_time() - core)

    return clock()


def told(name: str, wall: float, core: float) -> None:
    sys.stdout.write(json.dumps({"name": name, "wall": wall, "core": core}) + "\n")


def planned(suite: Path, seeds: int | None = None) -> tuple[Planned, ...]:
    return expand(load_suite(suite, (), seeds), data_root(), cache_root()).planned


def make_plan(suite: Path, store: Path) -> None:
    """Plan all cells against an empty store, for 64 slots."""
    with clocked("read the suite, expand it"):
        rows = planned(suite)
    with clocked("look up in an empty store"):
        entries = look_up(rows, Store(store))
    with clocked("pack into cohorts"):
        pack(entries, 64)
    assert len({entry.planned.cell and entry.planned.cell.key for entry in entries}) == 100_000


def fill(suite: Path, store: Path) -> None:
    """Finish 10,000 cells: status, trace and scores as a run leaves them, without waiting for the disk."""
    made, kept = random.Random(0), Store(store)
    rows = planned(suite, 100)
    lines = [json.dumps({"step": step} | {name: made.random() for name in TRACED}) for step in range(RECORDS)]
    trace = "\n".join(lines)
    provenance = {name: f"{name} of this machine" for name in ("ganbench", "torch", "python", "commit", "device")}
    with patch("os.fsync"):
        for row in rows:
            cell, scoring = row.cell, row.scoring
            assert cell is not None
            assert scoring is not None
            status = Status("completed", cell.train.g_steps, snapshot_steps=scoring.steps, provenance=provenance)
            kept.write_training(cell.key, cell.as_json(), replace(status, g_updates=1, train_seconds=0.01))
            (kept.cell_folder(cell.key) / "trace.jsonl").write_text(trace)
            found = tuple({"step": step} | {name: made.random() for name in VALUES} for step in scoring.steps)
            protocol = {"metrics": [part.as_json() for part in scoring.settings.metrics], "samples": 1000}
            better = dict.fromkeys(VALUES, "higher")
            kept.write_scores(cell.key, scoring.key, Scores("p", protocol, better, found), None)
        kept.write_suite(suite_record(load_suite(suite, (), 100), rows, ""))
    assert len(rows) == 10_000


def list_cells(suite: Path, store: Path) -> None:
    """Look up a plan whose cells are all finished."""
    rows = planned(suite, 100)
    with clocked("look up: all are done"):
        entries = look_up(rows, Store(store))
    assert {entry.state for entry in entries} == {"done"}


def read_frame(suite: Path, store: Path) -> None:  # noqa: ARG001 - as the other parts
    """Read the tables that a report is made of."""
    from ganbench.reporting import frame

    with clocked("tables of a report"):
        found = frame.load(Store(store))
    assert len(found.cells) == 10_000


def write_report(suite: Path, store: Path) -> None:  # noqa: ARG001 - as the other parts
    """Write the whole report."""
    from ganbench.reporting import write_report

    with clocked("whole report"):
        write_report(Store(store), "seeds", store.parent / "report")


def write_record(suite: Path, store: Path) -> None:
    """Write the list of a suite's cells, as each run does at its begin and its end, and read it."""
    rows, kept = planned(suite, 100), Store(store.parent / "record")
    with clocked("record of the suite: write"):
        kept.write_suite(suite_record(load_suite(suite, (), 100), rows, ""))
    with clocked("record of the suite: read"):
        found = kept.suite("seeds")
    assert found is not None
    assert len(found.listed) == 10_000


def drive(suite: Path, store: Path) -> None:
    """Run 10,000 cells that sleep in 64 slots, heard as `ganbench run` hears them."""
    rows, kept = planned(suite, 100), Store(store.parent / "dry")
    wall, core = driven(rows, kept, 64)
    assert len(kept.keys()) == len(rows) == 10_000
    told("parent of 64 slots, per cell", wall / len(rows), core / len(rows))


def driven(rows: Sequence[Planned], kept: Store, slots: int) -> tuple[float, float]:
    """Run cells that sleep; return the parent's seconds by the clock and on a core."""
    cells = [row.cell for row in rows if row.cell is not None]
    scoring = rows[0].scoring
    assert scoring is not None
    cohorts = [Cohort(tuple(cells[at : at + COMPANY]), scoring, True) for at in range(0, len(cells), COMPANY)]
    surroundings = Surroundings(kept.root, data_root(), cache_root())
    devices, display, errors = ["cpu"] * slots, Display(), list[str]()
    ear = Ear(display, Untracked(), Pulse(kept, "seeds", cohorts, devices), errors)
    with contextlib.redirect_stdout(io.StringIO()):
        display.training(cohorts, devices)
        wall, core = time.perf_counter(), time.process_time()
        local.run([DryRun(cohort, surroundings) for cohort in cohorts], devices, ear.hear, tick=ear.tick)
        wall, core = time.perf_counter() - wall, time.process_time() - core
    ear.pulse.end()
    fork_server.stop()
    assert not errors, errors[0]
    return wall, core


PARTS = {part.__name__: part for part in (make_plan, fill, list_cells, read_frame, write_report, write_record, drive)}


def run_part(name: str, suite: str, store: str) -> None:
    PARTS[name](Path(suite), Path(store))


def measured(command: Sequence[str]) -> tuple[str, float, float, float]:
    """Run a command; return what it said, its seconds by the clock and on a core, and its peak of memory in MB."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, env=os.environ)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    return output, time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(what: str, wall: str, core: str, goal: str = "") -> None:
    sys.stdout.write(f"{what:60} {wall:>12} {core:>12}   {goal}\n")
    sys.stdout.flush()


def show(part: str, suite: Path, store: Path, goal: str = "") -> float:
    """Run one part in a process of its own, print its rows and return its peak of memory in MB."""
    # By a command line, and not by this file, which all workers of the part would then run again.
    code = "import sys; sys.path.insert(0, sys.argv[1]); import orchestration; orchestration.run_part(*sys.argv[2:])"
    here = str(Path(__file__).parent)
    output, _, _, peak = measured([sys.executable, "-c", code, here, part, str(suite), str(store)])
    rows = [json.loads(line) for line in output.splitlines()]
    for found in rows:
        unit, scale = (" ms", 1e3) if "per cell" in found["name"] else (" s", 1)
        row(found["name"], f"{found['wall'] * scale:.2f}{unit}", f"{found['core'] * scale:.2f}{unit}", goal)
    return peak


def plans(folder: Path) -> None:
    for title, text in SUITES.items():
        suite, store = folder / "suite.yaml", folder / "runs"
        suite.write_text(text)
        sys.stdout.write(f"\n{title}: 100,000 cells\n")
        peak = show("make_plan", suite, store, "10 s together")
        row("peak of memory", f"{peak:.0f} MB", "", "1000 MB")
        command = [sys.executable, "-m", "ganbench", "plan", str(suite), "--store", str(store), "--workers", "64"]
        _, wall, core, peak = measured(command)
        row("ganbench plan, the whole command", f"{wall:.2f} s", f"{core:.2f} s")
        row("peak of memory", f"{peak:.0f} MB", "")


def finished(folder: Path, report: bool) -> None:
    suite, store = folder / "suite.yaml", folder / "runs"
    suite.write_text(SUITES[SEEDS])
    sys.stdout.write("\n10,000 finished cells\n")
    show("fill", suite, store)
    show("list_cells", suite, store, "2 s")
    for part in ("write_record", "read_frame", *(["write_report"] if report else [])):
        row("peak of memory", f"{show(part, suite, store):.0f} MB", "")


def dry(folder: Path) -> None:
    suite = folder / "suite.yaml"
    suite.write_text(SUITES[SEEDS])
    sys.stdout.write("\n10,000 cells that sleep, in cohorts of 16\n")
    show("drive", suite, folder / "runs", "10 ms on a core")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", choices=("plan", "store", "executor"), help="one of the three tables")
    options.add_argument("--report", action="store_true", help="write the report of the 10,000 cells too")
    chosen = options.parse_args()
    row("what", "by the clock", "on a core", "goal")
    with tempfile.TemporaryDirectory(prefix="ganbench-orchestration-") as name:
        if chosen.only in (None, "plan"):
            plans(Path(name))
        if chosen.only in (None, "store"):
            finished(Path(name), chosen.report)
        if chosen.only in (None, "executor"):
            dry(Path(name))


if __name__ == "__main__":
    main()
