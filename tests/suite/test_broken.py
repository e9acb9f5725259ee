"""Broken suites: each gets an error that says what is wrong, in which line, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.suite.errors import SuiteError
from ganbench.suite.load import load_suite

GOOD = "objectives: [hinge]\ndatasets: [ring8]\n"

# name: (suite, [(line, what the message must say), ...])
BROKEN = {
    "objective misspelt": ("objectives: [hinge, wgan_pg]\ndatasets: [ring8]\n", [(1, "did you mean 'wgan_gp'?")]),
    "dataset misspelt": ("objectives: [hinge]\ndatasets:\n  - ring8\n  - mnits\n", [(4, "did you mean 'mnist'?")]),
    "architecture misspelt": (GOOD + "architectures: {ring8: mpl}\n", [(3, "did you mean 'mlp'?")]),
    "metric misspelt": (GOOD + "evaluate:\n  metrics: [fid, presicion_recall]\n", [(4, "precision_recall")]),
    "extractor misspelt": (GOOD + "evaluate: {extractor: inceptoin}\n", [(3, "did you mean 'inception'?")]),
    "unknown key": (GOOD + "seed: 5\n", [(3, "unknown key 'seed'; did you mean 'seeds'?")]),
    "unknown setting": (GOOD + "train:\n  g_step: 100\n", [(4, "unknown setting 'g_step'; did you mean 'g_steps'?")]),
    "text for a number": (GOOD + "train: {g_steps: many}\n", [(3, "g_steps: Input should be a valid integer")]),
    "number as text": (GOOD + 'train: {g_lr: "1e-4"}\n', [(3, "g_lr: Input should be a valid number")]),
    "negative learning rate": (GOOD + "train: {d_lr: -1e-4}\n", [(3, "d_lr: Input should be greater than 0")]),
    "beta out of range": (GOOD + "train: {betas: [0.5, 1.0]}\n", [(3, "betas: Input should be less than 1")]),
    "one beta": (GOOD + "train: {betas: [0.5]}\n", [(3, "betas")]),
    "no objectives": ("datasets: [ring8]\n", [(1, "`objectives` is missing")]),
    "no datasets": ("objectives: [hinge]\n", [(1, "`datasets` is missing")]),
    "unknown loss parameter": (
        "objectives:\n  - loss: {hinge: {margn: 2.0}}\ndatasets: [ring8]\n",
        [(2, "unknown parameter of hinge 'margn'; did you mean 'margin'?")],
    ),
    "loss parameter out of range": (
        "objectives:\n  - hinge: {margin: -1}\ndatasets: [ring8]\n",
        [(2, "margin of hinge: Input should be greater than 0")],
    ),
    "penalty misspelt": (
        "objectives:\n  - loss: hinge\n    penalties:\n      - r1: {gamma: 1}\n      - r3: {}\ndatasets: [ring8]\n",
        [(5, "unknown penalty 'r3'")],
    ),
    "loss and objective": (
        "objectives:\n  - {loss: hinge, objective: wgan}\ndatasets: [ring8]\n",
        [(2, "either `loss` or `objective`")],
    ),
    "technique misspelt": (
        "objectives:\n  - loss: hinge\n    techniques: [diff_augmnt]\ndatasets: [ring8]\n",
        [(3, "did you mean 'diff_augment'?")],
    ),
    "two sets of codes": (
        "objectives:\n  - {objective: acgan, techniques: [conditional]}\ndatasets: [digits]\n",
        [(2, "auxiliary_classifier")],
    ),
    "recommended of a loss": (
        "objectives:\n  - {loss: hinge, recommended: true}\ndatasets: [ring8]\n",
        [(2, "a loss alone recommends nothing")],
    ),
    "conditional of a number": (GOOD + "conditional: 3\n", [(3, "conditional: expected true, false")]),
    "conditional of an unknown kind": (GOOD + "conditional: {kind: film}\n", [(3, "kind of conditional")]),
    "order of updates": (GOOD + "train: {updates: at_once}\n", [(3, "updates: Input should be 'alternating'")]),
    "key listed twice": (GOOD + "datasets: [digits]\n", [(3, "duplicate key")]),
    "not YAML": ("objectives: [hinge\ndatasets: [ring8]\n", [(2, "not valid YAML")]),
    "a list": ("- hinge\n", [(1, "a suite is a mapping")]),
    "empty": ("", [(1, "a suite is a mapping")]),
    "seeds of none": (GOOD + "seeds: 0\n", [(3, "seeds: expected a count")]),
    "seed twice": (GOOD + "seeds: [1, 1]\n", [(3, "the same seed is listed twice")]),
    "name with a path": (GOOD + "name: ../../etc/x\n", [(3, "plain file name")]),
    "objective twice": ("objectives: [hinge, hinge]\ndatasets: [ring8]\n", [(1, "'hinge' is listed twice")]),
    "override of an unknown dataset": (
        GOOD + "overrides:\n  - match: {dataset: digist}\n    train: {g_steps: 5}\n",
        [(4, "unknown dataset 'digist'")],
    ),
    "override of an unknown setting": (
        GOOD + "overrides:\n  - match: {dataset: ring8}\n    train: {gsteps: 5}\n",
        [(5, "unknown setting 'gsteps'; did you mean 'g_steps'?")],
    ),
    "exclude by an unknown axis": (GOOD + "exclude:\n  - {loss: hinge}\n", [(4, "unknown axis 'loss'")]),
    "architectures of an unknown dataset": (GOOD + "architectures: {rign8: mlp}\n", [(3, "did you mean 'ring8'?")]),
    "plugin that is not there": (GOOD + "plugins: [nowhere.py]\n", [(3, "nowhere.py does not exist")]),
    "empty sweep": (GOOD + "train: {g_lr: []}\n", [(3, "an empty list sweeps nothing")]),
    "the same value swept twice": (GOOD + "train: {g_lr: [1e-4, 1e-4]}\n", [(3, "the same value is listed twice")]),
    "several at once": (
        "objectives: [hinge, hing]\ndatasets: [rnig8]\nseeds: -1\ntrain: {batch: 3, g_lr: 0}\n",
        [(1, "'hing'"), (2, "did you mean 'ring8'?"), (3, "seeds"), (4, "'batch'"), (4, "g_lr")],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_suite_gets_every_problem_with_its_line(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == len(expected), told
    for line, message in expected:
        assert any(said.startswith(f"{path}:{line}: ") and message in said for said in told), (line, message, told)


def test_a_suite_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"nothing\.yaml: cannot be read: No such file"):
        load_suite(tmp_path / "nothing.yaml")


def test_a_plugin_that_raises_is_told_with_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1\ny = x / 0\n")
    (tmp_path / "s.yaml").write_text(GOOD + "plugins: [mine.py]\n")
    with pytest.raises(SuiteError, match=r"s\.yaml:3: plugin .*mine\.py:2 cannot be loaded: ZeroDivisionError"):
        load_suite(tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.g_stps=5", "did you mean 'train.g_steps'?"),
        ("train.g_steps=few", "valid integer"),
        ("g_steps", "expected key=value"),
        ("evaluate.metrics=[fdi]", "did you mean 'fid'?"),
    ],
)
def test_a_wrong_setting_on_the_command_line_is_named(setting: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD)
    with pytest.raises(SuiteError) as caught:
        load_suite(path, [setting])
    assert str(caught.value).startswith(f"--set {setting}: ")
    assert message in str(caught.value)
