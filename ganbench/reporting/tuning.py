"""What the report of `ganbench tune` has before all else: its worth, its budget, the width of the good region."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ganbench.reporting.contents import Contents, contents
from ganbench.reporting.drawing import Sheet, coloured, inks, layered, number, score_scale
from ganbench.reporting.exports import write_exports, write_text
from ganbench.reporting.frame import Frame, load
from ganbench.reporting.page import rendered
from ganbench.reporting.parts import Figure, Part, Table, block, choice
from ganbench.reporting.ranking import rankings
from ganbench.reporting.sections import Section
from ganbench.reporting.summary import markdown, summary
from ganbench.reporting.tuning_front import FrontOf, front_blocks, front_json
from ganbench.reporting.wording import NOTHING, bounds, count, joined, percent, places
from ganbench.reporting.wording import number as written
from ganbench.stats import Better, Interval
from ganbench.stats.budgets import expected_best, share_near_best
from ganbench.store import Store

WIDTH, HEIGHT = 560, 240


@dataclass(frozen=True)
class TunedSubject:
    """What tuning one objective on one dataset came to.

    `trials` are the means of the trials, None for an infeasible one; `measured` has the mean on fresh seeds of each
    variant (default, recommended, tuned), `settings` is the setting found in words. `value` is what was tuned for.
    `objectives` are the labels in the reported suite by variant. Where several values were tuned for, these are of the
    first, and `front` has all.
    """

    objective: str
    dataset: str
    value: str
    better: Better
    trials: Sequence[float | None]
    measured: Mapping[str, Interval]
    objectives: Mapping[str, str]
    settings: str = ""
    front: FrontOf | None = None


def write_tuning_report(store: Store, suite: str, tuned: Sequence[TunedSubject], out: Path) -> Path:
    """Write the report of a suite's tuning to the folder `out`, as `write_report` does; returns the path of its page.

    What tuning came to is its first section, and `tuning` in summary.json.
    """
    frame = load(store, suite)
    ranked = rankings(frame)
    out.mkdir(parents=True, exist_ok=True)
    held = with_tuning(contents(frame, ranked), frame, tuned)
    told = {**summary(frame, ranked), "tuning": [_as_json(each) for each in tuned]}
    write_text(out / "cells.csv", frame.cells.to_csv(index=False))
    write_text(out / "summary.json", json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_text(out / "report.md", markdown(frame, ranked))
    write_exports(held, out, pdf=False)
    return write_text(out / "index.html", rendered(frame, ranked, held))


def with_tuning(held: Contents, frame: Frame, tuned: Sequence[TunedSubject]) -> Contents:
    """Return what a report holds with the section on tuning at its start."""
    lines = [
        (dataset, budget_figure(frame, dataset, tuned)) for dataset in dict.fromkeys(each.dataset for each in tuned)
    ]
    blocks = [
        *block("What tuning is worth", _worth(tuned)),
        *front_blocks(frame, [each.front for each in tuned if each.front]),
        *block("Score against budget", choice("Dataset", lines)),
        *block("How wide the good region is", _regions(tuned)),
    ]
    trials = sorted({len(each.trials) for each in tuned})
    facts = f"{count(len(tuned), 'study', 'studies')} \u00b7 {joined([str(n) for n in trials])} trials of each"
    section = Section("Tuning", "tuning", "", verdict(tuned), facts, (), tuple(blocks))
    return replace(held, sections=(section, *held.sections))


def verdict(tuned: Sequence[TunedSubject]) -> str:
    """Say in a sentence or two where tuning gained anything on fresh seeds."""
    able = [each for each in tuned if "tuned" in each.measured and each.measured["default"].n]
    gained = [each for each in able if _gain(each) > 0]
    said = (
        f"On fresh seeds the tuned settings have a better mean than the suite's own in {len(gained)} of {len(tuned)}."
    )
    without = [f"{each.objective} on {each.dataset}" for each in tuned if "tuned" not in each.measured]
    return f"{said} No trial was feasible of {joined(without)}." if without else said


def budget_figure(frame: Frame, dataset: str, tuned: Sequence[TunedSubject]) -> Figure | None:
    """Draw the expected best score against the number of trials, one line per objective."""
    ink, rows = inks(frame.objectives), []
    mine = [each for each in tuned if each.dataset == dataset]
    for each in mine:
        name = each.objectives.get("tuned", each.objectives["default"])
        for budget, score in enumerate(expected_best(each.trials, each.better), 1):
            tip = ink[name].tip(f"{each.objective}: {score:.4g} expected after {count(budget, 'trial')}")
            rows.append({"objective": name, "trials": budget, "score": score, "tip": tip})
    if not rows:
        return None
    data, sheet = pd.DataFrame(rows), Sheet()
    title = frame.title(dataset, mine[0].value.rpartition("_")[0])
    channels = {
        "x": number("trials", {"domain": [1, max(int(data["trials"].max()), 2)], "nice": False}, "trials"),
        "y": number("score", score_scale(data["score"], mine[0].better), f"expected best {title}"),
        "color": coloured("objective", {name: ink[name].colour for name in dict.fromkeys(data["objective"])}, {}),
    }
    chart = layered(
        sheet.layer(data.drop(columns="tip"), {"type": "line", "strokeWidth": 2}, channels),
        sheet.layer(data, {"type": "circle", "size": 26, "opacity": 0.8}, channels),
        width=WIDTH,
        height=HEIGHT,
    )
    caption = (
        f"The best {title} ({mine[0].better} is better) that a search of so many trials is expected to find, from the "
        "trials that were made (Dodge et al. 2019, exact): on the search's own seeds, so luckier than those above. "
        "An infeasible trial counts as the worst that had a score. It holds for trials drawn independently; a sampler "
        "that learns gets there sooner."
    )
    alternative = f"Expected best {title} on {dataset} against the number of trials, by objective"
    return sheet.figure(chart, f"budget-{dataset}", caption, alternative, data[["objective", "trials", "score"]])


def _worth(tuned: Sequence[TunedSubject]) -> Part:
    names = ("default", "recommended", "tuned")
    rows = []
    for each in tuned:
        digits = places(found.value for found in each.measured.values())
        told = [_mean(each.measured.get(name), digits) for name in names]
        gain = written(_gain(each), digits) if "tuned" in each.measured else NOTHING
        rows.append((each.objective, each.dataset, each.value, *told, gain, each.settings or "no feasible trial"))
    return Table(
        "Means over fresh seeds, by which nothing was chosen, with 95 % t-intervals where seeds are enough. Gain: "
        "how much better the tuned settings score than the suite's own.",
        ("Objective", "Dataset", "Tuned for", "Default", "Recommended", "Tuned", "Gain", "Settings found"),
        tuple(rows),
        (False, False, False, True, True, True, True, False),
        tuple(each.objectives.get("tuned", each.objectives["default"]) for each in tuned),
    )


def _regions(tuned: Sequence[TunedSubject]) -> Part:
    rows = []
    for each in tuned:
        infeasible = sum(score is None for score in each.trials) / len(each.trials)
        scores = [score for score in each.trials if score is not None]
        signed = not scores or min(scores) >= 0 or max(scores) <= 0
        near = percent(share_near_best(each.trials, each.better)) if signed else NOTHING
        pick = min if each.better == "lower" else max
        shown = [_own_digits(found(scores)) if scores else NOTHING for found in (pick, statistics.median)]
        rows.append((each.objective, each.dataset, str(len(each.trials)), percent(infeasible), near, *shown))
    return Table(
        "Shares of the trials: those that lost a seed (it diverged, failed or timed out), and those within 10 % of the "
        "best. The shares of the space itself where the sampler is random; one that learns seeks the good region, and "
        "makes it look wider than it is.",
        ("Objective", "Dataset", "Trials", "Infeasible", "Within 10 % of the best", "Best trial", "Median trial"),
        tuple(rows),
        (False, False, True, True, True, True, True),
        tuple(each.objectives.get("tuned", each.objectives["default"]) for each in tuned),
    )


def _mean(found: Interval | None, digits: int) -> str:
    if found is None or not found.n:
        return NOTHING
    reach = f" ({bounds(found, digits)})" if found.offered else ""
    return f"{written(found.value, digits)}{reach}, n = {found.n}"


def _own_digits(value: float) -> str:
    return written(value, places([value]))  # the best of a search may be a thousandth of its median


def _gain(each: TunedSubject) -> float:
    sign = 1.0 if each.better == "higher" else -1.0
    return sign * (each.measured["tuned"].value - each.measured["default"].value)


def _as_json(each: TunedSubject) -> dict[str, object]:
    means = {
        name: {"mean": found.value, "n": found.n, "interval": [found.low, found.high] if found.offered else None}
        for name, found in each.measured.items()
        if found.n
    }
    found = {"objective": each.objective, "dataset": each.dataset, "value": each.value, "better": each.better}
    several = {"front": front_json(each.front)} if each.front else {}
    return {**found, "trials": list(each.trials), "measured": means, "settings": each.settings, **several}
