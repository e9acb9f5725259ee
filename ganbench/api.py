"""What the command line does, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.checkpoints import EVERY
from ganbench.evaluation.request import Request
from ganbench.evaluation.standalone import Evaluation
from ganbench.evaluation.standalone import evaluate as score
from ganbench.execution import slots
from ganbench.execution.executor import ExecutorName
from ganbench.execution.messages import PATIENCE
from ganbench.listener import Listener, Silence
from ganbench.planning import Options, Plan, make_plan
from ganbench.registry import load_file, unknown
from ganbench.runner import Result, execute
from ganbench.runner import train as train_cells
from ganbench.store import Store, StoreError
from ganbench.suite.errors import wrong
from ganbench.tuning import SamplerName

if TYPE_CHECKING:
    from ganbench.tuning.tuner import Tuned


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
    slots_per_device: int | None = None,
    checkpoint_every: float = EVERY,
    fail_fast: bool = False,
    max_time: float | None = None,
    max_cell_time: float | None = None,
    patience: float = PATIENCE,
    executor: ExecutorName = "local",
    ray_address: str | None = None,
    cohort: int | str | None = None,
    slurm: Sequence[str] = (),
) -> Plan:
    """Return what a suite would run, given what the store has; writes nothing.

    `only` holds filters such as "objective=hinge,wgan_gp", `settings` replacements such as "train.g_steps=200";
    `cohort` is "auto" or the most cells that train together (default: the suite's own). Times are seconds. Raises
    SuiteError with every problem of the suite.
    """
    options = Options(
        store=Path(store),
        only=tuple(only),
        settings=tuple(settings),
        seeds=seeds,
        device=device,
        workers=workers,
        fresh=fresh,
        retry_failed=retry_failed,
        checkpoint_every=checkpoint_every,
        slots_per_device=slots_per_device,
        fail_fast=fail_fast,
        max_time=max_time,
        max_cell_time=max_cell_time,
        patience=patience,
        executor=executor,
        ray_address=ray_address,
        cohort=cohort,
        slurm=tuple(slurm),
    )
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
    slots_per_device: int | None = None,
    checkpoint_every: float = EVERY,
    fail_fast: bool = False,
    max_time: float | None = None,
    max_cell_time: float | None = None,
    patience: float = PATIENCE,
    executor: ExecutorName = "local",
    ray_address: str | None = None,
    cohort: int | str | None = None,
    slurm: Sequence[str] = (),
    report: str | Path | None = None,
    tracking_uri: str | None = None,
    listener: Listener | None = None,
) -> Result:
    """Train and score what the store does not have, track it in MLflow, and write a report where one is asked for.

    Workers start by fork server: a script that calls this needs `if __name__ == "__main__":` around the call. With the
    executor `ray` they run on a Ray cluster (`ray_address`, HOST:PORT; default: one of this machine's own), whose
    machines all see the store, the data, the cache and the suite's plugin files at the same paths; with `slurm` as jobs
    of a Slurm cluster, for which `slurm` has settings such as "partition=gpu" beside those of the suite.
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
        slots_per_device=slots_per_device,
        checkpoint_every=checkpoint_every,
        fail_fast=fail_fast,
        max_time=max_time,
        max_cell_time=max_cell_time,
        patience=patience,
        executor=executor,
        ray_address=ray_address,
        cohort=cohort,
        slurm=slurm,
    )
    return execute(made, listener or Silence(), tracking_uri, None if report is None else Path(report))


def tune(
    suite: str | Path,
    *,
    store: str | Path = "runs",
    trials: int | None = None,
    sampler: SamplerName | None = None,
    seed: int | None = None,
    storage: str | None = None,
    only: Sequence[str] = (),
    settings: Sequence[str] = (),
    device: str = "auto",
    workers: int | None = None,
    cohort: int | str | None = None,
    executor: ExecutorName = "local",
    ray_address: str | None = None,
    slurm: Sequence[str] = (),
    write: str | Path | None = None,
    report: str | Path | None = None,
    tracking_uri: str | None = None,
    listener: Listener | None = None,
) -> Tuned:
    """Search the best settings of every objective on every dataset of a suite, and measure them on fresh seeds.

    `trials`, `sampler` and `seed` replace what the suite's `tune` section says; `storage` is the URL of a database that
    machines share (default: a journal in the store). `write` is where the suite of the tuned settings goes, `report`
    the folder of the report. For the rest see `run`. Raises SuiteError with every problem of the suite, and Incomplete
    where cells get no result.
    """
    from ganbench.reporting import write_report
    from ganbench.study_tracking import StudyTracking
    from ganbench.tuning.targets import check_targets
    from ganbench.tuning.tuner import make_tune_plan
    from ganbench.tuning.tuner import tune as tuned
    from ganbench.tuning.writing import write_tuned_suite

    options = Options(
        store=Path(store),
        only=tuple(only),
        settings=tuple(settings),
        device=device,
        workers=workers,
        executor=executor,
        ray_address=ray_address,
        cohort=cohort,
        slurm=tuple(slurm),
    )
    made, heard = make_tune_plan(Path(suite), options, storage, trials, sampler, seed), listener or Silence()
    check_targets(Path(suite), *(None if target is None else Path(target) for target in (write, report)))
    done = tuned(
        made,
        lambda cells: train_cells(cells, heard),
        lambda last: execute(last, heard, tracking_uri),
        heard.said,
        StudyTracking(made.plan.store, f"{made.plan.suite.name}-tune", tracking_uri),
    )
    if write is not None:
        write_tuned_suite(Path(write), made.plan.suite, done.findings, done.rows)
    if report is not None:
        write_report(made.plan.store, f"{made.plan.suite.name}-tune", Path(report))
    return done


def report(
    store: str | Path = "runs", out: str | Path | None = None, *, suite: str | None = None, pdf: bool = False
) -> Path:
    """Write the report of a suite's last run (default: the latest suite) and return the path of its page.

    With `pdf` every figure is written as PDF too. Raises StoreError when the store has no such suite.
    """
    from ganbench.reporting import write_report

    held = Store(Path(store))
    found = held.suites()
    if not found or suite not in (None, *found):
        raise StoreError(f"{held.root}: {unknown('suite', suite, found)}")
    name = suite or found[0]
    return write_report(held, name, Path(out or Path("reports") / name), pdf)


def evaluate(
    source: object,
    dataset: object = None,
    *,
    metrics: object = None,
    extractors: Sequence[object] = (),
    samples: int | None = None,
    reference: int = 10_000,
    seed: int | None = None,
    step: int | None = None,
    key: str | None = None,
    resize: bool = False,
    device: str = "auto",
    plugins: Sequence[str | Path] = (),
) -> Evaluation:
    """Score a folder of pictures, an array (in memory, .npz or .npy) or a cell's folder as suites score generators.

    Pictures in arrays are uint8, NCHW or NHWC, points floats `(n, d)`. `dataset`, `metrics` and `extractors` are
    written as in a suite ("mnist", {"image_folder": {"path": ...}}); a cell's folder brings its dataset. `samples` is
    how many are scored (default: all, of a generator 10,000), `reference` the most real ones; `seed` is 0, of a
    generator the cell's own. Raises SuiteError or StoreError with what is wrong and what is allowed.
    """
    for path in plugins:
        load_file(Path(path))
    try:
        where = slots.find(device, 1)[0]
    except ValueError as error:
        raise wrong("--device", str(error)) from None
    request = Request(dataset, metrics, extractors, samples, reference, seed, step, key, resize)
    return score(source, request, where)
