"""Techniques, conditional suites and recommended settings; which objective meets which network and data."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench import objectives
from ganbench.suite.cohorts import Entry, pack
from ganbench.suite.errors import SuiteError
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Planned, expand

BARE = """
from dataclasses import dataclass
from ganbench import architectures

@architectures.register("bare")
@dataclass(frozen=True)
class Bare:
    '''D gives a logit and nothing else.'''
    def supports(self, shape): return None
    def generator(self, shape, latent_size): ...
    def discriminator(self, shape): ...
"""

ODD = """
from dataclasses import dataclass
from typing import ClassVar
from ganbench import objectives

@objectives.register("odd")
@dataclass(frozen=True)
class Odd:
    '''Hinge, with settings that there are not.'''
    recommended: ClassVar[dict] = {"learning_rate": 1e-3, "g_lr": -1.0}
    def recipe(self): return objectives.create("hinge")
"""


def rows(tmp_path: Path, text: str) -> list[Planned]:
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    return list(expand(load_suite(path), tmp_path / "data", tmp_path / "cache").planned)


def skipped(tmp_path: Path, text: str) -> dict[str, str]:
    return {row.objective.label: row.skipped for row in rows(tmp_path, text)}


def techniques_of(row: Planned) -> list[str]:
    return [part.name for part in row.objective.value.techniques]


def test_techniques_go_with_a_loss_or_are_added_to_a_recipe(tmp_path: Path) -> None:
    text = """
objectives:
  - {loss: hinge, penalties: [r1], techniques: [diff_augment, packing: {m: 4}]}
  - {objective: pacgan, techniques: [instance_noise: {std: [0.1, 0.2]}], label: pac}
datasets: [digits]
"""
    first, *others = rows(tmp_path, text)
    assert techniques_of(first) == ["diff_augment", "packing"]
    assert first.objective.label == "hinge + r1 + diff_augment + packing(m=4)"
    assert [part.name for part in first.objective.value.penalties] == ["r1"]
    assert [row.objective.label for row in others] == ["pac (std=0.1)", "pac (std=0.2)"]
    assert all(techniques_of(row) == ["packing", "instance_noise"] for row in others)
    assert len({row.cell.key for row in (first, *others) if row.cell}) == 3


def test_conditional_gives_every_objective_the_classes_but_those_with_codes_of_their_own(tmp_path: Path) -> None:
    text = "objectives: [hinge, wgan_gp, acgan, infogan]\ndatasets: [digits]\n"
    plain = {row.objective.label: techniques_of(row) for row in rows(tmp_path, text)}
    assert plain == {"hinge": [], "wgan_gp": [], "acgan": ["auxiliary_classifier"], "infogan": ["mutual_information"]}
    made = rows(tmp_path, text + "conditional: true\n")
    assert {row.objective.label: techniques_of(row) for row in made} == {
        **plain,
        "hinge": ["conditional"],
        "wgan_gp": ["conditional"],
    }
    (other, *_) = rows(tmp_path, text + "conditional: {kind: concatenation}\n")
    assert other.objective.value.techniques[0].parameters["kind"] == "concatenation"
    assert rows(tmp_path, text + "conditional: false\n")[0].cell == rows(tmp_path, text)[0].cell


def test_recommended_takes_the_settings_of_the_source_where_the_entry_says_so(tmp_path: Path) -> None:
    text = """
objectives: [wgan, {objective: wgan, recommended: true, label: as published}]
datasets: [ring8]
train: {g_lr: 1.0e-3, optimiser: adam}
overrides:
  - match: {objective: as published}
    train: {d_lr: 0.5}
"""
    ours, theirs = rows(tmp_path, text)
    assert (ours.train.optimiser, ours.train.g_lr) == ("adam", 1e-3)
    assert (theirs.train.optimiser, theirs.train.g_lr, theirs.train.d_lr) == ("rmsprop", 5e-5, 0.5)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin file with an architecture that has no other critic."""
    path = tmp_path_factory.mktemp("plugins") / "bare.py"
    path.write_text(BARE)
    return path


def test_a_plugin_that_recommends_what_is_no_setting_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("_classes", "_files"):  # so that other tests of this process do not meet it
        monkeypatch.setattr(objectives.registry, table, dict(getattr(objectives.registry, table)))
    (tmp_path / "odd.py").write_text(ODD)
    head = "plugins: [odd.py]\ndatasets: [ring8]\nobjectives:\n"
    assert rows(tmp_path, head + "  - odd\n")
    with pytest.raises(SuiteError) as told:
        rows(tmp_path, head + "  - {objective: odd, recommended: true}\n")
    said = [str(problem) for problem in told.value.problems]
    assert len(said) == 2 and all("suite.yaml:4" in one for one in said)
    assert any("unknown setting 'learning_rate'" in one for one in said)
    assert any("g_lr: Input should be greater than 0" in one for one in said)


