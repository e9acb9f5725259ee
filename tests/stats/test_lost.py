import pytest
from scipy import stats

from ganbench.stats import losses_p, smallest_losses_p


def test_it_is_scipys_exact_test_of_two_shares():
    assert losses_p(0, 8, 5, 8) == pytest.approx(stats.fisher_exact([[0, 8], [5, 3]]).pvalue)
    assert losses_p(0, 8, 5, 8) == losses_p(5, 8, 0, 8) == pytest.approx(0.0256, abs=1e-4)
    assert losses_p(0, 8, 1, 8) == losses_p(0, 8, 0, 8) == 1.0


@pytest.mark.parametrize(("seeds", "lost"), [(4, 4), (5, 4), (8, 5), (16, 5)])
def test_how_many_must_be_lost_of_so_many_for_it_to_tell(seeds: int, lost: int):
    assert losses_p(0, seeds, lost, seeds) < 0.05 <= losses_p(0, seeds, lost - 1, seeds)
    assert smallest_losses_p(lost, seeds, seeds) == losses_p(0, seeds, lost, seeds)


def test_three_seeds_can_never_tell():
    assert min(smallest_losses_p(lost, 3, 3) for lost in range(7)) == pytest.approx(0.1)


def test_more_lost_seeds_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="cannot have been lost"):
        losses_p(0, 3, 4, 3)
