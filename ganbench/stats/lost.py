"""Seeds that were lost on one side and on another: whether more of them are than chance would take."""

from __future__ import annotations

from functools import cache

from scipy import stats


@cache
def losses_p(lost_before: int, before: int, lost_after: int, after: int) -> float:
    """Return the two-sided p-value of Fisher's (1935) exact test that as large a share is lost on either side.

    Of `before` seeds `lost_before` were lost, of `after` ones `lost_after`. With 8 seeds on either side and none lost
    before, 5 must be lost after for a p below .05; with 5 seeds it is 4, and 3 seeds can never tell. ValueError where
    more are lost than there are.
    """
    if not (0 <= lost_before <= before and 0 <= lost_after <= after):
        raise ValueError(f"of {before} and {after} seeds {lost_before} and {lost_after} cannot have been lost")
    table = [[lost_before, before - lost_before], [lost_after, after - lost_after]]
    return float(stats.fisher_exact(table).pvalue)


def smallest_losses_p(lost: int, before: int, after: int) -> float:
    """Return the least p-value that `losses_p` can give where so many seeds were lost on both sides together."""
    ends = max(0, lost - after), min(lost, before)
    return min(losses_p(end, before, lost - end, after) for end in ends)
