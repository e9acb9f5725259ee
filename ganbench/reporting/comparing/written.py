"""A comparison as files: a page, Markdown, and strict JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.plain_data import finite_or_none
from ganbench.reporting import protocol
from ganbench.reporting.comparing import tables
from ganbench.reporting.comparing.changes import Change, Verdict
from ganbench.reporting.comparing.figure import dumbbell_figure
from ganbench.reporting.comparing.matching import Apart, Differing, Matched, Pairing
from ganbench.reporting.comparing.sides import SUMMARY, Side
from ganbench.reporting.comparing.telling import VERDICTS, Compared, caveats, heading, verdict, whole_verdict
from ganbench.reporting.contenders import in_order
from ganbench.reporting.contents import Contents, assembled
from ganbench.reporting.exports import write_exports, write_text
from ganbench.reporting.marking import escaped, table
from ganbench.reporting.page import Axes, filled
from ganbench.reporting.parts import block, choice
from ganbench.reporting.sections import Section
from ganbench.reporting.standings import Standing
from ganbench.stats import CLAIM, Interval
from ganbench.store import StoreError

COLOURS: dict[Verdict, str] = {
    "worse": "#d55e01",
    "better": "#049c71",
    "indistinct": "#778898",
    "same": "#a3a09d",
    "untested": "#cbcbcb",
    "missing": "#d782b5",
    "new": "#3b9dd5",
}


def write_comparison(found: Compared, out: Path, least_effect: float = 0.0) -> Path:
    """Write index.html, compare.md, compare.json, `figures` and `tables` to a folder; returns the path of the page.

    Raises StoreError where the folder is a report's or a store: its page would be lost.
    """
    if (out / SUMMARY).exists() or (out / "suites").exists():
        raise StoreError(f"{out} is the folder of a report or a store: choose another for the comparison")
    out.mkdir(parents=True, exist_ok=True)
    told = json.dumps(as_json(found, least_effect), indent=1, allow_nan=False, ensure_ascii=False)
    write_text(out / "compare.json", told + "\n")
    write_text(out / "compare.md", markdown(found))
    held = contents(found)
    write_exports(held, out, pdf=False)
    return write_text(out / "index.html", page(found, held))


def as_json(found: Compared, least_effect: float = 0.0) -> dict[str, Any]:
    """Return a comparison as strict JSON; numbers that are not known are null."""
    shared, same, other_keys = found.same
    told = {
        "a": _side(found.a),
        "b": _side(found.b),
        "verdict": whole_verdict(found),
        "caveats": caveats(found),
        "cells": {"shared": shared, "same": same, "same_under_another_key": other_keys},
        "min_effect": least_effect,
        "regressions": [vars(one) for one in found.regressions(least_effect)],
        "compared": [_matched(one) for one in found.datasets],
        "not_compared": [_apart(one) for one in found.apart],
    }
    clean: dict[str, Any] = finite_or_none(told)
    return clean


def markdown(found: Compared) -> str:
    """Write the verdicts, caveats and tables as Markdown."""
    parts = [f"# {escaped(_title(found))}", f"**{escaped(whole_verdict(found))}**"]
    parts += [f"**{escaped(heading(one, found.datasets))}**: {escaped(verdict(one))}" for one in found.datasets]
    parts.append(table(tables.overview_table(found)))
    if told := caveats(found):
        parts.append("## Caveats\n\n" + "\n".join(f"- {escaped(sentence)}" for sentence in told))
    parts.append("## Outcomes\n\n" + table(tables.outcome_table(found)))
    for one in found.datasets:
        parts.append(f"## {escaped(heading(one, found.datasets))}")
        parts += [f"### {escaped(title)}\n\n{table(tables.changes_table(one, v))}" for v, title in one.titles.items()]
        parts.append("### Cost and settings\n\n" + table(tables.cost_table(one)))
    parts.append("## Provenance\n\n" + table(tables.makers_table(found)))
    return "\n\n".join(parts) + "\n"


def contents(found: Compared) -> Contents:
    """Draw and table everything that the page of a comparison shows."""
    return assembled(
        [_section(found, one) for one in found.datasets],
        tables.overview_table(found),
        None,
        tables.outcome_table(found),
        tables.makers_table(found),
    )


def page(found: Compared, held: Contents) -> str:
    """Render a comparison as HTML that asks for nothing, by the template of the report."""
    objectives, title = _objectives(found), _title(found)
    counts = Counter(pairing.verdict for _, pairing in found.pairings)
    sides = (found.a.frame, found.b.frame)
    seeds = sorted({int(seed) for frame in sides for seed in frame.cells["seed"]})
    formulas = {name: about.get("formula") or "" for frame in sides for name, about in frame.suite.objectives.items()}
    told: dict[str, object] = {
        "kind": "ganbench compare",
        "suite": {"name": title},
        "facts": whole_verdict(found),
        "outcomes": [(VERDICTS[name], counts[name], COLOURS[name]) for name in COLOURS if counts[name]],
        "caveats": caveats(found),
        "objectives": [(name, formulas.get(name, "")) for name in objectives],
        "claim": CLAIM,
    }
    datasets = tuple(dict.fromkeys(one.dataset for one in found.datasets))
    return filled("compare.html.j2", held, Axes(title, objectives, datasets, tuple(seeds)), told)


def _title(found: Compared) -> str:
    sides = [
        side.place if side.place.endswith(side.suite) else f"{side.place} ({side.suite})" for side in (found.a, found.b)
    ]
    return f"{sides[0]} against {sides[1]}"


def _objectives(found: Compared) -> list[str]:
    return in_order([*found.a.frame.objectives, *found.b.frame.objectives], found.a.frame.objectives)


def _section(found: Compared, one: Matched) -> Section:
    drawn = [(title, dumbbell_figure(one, value, _objectives(found))) for value, title in one.titles.items()]
    tabled = [(title, tables.changes_table(one, value)) for value, title in one.titles.items()]
    ranking = next(r for r in found.a.rankings if r.slug == one.slug)
    return Section(
        heading(one, found.datasets),
        one.slug,
        one.dataset,
        verdict(one),
        f"protocol {one.protocol_id or 'none: nothing was scored'}",
        protocol.facts(found.a.frame, ranking),
        (
            *block("Seed by seed", choice("Value", drawn)),
            *block("Changes", choice("Value", tabled)),
            *block("Cost and settings", tables.cost_table(one)),
        ),
    )


def _side(side: Side) -> dict[str, Any]:
    return {
        "place": side.place,
        "kind": side.kind,
        "suite": side.suite,
        "started": side.frame.suite.started,
        "cells": len(side.frame.cells),
    }


def _matched(one: Matched) -> dict[str, Any]:
    return {
        "dataset": one.dataset,
        "protocol_id": one.protocol_id,
        "headline": one.headline or None,
        "verdict": verdict(one),
        "values": {value: {"title": title, "better": one.better[value]} for value, title in one.titles.items()},
        "contenders": [_pairing(pairing) for pairing in one.pairings],
    }


def _pairing(pairing: Pairing) -> dict[str, Any]:
    seeds = pairing.headline.seeds
    return {
        "contender": pairing.contender,
        "objective": pairing.objective,
        "verdict": pairing.verdict,
        "paired": seeds.paired,
        "seeds": {"a": len(seeds.before), "b": len(seeds.after)},
        "lost": dict(zip("ab", seeds.lost, strict=True)),
        "outcomes": {"a": _outcomes(pairing.before), "b": _outcomes(pairing.after)},
        "cells": {"shared": pairing.shared, "same": pairing.same, "same_under_another_key": pairing.other_keys},
        "costs": dict(pairing.costs),
        "settings": _differing(pairing.settings),
        "values": {value: _change(change) for value, change in pairing.changes.items()},
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "verdict": change.verdict,
        "a": _interval(change.before),
        "b": _interval(change.after),
        "difference": _interval(change.size),
        "effect": change.effect,
        "test": change.way or None,
        "p": change.p,
        "p_losses": change.losing,
        "beats": _interval(change.chance),
    }


def _interval(found: Interval) -> dict[str, float | int]:
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _outcomes(standing: Standing | None) -> Mapping[str, int]:
    return {} if standing is None else {name: int(n) for name, n in standing.outcomes.items()}


def _apart(one: Apart) -> dict[str, Any]:
    return {
        "dataset": one.dataset,
        "in": one.where.lower(),
        "contenders": list(one.contenders),
        "why": one.why,
        "differs": _differing(one.differs),
    }


def _differing(differs: Differing) -> list[dict[str, str]]:
    return [{"name": name, "a": before, "b": after} for name, before, after in differs]
