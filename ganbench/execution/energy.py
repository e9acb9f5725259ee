"""The energy that a GPU draws while a cohort trains, by the driver's own counter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Reading:
    """What a GPU has drawn since its driver was loaded, in millijoules, and how many processes compute on it."""

    millijoules: int
    processes: int


def metered(device: torch.device) -> Callable[[], float | None]:
    """Begin to meter a device; the function that is returned gives the joules that this process's work drew since.

    That is all that the GPU drew, idle or not, by `nvmlDeviceGetTotalEnergyConsumption` (from the Volta generation
    on), divided by the number of processes that the driver lists as computing there: the mean of the numbers at both
    ends, other people's among them, and none where it lists no one. What the machine around the GPU draws is no part
    of it. None where that is not known: not CUDA, no driver, an older GPU or a part of one (MIG).
    """
    before = _read(device)

    def drawn() -> float | None:
        after = _read(device) if before else None
        if before is None or after is None or after.millijoules < before.millijoules:
            return None
        sharing = (max(1, before.processes) + max(1, after.processes)) / 2
        return (after.millijoules - before.millijoules) / 1000 / sharing

    return drawn


def _read(device: torch.device) -> _Reading | None:
    if device.type != "cuda":
        return None
    import pynvml
    import torch

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        # By its identity: CUDA_VISIBLE_DEVICES changes what a number stands for, and NVML knows nothing of it.
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return _Reading(int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)), _processes(handle))
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _processes(handle: object) -> int:
    import pynvml

    try:
        return len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
    except pynvml.NVMLError:
        return 0
