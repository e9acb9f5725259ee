"""What a score can be at all: no interval reaches beyond."""

from __future__ import annotations

import math

from ganbench.reporting.frame import Frame

Limits = tuple[float, float]
ANY: Limits = (-math.inf, math.inf)
SHARE: Limits = (0.0, 1.0)
POSITIVE: Limits = (0.0, math.inf)
KNOWN: dict[str, Limits] = {
    **dict.fromkeys(("class_match", "coverage", "high_quality", "precision", "recall"), SHARE),
    **dict.fromkeys(("duplicates", "memorisation", "ms_ssim", "optimality_gap"), SHARE),
    **dict.fromkeys(("density", "lpips", "fid", "mode_kl", "modes", "sliced_wasserstein", "w2"), POSITIVE),
    **dict.fromkeys(("is", "support"), (1.0, math.inf)),
}
"""Of the values of ganbench's own metrics, as their docstrings say; KID and FID infinity may be negative."""


def limits(frame: Frame, dataset: str, value: str) -> Limits:
    """Return the least and the greatest that a value can be on a dataset; infinite where that is not known.

    A value by a further extractor (`recall_dinov2`) has the limits of the metric's own.
    """
    further = {
        str(extractor.get("name")) for about in frame.protocols.values() for extractor in about.get("further") or ()
    }
    name = next((value.removesuffix(f"_{one}") for one in further if value.endswith(f"_{one}")), value)
    low, high = KNOWN.get(name, ANY)
    if name == "modes":
        about = frame.suite.datasets.get(dataset, {})
        high = float(len(about.get("centres") or ()) or about.get("classes") or math.inf)
    return low, high


def of_differences(limits: Limits) -> Limits:
    """Return the limits of the difference of two values that have these."""
    low, high = limits
    return (-math.inf, math.inf) if math.isinf(low) or math.isinf(high) else (low - high, high - low)
