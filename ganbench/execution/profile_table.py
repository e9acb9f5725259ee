"""A trace of torch's profiler as a table: how long each of our functions kept the machine busy, and each operation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ganbench

ROWS = 25
LOOP, BACKWARD = "training/loop.py", " (backward)"
WATCHING = ("execution/profile.py", "execution/worker.py")  # their time is no part of a step: a thread waits there
Event = Mapping[str, Any]


def table(events: Iterable[Event], steps: int, plugins: Sequence[Path] = ()) -> str:
    """Return the text: milliseconds per step by place in our code and by operation, the largest first.

    An operation's own time, without the operations that it calls, counts for the innermost function of ganbench or
    of a plugin that is at work, which is the one that asked for a gradient where autograd computes one. Python's own
    time is that of functions outside of all operations.
    """
    places: defaultdict[str, float] = defaultdict(float)
    names: defaultdict[str, float] = defaultdict(float)
    kernels: defaultdict[str, float] = defaultdict(float)
    calls: Counter[str] = Counter()
    for thread in _by_thread(events).values():
        for place, name, microseconds in _own_times(thread, [str(path) for path in plugins]):
            places[place] += microseconds
            names[name] += microseconds
            calls[name] += 1
    for event in events:
        if event.get("cat") == "kernel":
            kernels[event["name"][:90]] += event["dur"]
    parts = [
        _section("by place (CPU time; the profiler slows Python down)", places, steps),
        _section("by operation (CPU time; operations per step)", names, steps, calls),
    ]
    if kernels:
        parts.append(_section("by kernel (GPU time)", kernels, steps))
    return "\n".join(parts)


def _by_thread(events: Iterable[Event]) -> dict[Any, list[Event]]:
    threads: dict[Any, list[Event]] = defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and event.get("cat") in ("cpu_op", "python_function"):
            threads[event["pid"], event["tid"]].append(event)
    for thread in threads.values():
        # What begins first, or together and ends later, is the outer one.
        thread.sort(key=lambda event: (event["ts"], -event["dur"]))
    return threads


@dataclass
class _Open:
    """Something that has begun: who of ours is at work in it (innermost last), what it is, what time it has left."""

    end: float
    places: tuple[str, ...]
    name: str
    left: float


def _own_times(thread: Sequence[Event], plugins: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    """Give the place, the name and the own microseconds of everything that ran inside one of our functions."""
    stack: list[_Open] = []
    for event in [*thread, None]:
        while stack and (event is None or stack[-1].end <= event["ts"]):
            ended = stack.pop()
            if ended.places:
                yield _shown(ended.places), ended.name, ended.left
        if event is None:
            return
        outer = stack[-1] if stack else _Open(0.0, (), "Python", 0.0)
        outer.left -= event["dur"]
        if event["cat"] == "cpu_op":
            places, name = outer.places, event["name"]
        else:
            places = _entered(event["name"], outer.places, plugins)
            name = outer.name  # Python that an operation calls is the operation's
        stack.append(_Open(event["ts"] + event["dur"], places, name, event["dur"]))


def _entered(function: str, places: tuple[str, ...], plugins: Sequence[str]) -> tuple[str, ...]:
    path, _, rest = function.partition("(")
    called = rest.partition("): ")[2]
    # The profiler leaves out of a path what Python's search path begins with.
    package = f"{Path(ganbench.__file__).parent}/"
    own = path.removeprefix(package).removeprefix("ganbench/")
    if own in WATCHING:
        return ()
    if own != path:
        return (*places, f"{own}: {called}")
    if path in plugins:
        return (*places, f"{Path(path).name}: {called}")
    if places and "torch/autograd/" in path and called == "grad":
        return (*places[:-1], f"{places[-1].removesuffix(BACKWARD)}{BACKWARD}")
    return places


def _shown(places: tuple[str, ...]) -> str:
    """Name the innermost function, and the nearest one of another file that called it, but for the loop itself."""
    file = places[-1].partition(":")[0]
    callers = [place for place in places if place.partition(":")[0] not in (file, LOOP)]
    return f"{places[-1]}, for {callers[-1]}" if callers else places[-1]


def _section(title: str, spent: Mapping[str, float], steps: int, calls: Mapping[str, int] | None = None) -> str:
    whole = sum(spent.values()) or 1.0
    ranked = sorted(spent.items(), key=lambda item: -item[1])
    lines = [f"{title}: {whole / steps / 1000:.2f} ms per step", "  ms/step  share" + ("   calls" if calls else "")]
    for name, microseconds in ranked[:ROWS]:
        called = f" {calls[name] / steps:7.1f}" if calls else ""
        lines.append(f"{microseconds / steps / 1000:9.3f} {100 * microseconds / whole:5.1f}%{called}  {name}")
    if len(spent) > ROWS:
        rest = sum(microseconds for _, microseconds in ranked[ROWS:])
        gap = " " * 8 if calls else ""
        lines.append(f"{rest / steps / 1000:9.3f} {100 * rest / whole:5.1f}%{gap}  {len(spent) - ROWS} others")
    return "\n".join(lines) + "\n"