@pytest.mark.parametrize("objective", ["mmd", "cramer", "energy", "boundary_equilibrium"])
def test_a_loss_that_needs_another_critic_gets_one_or_is_skipped_with_the_reason(
    objective: str, bare: Path, tmp_path: Path
) -> None:
    text = f"objectives: [{objective}, hinge]\ndatasets: [ring8, digits]\n"
    assert not any(row.skipped for row in rows(tmp_path, text))
    found = skipped(tmp_path, text + f"plugins: [{bare}]\narchitectures: bare\n")
    assert found["hinge"] == ""
    assert objective in found[objective] and "bare does not have" in found[objective]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("objectives: [acgan]\ndatasets: [image]\n", "class"),
        ("objectives: [{loss: hinge, techniques: [diff_augment]}]\ndatasets: [ring8]\n", "images"),
        ("objectives: [pacgan]\ndatasets: [ring8]\ntrain: {batch_size: 33}\n", "33"),
        ("objectives: [{objective: pacgan, techniques: [conditional]}]\ndatasets: [digits]\n", "share no label"),
        ("objectives: [mmd]\nconditional: true\ndatasets: [digits]\n", "codes are defined for logits only"),
        ("objectives: [mmd]\ndatasets: [ring8]\ntrain: {batch_size: 1}\n", "D sees 1 at a time"),
        (
            "objectives: [{loss: mmd, techniques: [packing: {m: 8}]}]\ndatasets: [ring8]\ntrain: {batch_size: 8}\n",
            "1 at a time",
        ),
        (
            "objectives: [{loss: hinge, techniques: [packing, packing]}]\ndatasets: [ring8]\ntrain: {batch_size: 6}\n",
            "packs",
        ),
        (
            "objectives: [{loss: hinge, penalties: [weight_clip], techniques: [unrolled]}]\ndatasets: [ring8]\n",
            "some steps ahead",
        ),
        ("objectives: [{loss: hinge, penalties: [consensus, r1: {every: 4}]}]\ndatasets: [ring8]\n", "r1 is lazy"),
        (
            "objectives: [{loss: hinge, penalties: [r1], techniques: [unrolled]}]\ndatasets: [digits]\n"
            "architectures: {digits: {dcgan: {d_norm: batch}}}\n",
            "three derivatives",
        ),
        ("objectives: [{objective: consensus_gan, techniques: [unrolled]}]\ndatasets: [ring8]\n", "as it stands"),
        ("objectives: [{loss: mmd, techniques: [top_k]}]\ndatasets: [digits]\n", "chooses by logits"),
    ],
)
def test_what_cannot_be_combined_is_skipped_and_says_why(text: str, reason: str, tmp_path: Path) -> None:
    if "[image]" in text:
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        from PIL import Image

        for name in ("a.png", "b.png"):
            Image.new("RGB", (8, 8)).save(pictures / name)
        text = text.replace("[image]", f"[{{image_folder: {{path: {pictures}, side: 8}}}}]")
    found = rows(tmp_path, text)
    assert all(row.cell is None and reason in row.skipped for row in found), [row.skipped for row in found]


@pytest.mark.parametrize("name", ["energy", "boundary_equilibrium"])
def test_a_loss_that_compares_no_samples_takes_a_batch_of_one(name: str, tmp_path: Path) -> None:
    text = f"objectives: [{name}]\ndatasets: [ring8]\ntrain: {{batch_size: 1}}\n"
    assert all(row.cell is not None for row in rows(tmp_path, text))


def test_cohorts_do_not_mix_losses_that_read_real_samples_in_gs_step_with_others(tmp_path: Path) -> None:
    """The views of all cells would draw noise for them, and a cell's numbers would depend on its company."""
    text = """
objectives:
  - {loss: hinge, techniques: [diff_augment]}
  - {loss: relativistic_average, techniques: [diff_augment]}
  - {loss: boundary_equilibrium, label: began}
  - {loss: {energy: {features: 64, error: absolute}}, label: energy}
datasets: [digits]
seeds: 2
"""
    entries = [Entry(row, "to train") for row in rows(tmp_path, text)]
    assert all(len({cell.objective.loss.name for cell in cohort.cells}) == 1 for cohort in pack(entries, 1))


def test_cohorts_hold_cells_of_one_kind_of_critic_and_equal_techniques(tmp_path: Path) -> None:
    text = """
objectives: [hinge, minimax, mmd, cramer, ebgan, began, pacgan, infogan]
datasets: [ring8]
seeds: 2
"""
    entries = [Entry(row, "to train") for row in rows(tmp_path, text)]
    cohorts = [{cell.objective.loss.name for cell in cohort.cells} for cohort in pack(entries, 1)]
    assert {"hinge", "minimax"} in cohorts
    assert all(len(names) == 1 for names in cohorts if names & {"energy", "boundary_equilibrium"})


def test_nothing_divides_weights_that_start_at_zero(tmp_path: Path) -> None:
    text = """
objectives: [sngan, r3gan]
datasets: [digits]
architectures: {default: {r3gan: {width: 16}}}
seeds: 1
"""
    found = skipped(tmp_path, text)
    assert found["sngan"] == "spectral_norm divides weights by their norm, and r3gan starts some at zero"
    assert "weights" not in found["r3gan"]
