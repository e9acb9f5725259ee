"""What fixed the scores of a ranking, in words: the protocol, and which of each cell's generators was scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ganbench.reporting.frame import Frame
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import count

SEEDS = "each cell's own: of the latents, and of what metrics draw"


def facts(frame: Frame, ranking: Ranking) -> tuple[tuple[str, str], ...]:
    """List everything that fixes the scores of a ranking, each under its name; empty where nothing was scored."""
    protocol = frame.protocols.get(ranking.protocol_id)
    if protocol is None:
        return ()
    return (*_flat(protocol), *of_the_cells(frame, ranking).items())


def differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List in what two protocols, or two cells, differ: the name in words, and both values."""
    here, there = dict(_flat(first)), dict(_flat(second))
    names = [name for name in dict.fromkeys((*here, *there)) if here.get(name) != there.get(name)]
    return [(name, here.get(name, "none"), there.get(name, "none")) for name in names]


def of_the_cells(frame: Frame, ranking: Ranking) -> dict[str, str]:
    """Say what of a score is a setting of the cells: which parameters of G were scored, and the seed."""
    decays = Counter(
        listed.settings["ema"]
        for listed in (frame.suite.listed[int(place)] for place in ranking.cells.index)
        if "ema" in listed.settings
    )
    told = [
        f"averaged over G steps (EMA, decay {decay:g})" if decay else "of the step itself, no EMA" for decay in decays
    ]
    if len(decays) > 1:
        told = [f"{text}: {count(cells, 'cell')}" for text, cells in zip(told, decays.values(), strict=True)]
    return {**({"generator parameters": "; ".join(told)} if told else {}), "seed": SEEDS}


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """List the leaves of nested settings, each under its path in words."""
    if isinstance(value, Mapping):
        return [leaf for key, item in value.items() for leaf in _flat(item, f"{name} {key}".replace("_", " ").strip())]
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return [leaf for place, item in enumerate(value, start=1) for leaf in _flat(item, f"{name} {place}")]
    written = ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    return [(name, written or "none")]
