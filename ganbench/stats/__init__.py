"""What numbers over a few seeds can carry: intervals, tests, ranks and shares that hold what they claim. No I/O.

`CLAIM` says for which scores. It was decided by `benchmarks/coverage.py`, which simulates every interval and test on
made-up populations and on the final scores of 160 trained seeds; benchmarks/README.md has what it printed.
"""

from ganbench.stats.centres import CENTRES, NO_MEAN_BOUNDS, centre, mean_where_it_holds
from ganbench.stats.comparisons import Comparison, Pair, all_pairs, indistinct_groups
from ganbench.stats.corrections import holm
from ganbench.stats.intervals import (
    MEANS_FROM,
    NO_DEVIATION,
    TOLERANCE,
    Interval,
    deviation,
    mean_interval,
    median_interval,
    t_interval,
)
from ganbench.stats.lost import losses_p, smallest_losses_p
from ganbench.stats.pairs import (
    NO_SIZE_BOUNDS,
    SEEDS_THAT_AGREE,
    Difference,
    Test,
    choose_test,
    paired_difference,
    seeds_needed,
    sign_flip_p,
    sign_p,
    smallest_p,
    standardised_difference,
)
from ganbench.stats.profiles import Cells, Curve, performance_profiles
from ganbench.stats.quartiles import IQM_FROM, iqm, iqm_interval
from ganbench.stats.ranks import MeanRanks, critical_difference, friedman, mean_ranks, rank_groups
from ganbench.stats.survival import median_time, reached, restricted_mean, time_to_target
from ganbench.stats.unpaired import (
    choose_unpaired_test,
    permutation_p,
    rank_sum_p,
    smallest_unpaired_p,
    unpaired_difference,
    welch_interval,
)
from ganbench.stats.wins import WINS_FROM, Better, Score, beats, beats_matrix

CLAIM = (
    "Intervals claim 95 %, and cover no less than 93 % in simulations with as many seeds as they are shown for: those "
    "of medians, interquartile means and chances to win for scores of any shape, those of means only for scores that "
    "spread evenly to both sides."
)

__all__ = [
    "CENTRES",
    "CLAIM",
    "IQM_FROM",
    "MEANS_FROM",
    "NO_DEVIATION",
    "NO_MEAN_BOUNDS",
    "NO_SIZE_BOUNDS",
    "SEEDS_THAT_AGREE",
    "TOLERANCE",
    "WINS_FROM",
    "Better",
    "Cells",
    "Comparison",
    "Curve",
    "Difference",
    "Interval",
    "MeanRanks",
    "Pair",
    "Score",
    "Test",
    "all_pairs",
    "beats",
    "beats_matrix",
    "centre",
    "choose_test",
    "choose_unpaired_test",
    "critical_difference",
    "deviation",
    "friedman",
    "holm",
    "indistinct_groups",
    "iqm",
    "iqm_interval",
    "losses_p",
    "mean_interval",
    "mean_ranks",
    "mean_where_it_holds",
    "median_interval",
    "median_time",
    "paired_difference",
    "performance_profiles",
    "permutation_p",
    "rank_groups",
    "rank_sum_p",
    "reached",
    "restricted_mean",
    "seeds_needed",
    "sign_flip_p",
    "sign_p",
    "smallest_losses_p",
    "smallest_p",
    "smallest_unpaired_p",
    "standardised_difference",
    "t_interval",
    "time_to_target",
    "unpaired_difference",
    "welch_interval",
]
