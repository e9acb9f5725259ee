"""Plain data as strict JSON, which knows no number that is not finite."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_LINE, _LINES = json.JSONEncoder(allow_nan=False), json.JSONEncoder(allow_nan=False, indent=1)


def finite_or_none(value: Any) -> Any:
    """Replace every float that is not finite by None, in nested dicts and sequences."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): finite_or_none(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(item) for item in value]
    return value


def canonical(value: Mapping[str, Any]) -> str:
    """Write plain data as the one JSON text that stands for it, whatever the order of its keys.

    ValueError for a number that is not finite.
    """
    return _CANONICAL.encode(value)


def as_json(value: Mapping[str, Any], indented: bool = True) -> bytes:
    """Write plain data as strict JSON, with null for numbers that are not finite: indented lines, or one line."""
    encoder = _LINES if indented else _LINE
    try:
        text = encoder.encode(value)
    except (TypeError, ValueError):  # what is finite, and no mapping but a dict, is written without a copy
        text = encoder.encode(finite_or_none(value))
    return (text + "\n").encode()
