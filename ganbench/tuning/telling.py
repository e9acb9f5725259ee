"""What tuning came to, in words and rows of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganbench.reporting.tuning.reading import VERSION
from ganbench.reporting.tuning.record import Borrowed, Parameter, Trial, TunedSubject, plain
from ganbench.suite.tune import Range
from ganbench.tuning.borrowing import Repaid
from ganbench.tuning.choosing import Tried
from ganbench.tuning.confirming import VARIANTS, Finding, Measured, label
from ganbench.tuning.importance import Importance
from ganbench.tuning.subjects import Settings

HEADINGS = ("objective", "dataset", *VARIANTS, "infeasible")


def told(finding: Finding) -> tuple[str, ...]:
    """Return the row of one finding, by `HEADINGS`."""
    row = finding.subject.row
    named = [measured_told(finding.measured.get(name)) for name in VARIANTS]
    pruned = f", {finding.pruned.total()} pruned" if finding.pruned else ""
    return (row.objective.label, row.dataset.label, *named, f"{finding.infeasible} of {len(finding.tried)}{pruned}")


def found_told(finding: Finding) -> str:
    """Say which setting was found for a subject, and what it was judged by."""
    tuned = finding.measured.get("tuned")
    judged = f"{finding.subject.objective}, {finding.subject.better} is better"
    return f"{finding.subject.name} ({judged}): {settings_told(tuned.settings) if tuned else 'no feasible trial'}"


def left_in(findings: Sequence[Finding], sampler: str) -> dict[str, Any]:
    """Return what the store keeps of findings for the report: plain data."""
    return {"version": VERSION, "studies": [plain(tuned_subject(each, sampler)) for each in findings]}


def tuned_subject(finding: Finding, sampler: str) -> TunedSubject:
    """Return what a report shows of a finding."""
    subject, tuned = finding.subject, finding.measured.get("tuned")
    return TunedSubject(
        subject.row.objective.label,
        subject.row.dataset.label,
        subject.objective,
        subject.better,
        [_trial(trial) for trial in finding.tried],
        {name: measured.mean for name, measured in finding.measured.items()},
        {name: label(subject, name) for name in finding.measured},
        settings_told(tuned.settings) if tuned else "",
        subject.row.architecture.label,
        tuple(_parameter(each, finding.importance.get(each.name)) for each in subject.ranges),
        {name: subject.values(measured.settings) for name, measured in finding.measured.items()},
        sampler,
        tuple(_borrowed(each) for each in finding.borrowed),
        {name: measured.centre for name, measured in finding.measured.items() if measured.centre is not None},
    )


def _trial(trial: Tried) -> Trial:
    if trial.feasible:
        return Trial(trial.number, dict(trial.settings), trial.mean)
    return Trial(
        trial.number, dict(trial.settings), None, "infeasible" if trial.infeasible else "pruned", tuple(trial.lost)
    )


def _parameter(tuned: Range, found: Importance | None) -> Parameter:
    share, chance = (None, None) if found is None else (found.share, found.chance)
    return Parameter(tuned.name, tuned.kind, tuned.ends, share, chance)


def _borrowed(found: Repaid) -> Borrowed:
    loan = found.loan
    return Borrowed(loan.dataset, found.mean, found.regret, loan.same, loan.reason)


def measured_told(found: Measured | None) -> str:
    """Say a mean, its interval where one is offered, its seeds, and how many have no score."""
    if found is None:
        return "-"
    lost = f", {len(found.lost)} lost" if found.lost else ""
    if not found.mean.n:
        return f"n=0{lost}"
    bounds = f" [{found.mean.low:.4g}, {found.mean.high:.4g}]" if found.mean.offered else ""
    return f"{found.mean.value:.4g}{bounds} n={found.mean.n}{lost}"


def settings_told(settings: Settings) -> str:
    """Say settings by name, numbers to three digits."""
    return ", ".join(f"{name}={_short(value)}" for name, value in settings.items())


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
