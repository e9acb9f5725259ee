"""The slots of this machine: which device each worker process uses."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # as Linux calls it, on x86 and on ARM


def find(device: str = "auto", workers: int | None = None, per_device: int | None = None) -> list[str]:
    """Return the device of each slot: the GPUs where there are any, else CPU cores, which are slots of one thread.

    `device` is `auto`, `cpu`, `mps`, `cuda` (all GPUs) or `cuda:N`. Every device has `per_device` slots (default: one
    of a GPU, of a CPU as many as there are cores), which share its memory; `workers` is the number of slots of all
    devices together. Raises ValueError for a device that is unknown or not there.
    """
    check_numbers(workers, per_device)
    gpus = [f"cuda:{index}" for index in range(gpu_count())]
    if device == "auto":
        devices = gpus or ["cpu"]
    elif device == "cuda" or device in gpus:
        devices = gpus if device == "cuda" else [device]
        if not devices:
            raise ValueError("device cuda: no NVIDIA driver or GPU was found on this machine")
    elif device == "mps" and not has_mps():
        raise ValueError("device mps: this is no Mac with Apple silicon")
    elif device in ("cpu", "mps"):
        devices = [device]
    else:
        raise ValueError(f"unknown device {device!r} (here: {', '.join(['auto', 'cpu', 'mps', *gpus])})")
    each = per_device or (cores() if devices == ["cpu"] else 1)
    return [devices[index % len(devices)] for index in range(workers or each * len(devices))]


def check_numbers(workers: int | None, per_device: int | None) -> None:
    """Raise ValueError for numbers of slots that cannot be."""
    for name, number in (("workers", workers), ("slots-per-device", per_device)):
        if number is not None and number < 1:
            raise ValueError(f"{name}: expected a number above 0, got {number}")


def claim(device: str, share: float = 1.0) -> str:
    """Make this process see no other GPU than its own, take no more than a share of its memory; return its new name.

    To be called before anything has touched CUDA.
    """
    if not device.startswith("cuda:"):
        return device
    name = device.removeprefix("cuda:")  # an index, or where all GPUs are visible any name that CUDA knows
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    # As nvidia-ml-py counts them; CUDA alone would put the fastest first.
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = name if visible is None else _entries(visible)[int(name)]
    import torch

    if share < 1:
        torch.cuda.set_per_process_memory_fraction(share)
    return "cuda:0"


def has_mps() -> bool:
    """Whether this machine has Apple's GPU."""
    return sys.platform == "darwin" and platform.machine() == "arm64"


def lacks_bfloat16(devices: Sequence[str]) -> bool:
    """Whether some of the devices are CPU cores without instructions for bfloat16; False where that is not known."""
    listing = Path("/proc/cpuinfo")
    if "cpu" not in devices or not listing.exists():
        return False
    flags = {
        flag
        for line in listing.read_text().splitlines()
        if line.lower().startswith(("flags", "features"))
        for flag in line.partition(":")[2].split()
    }
    return bool(flags) and not flags & BFLOAT16


def cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_count() -> int:
    """Return how many NVIDIA GPUs are visible, without touching CUDA."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len(_entries(visible))
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0
    try:
        return int(pynvml.nvmlDeviceGetCount())
    finally:
        pynvml.nvmlShutdown()


def _entries(visible: str) -> list[str]:
    return [entry.strip() for entry in visible.split(",") if entry.strip() not in ("", "-1")]
