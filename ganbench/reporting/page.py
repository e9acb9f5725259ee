"""The page: one HTML file with everything in it, from a frame and its rankings."""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from ganbench.reporting.colours import OUTCOME_COLOURS, look
from ganbench.reporting.contents import Contents, contents
from ganbench.reporting.exports import csv, file_names
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import BROKEN
from ganbench.reporting.verdict import caveats
from ganbench.reporting.wording import count, duration, in_sentence
from ganbench.stats import CLAIM

NUMBER_BYTES = 400_000  # of the figures' numbers inside the page; those of all figures are in the folder beside it


@dataclass(frozen=True)
class Trouble:
    """Cells that ended alike: which, why, and the traceback where there is one."""

    where: str
    outcome: str
    reason: str
    traceback: str


@dataclass(frozen=True)
class Axes:
    """What a reader can filter a page by: objectives in their order, datasets and seeds; and the page's name."""

    name: str
    objectives: Sequence[str]
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]


def page(frame: Frame, rankings: Sequence[Ranking]) -> str:
    """Render the report of a frame as HTML that asks for nothing."""
    return rendered(frame, rankings, contents(frame, rankings))


def rendered(frame: Frame, rankings: Sequence[Ranking], held: Contents) -> str:
    """Render what a report holds as HTML that asks for nothing: styles, script, figures and pictures are inlined."""
    counts = frame.cells["outcome"].value_counts()
    seeds = sorted({int(seed) for seed in frame.cells["seed"]})
    told = {
        "suite": frame.suite,
        "facts": _facts(frame),
        "outcomes": [
            (name.replace("_", " "), int(counts[name]), OUTCOME_COLOURS[name])
            for name in OUTCOME_COLOURS
            if name in counts
        ],
        "caveats": caveats(frame, rankings),
        "troubles": _troubles(frame),
        "unscored": unscored(frame),
        "objectives": [(name, _formula(frame, name)) for name in frame.objectives],
        "claim": CLAIM,
    }
    return filled(
        "page.html.j2", held, Axes(frame.suite.name, tuple(frame.objectives), tuple(frame.datasets), tuple(seeds)), told
    )


def filled(template: str, held: Contents, axes: Axes, told: Mapping[str, object]) -> str:
    """Fill a template with what a page holds, and what is `told` around it."""
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    numbers = _numbers(held.figures)
    script = "".join((folder / name).read_text(encoding="utf-8") for name in ("page_pieces.js", "page.js"))
    around = {
        "style": Markup((folder / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "script_hash": b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "told": Markup(_for_script(axes, numbers)),
        "with_numbers": set(numbers),
        "file_name": file_names(held.figures),
        "drawn": Markup,
        "held": held,
        "look": {name: look(place) for place, name in enumerate(axes.objectives)},
        "place": {name: place for place, name in enumerate(axes.objectives)},
        "place_of_dataset": {name: place for place, name in enumerate(axes.datasets)},
    }
    return environment.get_template(template).render({**told, **around})


def _numbers(figures: Sequence[Figure]) -> dict[str, str]:
    """Return the CSV of figures, compressed, the small ones first until the page has no room for more."""
    packed = {figure.name: b64encode(gzip.compress(csv(figure.data).encode(), mtime=0)).decode() for figure in figures}
    found, room = {}, NUMBER_BYTES
    for name, text in sorted(packed.items(), key=lambda item: len(item[1])):
        room -= len(text)
        if room < 0:
            break
        found[name] = text
    return found


def _for_script(axes: Axes, numbers: Mapping[str, str]) -> str:
    """Return what the page's script has to know, as JSON that cannot end its element."""
    told = {
        "suite": axes.name,
        "objectives": [
            {"name": name, "colour": look(place).colour, "shape": look(place).shape}
            for place, name in enumerate(axes.objectives)
        ],
        "datasets": axes.datasets,
        "seeds": axes.seeds,
        "numbers": numbers,
    }
    return json.dumps(told, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e")


def _facts(frame: Frame) -> str:
    listed = frame.cells[frame.cells["outcome"] != "skipped"]
    counted = [
        count(listed["objective"].nunique(), "objective"),
        count(listed["dataset"].nunique(), "dataset"),
        count(listed["seed"].nunique(), "seed"),
    ]
    facts = [" \u00d7 ".join(counted), count(len(listed), "cell")]
    if frame.suite.started:
        facts.append(f"started {frame.suite.started.replace('T', ' ').replace('Z', ' UTC')}")
    if frame.suite.seconds:
        facts.append(f"last run took {duration(frame.suite.seconds)}")
    return " · ".join(facts)


def _formula(frame: Frame, objective: str) -> str:
    return str(frame.suite.objectives.get(objective, {}).get("formula") or "")


def _troubles(frame: Frame) -> list[Trouble]:
    """Group cells without a result by what went wrong, the tracebacks of one plugin's bug told once."""
    cells = frame.cells[frame.cells["outcome"].isin([*BROKEN, "skipped"])]
    traceback = pd.Series({place: status.traceback for place, status in frame.statuses.items()}, dtype=object)
    cells = cells.assign(traceback=traceback.reindex(cells.index).fillna(""), reason=cells["reason"].fillna(""))
    found = []
    for (outcome, name, dataset), mine in cells.groupby(["outcome", "contender", "dataset"], sort=False):
        for (reason, text), alike in mine.groupby(["reason", "traceback"], sort=False):
            seeds = ", ".join(str(seed) for seed in sorted(alike["seed"]))
            where = f"{name} on {dataset}, seed{'s' if len(alike) > 1 else ''} {seeds}"
            found.append(Trouble(where, str(outcome).replace("_", " "), str(reason), str(text)))
    order = ("failed", "timed out", "diverged", "skipped")
    return sorted(found, key=lambda trouble: order.index(trouble.outcome))


def unscored(frame: Frame) -> list[str]:
    """Say which final values are missing of completed cells, and why."""
    found: dict[tuple[str, str, str], int] = {}
    for place, scores in frame.scores.items():
        row = frame.cells.loc[place]
        last = scores.rows[-1] if scores.rows else {}
        missing = {value: reason for value, reason in scores.reasons.items() if last.get(value) is None}
        for value, reason in missing.items() if row["outcome"] == "completed" else ():
            title = frame.title(str(row["dataset"]), value)
            key = (f"{row['contender']} on {row['dataset']}", title, reason)
            found[key] = found.get(key, 0) + 1
    describe = partial(count, noun="cell")
    return [
        f"{where}: no final {in_sentence(title)} in {describe(n)} ({reason})"
        for (where, title, reason), n in found.items()
    ]
