"""Ray as an engine: tasks run on the nodes of a cluster, or of a small one that is started on this machine."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

from ganbench.execution import remote, slots
from ganbench.execution.mail import Box
from ganbench.execution.messages import Task
from ganbench.store import StoreError
from ganbench.suite.errors import wrong

if TYPE_CHECKING:
    from ray import ObjectRef

GPU = "GPU"
SECONDS_TO_CONNECT = 15.0


def must_be_installed() -> None:
    """Raise SuiteError where Ray is not."""
    if find_spec("ray") is None:
        raise wrong("--executor ray", "needs the extra: pip install 'ganbench[ray]'")


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Connect to the cluster at `address`, or start one of this machine's own, until the end of the block.

    SuiteError where that fails.
    """
    must_be_installed()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if address is not None:
        _must_answer(address)
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # Ray raises nearly everything here
        where = f"--ray-address {address}" if address else "--executor ray"
        raise wrong(where, f"{error or type(error).__name__}".splitlines()[0]) from None
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, before)  # Ray would end the process, and what is in training would not be kept
    try:
        yield
    finally:
        ray.shutdown()


def _must_answer(address: str) -> None:
    """Raise SuiteError where nothing listens at HOST:PORT: Ray itself would try for long, and end the process."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        if address == "auto":
            return
        raise wrong(f"--ray-address {address}", "expected HOST:PORT, ray://HOST:PORT or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_CONNECT).close()
    except (OSError, OverflowError) as error:
        raise wrong(f"--ray-address {address}", f"no Ray cluster answers there ({error})") from None


@dataclass
class RayJob:
    """A task that waits in this process or has been given to Ray."""

    engine: RayEngine
    task: Task
    box: Box
    future: Future[None] | None = None
    ref: ObjectRef[None] | None = None
    cancelled: bool = False

    def ended(self) -> str | None:
        """Say whether and how it ended; see `ganbench.execution.head.Job`."""
        self.engine.advance()
        if self.cancelled and self.future is None:
            return "it was cancelled"
        if self.future is None or not self.future.done():
            return None
        error = self.future.exception()
        if isinstance(error, StoreError):
            raise StoreError(str(getattr(error, "cause", error)))
        return "" if error is None else _sentence(error)

    def cancel(self) -> None:
        """Take it out of the queue, or kill the process that runs it."""
        import ray

        self.cancelled = True
        if self.ref is not None:
            with suppress(ray.exceptions.RayError):
                ray.cancel(self.ref, force=True)


@dataclass
class RayEngine:
    """Gives tasks to Ray, each with a share of a GPU or a CPU; at most `workers` at a time."""

    device: str = "auto"
    workers: int | None = None
    per_device: int | None = None
    patience: float = 600.0
    devices: Sequence[str] = ()
    _names: Mapping[str, str] = field(default_factory=dict)
    _waiting: deque[RayJob] = field(default_factory=deque)
    _at_work: list[RayJob] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Ask the cluster what there is; SuiteError where nothing of it can be used."""
        import ray

        known = ray.nodes()  # type: ignore[no-untyped-call]
        nodes = [node for node in known if node["Alive"]]
        hosts = Counter(node["NodeManagerHostname"] for node in nodes)
        self._names = {
            node["NodeID"]: f"{host} ({node['NodeID'][:6]})" if hosts[host] > 1 else host
            for node in nodes
            for host in [node["NodeManagerHostname"]]
        }
        gpus = [
            f"{self._names[node['NodeID']]}, GPU {index}"
            for node in nodes
            for index in range(int(node["Resources"].get(GPU, 0)))
        ]
        if self.device == "cuda" and not gpus:
            raise wrong("--device cuda", "the Ray cluster has no GPU")
        self._on_gpus = bool(gpus) and self.device != "cpu"
        if self._on_gpus:
            found = gpus * (self.per_device or 1)
        else:
            found = [self._names[node["NodeID"]] for node in nodes for _ in range(int(node["Resources"].get("CPU", 0)))]
            if self.per_device is not None:
                raise wrong("--slots-per-device", "is of GPUs; a CPU of a Ray cluster has one slot (see --workers)")
        if not found:
            raise wrong("--executor ray", "the Ray cluster has neither a GPU nor a CPU to run on")
        self.devices = tuple(found[: self.workers])

    def submit(self, given: Sequence[tuple[Task, Box]]) -> list[RayJob]:
        """Take tasks with their boxes, the first ones first."""
        jobs = [RayJob(self, *entry) for entry in given]
        self._waiting.extend(jobs)
        self.advance()
        return jobs

    def advance(self) -> None:
        """Give to Ray what waits, as far as `workers` allows."""
        if not self._waiting:
            return
        self._at_work = [job for job in self._at_work if job.future is not None and not job.future.done()]
        while self._waiting and (self.workers is None or len(self._at_work) < self.workers):
            job = self._waiting.popleft()
            if not job.cancelled:
                self._start(job)
                self._at_work.append(job)

    def _start(self, job: RayJob) -> None:
        each = self.per_device or 1
        # Ray counts in ten-thousandths, and rounding up would leave no room for the last of them.
        share = {"num_gpus": (10_000 // each) / 10_000, "num_cpus": 0} if self._on_gpus else {"num_cpus": 1}
        job.ref = (
            _function()
            .options(**share, scheduling_strategy="SPREAD")
            .remote(job.task, job.box, self.patience, self._names, 1 / each, str(Path.cwd()))
        )
        job.future = job.ref.future()


@cache
def _function() -> Any:
    import ray

    # Ray would end the process after each task on a GPU, for its memory; here no such process has ever touched one.
    return ray.remote(max_retries=0, max_calls=0)(_work)


def _work(task: Task, box: Box, patience: float, names: Mapping[str, str], share: float, folder: str) -> None:
    """Do a task on a node, in a process that Ray keeps for the next one."""
    import ray

    context = ray.get_runtime_context()
    where = names.get(context.get_node_id()) or socket.gethostname()
    assigned = context.get_accelerator_ids().get(GPU, [])
    if Path(folder).is_dir():
        os.chdir(folder)  # datasets may be named by relative paths
    # The fork server of this process serves its later tasks too, which may have other GPUs: it sees them all.
    visible = os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    try:
        device = _device(assigned)
        where = f"{where}, GPU {assigned[0]}" if assigned else where
        remote.work(task, device, box, patience, where, share)
    finally:
        if visible is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible


def _device(assigned: Sequence[str]) -> str:
    """Name the GPU that Ray assigned as `slots.claim` wants it, or the CPU where the GPU is a mere promise."""
    there = slots.gpu_count()
    if assigned and (int(assigned[0]) < there if assigned[0].isdigit() else there):
        return f"cuda:{assigned[0]}"
    return "cpu"


def _sentence(error: BaseException) -> str:
    """Say in one line what Ray tells in twenty."""
    cause = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0]}" if lines else type(cause).__name__
