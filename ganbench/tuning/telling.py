"""What tuning came to, in words and rows of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ganbench.reporting.tuning.front import FrontOf
from ganbench.reporting.tuning.reading import VERSION
from ganbench.reporting.tuning.record import Borrowed, Parameter, Trial, TunedSubject, as_plain, settings_told
from ganbench.stats import Interval
from ganbench.suite.tunable import BETAS, RATE, RATIO, applied
from ganbench.suite.tune import Range
from ganbench.tuning.borrowing import Repaid
from ganbench.tuning.choosing import Tried, front
from ganbench.tuning.confirming import GIVEN, VARIANTS, Finding, Measured, label
from ganbench.tuning.importance import Importance
from ganbench.tuning.subjects import Settings, Subject

OWN = "the suite's own settings"


def headings(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what the columns of `rows_told` are called: of several values each has one, and each setting a row."""
    aims, network = findings[0].subject.aims, ["network"] * several_networks(findings)
    if len(aims) == 1:
        return ("objective", "dataset", *network, *VARIANTS, "infeasible")
    return ("objective", "dataset", *network, "settings", *(aim.name for aim in aims), "infeasible")


def several_networks(findings: Sequence[Finding]) -> bool:
    """Whether an objective was tuned with more than one architecture."""
    return len({finding.subject.row.architecture.label for finding in findings}) > 1


def rows_told(finding: Finding, networks: bool = False) -> list[tuple[str, ...]]:
    """Return the rows of one finding, by `headings`; with its network where there are `several_networks`."""
    row, measured = finding.subject.row, finding.measured
    place = (row.objective.label, row.dataset.label, *([row.architecture.label] * networks))
    pruned = f", {finding.pruned.total()} pruned" if finding.pruned else ""
    infeasible = f"{finding.infeasible} of {len(finding.tried)}{pruned}"
    if not finding.subject.further:
        return [(*place, *(measured_told(measured.get(name)) for name in VARIANTS), infeasible)]
    return [
        (*place, name, *(interval_told(mean, each.lost) for mean in each.means), infeasible)
        for name, each in measured.items()
    ]


def found_told(finding: Finding) -> str:
    """Say which settings were found for a subject, what they were judged by, and why trials were infeasible."""
    found = [settings_told(each.settings) or f"{OWN}, which no trial beats" for each in finding.found.values()]
    head = f"{finding.subject.name} ({judged_told(finding.subject)}): "
    why = infeasible_told(finding)
    if not finding.subject.further or not found:
        return head + (found[0] if found else "no feasible trial") + why
    return head + "".join(f"\n  {name}: {told}" for name, told in zip(finding.found, found, strict=True)) + why


def infeasible_told(finding: Finding) -> str:
    """Say on a line why trials lost seeds, the most frequent first; empty where none did."""
    found = Counter(why for trial in finding.tried for why in dict.fromkeys(trial.lost))
    return "\n  infeasible: " + "; ".join(f"{why} ({n})" for why, n in found.most_common()) if found else ""


def judged_told(subject: Subject) -> str:
    """Say what a subject's trials were judged by."""
    return "; ".join(f"{aim.name}, {aim.better} is better" for aim in subject.aims)


def left_in(findings: Sequence[Finding], sampler: str) -> dict[str, Any]:
    """Return what the store keeps of findings for the report: plain data."""
    return {"version": VERSION, "studies": [as_plain(tuned_subject(each, sampler)) for each in findings]}


def tuned_subject(finding: Finding, sampler: str) -> TunedSubject:
    """Return what a report shows of a finding."""
    subject = finding.subject
    best = next(iter(finding.found), None)  # of a front, its best in the first value stands for it where one is shown
    names = {name: name for name in finding.measured if name in GIVEN} | ({"tuned": best} if best else {})
    shown = {name: finding.measured[variant] for name, variant in names.items()}
    return TunedSubject(
        subject.row.objective.label,
        subject.row.dataset.label,
        subject.objective,
        subject.better,
        [_trial(trial) for trial in finding.tried],
        {name: each.mean for name, each in shown.items()},
        {name: label(subject, variant) for name, variant in names.items()},
        subject.row.architecture.label,
        tuple(_parameter(each, finding.importance.get(each.name)) for each in subject.ranges),
        {name: subject.values(each.settings) for name, each in shown.items()},
        sampler,
        tuple(_borrowed(each) for each in finding.borrowed),
        {name: each.centre for name, each in shown.items() if each.centre is not None},
        front_of(finding) if subject.further else None,
        {name: beyond for name, each in shown.items() if (beyond := _beyond(subject, each.settings))},
    )


def front_of(finding: Finding) -> FrontOf:
    """Return what a report shows of a search for several values."""
    subject, trials = finding.subject, finding.tried
    better = [aim.better for aim in subject.aims]
    return FrontOf(
        subject.row.objective.label,
        subject.row.dataset.label,
        [aim.name for aim in subject.aims],
        better,
        [trial.means for trial in trials if trial.feasible],
        [trial.means for trial in front(trials, better)],
        {name: each.means for name, each in finding.measured.items()},
        {name: label(subject, name) for name in finding.measured},
        {name: settings_told(each.settings) or OWN for name, each in finding.measured.items() if name != "default"},
    )


def _trial(trial: Tried) -> Trial:
    settings, drawn = dict(trial.settings), trial.drawn
    if trial.feasible:
        return Trial(trial.number, settings, trial.mean, drawn=drawn)
    return Trial(trial.number, settings, None, "infeasible" if trial.infeasible else "pruned", tuple(trial.lost), drawn)


def _beyond(subject: Subject, settings: Settings) -> Settings:
    """Return the training settings beyond the space in which these are not the suite's own, betas one by one."""
    _, _, train = applied(settings, *subject.parts)
    space = {each.name for each in subject.ranges}
    space |= {"g_lr", "d_lr"} if space & {RATE, RATIO} else set()
    own = subject.row.train
    found = {name: getattr(train, name) for name in settings if name in type(train).model_fields and name != "betas"}
    if "betas" in settings and train.optimiser == "adam":
        found |= dict(zip(BETAS, train.betas, strict=True))
    before = {**own.model_dump(), **dict(zip(BETAS, own.betas, strict=True))}
    return {name: value for name, value in found.items() if name not in space and value != before[name]}


def _parameter(tuned: Range, found: Importance | None) -> Parameter:
    share, chance = (None, None) if found is None else (found.share, found.chance)
    return Parameter(tuned.name, tuned.kind, tuned.ends, share, chance)


def _borrowed(found: Repaid) -> Borrowed:
    loan = found.loan
    return Borrowed(loan.dataset, found.mean, found.regret, loan.same, loan.reason)


def measured_told(found: Measured | None, subject: Subject | None = None) -> str:
    """Say a mean, its interval where one is offered, its seeds, and how many have no score.

    Of several values, those of the subject, each has its name.
    """
    if found is None:
        return "-"
    if subject is None or not subject.further:
        return interval_told(found.mean, found.lost)
    means = zip(subject.aims, found.means, strict=True)
    return "; ".join(f"{aim.name} {interval_told(mean, found.lost)}" for aim, mean in means)


def interval_told(mean: Interval, lost: Sequence[str]) -> str:
    """Say a mean, its interval where one is offered, its seeds, and how many have no score."""
    without = f", {len(lost)} lost" if lost else ""
    if not mean.n:
        return f"n=0{without}"
    bounds = f" [{mean.low:.4g}, {mean.high:.4g}]" if mean.offered else ""
    return f"{mean.value:.4g}{bounds} n={mean.n}{without}"
