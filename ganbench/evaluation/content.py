"""Names for content: hashes by which derived files are found again and scores are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.registry import Part


def digest(value: Mapping[str, Any]) -> str:
    """Hash plain data to 12 hexadecimal digits, the same whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def dataset_content(dataset: Part, data_root: Path) -> dict[str, Any]:
    """Return what tells the dataset's content from any other: its plain data, the files' fingerprint."""
    source = dataset.create()
    fingerprint = source.fingerprint(data_root) if hasattr(source, "fingerprint") else ""
    return {**dataset.as_json(), "fingerprint": fingerprint}
