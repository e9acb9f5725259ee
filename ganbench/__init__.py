"""ganbench: the harness that settles which GAN objective works.

ganbench.run("suites/losses.yaml")      trains what is missing, returns a Result with the report's path
ganbench.plan("suites/losses.yaml")     what would run; writes nothing
ganbench.tune("suites/tune.yaml")       the best settings of every objective, each with the same number of trials
ganbench.report("runs")                 the report of a store, again
ganbench.evaluate("samples/", "mnist")  scores of pictures, arrays or a stored generator, with no suite
ganbench.losses.create("hinge", margin=2.0)
ganbench.losses.register("mine")        and so for penalties, techniques, objectives, architectures, datasets, metrics
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench import architectures, datasets, losses, metrics, objectives, penalties, techniques
    from ganbench.api import evaluate, plan, report, run, tune

__version__ = "0.1.0"

_KINDS = ("architectures", "datasets", "losses", "metrics", "objectives", "penalties", "techniques")
_VERBS = ("evaluate", "plan", "report", "run", "tune")

__all__ = [
    "architectures",
    "datasets",
    "evaluate",
    "losses",
    "metrics",
    "objectives",
    "penalties",
    "plan",
    "report",
    "run",
    "techniques",
    "tune",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import ganbench` costs nothing."""
    if name in _KINDS:
        return importlib.import_module(f"ganbench.{name}")
    if name in _VERBS:
        return getattr(importlib.import_module("ganbench.api"), name)
    raise AttributeError(f"module 'ganbench' has no attribute {name!r}")
