"""What tuning came to, in words and rows of text."""

from __future__ import annotations

from typing import Any

from ganbench.reporting.tuning import TunedSubject
from ganbench.tuning.confirming import VARIANTS, Finding, Measured, label
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


def tuned_subject(finding: Finding) -> TunedSubject:
    """Return what a report shows of a finding."""
    subject, tuned = finding.subject, finding.measured.get("tuned")
    return TunedSubject(
        subject.row.objective.label,
        subject.row.dataset.label,
        subject.objective,
        subject.better,
        [trial.mean if trial.feasible else None for trial in finding.tried],
        {name: measured.mean for name, measured in finding.measured.items()},
        {name: label(subject, name) for name in finding.measured},
        settings_told(tuned.settings) if tuned else "",
    )


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
