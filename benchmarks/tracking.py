"""How long MLflow takes to get a large store, and what that costs the training beside it.

`python benchmarks/tracking.py [--cells 1000] [--rounds 3]`: a store of synthetic cells is sent to a fresh database and
pulled from there; then loops that train, a process per core, are timed alone and while a thread of their parent sends
cells, in turns.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread

import numpy as np

from ganbench.pulling import pull
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.sent import Result, pending, trained, unsent
from ganbench.store import Store
from ganbench.suite.cells import digest
from ganbench.tracked import POINTS, series
from ganbench.tracking import Tracker

SERIES, RECORDS = 10, 500  # series of a trace, and its records, of which MLflow gets at most POINTS
GOAL = 120.0  # seconds, for a thousand cells
EVALUATION = "e" * 16


def filled(root: Path, cells: int) -> tuple[Store, SuiteRecord]:
    """Write a store whose cells have ten series, one of scores among them, and 64 pictures each."""
    store, random = Store(root), np.random.default_rng(0)
    rows = []
    settings = {"g_steps": 5000, "batch_size": 64, "g_lr": 2e-4, "d_lr": 2e-4, "betas": [0.5, 0.999], "ema": 0.999}
    for seed in range(cells):
        rows.append(Listed(digest({"seed": seed}), EVALUATION, "hinge", "dcgan", "digits", seed, settings))
        values = random.normal(size=(RECORDS, SERIES - 1))
        names = [f"series_{number}" for number in range(SERIES - 1)]
        trace = [
            {"step": 10 * (step + 1), **dict(zip(names, map(float, one), strict=True))}
            for step, one in enumerate(values)
        ]
        made = {"torch": "2.9", "cpu": "benchmark", "finished": "2026-11-01T00:00:00Z"}
        status = Status("completed", 5000, train_seconds=1.0, cohort_seconds=16.0, cohort_size=16, provenance=made)
        store.write_training(rows[-1].key, {"seed": seed}, status, trace)
        scored = tuple(
            {"step": 100 * (place + 1), "fid": float(fid)} for place, fid in enumerate(random.uniform(size=50))
        )
        pictures = random.integers(0, 256, (64, 1, 16, 16), dtype=np.uint8)
        store.write_scores(rows[-1].key, EVALUATION, Scores("p" * 16, {}, {"fid": "lower"}, scored), pictures)
    record = SuiteRecord("large", tuple(rows))
    store.write_suite(record)
    return store, record


def send(store: Store, record: SuiteRecord) -> float:
    started = time.perf_counter()
    assert Tracker(store, record, None).sync().new == len(record.listed)
    return time.perf_counter() - started


def train(pipe: Connection) -> None:
    """Take steps of a small network in a process of its own, and say how many in each span of time that is asked."""
    import torch

    torch.set_num_threads(1)
    weights, inputs = torch.randn(256, 256), torch.randn(256, 256)
    while seconds := pipe.recv():
        steps, started, own = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - started < seconds:
            for _ in range(20):
                inputs = torch.tanh(inputs @ weights)
            steps += 20
        pipe.send((steps / (time.perf_counter() - started), (time.process_time() - own) / seconds))


@contextmanager
def sending(store: Store, record: SuiteRecord, rate: float) -> Iterator[list[int]]:
    """Send a store in a thread while the block runs, `rate` cells a second at most; the list counts them."""
    over, sent = Event(), [0]

    def work() -> None:
        def until_over() -> Iterator[list[Result]]:
            for result in unsent(store, record, None):
                if over.is_set():
                    return
                yield [result]
                sent[0] += 1
                over.wait(1 / rate)

        Tracker(store, record, None).follow(until_over())

    thread = Thread(target=work)
    thread.start()
    yield sent
    over.set()
    thread.join()


def beside_training(folder: Path, rounds: int, seconds: float, rate: float) -> None:
    """Print the pace of training alone and beside a sync, each round both ways."""
    store, record = filled(folder / "beside", round(rounds * (seconds + 2) * rate) + 1)
    context = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(os.cpu_count() or 1):
        here, there = context.Pipe()
        context.Process(target=train, args=(there,), daemon=True).start()
        pipes.append(here)

    def pace(span: float) -> tuple[float, float]:
        for pipe in pipes:
            pipe.send(span)
        steps, cores = zip(*(pipe.recv() for pipe in pipes), strict=True)
        return sum(steps), sum(cores)

    Tracker(store, replace(record, name="first", listed=record.listed[:1]), None).sync()  # makes the database
    pace(1.0)
    ratios, cells, busy = [], 0, 0.0
    write(f"training in {len(pipes)} processes")
    for _ in range(rounds):
        alone, cores = pace(seconds)
        with sending(store, record, rate) as sent:
            time.sleep(1.0)
            before, own = sent[0], time.process_time()
            beside, cores_beside = pace(seconds)
            cells += sent[0] - before
            busy += time.process_time() - own
        ratios.append(beside / alone)
        write(f"  alone {alone:7.0f} steps/s on {cores:.2f} cores; beside {beside:7.0f} on {cores_beside:.2f}")
    for pipe in pipes:
        pipe.send(0)
    told = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    write(f"beside a sync / alone = {told}; {cells / rounds / seconds:.1f} cells sent a second meanwhile")
    # Where nothing else computes, what the sync takes from full cores is its own time on a core, and no more.
    share = busy / rounds / seconds / len(pipes)
    per = 1000 * busy / max(1, cells)
    write(f"the sync took {per:.0f} ms of a core per cell: {share:.3f} of what {len(pipes)} cores have")


def write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cells", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3, help="of training alone and beside a sync")
    options.add_argument("--seconds", type=float, default=5.0, help="of each side of a round")
    options.add_argument("--rate", type=float, default=2.0, help="cells a second that are sent beside training")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ganbench-tracking-") as name:
        folder = Path(name)
        store, record = filled(folder / "store", chosen.cells)
        row = record.listed[0]
        points, _ = series(trained(store, [row])[0], store.trace(row.key))
        write(f"{chosen.cells} cells, {SERIES} series of {RECORDS} records, {len(points)} points of each cell sent")
        assert len(points) <= (SERIES + 1) * POINTS
        own = resource.getrusage(resource.RUSAGE_SELF)
        took = send(store, record)
        now = resource.getrusage(resource.RUSAGE_SELF)
        busy = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
        per = 1000 * took / chosen.cells
        write(f"sent in {took:6.1f} s ({busy:.1f} s of a core), {per:.1f} ms a cell; goal for 1000: below {GOAL:.0f} s")
        started = time.perf_counter()
        assert pending(store, record, None) == []
        write(f"nothing to send: seen in {time.perf_counter() - started:.2f} s")
        started = time.perf_counter()
        assert pull(Store(folder / "pulled"), str(store.root / "mlflow.db"), "large").added == chosen.cells
        write(f"pulled in {time.perf_counter() - started:6.1f} s")
        beside_training(folder, chosen.rounds, chosen.seconds, chosen.rate)


if __name__ == "__main__":
    main()
