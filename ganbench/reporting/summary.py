"""The report for programs (summary.json) and for plain text (report.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganbench.plain_data import finite_or_none
from ganbench.reporting import protocol
from ganbench.reporting.cell_tables import outcome_table, provenance_table
from ganbench.reporting.classes import by_class, class_scores
from ganbench.reporting.dirac import convergence_table, endings
from ganbench.reporting.frame import Frame
from ganbench.reporting.marking import code as _code
from ganbench.reporting.marking import escaped as _escaped
from ganbench.reporting.marking import table as _table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import Standing
from ganbench.reporting.tables import (
    collapse_table,
    cost_table,
    overview,
    ranking_table,
    stability_table,
)
from ganbench.reporting.verdict import caveats, verdict
from ganbench.stats import Interval


def summary(frame: Frame, rankings: Sequence[Ranking]) -> dict[str, Any]:
    """Return the results as strict JSON: by dataset the ranking under its main protocol, then other protocols'."""
    datasets: dict[str, dict[str, Any]] = {}
    for ranking in rankings:
        entry = _ranking(frame, ranking)
        if ranking.dataset in datasets:
            datasets[ranking.dataset]["other_protocols"].append(entry)
        else:
            datasets[ranking.dataset] = {**entry, "other_protocols": []}
    found = {
        "suite": frame.suite.name,
        "started": frame.suite.started,
        "seconds": frame.suite.seconds,
        "cells": len(frame.cells),
        "outcomes": _counts(frame.cells["outcome"].value_counts().to_dict()),
        "verdicts": {name: entry["verdict"] for name, entry in datasets.items()},
        "caveats": caveats(frame, rankings),
        "datasets": datasets,
    }
    clean: dict[str, Any] = finite_or_none(found)
    return clean


def markdown(frame: Frame, rankings: Sequence[Ranking], first: str = "") -> str:
    """Write the verdicts, caveats and tables as Markdown; `first` is what comes before the outcomes."""
    parts = [f"# {_escaped(frame.suite.name)}"]
    parts += [f"**{_escaped(heading(ranking, rankings))}**: {_escaped(verdict(ranking))}" for ranking in rankings]
    if scored := [ranking for ranking in rankings if ranking.scoring]:
        parts.append(_table(overview(scored)))
    if told := caveats(frame, rankings):
        parts.append("## Caveats\n\n" + "\n".join(f"- {_escaped(sentence)}" for sentence in told))
    parts += [first] if first else []
    parts.append("## Outcomes\n\n" + _table(outcome_table(frame)))
    for ranking in rankings:
        parts.append(f"## {_escaped(heading(ranking, rankings))}")
        if ranking.scoring:
            read = read_by(frame.protocols.get(ranking.protocol_id, {}))
            parts.append(f"Protocol {_code(ranking.protocol_id or 'none')}{read and f', {_escaped(read)}'}.")
            parts.append("### Ranking\n\n" + _table(ranking_table(frame, ranking)))
            if fixed := protocol.facts(frame, ranking):
                listed = "\n".join(f"- {_escaped(name)}: {_escaped(text)}" for name, text in fixed)
                opening = "<details><summary>Everything that fixes these scores</summary>"
                parts.append(f"{opening}\n\n{listed}\n\n</details>")
        if found := endings(frame, ranking):
            parts.append("### Convergence\n\n" + _table(convergence_table(found)))
        if (collapse := collapse_table(frame, ranking)) is not None:
            parts.append("### Mode collapse\n\n" + _table(collapse))
        if (classes := class_scores(frame, ranking)) is not None:
            parts.append("### Per class")
            parts += [f"#### {title}\n\n{_table(table)}" for title, table in classes.tables]
        parts.append("### Stability\n\n" + _table(stability_table(ranking)))
        parts.append("### Cost\n\n" + _table(cost_table(ranking)))
    parts.append("## Provenance\n\n" + _table(provenance_table(frame)))
    return "\n\n".join(parts) + "\n"


def read_by(protocol: Mapping[str, Any]) -> str:
    """Say which extractor read the samples, and how good a classifier it is, where that was measured."""
    extractor = protocol.get("extractor") or {}
    if not extractor.get("name"):
        return ""
    accuracy = extractor.get("test_accuracy")
    good = "" if accuracy is None else f", which is right on {100 * accuracy:.1f} % of the test split"
    return f"features by {extractor['name']}{good}"


def heading(ranking: Ranking, rankings: Sequence[Ranking]) -> str:
    """Name a ranking: its dataset, and its protocol where the dataset has several."""
    alone = sum(other.dataset == ranking.dataset for other in rankings) == 1
    return ranking.dataset if alone else f"{ranking.dataset}, protocol {ranking.protocol_id[:8]}"


def _ranking(frame: Frame, ranking: Ranking) -> dict[str, Any]:
    classes = {
        contender: [{name: _plain(value) for name, value in row.items()} for row in rows]
        for contender, rows in by_class(frame, ranking).items()
    }
    dirac = {
        one.contender: {
            "radius": one.radius,
            "converged": one.converged,
            "eigenvalues": [[value.real, value.imag] for value in one.eigenvalues],
            "theory": [[value.real, value.imag] for value in one.theory],
        }
        for one in endings(frame, ranking)
    }
    return {
        "protocol_id": ranking.protocol_id,
        "protocol": _protocol(frame, ranking),
        "headline": ranking.headline or None,
        "title": ranking.title,
        "better": ranking.better,
        "values": {
            value: {"title": frame.title(ranking.dataset, value), "better": frame.better[value]}
            for value in ranking.values
        },
        "ceiling": dict(ranking.ceiling),
        "test": ranking.test,
        "verdict": verdict(ranking),
        "outcomes": _counts(ranking.cells["outcome"].value_counts().to_dict()),
        "ranking": [_standing(ranking, standing) for standing in ranking.standings],
        **({"per_class": classes} if classes else {}),
        **({"dirac": dirac} if dirac else {}),
    }


def _protocol(frame: Frame, ranking: Ranking) -> dict[str, Any] | None:
    found = frame.protocols.get(ranking.protocol_id)
    return None if found is None else {**found, "cells": protocol.of_the_cells(frame, ranking)}


def _standing(ranking: Ranking, standing: Standing) -> dict[str, Any]:
    difference = standing.difference
    return {
        "contender": standing.contender,
        "objective": standing.objective,
        "rank": standing.rank if ranking.ranked else None,
        "relation": standing.relation,
        "n": standing.final.n,
        "outcomes": _counts(standing.outcomes),
        "final": _interval(standing.final),
        "best": _interval(standing.best),
        "to_leader": None if difference is None else {**_interval(ranking.shown(difference)), "p": standing.p},
        "values": {value: _interval(found) for value, found in standing.others.items()},
    }


def _interval(found: Interval) -> dict[str, float | int]:
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _plain(value: Any) -> Any:
    return _interval(value) if isinstance(value, Interval) else value


def _counts(counts: Mapping[Any, Any]) -> dict[str, int]:
    return {str(name): int(n) for name, n in counts.items()}
