"""Cells that are read back from what their training left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ganbench import architectures, datasets, objectives
from ganbench.objectives import Objective
from ganbench.store import StoreError
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.suite.stored import stored_cell

PLUGIN = '''
from dataclasses import dataclass
from ganbench import losses

@losses.register("{name}")
@dataclass(frozen=True)
class Mine:
    """{doc}"""

    def discriminator(self, real, fake):
        return (1 - real).relu().mean(-1) + (1 + fake).relu().mean(-1)

    def generator(self, real, fake):
        return -fake.mean(-1)
'''


def cell(objective: Objective, dataset: str = "digits", **parameters: object) -> Cell:
    part = datasets.registry.part(dataset, parameters)
    train = Train(d_steps=objective.d_steps, betas=(0.0, 0.9), ema=0.99)
    return Cell(objective, architectures.registry.part("mlp", {"width": 8}), part, train, 3, "abc")


def stored(folder: Path, of: Cell, **changes: Any) -> Path:
    path = folder / "runs" / "cells" / of.key / "cell.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**of.as_json(), **changes}))
    return path


@pytest.mark.parametrize("name", objectives.names())
def test_every_objective_comes_back_with_its_key(name: str, tmp_path: Path) -> None:
    of = cell(objectives.create(name))
    again = stored_cell(stored(tmp_path, of))
    assert again.key == of.key
    assert again == of


def test_a_folder_of_pictures_has_to_be_told(tmp_path: Path) -> None:
    of = cell(objectives.create("hinge"), "image_folder", path=str(tmp_path), side=64, grey=True)
    path = stored(tmp_path, of)
    with pytest.raises(StoreError, match=r"needs the parameter 'path'.*--dataset '\{image_folder: \{path: .*side: 64"):
        stored_cell(path)
    assert stored_cell(path, of.dataset) == of
    other = datasets.registry.part("ring8", {})
    digits = cell(objectives.create("hinge"))
    assert stored_cell(stored(tmp_path, digits), other) == digits


def test_another_version_of_a_plugin_is_refused(tmp_path: Path) -> None:
    of = cell(objectives.create("hinge"))
    told = of.as_json()["architecture"]
    path = stored(tmp_path, of, architecture={**told, "version": "0"})
    with pytest.raises(StoreError, match=r"architecture 'mlp' had version 0 .* is version \w+ here"):
        stored_cell(path)


def test_every_problem_is_told_with_the_file_and_the_nearest_name(tmp_path: Path) -> None:
    of = cell(objectives.create("hinge"))
    parts = of.as_json()
    path = stored(
        tmp_path,
        of,
        architecture={**parts["architecture"], "name": "mpl"},
        objective={**parts["objective"], "loss": {**parts["objective"]["loss"], "parameters": {"margn": 1.0}}},
    )
    with pytest.raises(StoreError) as told:
        stored_cell(path)
    lines = str(told.value).splitlines()
    assert len(lines) == 2 and all(line.startswith(f"{path}: ") for line in lines)
    assert "did you mean 'margin'?" in lines[0]
    assert "did you mean 'mlp'?" in lines[1]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"objective": 3}'])
def test_what_is_no_cell_is_said(content: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.json"
    path.write_text(content)
    with pytest.raises(StoreError, match=str(path)):
        stored_cell(path)


def test_settings_of_another_ganbench_are_refused(tmp_path: Path) -> None:
    of = cell(objectives.create("hinge"))
    path = stored(tmp_path, of, train={**of.as_json()["train"], "teleport": True})
    with pytest.raises(StoreError, match=r"another version of ganbench.*teleport"):
        stored_cell(path)


def test_a_local_plugin_is_asked_for_and_an_edited_one_refused(tmp_path: Path) -> None:
    from ganbench.registry import load_file

    of = cell(objectives.create("hinge"))
    loss = {"name": "stored_mine", "version": "1+0123456789ab", "parameters": {}}
    path = stored(tmp_path, of, objective={"loss": loss, "penalties": []})
    suites = tmp_path / "runs" / "suites"
    suites.mkdir()
    (suites / "mine.json").write_text(json.dumps({"plugins": ["/somewhere/my_loss.py"]}))
    (suites / "broken.json").write_text("{")
    with pytest.raises(StoreError, match=r"'stored_mine' came from a local plugin file.*--plugin.*/somewhere/my_loss"):
        stored_cell(path)
    plugin = tmp_path / "my_loss.py"
    plugin.write_text(PLUGIN.format(name="stored_mine", doc="Edited since."))
    load_file(plugin)
    with pytest.raises(StoreError, match=r"had version 1\+0123456789ab .* load the plugin file as it was then"):
        stored_cell(path)
    mine = cell(objectives.create("stored_mine"))
    assert stored_cell(stored(tmp_path, mine)) == mine
