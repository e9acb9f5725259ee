import numpy as np
import pytest
from scipy import stats

from ganbench.stats import iqm, iqm_interval


def test_the_middle_half_by_hand():
    assert iqm([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1000.0]) == 3.5
    assert iqm([7.0]) == 7.0
    assert np.isnan(iqm([]))


@pytest.mark.parametrize("n", [3, 5, 8, 13])
def test_the_middle_half_is_scipys_trimmed_mean(n: int):
    values = np.random.default_rng(n).lognormal(size=n)
    assert iqm(values.tolist()) == stats.trim_mean(values, 0.25)


def test_the_interval_is_the_same_each_time_and_moves_with_the_scores():
    strata = np.random.default_rng(3).normal(size=(3, 8))
    found, moved = iqm_interval(strata.tolist()), iqm_interval((2 * strata + 10).tolist())
    assert found == iqm_interval(strata.tolist())
    assert (moved.low, moved.high) == pytest.approx((2 * found.low + 10, 2 * found.high + 10))
    assert found.low < found.value < found.high
    assert found.n == 24


def test_with_many_seeds_the_interval_is_scipys_bootstrap():
    values = np.random.default_rng(4).normal(size=400)
    found = iqm_interval([values.tolist()])
    expected = stats.bootstrap(
        (values,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), n_resamples=2000, rng=1
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_strata_are_drawn_apart():
    # datasets far from each other: what a draw from all of them would mix widens no interval
    strata = [np.random.default_rng(at).normal(at * 100, 1, 8).tolist() for at in range(3)]
    found = iqm_interval(strata)
    assert found.high - found.low < 4


@pytest.mark.parametrize(("datasets", "seeds"), [(1, 9), (2, 7), (3, 7), (9, 7)])
def test_too_few_seeds_have_no_interval(datasets: int, seeds: int):
    random = np.random.default_rng(0)
    found = iqm_interval(random.normal(size=(datasets, seeds)).tolist())
    assert np.isfinite(found.value) and not found.offered
    assert f"{seeds + 1} seeds" in found.reason
    assert iqm_interval(random.normal(size=(datasets, seeds + 1)).tolist()).offered


def test_scores_of_few_values_have_no_interval():
    found = iqm_interval([[8.0, 8.0, 8.0, 7.0, 8.0, 8.0, 7.0, 8.0, 8.0, 8.0]])
    assert found.value == 8.0
    assert not found.offered and "same numbers" in found.reason


@pytest.mark.parametrize("strata", [[], [[]], [[1.0, 2.0], []], [[1.0, float("nan")]]])
def test_what_cannot_be_drawn_from_is_refused(strata: list[list[float]]):
    with pytest.raises(ValueError, match="iqm_interval needs"):
        iqm_interval(strata)
