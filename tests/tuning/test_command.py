"""`ganbench tune` as its user meets it."""

from __future__ import annotations

from collections import Counter

import pytest
from typer.testing import CliRunner

import ganbench
from ganbench.cli import app
from ganbench.runner import Result
from ganbench.suite.load import load_suite
from ganbench.untracked import Untracked


class Unsent(Untracked):
    """Sends neither cells nor studies: MLflow would make a database for each of these tests."""

    def __init__(self, *_: object) -> None: ...

    def wait(self) -> None: ...


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch):
    monkeypatch.setattr("ganbench.study_tracking.StudyTracking", Unsent)


@pytest.fixture
def tune(bench, alone_text, monkeypatch):
    """Run the command on a suite; cells train in this process."""
    monkeypatch.setattr("ganbench.execution.fork_server.start", lambda *_: None)
    monkeypatch.setattr("ganbench.runner.train", lambda plan, _: bench.trainer(plan))
    monkeypatch.setattr("ganbench.runner.execute", lambda plan, *_: bench.trainer(plan))
    monkeypatch.chdir(bench.folder)

    monkeypatch.setattr("ganbench.reporting.write_report", lambda *_: "somewhere")

    def run(*arguments: str, text: str = alone_text):
        (bench.folder / "suite.yaml").write_text(text)
        return CliRunner().invoke(app, ["tune", "suite.yaml", *arguments], env={"COLUMNS": "160", "TERM": "dumb"})

    return run


def test_it_ends_with_a_table_the_settings_found_and_a_suite(tune, bench):
    done = tune("--trials", "2", "--sampler", "random", "--seed", "3", "--write", "out/tuned.yaml")
    assert done.exit_code == 0, done.output
    assert "search: 2 trials of each study (0 of 2 are done), 2 in all, 4 cells" in done.output
    for heading in ("default", "recommended", "tuned", "infeasible"):
        assert heading in done.output
    assert "0 of 2" in done.output and "n=3" in done.output
    assert (bench.folder / "runs" / "studies" / "suite-tune.json").exists()
    assert "minimax / ring8 / mlp(width=8, depth=1) (fid_final, lower is better): d_steps=" in done.output
    assert load_suite(bench.folder / "out" / "tuned.yaml").seeds == (5, 6, 7)
    assert (bench.folder / "runs" / "studies" / "suite.journal").exists()


def test_bad_input_ends_with_2_and_no_traceback(tune, bench, alone_text):
    for said, done in (
        (
            "suite.yaml:14: g_l: unknown setting to tune 'g_l'; did you mean 'g_lr'",
            tune(text=alone_text.replace("g_lr", "g_l")),
        ),
        ("--only objective=hinge: unknown objective 'hinge'", tune("--only", "objective=hinge")),
        ("--storage: cannot be opened", tune("--storage", "no url")),
        ("there is no `tune` section", tune(text=alone_text.partition("tune:")[0])),
    ):
        assert done.exit_code == 2 and said in done.output and "Traceback" not in done.output
    assert not bench.trainer.cells
    assert tune("--trials", "1", "--no-report").exit_code == 0
    done = tune(text=alone_text.replace("1e-1]", "1e-2]"))
    assert done.exit_code == 2 and "suite.yaml:8: the study" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--write", "suite.yaml"], "--write: suite.yaml is the suite itself"),
        (["--write", "sub/../suite.yaml"], "suite.yaml is the suite itself"),
        (["--write", "notes.yaml"], "--write: notes.yaml exists, and `ganbench tune` did not write it"),
        (["--write", "sub"], "--write: sub is a folder; name a file in it, such as sub/suite.tuned.yaml"),
        (["--write", "notes.yaml/tuned.yaml"], "notes.yaml is no folder"),
        (
            ["--write", "my suite.yaml"],
            "--write: my suite.yaml: the suite in it takes its name from it; name: expected",
        ),
        (["--report", "notes.yaml"], "notes.yaml is no folder"),
        (["--write", "/proc/version/tuned.yaml"], "--write: /proc/version is no folder"),
    ],
)
def test_targets_that_cannot_be_written_are_refused_before_anything_trains(tune, bench, alone_text, arguments, said):
    (bench.folder / "sub").mkdir()
    (bench.folder / "notes.yaml").write_text("notes: mine\n")
    done = tune(*arguments)
    assert done.exit_code == 2 and said in done.output.replace("\n", "") and "Traceback" not in done.output
    assert not bench.trainer.cells and not (bench.folder / "runs").exists()
    assert (bench.folder / "suite.yaml").read_text() == alone_text
    assert (bench.folder / "notes.yaml").read_text() == "notes: mine\n"


def test_a_smaller_budget_than_before_counts_the_first_trials_and_says_so(tune):
    assert "stay stored" not in tune("--trials", "3", "--no-report").output
    done = tune("--trials", "2", "--no-report")
    assert "the first 2 trials count, and 1 more stay stored" in done.output and "0 of 2" in done.output


def test_what_it_wrote_before_is_written_anew(tune, bench):
    for _ in range(2):
        assert tune("--trials", "1", "--no-report", "--write", "tuned.yaml").exit_code == 0
    assert load_suite(bench.folder / "tuned.yaml").seeds == (5, 6, 7)


def test_studies_that_mlflow_does_not_take_cost_a_line(tune, monkeypatch):
    monkeypatch.setattr(Unsent, "close", lambda _: "MLflow is away; `ganbench track runs` sends them later")
    done = tune("--trials", "1", "--no-report")
    assert done.exit_code == 0 and done.output.endswith("MLflow is away; `ganbench track runs` sends them later\n")


def test_ctrl_c_ends_with_130_and_says_that_nothing_is_lost(tune, bench):
    bench.trainer.stop_after = 0
    done = tune()
    assert done.exit_code == 130 and "Interrupted. What is finished is saved in runs" in done.output
    bench.trainer.stop_after = None
    assert tune().exit_code == 0


def test_workers_that_break_end_with_1_and_say_so(tune, monkeypatch):
    monkeypatch.setattr("ganbench.runner.train", lambda *_: Result(Counter(missing=4), ["a worker broke"]))
    done = tune()
    assert done.exit_code == 1 and "a worker broke" in done.output and "the same command goes on" in done.output


@pytest.mark.long
def test_with_workers_and_a_report(bench, suite_text, monkeypatch):
    monkeypatch.setattr("ganbench.runner.LiveTracking", Unsent)
    monkeypatch.chdir(bench.folder)
    (bench.folder / "suite.yaml").write_text(suite_text)
    command = ["tune", "suite.yaml", "--workers", "2", "--trials", "2"]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "160", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    page = (bench.folder / "reports" / "suite-tune" / "index.html").read_text()
    assert "hinge (tuned)" in page and "wgan_gp (recommended)" in page and "Score against budget" in page


def test_in_python_it_is_a_function_that_returns_the_findings(bench, alone_text, monkeypatch):
    monkeypatch.setattr("ganbench.api.train_cells", lambda plan, _: bench.trainer(plan))
    monkeypatch.setattr("ganbench.api.execute", lambda plan, *_: bench.trainer(plan))
    (bench.folder / "suite.yaml").write_text(alone_text)
    store, path = bench.folder / "runs", bench.folder / "tuned.yaml"
    done = ganbench.tune(bench.folder / "suite.yaml", store=store, trials=2, sampler="random", write=path)
    assert len(done.findings[0].tried) == 2 and load_suite(path).seeds == (5, 6, 7)
