"""Runs through a real Slurm, which is started on this machine with one node."""

from __future__ import annotations

import ctypes
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import ganbench
from ganbench.checkpoints import step_of
from ganbench.execution import slurm_queue
from ganbench.execution.messages import Message, Task
from ganbench.listener import Silence
from ganbench.paths import cache_root
from ganbench.runner import Result
from ganbench.store import CHECKPOINT, Store
from ganbench.suite.cohorts import Cohort
from ganbench.suite.errors import SuiteError

# A job starts a Python of its own, and this is what real clusters do.
pytestmark = [pytest.mark.cluster, pytest.mark.slow]

SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 1500, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 750, metrics: [fid, modes]}
"""

CONFIGURATION = """
ClusterName=ganbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
KillWait=10
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=2:00:00 State=UP
"""
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


@contextmanager
def cluster(folder: Path) -> Iterator[Path]:
    """Start a Slurm with its own keys, ports and folders, and stop it with all its jobs; gives its slurm.conf."""
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o700)
    (folder / "munge" / "key").write_bytes(secrets.token_bytes(128))
    (folder / "munge" / "key").chmod(0o400)
    configuration = folder / "slurm.conf"
    host = socket.gethostname().partition(".")[0]
    controller_port, node_port = _free_ports(2)
    configuration.write_text(CONFIGURATION.format(**locals(), user=getpass.getuser(), cores=os.cpu_count()))
    munge = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    places = [f"--{option}={folder / 'munge' / name}" for option, name in munge.items()]
    started: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    try:
        started.append(_start(["munged", "--foreground", "--force", *places], folder, environment))
        _wait(lambda: (folder / "munge" / "socket").exists(), folder)
        started.append(_start(["slurmctld", "-D", "-c"], folder, environment))
        started.append(_start(["slurmd", "-D"], folder, environment))
        _wait(lambda: "idle" in _told(["sinfo", "--noheader", "--format=%T"], environment), folder)
        yield configuration
    finally:
        _told(["scancel", f"--user={getpass.getuser()}", "--quiet"], environment)
        _told(["scancel", f"--user={getpass.getuser()}", "--signal=KILL", "--full", "--quiet"], environment)
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _kill_left_over(folder)


def _start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    program = _program(command[0])
    assert program is not None
    with (folder / f"{command[0]}.out").open("wb") as out:
        return subprocess.Popen(
            [program, *command[1:]], stdout=out, stderr=out, env=environment, preexec_fn=_die_with_parent
        )


def _die_with_parent() -> None:
    """Have the kernel end this process should the tests be killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _told(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60).stdout


def _wait(condition: Callable[[], bool], folder: Path) -> None:
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            logs = [path.read_text(errors="replace")[-500:] for path in sorted(folder.glob("*.out"))]
            raise RuntimeError("Slurm does not start: " + "\n".join(logs))
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def _kill_left_over(folder: Path) -> None:
    """End what is left of jobs: processes that have this cluster's configuration in their environment."""
    mark = f"SLURM_CONF={folder}".encode()
    for entry in Path("/proc").iterdir():
        try:
            name, variables = (entry / "comm").read_text(), (entry / "environ").read_bytes()
            if mark in variables and (b"SLURM_JOB_ID=" in variables or name.startswith("slurmstepd")):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue  # gone, or somebody else's, or no process


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have `sbatch` and the others talk to a Slurm of this module's own."""
    lacking = [name for name in PROGRAMS if _program(name) is None]
    if lacking or find_spec("submitit") is None:
        pytest.skip(f"no Slurm can be started here: {', '.join(lacking) or 'submitit'} not found")
    if os.geteuid() != 0:
        pytest.skip("slurmd is for root")
    with cluster(tmp_path_factory.mktemp("slurm")) as configuration, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(configuration))
        patch.setattr(slurm_queue, "EVERY", 0.5)
        yield


@pytest.fixture(autouse=True, scope="module")
def _no_tracking() -> Iterator[None]:
    """MLflow has tests of its own; here it would cost seconds per run."""

    class Untracked:
        def __init__(self, *_: Any) -> None: ...
        def __getattr__(self, name: str) -> Callable[..., str]:
            return lambda *_: ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganbench.runner.track", lambda *_: "")
        patch.setattr("ganbench.runner.LiveTracking", Untracked)
        yield


class Heard(Silence):
    """Keeps what a run tells, and does something upon it."""

    def __init__(self, do: Callable[[Message], object] = lambda _: None) -> None:
        self.messages: list[Message] = []
        self.cohorts: Sequence[Cohort] = ()
        self.do = do

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        self.cohorts = cohorts

    def heard(self, slot: int, task: Task, message: Message) -> None:
        self.messages.append(message)
        self.do(message)


