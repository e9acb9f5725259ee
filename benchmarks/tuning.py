"""What `ganbench tune` gains: over an Optuna loop that trains one cell after another, and what 64 trials of TPE find.

`python benchmarks/tuning.py [--part speed|quality] [--every 8] [--repetitions 10]`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("speed", "quality"), help="one part alone")
    parser.add_argument("--every", type=int, default=8, help="the plain loop trains every so many trials (1: all)")
    parser.add_argument("--repetitions", type=int, default=10, help="searches of either sampler")
    given = parser.parse_args()
    from searches import quality, speed  # every worker imports this script anew: it should not import Optuna

    with tempfile.TemporaryDirectory() as folder:
        if given.part in (None, "speed"):
            speed(Path(folder), given.every)
        if given.part in (None, "quality"):
            quality(Path(folder) / "quality", given.repetitions)


if __name__ == "__main__":
    main()
