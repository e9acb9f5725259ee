"""Python and the packages: what is installed, within the bounds that ganbench was tested in or not."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator

from ganbench.doctor.finding import Finding

SECONDS = 20.0  # that Slurm's controller has for an answer
ASK = "where this is to be a Slurm cluster: `scontrol ping` and whoever runs it"
SHOWN = ("torch", "torchvision", "torch-fidelity", "mlflow", "optuna")


def versions() -> Iterator[Finding]:
    """Say which Python and which packages there are; a problem for each outside the bounds of ganbench."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    about = importlib.metadata.metadata("ganbench")
    here, wanted = platform.python_version(), str(about["Requires-Python"] or "")
    if SpecifierSet(wanted).contains(here, prereleases=True):
        yield Finding("python", "ok", here)
    else:
        yield Finding("python", "problem", f"{here}, and ganbench needs {wanted}", "install ganbench in another Python")
    required = [Requirement(line) for line in importlib.metadata.requires("ganbench") or ()]
    needed = {one.name: one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})}
    bounds = {one.name: one for one in required} | needed
    outside = False
    for name in sorted({*needed, *SHOWN}):
        found, one = version(name), bounds.get(name)
        if found is None and name in needed:
            outside = True
            yield Finding(name, "problem", "is not installed", f"pip install '{needed[name]}'")
        elif found is not None and one is not None and not one.specifier.contains(found, prereleases=True):
            outside = True
            said = f"{found} is outside of what ganbench works with ({one.specifier})"
            yield Finding(name, "problem", said, f"pip install '{name}{one.specifier}'")
    there = [f"{name} {found}" for name in SHOWN if (found := version(name))]
    within = "" if outside else f"; all {len(needed)} packages are within their bounds"
    yield Finding("packages", "ok", f"{', '.join(there)}{within}")


def executors() -> Iterator[Finding]:
    """Say whether cohorts can go to other machines; nothing of it is needed on one."""
    ray, submitit, sbatch = version("ray"), version("submitit"), shutil.which("sbatch")
    if ray:
        yield Finding("ray", "ok", ray)
    else:
        yield Finding("ray", "note", "not installed; one machine needs none", "pip install 'ganbench[ray]'")
    if submitit and sbatch:
        if silent := _controller_is_silent():
            yield Finding("slurm", "note", f"submitit {submitit}, {sbatch}, but {silent}", ASK)
        else:
            yield Finding("slurm", "ok", f"submitit {submitit}, {sbatch}; its controller answers")
    elif submitit:
        said = f"submitit {submitit}, and no sbatch on the PATH"
        yield Finding("slurm", "note", said, "start ganbench where jobs can be submitted: on a login node")
    else:
        there = f", though {sbatch} is there" if sbatch else "; one machine needs none"
        yield Finding("slurm", "note", f"submitit is not installed{there}", "pip install 'ganbench[slurm]'")


def _controller_is_silent() -> str:
    """Say why no jobs can be given to Slurm; nothing where its controller answers."""
    try:
        told = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"its controller did not answer within {SECONDS:.0f} s"
    except OSError as error:
        return f"scontrol cannot be started ({error.strerror or error})"
    if told.returncode == 0 and re.search(r"\bUP\b", told.stdout):
        return ""
    words = (told.stderr or told.stdout).strip().splitlines()
    return f"no controller answers ({words[-1].strip()})" if words else "no controller answers"


def version(package: str) -> str | None:
    """Return the version of an installed package, without importing it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
