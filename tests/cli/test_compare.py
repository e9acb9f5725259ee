"""`ganbench compare` as its user meets it: what it prints, its exit codes, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.store import Store

HOSTILE = "[red]\x1b[31m[/nothing]"


def compare(*arguments: object):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "200", "TERM": "dumb"})


def store(root: Path, lost: int = 0, protocol: str = "p1", **levels: float) -> Path:
    """Make a store with five seeds per contender, whose scores lie about its level."""
    held, listed = Store(root), []
    for name, level in levels.items():
        objective = {"hostile": HOSTILE}.get(name, name)
        for seed in range(5):
            key = f"{name}{seed}{str(level).replace('.', '')}"
            outcome = "diverged" if seed < lost else "completed"
            held.write_training(key, {"objective": objective}, Status(outcome, 100, train_seconds=level))
            rows = ({"step": 100.0, "fid": level * (1 + 0.02 * ((seed * seed) % 5))},)
            scores = Scores(protocol, {"samples": 1000 + len(protocol)}, {"fid": "lower"}, rows)
            held.write_scores(key, protocol, scores, None)
            listed.append(Listed(key, protocol, objective, "mlp", "digits", seed, {"g_lr": 1e-4}))
    datasets = {"digits": {"headline": "fid", "titles": {"fid": "FID"}}}
    held.write_suite(SuiteRecord("losses", tuple(listed), datasets=datasets))
    return root


def test_the_exit_code_says_regression_only_where_asked(tmp_path: Path):
    a, b = store(tmp_path / "a", hinge=10.0, r3gan=10.0), store(tmp_path / "b", hinge=10.5, r3gan=9.0)
    shown = compare(a, b)
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(
        "Beyond seed noise, hinge on digits got worse, and r3gan on digits got better; 0 of 10"
    )
    failing = compare(a, b, "--fail-on-regression")
    assert failing.exit_code == 1
    assert "regression: hinge on digits: FID 10.2 to 10.7, p < .001" in failing.output
    assert compare(a, b, "--fail-on-regression", "--min-effect", "6%").exit_code == 0
    assert compare(a, b, "--fail-on-regression", "--min-effect", "4").exit_code == 1
    assert compare(a, b, "--fail-on-regression", "--only", "contender=r3gan").exit_code == 0
    assert compare(a, a, "--fail-on-regression").exit_code == 0


def test_a_table_in_a_file_is_whole_however_narrow_the_terminal_was(tmp_path: Path):
    name = "a_contender_with_" + 40 * "x"
    a, b = store(tmp_path / "a", **{name: 10.0}), store(tmp_path / "b", **{name: 10.5})
    shown = CliRunner().invoke(app, ["compare", str(a), str(b)], env={"COLUMNS": "40", "TERM": "dumb"})
    assert sum(name in line and "10.2" in line for line in shown.output.splitlines()) == 1
    assert "…" not in shown.output


def test_lost_seeds_and_missing_contenders_fail_whatever_the_effect(tmp_path: Path):
    a = store(tmp_path / "a", hinge=10.0, r3gan=10.0)
    for b in (store(tmp_path / "b", lost=5, hinge=1.0, r3gan=1.0), store(tmp_path / "c", hinge=10.0)):
        failing = compare(a, b, "--fail-on-regression", "--min-effect", "1000%")
        assert failing.exit_code == 1 and "regression: r3gan on digits" in failing.output


def test_one_lost_seed_fails_no_build(tmp_path: Path):
    a, b = store(tmp_path / "a", hinge=10.0), store(tmp_path / "b", lost=1, hinge=10.0)
    passing = compare(a, b, "--fail-on-regression")
    assert passing.exit_code == 0
    assert passing.output.startswith("Nothing changed beyond seed noise")
    assert "hinge on digits lost 1 of 5 seeds, against 0, which could be chance" in " ".join(passing.output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "bb"], "did you mean"),
        (["a:loses", "b"], "did you mean 'losses'?"),
        (["a", "b", "--only", "objective=hing"], "did you mean 'hinge'?"),
        (["a", "b", "--only", "colour=red"], "unknown axis 'colour'"),
        (["a", "b", "--min-effect", "-2%"], "--min-effect: '-2%'"),
        (["a", "b", "--min-effect", "nan"], "--min-effect: 'nan'"),
        (["a", "other"], "nothing in common"),
        (["a", "protocol"], "samples 1002 in A, 1005 in B"),
        (["a", "."], "neither a store"),
        (["a", "b", "-o", "a"], "choose another"),
    ],
)
def test_bad_input_ends_with_two_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        store(tmp_path / name, hinge=10.0)
    store(tmp_path / "other", r3gan=10.0)
    store(tmp_path / "protocol", protocol="other", hinge=10.0)
    done = compare(*arguments)
    assert done.exit_code == 2
    assert message in done.output and "Traceback" not in done.output


def test_names_neither_steer_the_terminal_nor_become_its_markup(tmp_path: Path):
    a, b = store(tmp_path / "a", hostile=10.0), store(tmp_path / "b", hostile=12.0)
    done = compare(a, b, "--fail-on-regression")
    assert done.exit_code == 1
    assert "\x1b" not in done.output and "[red]?[31m[/nothing]" in done.output


def test_json_is_all_that_is_printed_and_a_folder_may_be_written_too(tmp_path: Path):
    a, b = store(tmp_path / "a", hinge=10.0), store(tmp_path / "b", hinge=11.0)
    done = compare(a, b, "--json", "--min-effect", "5%", "-o", tmp_path / "out")
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and found["min_effect"] == 0.05
    assert [one["contender"] for one in found["regressions"]] == ["hinge"]
    assert found == json.loads((tmp_path / "out" / "compare.json").read_text())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("index.html", "compare.md", "compare.json", "figures", "tables")
    }


def test_it_needs_neither_torch_nor_mlflow(tmp_path: Path):
    a, b = store(tmp_path / "a", hinge=10.0), store(tmp_path / "b", hinge=11.0)
    code = (
        "import sys\n"
        "from ganbench.cli import main\n"
        f"sys.argv = ['ganbench', 'compare', {str(a)!r}, {str(b)!r}, '--json']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('heavy:', [name for name in ('torch', 'mlflow', 'torchvision', 'sklearn') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
