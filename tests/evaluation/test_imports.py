from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import ganbench.evaluation.settings as settings
from ganbench import datasets, metrics
from ganbench.evaluation.extractors import registry as extractors
for registry in (datasets.registry, metrics.registry, extractors):
    for name in registry.names():
        registry.get(name)
source = datasets.create("digits")
chosen = extractors.part(settings.default_extractor(source), {})
for name in settings.default_metrics(source):
    assert settings.inapplicable(metrics.registry.part(name, {}), source, chosen) is None
heavy = {"torch", "torchvision", "sklearn", "torch_fidelity", "PIL", "mlflow"} & sys.modules.keys()
sys.exit(f"imported {sorted(heavy)}" if heavy else 0)
"""


def test_everything_that_a_plan_reads_comes_without_torch():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
