"""What comes before any training: of commands beside bare Python, of their imports, and of a cohort of a second."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 12
OF_SECONDS = 1.0
COMMANDS = {
    "bare Python": ["-c", "pass"],
    "ganbench --help": ["-m", "ganbench", "--help"],
    "ganbench run --help": ["-m", "ganbench", "run", "--help"],
    "ganbench list": ["-m", "ganbench", "list"],
    "what a plan imports": ["-c", "import ganbench.planning"],
    "what a worker is copied from, without scores": ["-c", "import ganbench.execution.preload"],
    "with scores": ["-c", "import ganbench.execution.preload, ganbench.execution.preload_scores"],
}


def seconds(arguments: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def imports(arguments: list[str]) -> list[tuple[int, int, str]]:
    """Return microseconds with what it imports in turn, without, and the module, by the former."""
    done = subprocess.run([sys.executable, "-X", "importtime", *arguments], check=True, capture_output=True, text=True)
    rows = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        whole, _, name = rest.partition("|")
        if own.strip().isdigit():
            rows.append((int(whole), int(own), name.strip()))
    return sorted(rows, reverse=True)


def of_a_cohort(folder: Path, cohorts: int) -> tuple[float, float]:
    """Return the medians of what a lone cohort takes, from a warm fork server to its last word, and of its training.

    Trains cohorts of sixteen cells on points, one after another on one slot, each for about a second.
    """
    from work import Work

    from ganbench.execution.local import Local
    from ganbench.execution.surroundings import Surroundings
    from ganbench.execution.tasks import CohortRun
    from ganbench.store import Store

    store, steps, found = Store(folder / "store"), 100, []
    for number in range(cohorts + 2):
        work = Work("mlp", {"depth": 3, "width": 64}, (2,), 128, 16, settings={"g_steps": steps, "g_lr": 1e-4 + number})
        (cohort,) = work.cohorts(1)
        task = CohortRun(cohort, Surroundings(store.root, folder, folder / "cache"))
        begun = time.perf_counter()
        Local(["cpu"]).run([task], lambda *_: None)
        whole, status = time.perf_counter() - begun, store.status(cohort.cells[0].key)
        assert status is not None and status.cohort_seconds, "the cohort was not trained"
        found.append((whole, status.cohort_seconds))
        if number < 2:  # the first waits for the server, both tell how many steps take a second
            steps = max(1, round(steps * OF_SECONDS / status.cohort_seconds))
    wholes, trained = zip(*found[2:], strict=True)
    return statistics.median(wholes), statistics.median(trained)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7, help="of all commands, in turns")
    options.add_argument("--cohorts", type=int, default=9, help="that are trained, one after another")
    given = options.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(given.rounds):  # in turns, so that what else the machine does hits all of them
        for name, arguments in COMMANDS.items():
            taken[name].append(seconds(arguments))
    bare = statistics.median(taken["bare Python"])
    for name, found in taken.items():
        median = statistics.median(found)
        sys.stdout.write(f"{name:45} {median:6.3f} s  ({median - bare:+.3f} s)\n")
    with tempfile.TemporaryDirectory() as folder:
        whole, trained = of_a_cohort(Path(folder), given.cohorts)
    sys.stdout.write(f"\na cohort that trains for {trained:.3f} s takes {whole:.3f} s ({whole / trained:.3f} times)\n")
    for name in ("ganbench --help", "what a plan imports"):
        sys.stdout.write(f"\n{name}: the slowest imports\n  with its own   alone\n")
        for whole, own, module in imports(COMMANDS[name])[:ROWS]:
            sys.stdout.write(f"{whole / 1e3:11.1f} ms {own / 1e3:7.1f}  {module}\n")


if __name__ == "__main__":
    main()
