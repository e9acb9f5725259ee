"""How wide the good region is: what people mean when they call an objective stable."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from ganbench.reporting.drawing import Sheet, category, coloured, inks, layered, name_axis, number
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure, Table
from ganbench.reporting.tuning.marks import GOOD, study_name
from ganbench.reporting.tuning.record import TunedSubject, several_networks, spread
from ganbench.reporting.wording import NOTHING, count, joined, n_of, percent, rounded
from ganbench.stats.budgets import share_near_best
from ganbench.stats.shares import share_interval

SHARES = {"within 10 % of the best": GOOD, "other": "#9aa7b3", "pruned": "#cd8500", "infeasible": "#c55100"}


def region_figure(frame: Frame, tuned: Sequence[TunedSubject]) -> Figure | None:
    """Draw how the trials of each study divide into good, other, pruned and infeasible ones."""
    ink, rows = inks(frame.objectives), []
    names = [study_name(each, tuned) for each in tuned]
    for name, each in zip(names, tuned, strict=True):
        for order, (kind, n) in enumerate(_counts(each).items()):
            tip = ink[each.shown].tip(f"{name}: {count(n, 'trial')} {kind} ({percent(n / len(each.trials))})")
            share = n / len(each.trials)
            rows.append({"study": name, "kind": kind, "trials": n, "share": share, "order": order, "tip": tip})
    data = pd.DataFrame([row for row in rows if row["trials"]])
    present = {kind: colour for kind, colour in SHARES.items() if kind in set(data["kind"])}
    legend = {"orient": "top", "symbolType": "square", "labelLimit": 260, "columnPadding": 30}
    sheet = Sheet()
    bars = sheet.layer(
        data,
        {"type": "bar", "height": 16},
        {
            "x": number("share", {"domain": [0, 1]}, "share of the trials", {"format": "%"}),
            "y": category("study", names, name_axis(names)) | {"scale": {"domain": names}},
            "color": coloured("kind", present, legend),
            "order": {"field": "order", "type": "quantitative"},
        },
    )
    caption = (
        f"How the trials of each study divide ({n_of((len(each.trials) for each in tuned), 'trial')}): the wider the "
        f"share within 10 % of the best, the less a setting matters. {of_what(tuned)}"
    )
    return sheet.figure(
        layered(bars, width=560, height={"step": 28}),
        "good-region",
        caption,
        "Shares of good, other, pruned and infeasible trials by study; the table below has the numbers",
        data[["study", "kind", "trials", "share"]],
    )


def region_table(tuned: Sequence[TunedSubject]) -> Table:
    """Table the shares of good, infeasible and pruned trials, and the scores of the best and the median one."""
    rows, pruned = [], any(trial.state == "pruned" for each in tuned for trial in each.trials)
    networks, lost = several_networks(tuned), any(trial.lost for each in tuned for trial in each.trials)
    for each in tuned:
        states: list[str] = [trial.state for trial in each.trials]
        shares = [percent(states.count(state) / len(states)) for state in ("infeasible", *(["pruned"] * pruned))]
        scores = spread(each.scores)
        near = percent(share_near_best(each.scores, each.better)) if one_sign(each) else NOTHING
        pick = min if each.better == "lower" else max
        shown = [rounded(found(scores)) if scores else NOTHING for found in (pick, statistics.median)]
        place = (each.objective, each.dataset, *([each.architecture] * networks))
        why = [_why(each) or NOTHING] * lost
        rows.append((*place, str(len(states)), *shares, near, _of_the_space(each), *shown, *why))
    return Table(
        f"Infeasible trials lost a seed{'; pruned ones were dropped before their end' if pruned else ''}. "
        f"{of_what(tuned)} Of the space: the share of it that scores so well, from the trials that were drawn evenly "
        "from it, the best one left out, with its 95 % interval (Clopper and Pearson). Best and median trial: their "
        "means over the search's own seeds, so the best is a lucky one; the median is of the trials that have a score.",
        (
            *("Objective", "Dataset", *(["Network"] * networks), "Trials", "Infeasible", *(["Pruned"] * pruned)),
            *("Within 10 % of the best", "Of the space", "Best trial", "Median trial"),
            *(["Why infeasible"] * lost),
        ),
        tuple(rows),
        (*(False,) * (2 + networks), *(True,) * (6 + pruned), *([False] * lost)),
        tuple(each.shown for each in tuned),
    )


def of_what(tuned: Sequence[TunedSubject]) -> str:
    """Say whether the shares are of the space or of the trials alone."""
    if all(trial.drawn for each in tuned for trial in each.trials):
        return "The trials were drawn evenly from the space, so these are estimates of its shares."
    drawn = sorted({sum(trial.drawn for trial in each.trials) for each in tuned})
    first = f" after {joined([str(n) for n in drawn])} trials drawn at random" if drawn[-1] else ""
    return (
        f"These are shares of the trials, not of the space: the sampler seeks the good region{first}, and makes it "
        "look wider than it is."
    )


def _of_the_space(each: TunedSubject) -> str:
    """Say which share of the space is within a tenth of the best trial, which itself says nothing of that."""
    best = each.best
    drawn = [trial for trial in each.trials if trial.drawn and trial is not best]
    if best is None or best.score is None or not drawn or not one_sign(each):
        return NOTHING
    near = [one.score is not None and abs(one.score - best.score) <= 0.1 * abs(best.score) for one in drawn]
    found = share_interval(sum(near), len(near))
    return f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})"


def _why(each: TunedSubject) -> str:
    """Say why trials lost seeds, the most frequent first, with how many trials each."""
    found = Counter(why for trial in each.trials for why in dict.fromkeys(trial.lost))
    return "; ".join(f"{why} ({n})" for why, n in found.most_common())


def _counts(each: TunedSubject) -> dict[str, int]:
    states = [trial.state for trial in each.trials]
    near = share_near_best(each.scores, each.better) if one_sign(each) else math.nan
    good = round(near * len(states)) if math.isfinite(near) else 0
    return {
        "within 10 % of the best": good,
        "other": states.count("complete") - good,
        "pruned": states.count("pruned"),
        "infeasible": states.count("infeasible"),
    }


def one_sign(each: TunedSubject) -> bool:
    """Whether a tenth of the best score says anything: where scores have both signs it does not."""
    scores = spread(each.scores)
    return not scores or min(scores) >= 0 or max(scores) <= 0
