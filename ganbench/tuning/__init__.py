"""Tuning: the same number of trials of every objective on every dataset, trained as ordinary cells.

`study.py` imports optuna, with those modules that have its storages, samplers and pruners. A trial's settings enter the
keys of its cells as any settings do, so the store is the cache, and what was interrupted goes on.
"""

from typing import Literal

SamplerName = Literal["tpe", "random", "qmc", "cmaes", "gp"]
