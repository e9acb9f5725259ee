"""Which executor a plan asks for."""

from __future__ import annotations

from ganbench.execution.executor import Executor
from ganbench.execution.local import Local
from ganbench.planning import Plan


def open_executor(plan: Plan) -> Executor:
    """Return the executor of a plan, ready to run tasks."""
    return Local(plan.devices, plan.options.patience)
