"""The series that a tracker shows: thinned, finite, with best and final scores."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ganbench.records import Listed, Status
from ganbench.sent import Result
from ganbench.tracked import POINTS, series, thinned


@given(st.integers(0, 3000), st.integers(2, 100))
def test_thinning_keeps_both_ends_and_even_gaps(length: int, most: int) -> None:
    kept = thinned(range(length), most)
    assert len(kept) == min(length, most)
    if length:
        assert kept[0] == 0 and kept[-1] == length - 1
    gaps = {b - a for a, b in pairwise(kept)}
    assert not gaps or (min(gaps) > 0 and max(gaps) - min(gaps) <= 1)


def test_each_series_is_thinned_by_itself_and_ends_with_its_last_finite_point() -> None:
    result = Result(Listed("k", "e", "hinge", "mlp", "ring8", 0, {}), Status("completed", 500), None)
    trace = [{"step": i, "d_loss": float(i), **({"rare": 1.0} if i % 100 == 0 else {})} for i in range(1, 501)]
    trace[-1]["d_loss"] = math.inf
    points, left_out = series(result, trace)
    d_loss = [(value, step) for name, value, step in points if name == "d_loss"]
    assert len(d_loss) == POINTS and d_loss[0] == (1.0, 1) and d_loss[-1] == (499.0, 499)
    assert [step for name, _, step in points if name == "rare"] == [100, 200, 300, 400, 500]
    assert left_out == 1


def test_what_was_sent_before_energy_was_metered_is_not_sent_again() -> None:
    listed, status = Listed("k", "e", "hinge", "mlp", "ring8", 0, {}), Status("completed", 500)
    assert Result(listed, status, None).content == "c5f8b7df5ff53820"
    assert Result(listed, replace(status, energy_joules=2.0), None).content != "c5f8b7df5ff53820"
