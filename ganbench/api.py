"""What the command line does, as three functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganbench.registry import unknown
from ganbench.runner import Listener, Options, Plan, Result, Silence, execute, make_plan
from ganbench.store import Store, StoreError


def plan(
    suite: str | Path,
    *,
    store: str | Path = "runs",
    only: Sequence[str] = (),
    settings: Sequence[str] = (),
    seeds: int | None = None,
    device: str = "auto",
    workers: int | None = None,
    fresh: bool = False,
    retry_failed: bool = False,
) -> Plan:
    """Return what a suite would run, given what the store has; writes nothing.

    `only` holds filters such as "objective=hinge,wgan_gp", `settings` replacements such as "train.g_steps=200".
    Raises SuiteError with every problem of the suite.
    """
    options = Options(Path(store), tuple(only), tuple(settings), seeds, device, workers, fresh, retry_failed)
    return make_plan(Path(suite), options)


def run(
    suite: str | Path,
    *,
    store: str | Path = "runs",
    only: Sequence[str] = (),
    settings: Sequence[str] = (),
    seeds: int | None = None,
    device: str = "auto",
    workers: int | None = None,
    fresh: bool = False,
    retry_failed: bool = False,
    report: str | Path | None = None,
    tracking_uri: str | None = None,
    listener: Listener | None = None,
) -> Result:
    """Train and score what the store does not have, track it in MLflow, and write a report where one is asked for.

    Workers start by fork server: a script that calls this needs `if __name__ == "__main__":` around the call.
    Raises SuiteError with every problem of the suite.
    """
    made = plan(
        suite,
        store=store,
        only=only,
        settings=settings,
        seeds=seeds,
        device=device,
        workers=workers,
        fresh=fresh,
        retry_failed=retry_failed,
    )
    return execute(made, listener or Silence(), tracking_uri, None if report is None else Path(report))


def report(store: str | Path = "runs", out: str | Path | None = None, *, suite: str | None = None) -> Path:
    """Write the report of a suite's last run (default: the latest suite) and return the path of its page.

    Raises StoreError when the store has no such suite.
    """
    from ganbench.reporting import write_report

    held = Store(Path(store))
    found = held.suites()
    if not found or suite not in (None, *found):
        raise StoreError(f"{held.root}: {unknown('suite', suite, found)}")
    name = suite or found[0]
    return write_report(held, name, Path(out or Path("reports") / name))
