from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ganbench import datasets
from ganbench.cli import app
from ganbench.suite.load import load_suite

OWN = {"image_folder"}  # the user's own files
NAMES = [name for name in datasets.names() if name not in OWN]


def test_every_dataset_is_made_described_and_looked_for_without_torch(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from ganbench import datasets\n"
        f"for name in {NAMES}:\n"
        f"    source = datasets.create(name); source.shape, source.classes, source.missing(Path({str(tmp_path)!r}))\n"
        "print([name for name in ('torch', 'torchvision', 'scipy', 'sklearn', 'PIL') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_there_is_said_with_size_and_place_and_never_fetched_by_load(name: str, tmp_path: Path):
    source = datasets.create(name)
    absent = source.missing(tmp_path)
    if absent is None:
        split = source.load(tmp_path, "test")
        assert split.samples.shape[1:] == source.shape
        assert split.samples.dtype == (np.uint8 if len(source.shape) == 3 else np.float32)
        assert (split.labels is None) == (source.classes is None)
    else:
        assert str(tmp_path) in absent and ("MB" in absent or "GB" in absent)
        with pytest.raises(FileNotFoundError, match="would be downloaded"):
            source.load(tmp_path, "train")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("columns", [100, 160])
def test_the_list_names_every_dataset_within_the_terminal(columns: int):
    done = CliRunner().invoke(app, ["list", "datasets"], env={"COLUMNS": str(columns), "TERM": "dumb"})
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= columns
    first = [line.split()[1] for line in done.output.splitlines() if line.startswith(("│", "|"))]
    assert [word for word in first if word in datasets.names()] == datasets.names()


@pytest.mark.parametrize("name", datasets.names())
def test_a_dataset_is_shown_with_its_parameters(name: str):
    done = CliRunner().invoke(app, ["show", name], env={"COLUMNS": "120", "TERM": "dumb"})
    assert done.exit_code == 0
    assert datasets.registry.doc(name).splitlines()[0] in done.output.replace("\n", " ")
    assert all(parameter in done.output for parameter in datasets.registry.parameters(name))


def test_a_suite_gives_parameters_and_sweeps_them(tmp_path: Path):
    path = tmp_path / "suite.yaml"
    path.write_text(
        "objectives: [hinge]\ndatasets:\n"
        '  - mixture1d: {means: "-2, 2", stds: "0.1"}\n'
        "  - ring: {n: [4, 6], std: 0.05}\n"
        "  - image_folder: {path: ., crop: none, flip: true}\n"
        '  - mixture1d: {means: "-2, 2, 3", stds: "0.1, 0.2"}\n'
    )
    with pytest.raises(Exception, match="3 means and 2 stds"):
        load_suite(path)
    path.write_text("\n".join(path.read_text().splitlines()[:-1]).replace('"0.1"', '"0.1", weights: "1"'))
    made = [choice.value.create() for choice in load_suite(path).datasets]
    assert (made[0].means, made[0].stds) == ((-2.0, 2.0), (0.1,))
    assert [made[1].n, made[2].n, made[3].crop] == [4, 6, "none"]
