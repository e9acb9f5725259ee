"""Drawing charts beside the report: Vega holds Python's lock while it draws, so it draws in processes of its own.

They are plain children that read one chart a line and answer with one drawing a line, and end with their parent.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

MOST = 2
CODE = """
import json, sys, vl_convert
vl_convert.vegalite_to_svg('{"data": {"values": []}, "mark": "point"}')  # the first drawing takes most of a second
for line in sys.stdin:
    try:
        told = {"svg": vl_convert.vegalite_to_svg(line)}
    except Exception as error:
        told = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(told) + "\\n")
    sys.stdout.flush()
"""


class DrawingError(Exception):
    """A chart could not be drawn: the message is Vega's own, or that its process ended."""


def draw(chart: str) -> Future[str]:
    """Begin to draw a Vega-Lite chart (JSON without line breaks) and return where its SVG will be."""
    return _pool().submit(_drawn, chart)


def ready() -> None:
    """Start the processes that draw: they take a second, in which there is other work to do."""
    for _ in range(MOST):
        _pool().submit(_process)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else MOST))


_mine = threading.local()


def _drawn(chart: str) -> str:
    process = _process()
    put, take = process.stdin, process.stdout
    if put is None or take is None:
        raise DrawingError("the process that draws has no pipes")
    try:
        put.write(chart + "\n")
        put.flush()
        answer = take.readline()
    except BrokenPipeError:
        answer = ""
    if not answer:
        raise DrawingError(f"the process that draws ended with exit code {process.wait()}")
    told = json.loads(answer)
    if "error" in told:
        raise DrawingError(told["error"])
    return str(told["svg"])


def _process() -> subprocess.Popen[str]:
    process: subprocess.Popen[str] | None = getattr(_mine, "process", None)
    if process is None or process.poll() is not None:
        process = _mine.process = _started()
    return process


def _started() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
