"""A cluster of two Ray nodes on this machine, with two pretended GPUs each: what runs where, and what a loss costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import ganbench
from ganbench.execution import ray
from ganbench.execution.messages import Message, Task
from ganbench.execution.tasks import CohortRun
from ganbench.listener import Silence
from ganbench.runner import Result
from ganbench.store import CHECKPOINT, Store
from ganbench.suite.errors import SuiteError

SUITE = """
objectives: [meets]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 8
train: {g_steps: 1200, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 600, metrics: [modes]}
plugins: [meets.py]
"""

PLUGIN = '''
import os, time
from dataclasses import dataclass
from pathlib import Path
from ganbench import losses

HERE, met = Path(__file__).parent, set()

@losses.register("meets")
@dataclass(frozen=True)
class Meets:
    """Hinge, once as many processes as are awaited train at the same time."""

    def discriminator(self, real, fake):
        mark = HERE / f"met-{os.getpid()}"
        if mark not in met:
            met.add(mark)
            mark.touch()
            while len(list(HERE.glob("met-*"))) < int((HERE / "awaited").read_text()):
                time.sleep(0.05)
        return (1 - real).relu().mean(-1) + (1 + fake).relu().mean(-1)

    def generator(self, real, fake):
        return -fake.mean(-1)
'''


class Watch(Silence):
    """Keeps where tasks are at work, and what was lost."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self.most: Counter[str] = Counter()
        self.lost: list[tuple[str, str]] = []
        self.steps: list[int] = []
        self.slots = 0

    def training(self, cohorts: object, devices: Any) -> None:
        self.slots = len(devices)

    def heard(self, slot: int, task: Task, message: Message) -> None:
        if not isinstance(task, CohortRun):
            return
        cell = task.cohort.cells[0].key
        if message.kind == "began":
            self.places[cell] = message.text
            self.steps.append(task.cohort.step)
        if message.kind in ("done", "lost", "died"):
            self.places.pop(cell, None)
        if message.kind == "lost":
            self.lost.append((task.name, message.text))
        if message.kind in ("alive", "progress"):  # by now all that ended before it began is known
            for place, there in Counter(self.places.values()).items():
                self.most[place] = max(there, self.most[place])


@pytest.fixture(autouse=True)
def _no_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow has tests of its own; here it would cost seconds per run."""

    class Untracked:
        def __init__(self, *_: Any) -> None: ...
        def __getattr__(self, name: str) -> Callable[..., str]:
            return lambda *_: ""

    monkeypatch.setattr("ganbench.runner.LiveTracking", Untracked)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'ganbench[ray]'")
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "num_gpus": 2, "include_dashboard": False, "_system_config": quick},
    )
    made.add_node(num_cpus=1, num_gpus=2)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite whose plugin is one file for all tests, since a name can be registered from one place only."""
    made = tmp_path_factory.mktemp("ray")
    (made / "suite.yaml").write_text(SUITE)
    (made / "meets.py").write_text(PLUGIN)
    return made


def run(folder: Path, store: str, awaited: int, **options: Any) -> Result:
    (folder / "awaited").write_text(str(awaited))
    for mark in folder.glob("met-*"):
        mark.unlink()
    return ganbench.run(folder / "suite.yaml", store=folder / store, checkpoint_every=0.1, **options)


def scores(folder: Path) -> Mapping[str, object]:
    store = Store(folder)
    record = store.suite("suite")
    assert record is not None
    return {row.key: store.scores(row.key, row.evaluation_key).rows for row in record.listed}


def workers_of(node: Any) -> list[int]:
    """Return the processes in which a node runs our tasks."""
    (raylet,) = node.all_processes["raylet"]
    pid = raylet.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"ray::_work")]


