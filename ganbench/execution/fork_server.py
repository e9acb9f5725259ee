"""The fork server: a process that imports what workers need, and of which each worker is a copy.

It is started as early as possible: its imports take seconds, in which the parent reads the suite and opens MLflow.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Any

# Read by libraries at their import: one thread per worker, and no log lines of torch's profiler.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "KINETO_LOG_LEVEL": "99"}


def start(scores: bool = True) -> ForkServerContext:
    """Start the server unless it runs, and return at once; `scores` says whether workers will compute any."""
    context = multiprocessing.get_context("forkserver")
    more = ["ganbench.execution.preload_scores"] if scores else []
    context.set_forkserver_preload(["ganbench.execution.preload", *more])
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return context


def stop() -> None:
    """End the server, in the middle of its imports if need be: it would go on with them after its parent is gone."""
    server: Any = forkserver._forkserver  # there is no public way
    with server._lock:  # two threads may call this at once, and a server that was waited for has no process
        if server._forkserver_pid is not None:
            os.kill(server._forkserver_pid, signal.SIGKILL)  # that of a Slurm job ignores SIGTERM
            server._stop_unlocked()
