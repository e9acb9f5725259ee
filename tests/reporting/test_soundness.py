"""Kept pictures that anybody may have made."""

import numpy as np
import pytest

from ganbench.reporting.soundness import ODD, sound

GOOD = {
    "steps": np.array([1, 2]),
    "by_step": np.zeros((2, 4, 2), np.float16),
    "mode_counts": np.ones((2, 8), np.int64),
    "mode_weights": np.full(8, 1 / 8),
    "neighbours": np.zeros((3, 1, 8, 8), np.uint8),
    "neighbour_distances": np.zeros(3, np.float32),
    "real_distances": np.array([0.1, 0.2]),
    "truth": np.zeros((48, 48), np.float16),
}


def test_what_ganbench_writes_is_kept():
    assert sound(GOOD).keys() == GOOD.keys()


@pytest.mark.parametrize(
    ("name", "array", "lost"),
    [
        ("steps", np.array([1, 2, 3]), {"steps", "by_step"}),
        ("steps", np.array(["a", "b"]), {"steps", "by_step"}),
        ("by_step", np.zeros((2, 4, 1, 8, 8), np.float32), {"steps", "by_step"}),
        ("by_step", np.zeros((2, 0, 2)), {"steps", "by_step"}),
        ("mode_counts", np.ones(8), {"mode_counts", "mode_weights"}),
        ("mode_weights", np.ones(7), {"mode_counts", "mode_weights"}),
        ("neighbour_distances", np.zeros(2), {"neighbours", "neighbour_distances"}),
        ("truth", np.zeros(48), {"truth"}),
        ("truth", np.zeros((4, 4), bool), {"truth"}),
        ("real_distances", np.zeros(0), {"real_distances"}),
    ],
)
def test_what_does_not_fit_is_left_out_and_said(name: str, array: np.ndarray, lost: set[str]):
    found = sound({**GOOD, name: array})
    assert found.keys() == GOOD.keys() - lost | {"absent"}
    assert len(found["absent"]) == 1 and ODD in str(found["absent"][0])


def test_half_of_what_belongs_together_is_left_out_and_what_was_said_stays():
    found = sound({"steps": GOOD["steps"], "absent": np.array(["truth: no density"])})
    assert found.keys() == {"absent"} and found["absent"].tolist() == ["truth: no density", f"by_step: {ODD}"]
