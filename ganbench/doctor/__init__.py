"""Whether a run can work here: what there is of machine, data, weights, MLflow, disk and store; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ganbench.doctor import devices, disk, installed, supplies, tracked
from ganbench.doctor import store as stored
from ganbench.doctor.finding import Check, Finding, checked
from ganbench.execution import slots
from ganbench.needs import of_planned
from ganbench.store import Store
from ganbench.suite.errors import wrong
from ganbench.suite.load import load_suite
from ganbench.suite.plan import expand

__all__ = ["Asked", "Finding", "examine"]


@dataclass(frozen=True)
class Asked:
    """What is to be looked at: where a run would find and leave things, and the suite that it would run, if any."""

    store: Path
    data_root: Path
    cache: Path
    suite: Path | None = None
    tracking_uri: str | None = None
    device: str = "auto"


def examine(asked: Asked) -> Iterator[Finding]:
    """Yield what every check finds, one after another; SuiteError before the first where what was asked is wrong.

    Takes some seconds, most of them to start the processes that a run would start, and to import MLflow.
    """
    try:
        used = tuple(dict.fromkeys(slots.find(asked.device)))
    except ValueError as error:
        raise wrong("--device", str(error)) from None
    roots = asked.data_root, asked.cache
    planned = expand(load_suite(asked.suite), *roots).planned if asked.suite else None
    needs = None if planned is None else of_planned(planned)
    held = Store(asked.store)
    checks: dict[str, Check] = {
        "versions": installed.versions,
        "devices": partial(devices.devices, used),
        "data": partial(supplies.data, needs, *roots),
        "weights": partial(supplies.weights, needs, *roots),
        "store": partial(stored.store, held),
        "disk": partial(disk.disk, planned, held, *roots),
        "tracking": partial(tracked.tracking, held, asked.tracking_uri),
        "executors": installed.executors,
    }
    for what, check in checks.items():
        yield from checked(what, check)
