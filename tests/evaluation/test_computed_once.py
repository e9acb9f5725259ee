"""Two workers that need the same classifier and the same real side at once: each is made by one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORKER = """
import os, sys, time
from pathlib import Path

import torch
from ganbench import datasets
from ganbench.evaluation import reference
from ganbench.evaluation.extractors import classifier_network, registry

folder = Path(sys.argv[1])
torch.set_num_threads(1)
digits, classifier = datasets.registry.part("digits", {}), registry.part("classifier", {})

def together(what):
    (folder / f"{what}-ready-{os.getpid()}").touch()
    while len(list(folder.glob(f"{what}-ready-*"))) < 2:
        time.sleep(0.01)

def counted(what, function):
    def wrapped(*arguments):
        (folder / f"{what}-by-{os.getpid()}").touch()
        time.sleep(0.5)
        return function(*arguments)
    return wrapped

classifier_network.train = counted("train", classifier_network.train)
classifier_network.STEPS = 20
reference._extract = counted("extract", reference._extract)
together("train")
classifier.create().prepare(digits, folder, folder / "cache")
extractor = classifier.create().load(digits, folder, folder / "cache", "cpu")
together("extract")
found = reference.reference(digits, extractor, extractor.identity, 200, folder, folder / "cache")
assert found.features.shape == (200, 64)
"""


@pytest.mark.long
def test_the_classifier_is_trained_and_the_real_side_extracted_by_one_of_two_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    workers = [subprocess.Popen(command) for _ in range(2)]
    assert [worker.wait(timeout=200) for worker in workers] == [0, 0]
    assert len(list(tmp_path.glob("train-by-*"))) == 1
    assert len(list(tmp_path.glob("extract-by-*"))) == 1
