"""What another dataset's best settings are worth: tried on the fresh seeds of those found on the dataset itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.stats import Interval, mean_where_it_holds, paired_difference
from ganbench.store import Store
from ganbench.suite.plan import Planned
from ganbench.tuning.search import Incomplete
from ganbench.tuning.subjects import Settings, Subject, score


@dataclass(frozen=True)
class Loan:
    """The settings found on another dataset, and their cells here; none where they are the same, or cannot be here."""

    dataset: str
    settings: Settings
    rows: tuple[Planned, ...] = ()
    same: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Repaid:
    """What a loan scored, and by how much worse than the subject's own settings it is, seed by seed.

    `regret` is the mean over seeds of scores of which more is better, and the median of distances; None where the
    subject has no settings of its own to compare with.
    """

    loan: Loan
    mean: Interval | None = None
    regret: Interval | None = None


def loans(subjects: Sequence[Subject], best: Sequence[Settings | None], seeds: Sequence[int]) -> list[list[Loan]]:
    """Return what each subject borrows: the settings found for its objective on each other dataset.

    Those of the same architecture are meant, or where the other dataset has none such, those of its only one. A space
    belongs to an objective, so settings are in the other dataset's space; its networks may still refuse them.
    """
    found = []
    for subject, own in zip(subjects, best, strict=True):
        others: dict[str, list[tuple[Subject, Settings | None]]] = {}
        for other, settings in zip(subjects, best, strict=True):
            same_objective = other.row.objective.label == subject.row.objective.label
            if same_objective and other.row.dataset.label != subject.row.dataset.label:
                others.setdefault(other.row.dataset.label, []).append((other, settings))
        found.append([_loan(subject, own, dataset, each, seeds) for dataset, each in others.items()])
    return found


def borrowed_label(subject: Subject, dataset: str) -> str:
    """Return what an objective with settings found on another dataset is called in the reported suite."""
    return f"{subject.row.objective.label} (tuned on {dataset})"


def repaid(store: Store, subject: Subject, loan: Loan, own: Sequence[Planned]) -> Repaid:
    """Read what a loan scored, beside the cells of the subject's own settings; Incomplete where some have no result."""
    if not loan.rows:
        return Repaid(loan)
    theirs, mine = (_by_seed(store, subject, rows) for rows in (loan.rows, own))
    mean = mean_where_it_holds(list(theirs.values()), subject.better)
    if not theirs.keys() & mine.keys():
        return Repaid(loan, mean)
    worse, better = (theirs, mine) if subject.better == "lower" else (mine, theirs)
    difference = paired_difference(worse, better)
    return Repaid(loan, mean, difference.median if subject.better == "lower" else difference.interval)


def _loan(
    subject: Subject,
    own: Settings | None,
    dataset: str,
    found: Sequence[tuple[Subject, Settings | None]],
    seeds: Sequence[int],
) -> Loan:
    alike = [each for each in found if each[0].row.architecture.label == subject.row.architecture.label]
    chosen = alike or found
    if len(chosen) > 1:
        return Loan(
            dataset, {}, reason=f"tuned there with several architectures, none of them {subject.row.architecture.label}"
        )
    ((_, settings),) = chosen
    if settings is None:
        return Loan(dataset, {}, reason="no trial was feasible there")
    if settings == own:
        return Loan(dataset, settings, same=True)
    rows = subject.rows(settings, seeds, borrowed_label(subject, dataset))
    if rows[0].skipped:
        return Loan(dataset, settings, reason=f"cannot be trained here: {rows[0].skipped}")
    return Loan(dataset, settings, tuple(rows))


def _by_seed(store: Store, subject: Subject, rows: Sequence[Planned]) -> dict[int, float]:
    try:
        found = {row.seed: score(store, row, subject) for row in rows}
    except LookupError as error:
        raise Incomplete([f"cell {error} has no result; the same command goes on"]) from None
    return {seed: values[0] for seed, values in found.items() if not isinstance(values, str)}
