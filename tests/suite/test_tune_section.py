"""The `tune` section: what is wrong with it is told with its line, before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.suite.errors import SuiteError
from ganbench.suite.load import load_suite
from ganbench.suite.schema import Suite

HEAD = """\
objectives: [hinge, wgan_gp, {loss: non_saturating, penalties: [r1: {gamma: 1.0}], label: NS + R1}]
datasets: [ring8]
architectures: [mlp]
tune:
"""


def load(tmp_path: Path, section: str) -> Suite:
    path = tmp_path / "suite.yaml"
    path.write_text(HEAD + section)
    return load_suite(path)


def test_a_section_is_read_with_its_defaults(tmp_path):
    tune = load(
        tmp_path, "  space: {g_lr: {log: [1e-5, 1e-2]}, d_steps: {int: [1, 5]}, d_lr/g_lr: {float: [0.1, 4]}}\n"
    ).tune
    assert (tune.settings.trials, tune.settings.sampler, tune.confirm.k) == (32, "tpe", 3)
    assert [each.name for each in tune.ranges("hinge")] == ["d_lr/g_lr", "d_steps", "g_lr"]
    assert tune.ranges("hinge")[1].ends == (1, 5)


def test_an_objective_has_ranges_of_its_own_which_replace_those_of_all(tmp_path):
    section = (
        "  space: {g_lr: {log: [1e-5, 1e-2]}}\n  objectives: {wgan_gp: {lambda: {log: [1, 10]}, g_lr: {log: [1, 2]}}}\n"
    )
    tune = load(tmp_path, section).tune
    assert [(each.name, each.high) for each in tune.ranges("wgan_gp")] == [("g_lr", 2), ("lambda", 10)]
    assert [(each.name, each.high) for each in tune.ranges("hinge")] == [("g_lr", 1e-2)]


@pytest.mark.parametrize(
    ("section", "line", "said"),
    [
        ("  space: {g_lrr: {log: [1e-5, 1]}}", 5, "did you mean 'g_lr'"),
        ("  space:\n    d_steps: {int: [1, 3]}\n    g_lr: {log: [0, 1]}", 7, "the log of 0"),
        ("  space: {d_steps: {int: [3, 3]}}", 5, "an empty range"),
        ("  space: {d_steps: {int: [5, 1]}}", 5, "an empty range"),
        ("  space: {g_lr: {log: [1e-4, .inf]}}", 5, "finite numbers"),
        ("  space: {g_lr: {float: [-.inf, 1]}}", 5, "finite numbers"),
        ("  space: {g_lr: {log: [.nan, 1]}}", 5, "finite numbers"),
        ("  space: {g_lr: {choice: [1e-4, .inf]}}", 5, "are finite"),
        ("  space: {d_steps: {int: [1, 100000000000000000000000]}}", 5, "finite numbers"),
        ("  objective: []\n  space: {g_lr: {log: [1e-4, 1]}}", 5, "objective: name a value"),
        ("  objective: [fid, modes, fid_final]\n  space: {g_lr: {log: [1e-4, 1]}}", 5, "fid_final is listed twice"),
        ("  space: {batch_size: {choice: [64]}}", 5, "an empty range"),
        ("  space: {batch_size: {choice: [64, 64]}}", 5, "an empty range"),
        ("  space: {d_steps: {int: [0, 3]}}", 5, "greater than 0"),
        ("  space: {d_steps: {float: [1, 3]}}", 5, "integer"),
        ("  space: {beta1: {float: [0, 1]}}", 5, "less than 1"),
        ("  space: {g_lr: {uniform: [0, 1]}}", 5, "unknown kind of range 'uniform'"),
        ("  space: {g_lr: [0, 1]}", 5, "expected one of"),
        ("  space: {g_steps: {int: [10, 20]}}", 5, "unknown setting to tune 'g_steps'"),
        ("  space: {gamma: {log: [1, 2]}}", 5, "hinge: unknown setting to tune 'gamma'"),
        ("  space: {g_lr: {log: [1, 2]}}\n  objectives:\n    hinge: {clip: {log: [1e-3, 1]}}", 7, "'clip'"),
        (
            "  space: {g_lr: {log: [1, 2]}}\n  objectives:\n    hing: {margin: {float: [1, 2]}}",
            7,
            "did you mean 'hinge'",
        ),
        ("  space: {g_lr: {log: [1, 2]}}\n  objectives:\n    hinge: {margin: {float: [-1, 2]}}", 7, "margin of hinge"),
        ("  space: {d_norm: {choice: [none, bach]}}", 5, "d_norm of mlp"),
        ("  space: {d_lr/g_lr: {log: [1, 2]}, d_lr: {log: [1, 2]}}", 4, "one follows from the other"),
        ("  space: {lr: {log: [1, 2]}}\n  objectives: {hinge: {g_lr: {log: [1, 2]}}}", 4, "hinge: lr and g_lr"),
        ("  objectives: {hinge: {margin: {float: [1, 2]}}}", 4, "nothing to tune of wgan_gp"),
        ("  trails: 3\n  space: {g_lr: {log: [1, 2]}}", 5, "did you mean 'trials'"),
        ("  trials: 0\n  space: {g_lr: {log: [1, 2]}}", 5, "trials: "),
        ("  sampler: tpa\n  space: {g_lr: {log: [1, 2]}}", 5, "sampler: "),
        ("  confirm: {kk: 3}\n  space: {g_lr: {log: [1, 2]}}", 5, "did you mean 'k'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, section, line, said):
    with pytest.raises(SuiteError) as caught:
        load(tmp_path, section + "\n")
    places = [problem for problem in caught.value.problems if said in problem.message]
    assert places, caught.value
    assert places[0].where == f"{tmp_path / 'suite.yaml'}:{line}"


def test_what_several_parts_could_mean_is_named_in_full(tmp_path):
    section = "  space: {g_lr: {log: [1, 2]}}\n  objectives: {NS + R1: {r1.gamma: {log: [0.1, 10]}}}\n"
    assert [each.name for each in load(tmp_path, section).tune.ranges("NS + R1")] == ["g_lr", "r1.gamma"]
