"""CPU and GPUs: what there is, what torch sees of it, and whether a worker process can compute there."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from ganbench.doctor.finding import Finding, sized
from ganbench.execution import fork_server, local, slots
from ganbench.execution.messages import Message, Task, Tell

PATIENCE = 120.0  # seconds for all workers: a broken driver may hang for ever
LITTLE = 1_000_000_000  # bytes of a GPU: CUDA itself takes half of that
QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Trial:
    """Computes next to nothing on a device, and tells what torch knows of it."""

    name: str = "trial"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - nothing is timed
        """Do it; what torch or the device raises reaches the parent as an error."""
        import warnings

        import torch
        import torch_fidelity  # noqa: F401 - a torchvision of another torch fails here

        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
        ones = torch.ones(2, 2, device=device, requires_grad=True)
        (gradient,) = torch.autograd.grad((ones @ ones).sum(), ones)
        if gradient.tolist() != [[4.0, 4.0], [4.0, 4.0]]:
            raise ArithmeticError(f"a product of two matrices has a wrong gradient: {gradient}")
        facts = {
            "threads": torch.get_num_threads(),
            "cuda": torch.version.cuda,
            "seen": seen,
            "warned": " ".join(str(said[0].message).split()) if said else "",
            "mps": torch.backends.mps.is_available(),
            "free": torch.cuda.mem_get_info(device) if device.startswith("cuda") else None,
        }
        tell(Message("done", text=json.dumps(facts)))


def devices(used: Sequence[str]) -> Iterator[Finding]:
    """Say what there is to compute on, and try each device that a run would use in a process of its own."""
    answers = answered([*dict.fromkeys(["cpu", *used])])
    facts = _facts(answers["cpu"])
    yield from _cpu(facts)
    yield from gpus(facts)
    if facts.get("mps"):
        yield Finding("mps", "ok", "torch can use this machine's GPU: --device mps")
    for device, message in answers.items():
        yield _told(device, message)


def answered(used: Sequence[str], patience: float = PATIENCE) -> dict[str, Message]:
    """Run a trial on each device, in a worker as a run has them; return the last word of each."""
    found = {device: Message("died", text="it said nothing") for device in used}

    def hear(slot: int, task: Task, message: Message) -> None:  # noqa: ARG001 - a slot has one task
        found[used[slot]] = message

    others = [child.pid for child in multiprocessing.active_children()]
    over, late = Event(), Event()

    def give_up() -> None:
        wait = patience
        while not over.wait(wait):
            late.set()
            for child in multiprocessing.active_children():
                if child.pid not in others:
                    child.kill()
            fork_server.stop()  # whoever waits for a worker of it hears that there will be none
            wait = 0.5

    Thread(target=give_up, name="doctor", daemon=True).start()
    try:
        local.run([Trial() for _ in used], used, hear)
    except Exception:
        if not late.is_set():
            raise
    finally:
        over.set()
        if not others:
            fork_server.stop()
    silent = Message("died", text=f"it did not answer within {patience:g} s")
    return {device: said if said.kind == "done" or not late.is_set() else silent for device, said in found.items()}


def gpus(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Hold what the driver lists against what torch sees of it (`facts` of a trial; empty where it failed)."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        if facts.get("seen"):
            yield Finding("cuda", "note", f"torch sees {facts['seen']} GPUs, and NVML none ({error})", NVML)
        else:
            yield Finding("cuda", "note", f"no NVIDIA driver or GPU on this machine ({error}): runs use the CPU")
        return
    try:
        driver, newest = str(pynvml.nvmlSystemGetDriverVersion()), int(pynvml.nvmlSystemGetCudaDriverVersion())
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        names = [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
        memory = [pynvml.nvmlDeviceGetMemoryInfo(handle) for handle in handles]
    finally:
        pynvml.nvmlShutdown()
    yield compared(len(handles), driver, newest, facts)
    for index, (name, bytes_) in enumerate(zip(names, memory, strict=True)):
        said = f"{name}, {sized(bytes_.free)} of {sized(bytes_.total)} free"
        full = bytes_.free < LITTLE
        advice = "another process holds it (nvidia-smi names it); --device cuda:N takes another one" if full else ""
        yield Finding(f"gpu {index}", "problem" if full else "ok", said, advice)


NVML = "ganbench counts GPUs by NVML and will use none: name one by CUDA_VISIBLE_DEVICES=0"


def compared(listed: int, driver: str, newest: int, facts: Mapping[str, Any]) -> Finding:
    """Say whether torch can use what the driver lists; `newest` is the CUDA that the driver has, as 1000 * major."""
    cuda = f"{newest // 1000}.{newest % 1000 // 10}"
    said = f"driver {driver} (CUDA {cuda}) lists {listed} GPUs"
    if not facts:
        return Finding("cuda", "note", f"{said}; torch could not be asked")
    built, seen = facts["cuda"], facts["seen"]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if built is None:
        return Finding("cuda", "problem", f"{said}, and this torch is built without CUDA", INSTALL)
    said = f"{said}, torch (built for CUDA {built}) sees {seen}"
    if seen == listed:
        return Finding("cuda", "ok", said)
    if visible is not None:
        hidden = [entry for entry in visible.split(",") if entry.strip() not in ("", "-1")]
        level, advice = ("note", "") if seen == len(hidden) else ("problem", "it names GPUs that are not there")
        return Finding("cuda", level, f"{said}: CUDA_VISIBLE_DEVICES is {visible!r}", advice)  # type: ignore[arg-type]
    if int(str(built).partition(".")[0]) > newest // 1000:
        return Finding("cuda", "problem", f"{said}: the driver is too old for it", f"update the driver, or {INSTALL}")
    return Finding("cuda", "problem", f"{said} {facts['warned']}".rstrip(), "nvidia-smi tells more; restart the driver")


INSTALL = "install a torch for this driver's CUDA: pytorch.org/get-started"


def _cpu(facts: Mapping[str, Any]) -> Iterator[Finding]:
    cores, every = slots.cores(), os.cpu_count() or 1
    said = f"{cores} cores" if cores == every else f"{cores} of {every} cores for this process"
    threads = f", {facts['threads']} thread per worker" if facts else ""
    bfloat16 = "; bfloat16 in hardware" if Path("/proc/cpuinfo").exists() else ""
    if slots.lacks_bfloat16(["cpu"]):
        bfloat16 = "; no instructions for bfloat16: precision bf16 is slow here"
    yield Finding("cpu", "ok", f"{said}{threads}{bfloat16}")
    allowed = quota(QUOTA)
    if allowed is not None and allowed < cores:
        advice = f"--workers {max(1, int(allowed))}: more would only wait for each other"
        yield Finding("cpu quota", "note", f"the container may use {allowed:g} cores, and {cores} are seen", advice)


def quota(path: Path) -> float | None:
    """Return how many cores the control group (cgroup v2) of this process may use; None where nothing limits it."""
    try:
        limit, period = path.read_text().split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        return None


def _facts(message: Message) -> dict[str, Any]:
    return dict(json.loads(message.text)) if message.kind == "done" else {}


def _told(device: str, message: Message) -> Finding:
    if message.kind == "done":
        return Finding(f"worker on {device}", "ok", "starts by the fork server, and computes")
    advice = "no cohort can run there: see that `python -c 'import torch, torchvision, torch_fidelity'` works"
    return Finding(f"worker on {device}", "problem", message.text, advice)
