"""Which executor a plan asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ganbench.execution.executor import Executor
from ganbench.execution.head import Head
from ganbench.execution.local import Local
from ganbench.execution.mail import SILENT
from ganbench.paths import cache_root
from ganbench.planning import Plan


@contextmanager
def open_executor(plan: Plan, said: Callable[[str], None]) -> Iterator[Executor]:
    """Yield the executor of a plan, ready to run tasks; what takes long before that is `said`."""
    options = plan.options
    if options.executor == "ray":
        from ganbench.execution.ray import RayEngine, connected

        said(f"connecting to Ray at {options.ray_address}" if options.ray_address else "starting Ray on this machine")
        with connected(options.ray_address):
            engine = RayEngine(options.device, options.workers, options.slots_per_device, options.patience)
            yield Head(engine, plan.store.root.absolute(), max(options.patience, SILENT))
        return
    if options.executor == "slurm":
        from ganbench.execution.slurm import SlurmEngine

        folder, patience = cache_root().absolute() / "slurm", max(options.patience, SILENT)
        slurm = SlurmEngine(plan.suite.slurm, plan.devices, plan.suite.name, folder, patience)
        yield Head(slurm, plan.store.root.absolute(), patience)
        return
    yield Local(plan.devices, options.patience)
