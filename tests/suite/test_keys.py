"""Keys name what stores hold: those of the shipped suites stay what they are, however they are computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.suite.cells import digest
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Expansion, Planned, expand

SUITES = Path(__file__).parents[2] / "suites"

# suite: [(objective, dataset, seed, key of the cell, key of the evaluation), ...]. Another version of a plugin, of
# training or of a suite's settings changes them on purpose; nothing else may.
KNOWN = {
    "collapse": [
        ("minimax", "ring8", 0, "3b996346196978f9", "4dc1481a60be46fe"),
        ("r3gan", "stacked_mnist", 4, "2a1e6921be723dd4", "a509a2f312c8720b"),
    ],
    "conditional": [("acgan", "digits", 4, "a7b3dc1d2c4b1097", "1dbdcf3e8c573c26")],
    "dirac": [("minimax + instance noise", "dirac", 0, "866477b7fa18f8f8", "74dd25fbf7d891d0")],
    "losses": [
        ("minimax", "ring8", 0, "3b996346196978f9", "c82b4e11ea71da4d"),
        ("NS + R1", "digits", 4, "e9b1ec16fa5a8e40", "384110181be34a71"),
    ],
    "objectives": [
        ("goodfellow2014", "ring8", 0, "e46726f72e65af6d", "64c164ab9411bf00"),
        ("infogan(categories=8, gaussian=1)", "ring8", 15, "d53313dda686e403", "64c164ab9411bf00"),
    ],
}


def planned(path: Path, tmp_path: Path) -> Expansion:
    return expand(load_suite(path), tmp_path / "data", tmp_path / "cache")


def keys(row: Planned) -> tuple[str, str]:
    assert row.cell is not None
    assert row.scoring is not None
    return row.cell.key, row.scoring.key


@pytest.mark.parametrize("name", KNOWN)
def test_the_keys_of_a_shipped_suite_stay_what_they_are(tmp_path: Path, name: str) -> None:
    rows = planned(SUITES / f"{name}.yaml", tmp_path).planned
    found = {(row.objective.label, row.dataset.label, row.seed): keys(row) for row in rows if row.cell is not None}
    for objective, dataset, seed, *expected in KNOWN[name]:
        assert found[objective, dataset, seed] == tuple(expected)
    cells = [row.cell for row in rows if row.cell is not None]
    assert [cell.key for cell in cells] == [digest(cell.as_json()) for cell in cells]


def test_a_key_is_the_hash_of_the_cell_as_plain_data_whatever_is_in_it(tmp_path: Path) -> None:
    """Data of the user's own, parts with text that JSON escapes, sweeps of everything that can be swept."""
    folder = tmp_path / "Bilder für 😀"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        f"""
objectives:
  - {{loss: {{hinge: {{margin: [1, 0.5]}}}}, penalties: [{{r1: {{gamma: [1e-7, 1e22]}}}}], techniques: [packing]}}
datasets: [ring8, {{image_folder: {{path: "{folder}", side: 8}}}}]
seeds: [0, 7]
train: {{g_lr: [1e-4, 1], betas: [[0, 0.9], [0.5, 0.999]]}}
evaluate: {{metrics: []}}
"""
    )
    cells = [row.cell for row in planned(suite, tmp_path).planned if row.cell is not None]
    assert len({cell.key for cell in cells}) == len(cells) == 2 * 2 * 2 * 2 * 4
    assert [cell.key for cell in cells] == [digest(cell.as_json()) for cell in cells]
    assert {bool(cell.fingerprint) for cell in cells} == {True, False}
