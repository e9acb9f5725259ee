"""What Slurm is asked for: the `slurm` section of a suite, and `--slurm NAME=VALUE`; nothing here enters a key."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ganbench.registry import unknown
from ganbench.suite.errors import Findings, Problem, SuiteError
from ganbench.suite.settings import check_field

UNITS = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}  # minutes


def minutes_of(given: object) -> object:
    """Read a time limit as minutes, rounded up: 30 (minutes, as Slurm has it), 90m, 2h, 1d12h, 1:30:00, 1-12:00:00.

    Raises ValueError for anything else.
    """
    text = "" if isinstance(given, bool) else str(given).strip()
    if found := re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text):
        minutes = sum(int(part or 0) * unit for part, unit in zip(found.groups(), UNITS.values(), strict=True))
    elif found := re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text):
        days, *rest = found.groups()
        parts = [int(part) for part in rest if part is not None]
        # As Slurm reads it: minutes:seconds, but hours:minutes after days, and hours:minutes:seconds.
        largest = 60.0 if days or len(parts) == 3 else 1.0
        minutes = int(days or 0) * UNITS["d"] + sum(part * largest / 60**place for place, part in enumerate(parts))
    else:
        minutes = 0.0
    if minutes <= 0:
        raise ValueError(f"{given!r} is no time limit; write minutes, or such as 90m, 2h, 1d12h or 1-12:00:00")
    return math.ceil(round(minutes, 6))


def _gpus(given: object) -> object:
    # A cohort trains on one device.
    if isinstance(given, bool) or (given not in (0, 1) and not re.fullmatch(r"[A-Za-z][\w.-]*", str(given))):
        raise ValueError(f"expected 0, 1 or the type of GPU as the cluster calls it, such as a100, got {given!r}")
    return given


def _memory(given: object) -> object:
    if isinstance(given, bool) or not re.fullmatch(r"\d+[KMGT]?", str(given)):
        raise ValueError(f"expected megabytes, or such as 500M or 8G, got {given!r}")
    return str(given)


def _word(given: object) -> object:
    if isinstance(given, bool | float) or not re.fullmatch(r"[^\s\x00-\x1f]+", str(given)):
        raise ValueError(f"expected a name without spaces, got {given!r}")
    return str(given)


Word = Annotated[str | None, BeforeValidator(_word)]
Line = Annotated[str, Field(pattern=r"^[^\r\n\x00]*$")]


class Slurm(BaseModel):
    """What each job asks for: it runs one cohort at a time, on one GPU or one CPU."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partition: Word = None
    time: Annotated[int, BeforeValidator(minutes_of)] = Field(
        60, description="minutes of a job, or such as 2h; what takes longer goes on in another job"
    )
    gpus: Annotated[int | str, BeforeValidator(_gpus)] = Field(
        0, description="1, or the type of GPU as the cluster calls it, such as a100; 0: a CPU"
    )
    account: Word = None
    qos: Word = None
    constraint: Word = None
    memory: Annotated[str | None, BeforeValidator(_memory)] = Field(None, description="of a job, such as 8G")
    cpus: int = Field(1, gt=0, description="CPU cores of a job, which trains with one")
    parallel: int = Field(32, gt=0, description="jobs at a time; --workers wins")
    setup: tuple[Line, ...] = Field((), description="lines of shell before each job's Python, such as module load cuda")
    sbatch: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")], bool | int | Line] = Field(
        {}, description="any other options of sbatch, such as {reservation: gans}"
    )


def check_slurm(given: object, findings: Findings, *place: str | int) -> Slurm:
    """Read a `slurm` section; problems go to `findings`, each at its own key."""
    return Slurm.model_construct(**{**dict(Slurm()), **_checked(given, findings, *place)})


def with_settings(slurm: Slurm, settings: Sequence[str]) -> Slurm:
    """Return a suite's section with what the command line says instead: each setting is NAME=VALUE.

    Raises SuiteError with every problem.
    """
    from ganbench.suite.load import read_value

    problems: list[Problem] = []
    found: dict[str, Any] = {}
    for setting in settings:
        where = f"--slurm {setting}"
        name, equals, text = (part.strip() for part in setting.partition("="))
        findings = Findings()
        if equals:
            found |= _checked({name: read_value(text, where)}, findings)
        else:
            findings.add("expected NAME=VALUE, such as partition=gpu")
        problems += [Problem(where, message) for _, message in findings.found]
    if problems:
        raise SuiteError(problems)
    return slurm.model_copy(update=found)


def _checked(given: object, findings: Findings, *place: str | int) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        findings.add(f"expected settings such as `partition: gpu`, got {given!r}", *place)
        return {}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in Slurm.model_fields:
            findings.add(unknown("setting of slurm", name, Slurm.model_fields), *place, name)
            continue
        if value is None:
            found[name] = Slurm.model_fields[name].default
            continue
        try:
            found[name] = check_field(Slurm, name, value)
        except ValueError as error:
            findings.add(f"{name}: {str(error).removeprefix('Value error, ')}", *place, name)
    return found
