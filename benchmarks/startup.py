"""How long the command line takes before it does anything, beside bare Python, and what its imports cost."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS, ROWS = 7, 12
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


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):  # in turns, so that what else the machine does hits all of them
        for name, arguments in COMMANDS.items():
            taken[name].append(seconds(arguments))
    bare = statistics.median(taken["bare Python"])
    for name, found in taken.items():
        median = statistics.median(found)
        sys.stdout.write(f"{name:45} {median:6.3f} s  ({median - bare:+.3f} s)\n")
    for name in ("ganbench --help", "what a plan imports"):
        sys.stdout.write(f"\n{name}: the slowest imports\n  with its own   alone\n")
        for whole, own, module in imports(COMMANDS[name])[:ROWS]:
            sys.stdout.write(f"{whole / 1e3:11.1f} ms {own / 1e3:7.1f}  {module}\n")


if __name__ == "__main__":
    main()
