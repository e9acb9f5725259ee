"""The slots of this machine: which device each worker process uses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # as Linux calls it, on x86 and on ARM


def find(device: str = "auto", workers: int | None = None) -> list[str]:
    """Return one device per worker: the GPUs where there are any, else one CPU core each.

    `device` is `auto`, `cpu`, `mps`, `cuda` (all GPUs) or `cuda:N`; `workers` is the number of processes (default:
    one per GPU, or one per core). Raises ValueError for a device that is unknown or not there.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers: expected a number above 0, got {workers}")
    gpus = [f"cuda:{index}" for index in range(gpu_count())]
    if device == "auto":
        devices = gpus or ["cpu"]
    elif device == "cuda" or device in gpus:
        devices = gpus if device == "cuda" else [device]
        if not devices:
            raise ValueError("device cuda: no NVIDIA driver or GPU was found on this machine")
    elif device in ("cpu", "mps"):
        devices = [device]
    else:
        raise ValueError(f"unknown device {device!r} (here: {', '.join(['auto', 'cpu', 'mps', *gpus])})")
    number = workers or (cores() if devices == ["cpu"] else len(devices))
    return [devices[index % len(devices)] for index in range(number)]


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
        return len([entry for entry in visible.split(",") if entry.strip() not in ("", "-1")])
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0
    try:
        return int(pynvml.nvmlDeviceGetCount())
    finally:
        pynvml.nvmlShutdown()
