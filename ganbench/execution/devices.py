"""What a device is, by name: rates and times that were measured on one kind say nothing of another."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def kind(device: str) -> str:
    """Name the kind of a slot's device as a cell's status does: `cpu`, `mps` or the GPU's name."""
    return _gpu(device)[0] if device.startswith("cuda") else device


def described(device: str) -> str:
    """Name the kind of a slot's device as exactly as its speed may depend on it; a CPU's worker has one thread."""
    if device.startswith("cuda"):
        name, memory = _gpu(device)
        return f"{name}, {memory >> 20} MiB"
    return f"{device}, {_processor()}"


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return f"{platform.processor()} {platform.machine()}"
    said = [line.partition(":")[::2] for line in listing.read_text().split("\n\n")[0].splitlines()]
    facts = {name.strip().lower(): value.strip() for name, value in said}
    # The name alone may stand for several generations, as virtual machines report it.
    wanted = ("model name", "cpu family", "model", "stepping", "cache size", "cpu implementer", "cpu part")
    return ", ".join(facts[name] for name in wanted if name in facts) or platform.machine()


def _gpu(device: str) -> tuple[str, int]:
    """Return the name and the bytes of memory of a GPU, without touching CUDA; the device itself where unknown."""
    import pynvml

    position = int(device.partition(":")[2] or 0)
    visible = [entry.strip() for entry in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if entry.strip()]
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return device, 0
    try:
        handle = _handle(visible[position] if position < len(visible) else str(position))
        return str(pynvml.nvmlDeviceGetName(handle)), int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError:
        return device, 0
    finally:
        pynvml.nvmlShutdown()


def _handle(named: str) -> object:
    import pynvml

    return (
        pynvml.nvmlDeviceGetHandleByIndex(int(named)) if named.isdecimal() else pynvml.nvmlDeviceGetHandleByUUID(named)
    )