def run(folder: Path, text: str = SUITE, **options: Any) -> Result:
    folder.mkdir(exist_ok=True)
    (folder / "suite.yaml").write_text(text)
    more: dict[str, Any] = {"store": folder / "runs", "workers": 2, "executor": "slurm", **options}
    return ganbench.run(folder / "suite.yaml", **more)


def scores(folder: Path) -> Mapping[str, object]:
    store = Store(folder / "runs")
    record = store.suite("suite")
    assert record is not None
    return {row.key: store.scores(row.key, row.evaluation_key).rows for row in record.listed}


def queue(states: str = "PENDING,RUNNING,COMPLETING") -> list[str]:
    """Name the jobs in these states: those that wait or are at work."""
    command = ["squeue", "--noheader", "--array", "--format=%F_%K", f"--states={states}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    folder = tmp_path_factory.mktemp("undisturbed")
    run(folder, executor="local")
    return scores(folder)


def slurm_does(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def warn_of_the_limit(job: str) -> None:
    slurm_does("scancel", "--signal=USR2", job)


def take_the_node_away(job: str) -> None:
    slurm_does("scontrol", "requeue", job)
    assert wait_until(lambda: job in queue("PENDING"))
    slurm_does("scontrol", "update", f"JobId={job}", "StartTime=now")  # it would wait for two minutes


class Disturbance(threading.Thread):
    """Does something to the job of a cohort once it has kept something; `steps` is what it kept, as it went."""

    def __init__(self, store: Path, heard: Heard, index: int, do: Callable[[str], None]) -> None:
        super().__init__()
        self.store, self.heard, self.index, self.do = Store(store), heard, index, do
        self.over, self.steps, self.done = threading.Event(), [0], False

    def run(self) -> None:
        while not self.over.wait(0.02):
            if not self.heard.cohorts:
                continue
            reached = [step_of(self.store, cell.key) for cell in self.heard.cohorts[self.index].cells]
            if min(reached) > self.steps[-1] or 0 < min(reached) < self.steps[-1]:
                self.steps.append(min(reached))
            if all(reached) and not self.done:
                self.done = True
                (job,) = [job for job in queue() if job.endswith(f"_{self.index}")]
                self.do(job)


def test_jobs_that_slurm_ends_early_go_on_and_score_as_local_workers_do(
    slurm: None, tmp_path: Path, undisturbed: Mapping[str, object]
) -> None:
    heard, does = Heard(), (warn_of_the_limit, take_the_node_away)
    disturbed = [Disturbance(tmp_path / "runs", heard, index, do) for index, do in enumerate(does)]
    for each in disturbed:
        each.start()
    try:
        done = run(tmp_path, checkpoint_every=0.1, listener=heard)
    finally:
        for each in disturbed:
            each.over.set()
            each.join()
    assert dict(done.outcomes) == {"completed": 4} and not done.errors
    assert scores(tmp_path) == undisturbed
    assert all(each.done for each in disturbed)
    # No job began anew: what was kept never fell back.
    assert all(each.steps == sorted(each.steps) and len(each.steps) > 2 for each in disturbed)
    assert any("SIGUSR2" in message.text for message in heard.messages if message.kind == "lost")
    scripts = [path.read_text() for path in (cache_root() / "slurm").glob("suite-*/*_submission.sh")]
    assert any("--array=0-1%2" in script for script in scripts)


def test_ctrl_c_keeps_what_trains_and_leaves_no_job_in_the_queue(slurm: None, tmp_path: Path) -> None:
    def interrupt(message: Message) -> None:
        if message.kind == "progress" and list(tmp_path.rglob(CHECKPOINT)):
            raise KeyboardInterrupt

    endless = SUITE.replace("1500", "1000000").replace("750", "500000").replace("[fid, modes]", "[]")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, endless, workers=1, checkpoint_every=0.1, listener=Heard(interrupt))
    assert wait_until(lambda: not queue())
    kept = {step_of(Store(tmp_path / "runs"), path.parent.name) for path in tmp_path.rglob(CHECKPOINT)}
    assert len(kept) == 1 and min(kept) > 0
    assert not list((tmp_path / "runs" / "mail").iterdir())


def wait_until(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def test_what_slurm_refuses_is_told_in_its_words_before_anything_runs(slurm: None, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="--executor slurm: sbatch refuses: invalid partition specified: nope"):
        run(tmp_path, slurm=["partition=nope"])
    with pytest.raises(SuiteError, match=r"job .* would wait for ever .PartitionTimeLimit.*--slurm"):
        run(tmp_path, slurm=["time=3h"])
    assert not queue() and Store(tmp_path / "runs").suites() == []


def test_a_job_that_dies_before_its_first_word_is_told_with_its_last_lines(slurm: None, tmp_path: Path) -> None:
    text = f"{SUITE}slurm: {{setup: ['echo no module named cuda >&2; exit 3']}}"
    with pytest.raises(SuiteError, match=r"ended as FAILED: no module named cuda \(its log: .*_log.err\)"):
        run(tmp_path, text)
