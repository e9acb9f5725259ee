"""`ganbench fetch` and `ganbench data`: what is there, what is missing, and getting it ahead."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.datasets.mnist import Mnist
from ganbench.evaluation.extractors import classifier_network

FILES = [f"{split}-{content}-ubyte" for split in ("train", "t10k") for content in ("images-idx3", "labels-idx1")]


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an empty `data` and an empty `cache`, which ganbench uses."""
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_network, "STEPS", 30)


def ganbench(*arguments: str):
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})


def put_mnist(root: Path, images: int = 200) -> None:
    """Write four files in the form of MNIST's, with a few random pictures."""
    import numpy as np

    raw, stream = root / "MNIST" / "raw", np.random.RandomState(0)
    raw.mkdir(parents=True)
    for name in FILES:
        shape = (images, 28, 28) if "images" in name else (images,)
        head = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
        (raw / name).write_bytes(head + stream.randint(0, 10, shape).astype(np.uint8).tobytes())


def suite(folder: Path, text: str) -> str:
    path = folder / "suite.yaml"
    path.write_text(text)
    return str(path)


def row(shown: str, name: str) -> str:
    return next(line for line in shown.splitlines() if name in line)


def test_data_shows_what_is_there_and_what_is_missing_and_writes_nothing(roots: Path) -> None:
    before = ganbench("data")
    assert before.exit_code == 0, before.output
    assert "missing" in row(before.output, "│ mnist")
    assert "not trained yet" in row(before.output, "classifier of digits")
    assert "nothing to fetch" in row(before.output, "│ ring8")
    for told in (
        "mnist: MNIST (12 MB",
        "inception: Inception weights (91 MB)",
        "dinov2: DINOv2 weights",
        "image_folder",
    ):
        assert told in before.output
    assert sorted(roots.rglob("*")) == []

    put_mnist(roots / "data")
    after = ganbench("data").output
    assert "there" in row(after, "│ mnist") and "314 kB" in row(after, "│ mnist") and "raw" in row(after, "│ mnist")
    assert "mnist: MNIST" not in after
    assert not (roots / "cache").exists()


def test_data_of_a_suite_shows_its_own_datasets_and_extractors_alone(roots: Path, quick_training: None) -> None:
    path = suite(roots, "objectives: [hinge]\ndatasets: [digits, ring8]\nseeds: 3\n")
    shown = ganbench("data", path).output
    assert "not trained yet" in row(shown, "classifier of digits")
    for name in ("mnist", "inception", "image_folder"):
        assert name not in shown
    assert ganbench("fetch", path).exit_code == 0
    record = json.loads(next((roots / "cache" / "classifiers").glob("*.json")).read_text())
    shown = ganbench("data", path).output
    assert f"right on {100 * record['test_accuracy']:.1f} % of the test split" in row(shown, "classifier of digits")
    assert "gets what is missing" not in shown


def test_fetching_a_suite_gets_all_of_it_once_and_says_what_was_there(
    roots: Path, quick_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = []

    def download(self: Mnist, root: Path) -> None:
        if self.missing(root) is not None:
            downloads.append(root)
            put_mnist(root)

    monkeypatch.setattr(Mnist, "prepare", download)
    path = suite(roots, "objectives: [hinge, minimax]\ndatasets: [mnist, ring8]\nseeds: 2\n")
    first = ganbench("fetch", path)
    assert first.exit_code == 0, first.output
    assert "mnist: MNIST (12 MB" in first.output and "200 samples to train on, 200 to test, 1 x 32 x 32" in first.output
    assert "classifier of mnist: not trained yet" in first.output and "right on" in first.output
    assert "ring8: was there already" in first.output
    second = ganbench("fetch", path)
    assert second.exit_code == 0 and second.output.count("was there already") == 4
    assert downloads == [roots / "data"]


def test_another_data_folder_can_be_named(roots: Path) -> None:
    put_mnist(roots / "elsewhere")
    done = ganbench("fetch", "mnist", "--data", str(roots / "elsewhere"))
    assert done.exit_code == 0 and "mnist: was there already" in done.output
    assert "there" in row(ganbench("data", "--data", str(roots / "elsewhere")).output, "│ mnist")
    assert not (roots / "data").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("mnits", "digits"), "did you mean 'mnist'"),
        (("inceptoin",), "did you mean 'inception'"),
        (("classifier",), "name a suite that uses it"),
        (("image_folder",), "image_folder needs path: name a suite"),
        (("none.yaml",), "none.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_meant_ends_with_two_before_anything_is_fetched(
    roots: Path, names: tuple[str, ...], said: str
) -> None:
    done = ganbench("fetch", *names)
    assert done.exit_code == 2
    assert said in done.output and "Traceback" not in done.output
    assert "was there already" not in done.output
    assert sorted(roots.rglob("*")) == []


def test_all_wrong_names_are_told_at_once(roots: Path) -> None:
    done = ganbench("fetch", "mnits", "digist")
    assert done.exit_code == 2 and "'mnist'" in done.output and "'digits'" in done.output


def test_a_download_that_fails_is_told_with_what_to_do_and_does_not_stop_the_others(
    roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import urllib.request
    from urllib.error import URLError

    def no_network(*_: object, **__: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    done = ganbench("fetch", "inception", "clip", "dinov2", "digits")
    assert done.exit_code == 1
    assert "digits: was there already" in done.output
    assert "3 of 4 failed: inception, clip, dinov2" in done.output
    assert "inception: failed: https://" in done.output and "Name or service not known" in done.output
    assert f"put it at {roots / 'cache' / 'inception'}" in done.output
    assert "Traceback" not in done.output


def test_a_file_that_is_broken_is_found_out_ahead(roots: Path) -> None:
    put_mnist(roots / "data")
    (roots / "data" / "MNIST" / "raw" / FILES[0]).write_bytes(b"<html>not found</html>")
    done = ganbench("fetch", "mnist")
    assert done.exit_code == 1
    assert "mnist: failed" in done.output and "not a file of bytes in the IDX format" in done.output


@pytest.mark.long
def test_nothing_is_said_after_the_last_line_when_torchvision_was_needed() -> None:
    code = (
        "import sys, warnings\nwarnings.simplefilter('ignore')\nimport torchvision.datasets\n"
        "from ganbench.cli import main\nsys.argv = ['ganbench', 'fetch', 'ring8']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ring8: was there already") and done.stderr == ""
