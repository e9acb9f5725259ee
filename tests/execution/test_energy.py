"""The energy of a cell: what the driver counts, shared by those who draw it, and unknown where it cannot be known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest
import torch

from ganbench import dirac, losses, metrics
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.execution import tasks
from ganbench.execution.energy import metered
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.objectives import Objective
from ganbench.store import Store
from ganbench.suite.cells import Scoring
from ganbench.suite.cohorts import Cohort

UUID = "5f2d0c1e-0000-1111-2222-333344445555"
CUDA, CPU = torch.device("cuda:0"), torch.device("cpu")


class Driver:
    """NVML on a machine with two GPUs, of which torch sees the second alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.millijoules, self.processes, self.opened, self.asked = 1_000_000, 1, 0, 0
        self.refuses: dict[str, int] = {}
        for name in ("Init", "Shutdown", "DeviceGetHandleByUUID", "DeviceGetTotalEnergyConsumption"):
            monkeypatch.setattr(pynvml, f"nvml{name}", getattr(self, name))
        monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", self.DeviceGetComputeRunningProcesses)
        properties = {0: SimpleNamespace(uuid=UUID)}
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties[device.index])

    def _maybe(self, name: str) -> None:
        if name in self.refuses:
            raise pynvml.NVMLError(self.refuses[name])

    def Init(self) -> None:  # noqa: N802 - NVML's names
        self.asked += 1
        self._maybe("Init")
        self.opened += 1

    def Shutdown(self) -> None:  # noqa: N802
        self.opened -= 1

    def DeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid not in ("GPU-another", f"GPU-{UUID}"):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return uuid

    def DeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        assert self.opened == 1
        self._maybe("Energy")
        return self.millijoules if handle == f"GPU-{UUID}" else 7

    def DeviceGetComputeRunningProcesses(self, handle: str) -> list[object]:  # noqa: N802
        self._maybe("Processes")
        return [SimpleNamespace(pid=pid) for pid in range(self.processes)]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    return Driver(monkeypatch)


def test_joules_are_what_the_counter_of_this_gpu_went_up_by(driver: Driver) -> None:
    drawn = metered(CUDA)
    driver.millijoules += 2500
    assert drawn() == 2.5
    driver.millijoules += 2500
    assert drawn() == 5.0 and driver.opened == 0


@pytest.mark.parametrize(("first", "last", "share"), [(2, 2, 2), (1, 3, 2), (3, 4, 3.5), (0, 0, 1), (0, 3, 2)])
def test_processes_on_one_gpu_share_what_it_draws(driver: Driver, first: int, last: int, share: float) -> None:
    driver.processes = first
    drawn = metered(CUDA)
    driver.millijoules += 7000
    driver.processes = last
    assert drawn() == pytest.approx(7 / share)


def test_a_driver_that_does_not_list_processes_still_counts(driver: Driver) -> None:
    driver.refuses = {"Processes": pynvml.NVML_ERROR_NOT_SUPPORTED}
    drawn = metered(CUDA)
    driver.millijoules += 1000
    assert drawn() == 1.0


def test_nothing_asks_nvml_where_the_device_is_no_gpu(driver: Driver) -> None:
    assert metered(CPU)() is None and metered(torch.device("mps"))() is None
    assert driver.asked == 0


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("call", "error"), [("Init", pynvml.NVML_ERROR_LIBRARY_NOT_FOUND), ("Energy", pynvml.NVML_ERROR_NOT_SUPPORTED)]
)
def test_what_nvml_refuses_is_unknown(driver: Driver, call: str, error: int, late: bool) -> None:
    if late:
        drawn = metered(CUDA)
        driver.refuses = {call: error}
    else:
        driver.refuses = {call: error}
        drawn = metered(CUDA)
        driver.refuses = {}
    assert drawn() is None and driver.opened == 0


def test_a_gpu_that_nvml_does_not_know_and_a_counter_that_was_set_back_are_unknown(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = metered(CUDA)
    driver.millijoules = 0
    assert drawn() is None
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="a part of one"))
    assert metered(CUDA)() is None


def trained(tmp_path: Path) -> list[float | None]:
    cells = tuple(dirac.cell(Objective(losses.registry.part(name, {})), g_steps=5) for name in ("minimax", "hinge"))
    settings = EvaluationSettings(10, extractors.part("identity", {}), (metrics.registry.part("fid", {}),))
    run = CohortRun(Cohort(cells, Scoring(settings, (5,)), trains=True), Surroundings(tmp_path, tmp_path, tmp_path))
    run.work("cpu", [].append)
    statuses = [Store(tmp_path).status(cell.key) for cell in cells]
    return [status.energy_joules for status in statuses if status is not None]


def test_the_cells_of_a_cohort_share_alike(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_a_gpu(device: torch.device):
        found = metered(CUDA)
        driver.millijoules += 3000
        return found

    monkeypatch.setattr(tasks, "metered", on_a_gpu)
    assert trained(tmp_path) == [1.5, 1.5]


def test_on_a_cpu_it_is_null_in_the_store(driver: Driver, tmp_path: Path) -> None:
    assert trained(tmp_path) == [None, None] and driver.asked == 0
    assert '"energy_joules": null' in next(tmp_path.rglob("status.json")).read_text()


def test_of_training_that_was_taken_up_again_it_is_unknown(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spent(tasks.StoredCheckpoints):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)
            self.spent = 1.0

    monkeypatch.setattr(tasks, "StoredCheckpoints", Spent)
    monkeypatch.setattr(tasks, "metered", lambda _: metered(CUDA))
    assert trained(tmp_path) == [None, None]
