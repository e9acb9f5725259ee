"""What tuning is worth, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Table
from ganbench.reporting.tuning.record import (
    DEFAULT,
    RECOMMENDED,
    VARIANTS,
    TunedSubject,
    gain,
    panel_name,
    settings_told,
    several_networks,
)
from ganbench.reporting.wording import NOTHING, bounds, in_sentence, joined, n_of, rounded, without_interval
from ganbench.stats import CENTRES, Interval


def worth_table(frame: Frame, tuned: Sequence[TunedSubject]) -> Table:
    """Table default, recommended and tuned settings, a row each, with the mean and what stands for the seeds."""
    rows, objectives = [], []
    seeds = {found.n for each in tuned for found in each.measured.values()}
    counted, placed = len(seeds) > 1, len({each.dataset for each in tuned}) > 1
    networks = several_networks(tuned)
    for each in tuned:
        for name in [name for name in VARIANTS if name in each.measured]:
            mean, middle = each.measured[name], each.centres.get(name)
            gained = NOTHING if name == DEFAULT else rounded(gain(each, variant=name))
            told = (_value(mean), gained, *_centre(middle), *([str(mean.n)] * counted))
            settings = settings_told({**each.variants.get(name, {}), **each.beyond.get(name, {})}) or NOTHING
            place = (*([each.dataset] * placed), *([each.architecture] * networks))
            rows.append((each.objectives[name], *place, *told, settings))
            objectives.append(each.objectives[name])
    values = joined(list(dict.fromkeys(f"{_titled(frame, each)} ({each.better} is better)" for each in tuned)))
    middles = joined(sorted({CENTRES[each.better] for each in tuned}))
    known = [found for each in tuned for found in each.centres.values()]
    given = {DEFAULT, RECOMMENDED}
    without = [f"{panel_name(each, tuned)} on {each.dataset}" for each in tuned if set(each.measured) <= given]
    return Table(
        f"{values} on fresh seeds ({n_of(seeds)}), by which nothing was chosen. Gain: how much better the mean is "
        "than that of the suite's own settings; the mean is what was tuned, and seeds that collapse make most of a "
        f"mean of distances. Centre: the {middles} over the seeds, with its 95 % interval where one "
        f"holds.{without_interval(known)}{f' No trial was feasible of {joined(without)}.' if without else ''}",
        (
            *("Contender", *(["Dataset"] * placed), *(["Network"] * networks)),
            *("Mean", "Gain", "Centre", "95 % interval"),
            *(["Seeds"] * counted),
            "Values",
        ),
        tuple(rows),
        (*(False,) * (1 + placed + networks), *(True,) * (4 + counted), False),
        tuple(objectives),
    )


def _titled(frame: Frame, each: TunedSubject) -> str:
    """Write what was tuned for as a person would say it: `final FID` for `fid_final`."""
    value, _, which = each.value.rpartition("_")
    return f"{which.capitalize()} {in_sentence(frame.title(each.dataset, value))}" if value else each.value


def _value(found: Interval) -> str:
    return rounded(found.value) if found.n else NOTHING


def _centre(found: Interval | None) -> tuple[str, str]:
    if found is None or not found.n:
        return NOTHING, NOTHING
    return _value(found), bounds(found) if found.offered else NOTHING
