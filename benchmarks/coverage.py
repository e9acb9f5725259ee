"""How often every interval of ganbench.stats covers the truth, and how often its tests tell equal contenders apart."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np
from populations import Numbers, Population, columns, made_up, middle_mean, trained
from scipy import stats

from ganbench.reporting.comparing.changes import Seeds, changes
from ganbench.stats import (
    Better,
    Interval,
    all_pairs,
    beats,
    critical_difference,
    friedman,
    iqm,
    iqm_interval,
    mean_interval,
    median_interval,
    paired_difference,
    t_interval,
    welch_interval,
)
from ganbench.stats.budgets import Reached, median_best
from ganbench.stats.survival import median_time

SEEDS = (2, 3, 5, 8, 10, 16, 32)
LEVEL = 0.05
RESAMPLES = 399  # of a bootstrap within the simulation; the function's own default only makes its bounds steadier
CHANCES = (0.5, 0.75, 0.9, 0.97)
OF_FIVE: dict[str, Better] = {"all_pairs of 5": "higher", "all_pairs of 5 by medians": "lower"}

Found = Callable[[Sequence[float]], Interval]


def covered(intervals: Iterable[Interval], truth: float) -> float:
    """Return the share that holds the truth of those that are offered; NaN where fewer than one in a hundred is."""
    every = list(intervals)
    offered = [interval for interval in every if interval.offered]
    slack = 1e-9 * max(1.0, abs(truth)) if math.isfinite(truth) else 0.0
    held = [interval.low - slack <= truth <= interval.high + slack for interval in offered]
    return float(np.mean(held)) if len(offered) * 100 >= len(every) else math.nan


def by_seeds(drawn: Callable[[int], Numbers], found: Found, truth: float) -> list[float]:
    return [covered(map(found, drawn(seeds).tolist()), truth) for seeds in SEEDS]


def show(title: str, rows: Iterable[tuple[str, Sequence[float]]]) -> None:
    sys.stdout.write(f"\n{title}\n| | {' | '.join(map(str, SEEDS))} |\n|---|{'---|' * len(SEEDS)}\n")
    for name, shares in rows:
        written = ("" if math.isnan(share) else f"{100 * share:.1f}" for share in shares)
        sys.stdout.write(f"| {name} | {' | '.join(written)} |\n")
        sys.stdout.flush()


def single(random: np.random.Generator, times: int) -> None:
    """Mean, median and standard deviation of one contender."""

    def rows(found: Found, truth: str, which: Iterable[Population]) -> Iterable[tuple[str, list[float]]]:
        for population in which:
            name = population.name + ("" if truth != "mean" or population.even else " (uneven)")
            drawn = lambda seeds, of=population: of.draw(random, times, seeds)  # noqa: E731
            yield name, by_seeds(drawn, found, getattr(population, truth))

    every = [*made_up(), *trained()]
    show("mean_interval", rows(mean_interval, "mean", every))
    show("t_interval, the formula alone", rows(t_interval, "mean", made_up()))
    show("median_interval", rows(median_interval, "median", every))
    never = Population("times, .3 of them never", np.append(np.linspace(1, 2, 28_000), np.full(12_000, np.inf)))
    show("median_time", rows(median_time, "median", [never]))
    show("not offered: chi-square interval of a standard deviation", rows(chi_square, "deviation", made_up()))


def chi_square(scores: Sequence[float]) -> Interval:
    n, spread = len(scores), float(np.std(scores, ddof=1))
    high, low = (math.sqrt((n - 1) / stats.chi2.ppf(tail, n - 1)) for tail in (LEVEL / 2, 1 - LEVEL / 2))
    return Interval(spread, low * spread, high * spread, n)


def middle(random: np.random.Generator, times: int) -> None:
    """The interquartile mean over one, two and three datasets, the score of each a step above the last."""
    for datasets in (1, 2, 3):
        found: list[tuple[str, list[float]]] = []
        percentiles: list[tuple[str, list[float]]] = []
        for population in [*made_up(), *trained()]:
            steps = population.deviation * np.arange(datasets) / 2
            truth = middle_mean([population.scores + step for step in steps])
            shares, plain = [], []
            for seeds in SEEDS:
                drawn = population.draw(random, times * datasets, seeds).reshape(times, datasets, seeds)
                strata = (drawn + steps[:, None]).tolist()
                shares.append(
                    covered((iqm_interval(one, resamples=RESAMPLES, seed=at) for at, one in enumerate(strata)), truth)
                )
                plain.append(covered((percentile(one, random) for one in strata), truth) if datasets == 1 else math.nan)
            found.append((population.name, shares))
            percentiles.append((population.name, plain))
        show(f"iqm_interval, datasets: {datasets}", found)
        if datasets == 1:
            show("not offered: the percentiles of a bootstrap of the IQM, datasets: 1", percentiles)


def percentile(strata: Sequence[Sequence[float]], random: np.random.Generator) -> Interval:
    scores = np.array(strata[0])
    drawn = stats.trim_mean(random.choice(scores, (RESAMPLES, scores.size)), 0.25, axis=1)
    return Interval(iqm(strata[0]), *np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2]).tolist(), scores.size)


def rivals() -> list[tuple[str, Numbers, Numbers]]:
    """Return the scores of two objectives by seed, where both have all of them."""
    known = {key: scores for key, scores in columns().items() if np.isfinite(scores).all() and np.ptp(scores) > 0}
    return [
        (f"{score}: {a} and {b}", known[a, score], known[b, score])
        for score in dict.fromkeys(score for _, score in known)
        for a, b in combinations([objective for objective, of in known if of == score], 2)
    ]


def wins(random: np.random.Generator, times: int) -> None:
    """P(A beats B) of made-up populations moved apart, and of objectives that share their seeds."""
    rows = []
    for population in made_up()[:4]:
        for chance in CHANCES:
            step, true = moved(population.scores, chance)
            a, b = (lambda n, of=population: of.draw(random, times, n) for _ in range(2))
            rows.append((f"{population.name}, {true:.2f}", won(lambda n, a=a, s=step: a(n) + s, b, true)))
    for name, left, right in rivals():
        true = beats(left.tolist(), right.tolist(), "higher").value
        shares = []
        for seeds in SEEDS:
            at = random.integers(left.size, size=(times, seeds))
            shares.append(covered(_beats(left[at], right[at]), true))
        rows.append((f"{name}, {true:.2f}", shares))
    show("beats", rows)


def moved(scores: Numbers, chance: float) -> tuple[float, float]:
    """Return by how much scores must rise to beat those left behind with about this chance, and the chance."""
    steps = np.linspace(0, 8 * float(scores.std()), 2000)
    few = scores[:: scores.size // 2000]
    chances = [np.searchsorted(few, few + step).mean() / few.size for step in steps]
    step = float(steps[int(np.argmin(np.abs(np.array(chances) - chance)))])
    if chance == 0.5:
        return 0.0, 0.5
    return step, float(np.searchsorted(scores, scores + step).mean() / scores.size)


def won(a: Callable[[int], Numbers], b: Callable[[int], Numbers], true: float) -> list[float]:
    return [covered(_beats(a(seeds), b(seeds)), true) for seeds in SEEDS]


def _beats(left: Numbers, right: Numbers) -> Iterable[Interval]:
    return (beats(a, b, "higher") for a, b in zip(left.tolist(), right.tolist(), strict=True))


def differences(random: np.random.Generator, times: int) -> None:
    """The t-interval of a paired mean difference, and that of its size in units of its spread."""
    rows, medians = [], []
    for name, left, right in rivals():
        gap = left - right
        uneven = "" if Population(name, gap).even else " (uneven)"
        drawn = lambda seeds, of=gap: random.choice(of, (times, seeds))  # noqa: E731
        rows.append((f"{name}{uneven}", by_seeds(drawn, mean_interval, float(gap.mean()))))
        medians.append((name, by_seeds(drawn, median_interval, float(np.sort(gap)[(gap.size - 1) // 2]))))
    show("mean_interval of paired differences", rows)
    show("welch_interval against scores of twice the spread", welch(random, times))
    show("median_interval of paired differences", medians)
    rows = []
    for population in made_up()[:4]:
        unit = Population("", (population.scores - population.mean) / population.deviation + 1)
        drawn = lambda seeds, of=unit: of.draw(random, times, seeds)  # noqa: E731
        rows.append((population.name, by_seeds(drawn, noncentral, 1.0)))
    show("not offered: noncentral t interval of a standardised difference of 1", rows)


def welch(random: np.random.Generator, times: int) -> Iterable[tuple[str, list[float]]]:
    for population in [*made_up(), *trained()]:
        shares = []
        for seeds in SEEDS:
            pairs = zip(population.draw(random, times, seeds), 2 * population.draw(random, times, seeds), strict=True)
            shares.append(covered((welch_interval(a.tolist(), b.tolist()) for a, b in pairs), -population.mean))
        yield population.name + ("" if population.even else " (uneven)"), shares


def noncentral(scores: Sequence[float]) -> Interval:
    """Return which true sizes 1 is within, as bounds about it: only whether 1 is covered counts."""
    n = len(scores)
    t = float(np.mean(scores) / np.std(scores, ddof=1)) * math.sqrt(n)
    below = float(stats.nct.cdf(t, n - 1, math.sqrt(n)))
    inside = LEVEL / 2 <= below <= 1 - LEVEL / 2
    return Interval(t / math.sqrt(n), 0.9 if inside else 2.0, 1.1 if inside else 3.0, n)


def alarms(random: np.random.Generator, times: int) -> None:
    """False alarms at 5 %: two contenders of one population, then five of them with Holm's correction."""
    names: dict[str, list[tuple[str, list[float]]]] = {
        name: []
        for name in ("paired t-test", "sign-flip test", "sign test", "all_pairs of 5", "all_pairs of 5 by medians")
    }
    for population in [*made_up(), *(one for one in trained() if one.name.startswith("fid"))]:
        shares: dict[str, list[float]] = {name: [] for name in names}
        for seeds in SEEDS:
            two = population.draw(random, times * 2, seeds).reshape(times, 2, seeds)
            found = [paired_difference(*map(_by_seed, pair)) for pair in two.tolist()]
            shares["paired t-test"].append(float(np.mean([one.p <= LEVEL for one in found])))
            shares["sign-flip test"].append(float(np.mean([one.permutation <= LEVEL for one in found])))
            shares["sign test"].append(float(np.mean([one.signs <= LEVEL for one in found])))
            few = max(1, times // 8)
            five = population.draw(random, few * 5, seeds).reshape(few, 5, seeds)
            named = [{str(at): _by_seed(one) for at, one in enumerate(each)} for each in five.tolist()]
            for name, better in OF_FIVE.items():
                shares[name].append(float(np.mean([len(all_pairs(one, better=better).groups) > 1 for one in named])))
        for name, each in shares.items():
            names[name].append((population.name, each))
    for name, rows in names.items():
        show(f"false alarms: {name}", rows)
    for name, rows in centred(np.random.default_rng(1), times // 2).items():
        show(f"false alarms where only the median difference is 0: {name}", rows)
    lost_alike(np.random.default_rng(2), times)


def centred(random: np.random.Generator, times: int) -> dict[str, list[tuple[str, list[float]]]]:
    """Return the false alarms of differences that lie evenly about 0 by number, and further out to one side."""
    found: dict[str, list[tuple[str, list[float]]]] = {"paired t-test": [], "sign-flip test": [], "sign test": []}
    for name, left, right in rivals():
        if not name.startswith(("fid", "mode_kl")):
            continue
        gap = np.append(left - right, np.median(left - right)) - np.median(left - right)
        shares: dict[str, list[float]] = {name: [] for name in found}
        for seeds in SEEDS:
            drawn = [
                paired_difference(_by_seed(one), _by_seed([0.0] * seeds))
                for one in random.choice(gap, (times, seeds)).tolist()
            ]
            shares["paired t-test"].append(float(np.mean([one.p <= LEVEL for one in drawn])))
            shares["sign-flip test"].append(float(np.mean([one.permutation <= LEVEL for one in drawn])))
            shares["sign test"].append(float(np.mean([one.signs <= LEVEL for one in drawn])))
        for test, each in shares.items():
            found[test].append((name, each))
    return found


def lost_alike(random: np.random.Generator, times: int) -> None:
    """Alarms of a comparison, `ganbench compare`, in which both sides lose seeds alike and score alike."""
    rows = []
    for chance in (0.0, 0.05, 0.1, 0.3):
        shares = []
        for seeds in SEEDS:
            lost, scores = random.random((times, 2, seeds)) < chance, random.lognormal(size=(times, 2, seeds))
            sides = np.where(lost, np.nan, scores).tolist()
            found = [
                changes(
                    {"": Seeds(*({at: _known(score) for at, score in enumerate(side)} for side in both), True)}, "lower"
                )
                for both in sides
            ]
            shares.append(float(np.mean([one[""].verdict == "worse" or one[""].seeds.gone for one in found])))
        rows.append((f"each seed lost with {chance:g}", shares))
    show("regressions of a comparison where nothing changed", rows)


def _known(score: float) -> float | None:
    return None if math.isnan(score) else score


def _by_seed(scores: Sequence[float]) -> dict[int, float]:
    return dict(enumerate(scores))


def over_datasets(random: np.random.Generator, times: int) -> None:
    """False alarms at 5 % of Friedman's test and of Nemenyi's difference, where no contender is better."""
    sys.stdout.write(
        "\nfalse alarms over datasets: Friedman, chi-square for it, Nemenyi\n| contenders | datasets | | | |\n"
    )
    sys.stdout.write("|---|---|---|---|---|\n")
    for contenders in (3, 5, 8):
        for datasets in (2, 3, 5, 8, 12):
            tables = random.permuted(np.tile(np.arange(1.0, contenders + 1), (times, datasets, 1)), axis=2)
            found = [friedman(table, seed=at) for at, table in enumerate(tables[: max(1, times // 10)])]
            critical = critical_difference(contenders, datasets)
            rates = (
                np.mean([p <= LEVEL for _, p in found]),
                np.mean([stats.chi2.sf(statistic, contenders - 1) <= LEVEL for statistic, _ in found]),
                np.mean(np.ptp(tables.mean(axis=1), axis=1) >= critical),
            )
            written = " | ".join(f"{100 * rate:.1f}" for rate in rates)
            sys.stdout.write(f"| {contenders} | {datasets} | {written} |\n")


def budgets(random: np.random.Generator, times: int) -> None:
    """The best of 1, 2, n/8, n/4, n/2 and n of n trials: its median, and by a bootstrap its expectation."""
    for trials in (16, 32, 64):
        sizes = [1, 2, trials // 8, trials // 4, trials // 2, trials]
        held, booted = [], []
        for population in made_up():
            ordered = np.sort(population.scores)
            best = [ordered[math.ceil(ordered.size * (1 - 2 ** (-1 / size))) - 1] for size in sizes]
            above = np.arange(ordered.size, -1, -1) / ordered.size
            means = [float(-np.diff(above**size) @ ordered) for size in sizes]
            drawn = population.draw(random, times, trials)
            found = [median_best(row, "lower") for row in drawn.tolist()]
            bounds = [_expectations(row, sizes, random) for row in drawn]
            held.append((population.name, [_within(found, at, true) for at, true in zip(sizes, best, strict=True)]))
            shares = [
                float(np.mean([low[at] <= true <= high[at] for low, high in bounds])) for at, true in enumerate(means)
            ]
            booted.append((population.name, shares))
        for name, rows in (("median_best", held), ("not offered: bootstrap of the expected best", booted)):
            sys.stdout.write(f"\n{name}, trials: {trials}, at budgets of\n| | {' | '.join(map(str, sizes))} |\n")
            sys.stdout.write("|---" * (len(sizes) + 1) + "|\n")
            for population_name, each in rows:
                written = " | ".join(f"{100 * share:.0f}" for share in each)
                sys.stdout.write(f"| {population_name} | {written} |\n")


def _within(found: Sequence[Sequence[Reached]], budget: int, true: float) -> float:
    return float(np.mean([one[budget - 1].low <= true <= one[budget - 1].high for one in found]))


def _expectations(scores: Numbers, sizes: Sequence[int], random: np.random.Generator) -> Numbers:
    """Return the percentiles of a bootstrap of the expected best at each budget, as rows."""
    drawn = -np.sort(-random.choice(scores, (RESAMPLES, scores.size)), axis=1)
    shares = np.arange(scores.size + 1) / scores.size
    weights = np.array([np.diff(shares**size) for size in sizes])
    found: Numbers = np.quantile(drawn @ weights.T, [LEVEL / 2, 1 - LEVEL / 2], axis=0)
    return found


PARTS = {
    "single": (single, 6000),
    "iqm": (middle, 1500),
    "beats": (wins, 3000),
    "differences": (differences, 4000),
    "alarms": (alarms, 1000),
    "datasets": (over_datasets, 10_000),
    "budgets": (budgets, 1000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws")
    parser.add_argument("--only", choices=PARTS, help="one part")
    given = parser.parse_args()
    for name, (part, times) in PARTS.items():
        if given.only in (None, name):
            part(np.random.default_rng(0), times // 10 if given.quick else times)


if __name__ == "__main__":
    main()
