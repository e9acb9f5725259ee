"""`ganbench list objectives` and `ganbench show`: what is told of an objective, at any width."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench import losses, objectives
from ganbench.cli import app


def ganbench(*arguments: str, columns: int = 160) -> str:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": str(columns), "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    return done.output


def rows(columns: int) -> dict[str, str]:
    """Return each objective's lines of the table, joined."""
    found: dict[str, list[str]] = {}
    for line in ganbench("list", "objectives", columns=columns).splitlines():
        if line.startswith(" ") and not line.startswith("   "):
            found[line.split()[0]] = here = []
        if found:
            here.extend(line.split())
    return {name: " ".join(words) for name, words in found.items()}


@pytest.mark.parametrize("columns", [100, 160])
def test_the_table_has_every_recipe_then_every_loss_within_the_terminal(columns: int) -> None:
    lines = ganbench("list", "objectives", columns=columns).splitlines()
    assert max(map(len, lines)) <= columns
    named = [line.split()[0] for line in lines if line.startswith(" ") and not line.startswith("   ")]
    rules = [at for at, word in enumerate(named) if word.startswith("─")]
    header, recipes, alone = (named[one + 1 : two] for one, two in itertools.pairwise(rules))
    assert header == ["name"]
    assert recipes == objectives.registry.names()
    assert alone == losses.names()


@pytest.mark.parametrize("columns", [100, 160])
def test_a_row_says_what_an_objective_estimates_and_needs_and_where_it_is_from(columns: int) -> None:
    shown = rows(columns)
    for words in ("kernel", "squared MMD of D's features", "vector", "critic", " 5 ", "arXiv:1801.01401"):
        assert words in shown["mmd_gan"]
    for words in ("logistic", "labels", " 1 ", "Odena et al. 2017, arXiv:1610.09585"):
        assert words in shown["acgan"]
    assert "images" in shown["diffaug_gan"]
    assert " - " in shown["hinge"]


def test_other_kinds_keep_their_table() -> None:
    shown = ganbench("list", "penalties")
    assert "gradient_penalty" in shown and "weight=10.0" in shown
    assert "estimates or bounds" not in shown


def test_showing_a_recipe_gives_equations_parts_settings_and_parameters() -> None:
    shown = ganbench("show", "dragan")
    for line in objectives.registry.doc("dragan").splitlines():
        assert line in shown
    words = " ".join(shown.split())
    for told in (
        "loss non_saturating",
        "penalties gradient_penalty(at=perturbed)",
        "techniques -",
        "D steps per G step 1",
        "equilibrium of L_D 1.38629 (of the loss alone)",
        "needs -",
        "optimiser=adam, g_lr=0.0001, d_lr=0.0001, betas=[0.5, 0.9]",
        "{objective: dragan, recommended: true}",
        "float >= 0 │ 10.0",
    ):
        assert told in words


def test_what_a_source_does_not_say_is_not_shown() -> None:
    assert "recommended" not in ganbench("show", "cramer_gan")
    assert "equilibrium of L_D" not in ganbench("show", "began")


def test_showing_a_loss_gives_family_divergence_equilibrium_and_source() -> None:
    words = " ".join(ganbench("show", "hinge").split())
    for told in (
        "family hinge",
        "estimates or bounds total variation (lower bound)",
        "equilibrium of L_D 2 ",
        "source Lim and Ye 2017",
    ):
        assert told in words
    assert "D steps per G step" not in words


def test_a_name_of_two_kinds_is_shown_as_both() -> None:
    shown = ganbench("show", "wgan_div")
    assert "wgan_div (objective, version 1)" in shown and "wgan_div (penalty, version 1)" in shown


PLUGIN = '''
from dataclasses import dataclass
from ganbench import objectives
from ganbench.objectives import Objective, loss

@objectives.register("mine")
@dataclass(frozen=True)
class Mine:
    """My own [hinge]."""
    margin: float
    def recipe(self):
        return Objective(loss("hinge", margin=self.margin))
'''


@pytest.mark.parametrize("arguments", [("list", "objectives"), ("show", "mine")])
def test_a_plugin_that_says_nothing_of_itself_and_needs_a_parameter_is_listed_and_shown(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    # In a process of its own: what a plugin file registers stays.
    command = [sys.executable, "-m", "ganbench", *arguments, "--plugin", str(plugin)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stdout
    if arguments[0] == "show":
        assert "My own [hinge]." in done.stdout and "required" in done.stdout
