import math
from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy import stats

from ganbench.stats import critical_difference, friedman, mean_ranks, rank_groups
from ganbench.stats.ranks import ranked


def table(scores: np.ndarray) -> dict[str, dict[str, float]]:
    return {
        f"c{at}": {f"d{row}": float(value) for row, value in enumerate(scores[:, at])} for at in range(scores.shape[1])
    }


def test_ranks_by_hand_with_ties_and_lost_contenders():
    scores = {
        "a": {"x": 1.0, "y": 5.0},
        "b": {"x": 1.0, "y": None},
        "c": {"x": 3.0, "y": math.nan},
        "d": {"x": None, "y": 4.0},
    }
    found = mean_ranks(scores, "lower")
    assert dict(found.ranks) == {"a": 1.75, "b": 2.5, "d": 2.5, "c": 3.25}
    assert list(found.ranks) == ["a", "b", "d", "c"]
    assert dict(mean_ranks(scores, "higher").ranks) == {"a": 1.75, "c": 2.25, "b": 3.0, "d": 3.0}


def test_the_statistic_is_scipys_also_with_ties():
    random = np.random.default_rng(3)
    for scores in (random.normal(size=(6, 4)), random.integers(0, 3, (7, 5)).astype(float)):
        statistic, _ = friedman(ranked(table(scores), "lower"))
        assert statistic == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)


@pytest.mark.parametrize(
    ("datasets", "contenders", "rows", "expected"),
    # Friedman's exact table (Hollander and Wolfe, A.22)
    [
        (3, 3, [[1, 2, 3]] * 3, 0.0278),
        (4, 3, [[1, 2, 3]] * 3 + [[1, 3, 2]], 0.0417),
        (2, 4, [[1, 2, 3, 4]] * 2, 0.0417),
    ],
)
def test_few_datasets_have_an_exact_p(datasets: int, contenders: int, rows: list[list[int]], expected: float):
    assert friedman(np.array(rows, dtype=float))[1] == pytest.approx(expected, abs=1e-4)


def test_the_exact_p_counts_every_order_of_every_dataset():
    ranks = ranked(table(np.random.default_rng(5).integers(0, 3, (4, 3)).astype(float)), "lower")
    reached = ((ranks.sum(0) - ranks.sum() / 3) ** 2).sum()
    sums = [np.sum(rows, axis=0) for rows in product(*(list(permutations(row)) for row in ranks.tolist()))]
    expected = np.mean([((one - one.mean()) ** 2).sum() >= reached - 1e-9 for one in sums])
    assert friedman(ranks)[1] == pytest.approx(expected)


def test_drawn_orders_agree_with_chi_square_on_many_datasets():
    scores = np.random.default_rng(6).normal(size=(40, 6)) + np.linspace(0, 0.8, 6)
    statistic, p = friedman(ranked(table(scores), "lower"))
    assert p == pytest.approx(stats.chi2.sf(statistic, 5), abs=0.01)


def test_contenders_that_always_tie_do_not_differ():
    found = mean_ranks({name: {"x": 1.0, "y": 2.0, "z": 3.0} for name in "abc"}, "lower")
    assert found.p == 1.0
    assert found.groups == (("a", "b", "c"),)


@pytest.mark.parametrize(("contenders", "quantile"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_demsars(contenders: int, quantile: float):
    expected = quantile * math.sqrt(contenders * (contenders + 1) / (6 * 14))
    assert critical_difference(contenders, 14) == pytest.approx(expected, rel=1e-3)


def test_groups_are_the_bars_of_the_diagram():
    ranks = {"a": 1.0, "b": 1.5, "c": 2.5, "d": 4.0}
    assert rank_groups(ranks, 1.2) == (("a", "b"), ("b", "c"), ("d",))
    assert rank_groups(ranks, 9.0) == (("a", "b", "c", "d"),)
    assert rank_groups(ranks, 0.1) == (("a",), ("b",), ("c",), ("d",))


def test_pairs_within_a_group_are_those_that_posthocs_does_not_tell_apart():
    posthocs = pytest.importorskip("scikit_posthocs")
    scores = np.random.default_rng(8).normal(size=(9, 5)) + np.linspace(0, 4, 5)
    found = mean_ranks(table(scores), "lower")
    p = posthocs.posthoc_nemenyi_friedman(scores)
    together = {frozenset(pair) for group in found.groups for pair in product(group, group)}
    for i, j in combinations(range(5), 2):
        assert (p.iloc[i, j] > 0.05) == (frozenset((f"c{i}", f"c{j}")) in together)
    assert len(found.groups) > 1


def test_what_is_not_offered_says_why():
    scores = np.random.default_rng(1).normal(size=(2, 4))
    two = mean_ranks(table(scores[:, :2]), "lower")
    one = mean_ranks(table(scores[:1]), "lower")
    assert math.isnan(two.p) and "three contenders" in two.reason
    assert math.isnan(one.p) and "two datasets" in one.reason
    few = mean_ranks(table(scores), "lower")
    assert math.isfinite(few.p) and math.isnan(few.critical_difference)
    assert few.groups == (tuple(few.ranks),)
    assert "fewer than 3 datasets" in few.reason
    assert math.isfinite(mean_ranks(table(np.random.default_rng(1).normal(size=(3, 4))), "lower").critical_difference)


def test_every_contender_needs_every_dataset():
    with pytest.raises(ValueError, match="b has"):
        mean_ranks({"a": {"x": 1.0, "y": 2.0}, "b": {"x": 1.0}}, "lower")