@pytest.mark.cluster
@pytest.mark.slow  # a real cluster: nothing less shows that a lost node costs no cell
@pytest.mark.timeout(900)
def test_cohorts_share_gpus_as_asked_and_survive_the_loss_of_a_worker_and_of_a_node(cluster: Any, folder: Path) -> None:
    run(folder, "local", 1, workers=1)

    disturbed: list[int] = []

    def disturb() -> None:
        while len(list((folder / "one").rglob(CHECKPOINT))) < 8:
            time.sleep(0.02)
        (other,) = cluster.worker_nodes
        disturbed.append(len(workers_of(cluster.head_node)) + len(workers_of(other)))
        os.kill(workers_of(cluster.head_node)[0], signal.SIGKILL)
        cluster.remove_node(other, allow_graceful=False)

    thread = threading.Thread(target=disturb)
    thread.start()
    done = run(folder, "one", 4, executor="ray", ray_address=cluster.address, listener=(watch := Watch()))
    thread.join()
    assert dict(done.outcomes) == {"completed": 8} and not done.errors
    assert scores(folder / "one") == scores(folder / "local")
    assert watch.slots == 4 and disturbed[0] >= 4
    assert len(watch.most) == 4 and set(watch.most.values()) == {1}
    assert len(watch.lost) == 3 and all("its job was lost" in text for _, text in watch.lost)
    assert watch.steps[:4] == [0] * 4 and all(step > 0 for step in watch.steps[4:])

    half = {"executor": "ray", "ray_address": cluster.address, "slots_per_device": 2, "workers": 3}
    short = ["train.g_steps=20", "evaluate.metrics=[]"]
    done = run(folder, "two", 3, listener=(watch := Watch()), settings=short, **half)
    assert dict(done.outcomes) == {"completed": 8} and not watch.lost
    assert watch.slots == 3 and sorted(watch.most.values()) == [1, 2]


def test_an_address_where_no_cluster_answers_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'ganbench[ray]'")
    (tmp_path / "suite.yaml").write_text(SUITE.replace("meets]", "hinge]").replace("plugins: [meets.py]", ""))
    for address, said in (("127.0.0.1:1", "no Ray cluster answers there"), ("somewhere", "expected HOST:PORT")):
        with pytest.raises(SuiteError, match=rf"--ray-address {address}: {said}"):
            ganbench.run(tmp_path / "suite.yaml", store=tmp_path / "runs", executor="ray", ray_address=address)


def test_a_plan_does_not_connect_and_leaves_the_slots_open(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'ganbench[ray]'")
    (tmp_path / "suite.yaml").write_text(SUITE.replace("meets]", "hinge]").replace("plugins: [meets.py]", ""))
    command = [sys.executable, "-X", "importtime", "-m", "ganbench", "plan", "suite.yaml", "--executor", "ray"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "slots are known when the run starts on Ray" in told.stdout
    assert not any(line.rpartition("|")[2].strip() in ("ray", "torch") for line in told.stderr.splitlines())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device": "cuda:1"}, "--device: device cuda:1: --executor ray takes auto, cpu, cuda"),
        ({"workers": 0}, "--workers: workers: expected a number above 0, got 0"),
    ],
)
def test_options_that_ray_cannot_follow_are_told_at_once(options: Any, said: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.replace("meets]", "hinge]").replace("plugins: [meets.py]", ""))
    with pytest.raises(SuiteError) as told:
        ganbench.plan(tmp_path / "suite.yaml", executor="ray", **options)
    assert str(told.value) == said


@pytest.mark.parametrize(
    ("assigned", "there", "device"),
    [
        ([], 0, "cpu"),
        ([], 4, "cpu"),
        (["3"], 4, "cuda:3"),
        (["3"], 2, "cpu"),
        (["0"], 0, "cpu"),
        (["GPU-5f2d"], 1, "cuda:GPU-5f2d"),
    ],
)
def test_a_task_uses_the_gpu_that_ray_assigned_where_there_is_one(
    assigned: list[str], there: int, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.execution.slots.gpu_count", lambda: there)
    assert ray._device(assigned) == device


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.replace("meets]", "hinge]").replace("plugins: [meets.py]", ""))
    monkeypatch.setattr("ganbench.execution.ray.find_spec", lambda _: None)
    with pytest.raises(SuiteError, match=r"--executor ray: needs the extra: pip install 'ganbench\[ray\]'"):
        ganbench.plan(tmp_path / "suite.yaml", executor="ray")
