"""`ganbench evaluate` as its user meets it: a stored generator, folders and arrays, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ganbench
from ganbench.cli import app
from ganbench.plain_data import finite_or_none
from ganbench.reporting.frame import load
from ganbench.reporting.ranking import rankings
from ganbench.reporting.tables import overview
from ganbench.reporting.verdict import caveats
from ganbench.store import Store


def invoke(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200", "TERM": "dumb"})


def refused(*arguments: object) -> str:
    """Return what is said of bad input, which ends with 2 and without a traceback."""
    done = invoke(*arguments)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize(
    ("name", "samples"),
    [(("hinge", "digits"), 160), (("told", "digits"), 160), (("hinge", "ring8"), 160), (("told", "ring8"), 120)],
)
@pytest.mark.parametrize("step", [10, 20])
def test_a_stored_generator_gets_the_scores_of_its_suite(trained, name, samples: int, step: int) -> None:
    stored = json.loads(trained.scores[name].read_text())
    found = ganbench.evaluate(trained.cells[name], samples=samples, reference=300, step=step, device="cpu")
    if name[0] == "told":
        assert found.protocol_id == stored["protocol_id"]
        assert found.protocol == stored["protocol"]
    row = next(row for row in stored["rows"] if row["step"] == step)
    assert {"step": step, **finite_or_none(found.values)} == row


def test_json_holds_scores_ceilings_and_the_whole_protocol(trained, tmp_path: Path) -> None:
    cell = trained.cells["told", "digits"]
    chosen = ("--samples", 160, "--reference", 300, "--device", "cpu")
    done = invoke("evaluate", cell, *chosen, "--json", "-o", tmp_path / "scores.json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert json.loads((tmp_path / "scores.json").read_text()) == found
    stored = json.loads(trained.scores["told", "digits"].read_text())
    assert found["protocol"] == stored["protocol"]
    assert {name: score["value"] for name, score in found["scores"].items()} == {
        name: value for name, value in stored["rows"][-1].items() if name != "step"
    }
    assert found["scores"]["fid"]["better"] == "lower"
    assert 0 < found["scores"]["fid"]["ceiling"] < found["scores"]["fid"]["value"]
    assert found["source"]["seed"] == 3
    assert found["source"]["parameters"] == "averaged over G steps, decay 0.9"


def test_the_table_says_all_that_fixed_the_scores(trained) -> None:
    done = invoke("evaluate", trained.cells["told", "digits"], "--samples", 160, "--reference", 300, "--device", "cpu")
    assert done.exit_code == 0, done.output
    stored = json.loads(trained.scores["told", "digits"].read_text())
    protocol = stored["protocol"]
    for text in (
        "fid",
        "kid",
        "ceiling",
        protocol["extractor"]["weights"],
        "300 of digits, train split",
        "samples: 160",
    ):
        assert text in done.output
    for text in ("clamp to [-1, 1]", "standing statistics", "seed 3", "decay 0.9", stored["protocol_id"]):
        assert text in done.output


def test_written_samples_get_the_scores_of_their_generator(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "digits"]
    expected = ganbench.evaluate(cell, samples=160, reference=300, device="cpu").values
    for out in ("pictures", "samples.npz", "samples.npy"):
        done = invoke("sample", cell, "-o", tmp_path / out, "--count", 160, "--device", "cpu")
        assert done.exit_code == 0, done.output
        found = ganbench.evaluate(tmp_path / out, "digits", reference=300, seed=3, device="cpu")
        assert found.values == expected


def test_arrays_in_memory_are_scored_like_files(tmp_path: Path) -> None:
    points = ganbench.datasets.create("ring8").load(tmp_path, "test").samples[:500]
    np.save(tmp_path / "points.npy", points)
    in_memory = ganbench.evaluate(points, "ring8", reference=2000, device="cpu")
    in_file = ganbench.evaluate(tmp_path / "points.npy", {"ring8": {}}, reference=2000, device="cpu")
    assert in_memory.values == in_file.values
    assert in_memory.values["modes"] == 8


def test_a_metric_that_cannot_be_computed_says_why(tmp_path: Path) -> None:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(50, 2)) + 90)
    metrics = ("--metrics", "modes,is", "--reference", 200, "--device", "cpu")
    done = invoke("evaluate", tmp_path / "points.npy", "--dataset", "ring8", *metrics)
    assert done.exit_code == 0, done.output
    assert "no sample is of high quality" in done.output
    assert "does not classify" in done.output
    found = ganbench.evaluate(tmp_path / "points.npy", "ring8", metrics="{modes: {}}, is", reference=200, device="cpu")
    assert found.as_json()["scores"]["is"]["value"] is None
    assert [part["name"] for part in found.protocol["metrics"]] == ["modes"]


def test_resized_pictures_have_a_protocol_of_their_own(trained, tmp_path: Path) -> None:
    from PIL import Image

    for place in range(12):
        pixels = np.random.default_rng(place).integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{place}.png")
    same = {"metrics": "fid", "reference": 100, "device": "cpu"}
    resized = ganbench.evaluate(tmp_path, "digits", resize=True, **same)
    assert "Lanczos" in resized.protocol["resize"]
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
    plain = ganbench.evaluate(pixels, "digits", **same)
    assert plain.protocol_id != resized.protocol_id
    assert {**plain.protocol, "resize": resized.protocol["resize"]} == resized.protocol


def test_another_seed_gives_other_samples_and_the_same_protocol(trained) -> None:
    same = {"samples": 120, "reference": 300, "metrics": "fid", "device": "cpu"}
    own, other = (ganbench.evaluate(trained.cells["told", "ring8"], seed=seed, **same) for seed in (None, 4))
    assert own.values != other.values
    assert own.protocol_id == other.protocol_id
    assert (own.source["seed"], other.source["seed"]) == (3, 4)


def test_bad_input_is_told_with_what_is_allowed(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "ring8"]
    points = tmp_path / "points.npy"
    np.save(points, np.zeros((50, 2)))
    (tmp_path / "text.txt").write_text("")
    cases = [
        ((points,), "--dataset: name the real data to compare with (allowed: "),
        ((points, "--dataset", "rign8"), "did you mean 'ring8'?"),
        ((points, "--dataset", "{mnist: {sid: 28}}"), "did you mean 'side'?"),
        ((points, "--dataset", "ring8,grid25"), "expected one dataset"),
        ((points, "--dataset", "{ring8: ["), "not valid YAML"),
        ((points, "--dataset", "ring8", "--metrics", "fdi"), "did you mean 'fid'?"),
        ((points, "--dataset", "ring8", "--metrics", "is"), "does not classify"),
        ((points, "--dataset", "ring8", "--metrics", ""), "name at least one"),
        ((points, "--dataset", "ring8", "--metrics", "kid,{kid: {subsets: 3}}"), "two metrics give kid"),
        ((points, "--dataset", "ring8", "--extractor", "inception"), "inception is for images"),
        ((points, "--dataset", "ring8", "--extractor", "identiy"), "did you mean 'identity'?"),
        ((points, "--dataset", "ring8", "--samples", "51"), "it has 50 samples, and --samples asks for 51"),
        ((points, "--dataset", "ring8", "--samples", "9"), "10 are needed at least"),
        ((points, "--dataset", "ring8", "--step", "20"), "--step 20: is for checkpoints"),
        ((points, "--dataset", "ring8", "--resize"), "--resize: is for folders of pictures"),
        ((points, "--dataset", "digits"), "(n, 1, 8, 8)"),
        ((points, "--dataset", "ring8", "--device", "gpu"), "unknown device 'gpu'"),
        ((points, "--dataset", "ring8", "--plugin", tmp_path / "none.py"), "No such file"),
        ((points, "--dataset", "ring8", "--plugin", tmp_path / "text.txt"), "text.txt"),
        ((tmp_path / "text.txt", "--dataset", "ring8"), "not a source: expected a folder of pictures"),
        ((tmp_path / "none", "--dataset", "ring8"), "there is no such file or folder"),
        ((tmp_path, "--dataset", "digits"), "no pictures"),
        ((cell, "--key", "a"), "--key a: is for .npz files"),
        ((cell, "--step", "11"), "no generator of step 11 is stored (steps: 10, 20)"),
        ((cell, "--dataset", "digits"), "the generator makes samples of shape (2,), and the dataset has (1, 8, 8)"),
        ((trained.root,), "a store: give one of its cells"),
        ((cell.parent / cell.name[:5],), f"has {cell.name} (hinge on ring8, seed 3)"),
    ]
    for arguments, said in cases:
        assert said in refused("evaluate", *arguments), arguments


def test_data_that_cannot_be_got_is_told_with_a_way_out(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((20, 3, 16, 16), dtype=np.uint8))
    absent = f"{{image_folder: {{path: {tmp_path / 'none'}, side: 16}}}}"
    said = refused("evaluate", tmp_path / "a.npy", "--dataset", absent, "--metrics", "fid")
    assert f"there is no folder {tmp_path / 'none'}" in said
    weights = f"{{inception: {{weights: {tmp_path / 'none.pth'}}}}}"
    grey = np.zeros((20, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "grey.npy", grey)
    said = refused("evaluate", tmp_path / "grey.npy", "--dataset", "digits", "--extractor", weights, "--metrics", "fid")
    assert "there are no Inception weights at" in said


def test_help_teaches_by_example_and_imports_nothing_heavy() -> None:
    assert {"evaluate", "sample"} <= {*invoke("--help").output.split()}
    shown = invoke("evaluate", "--help").output
    for text in ("ganbench evaluate samples/ --dataset mnist", "--metrics", "--reference", "--json", "NHWC or NCHW"):
        assert text in shown
    for verb in ("evaluate", "sample"):
        code = (
            "import sys\nfrom ganbench.cli import main\n"
            f"sys.argv = ['ganbench', '{verb}', '--help']\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            "print('heavy:', [name for name in ('torch', 'mlflow', 'numpy', 'ruamel') if name in sys.modules])\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "heavy: []"


@pytest.mark.long
def test_the_command_ends_without_a_word_on_standard_error(trained) -> None:
    cell = trained.cells["hinge", "ring8"]
    command = [
        sys.executable,
        "-m",
        "ganbench",
        "evaluate",
        str(cell),
        "--samples",
        "120",
        "--metrics",
        "fid",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["scores"]["fid"]["value"] > 0


def test_two_protocols_in_a_store_are_never_ranked_together(trained) -> None:
    frame = load(Store(trained.root), "small")
    found = rankings(frame)
    of_ring = [ranking for ranking in found if ranking.dataset == "ring8"]
    assert [{s.contender for s in ranking.standings} for ranking in of_ring] in (
        [{"hinge"}, {"told"}],
        [{"told"}, {"hinge"}],
    )
    assert of_ring[0].protocol_id != of_ring[1].protocol_id
    assert any("ring8 was scored under 2 protocols" in sentence for sentence in caveats(frame, found))
    shown = overview(found)
    assert sum("ring8" in heading for heading in shown.headings) == 1
    assert "cannot be compared" in shown.caption
