"""How long the report of a large store takes, how much memory and disk, and how soon a browser shows it.

`python benchmarks/report.py [--cells 1000] [--records 200] [--store DIR] [--out DIR]`: a store of synthetic cells, of
points and of images, with traces, ten scores each, samples and pictures of what they kept, is made and reported on; a
headless Chromium then opens the page, where there is one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.store import Store

GOAL_SECONDS, GOAL_BYTES = 20.0, 5_000_000  # for a thousand cells
OBJECTIVES = ("r3gan", "wgan_gp", "hinge", "non_saturating", "least_squares", "minimax", "lsgan", "sngan")
RING = [[math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)] for k in range(8)]
GRID = [[float(x), float(y)] for x in range(-4, 5, 2) for y in range(-4, 5, 2)]
DATASETS: dict[str, dict[str, Any]] = {
    "ring8": {"shape": [2], "centres": RING, "std": 0.02, "headline": "modes"},
    "grid25": {"shape": [2], "centres": GRID, "std": 0.05, "headline": "modes"},
    "digits": {"shape": [1, 8, 8], "classes": 10, "headline": "fid"},
}
POINTS = {"modes": "higher", "high_quality": "higher", "mode_kl": "lower", "precision": "higher"}
IMAGES = {"fid": "lower", "kid": "lower", "precision": "higher", "recall": "higher", "coverage": "higher"}
SETTINGS = {"g_steps": 2000, "batch_size": 64, "g_lr": 2e-4, "d_lr": 2e-4}
STEPS = range(200, 2001, 200)
SIDE = 48  # pixels of what is kept of the plane
ONE_REPORT = """
import json, resource, sys, time
from pathlib import Path
from ganbench.reporting import write_report
from ganbench.store import Store
begun = time.perf_counter(), time.process_time()
write_report(Store(Path(sys.argv[1])), None, Path(sys.argv[2]))
clock, core = time.perf_counter() - begun[0], time.process_time() - begun[1]
print(json.dumps([clock, core, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "about:blank")
PAINTED = """JSON.stringify([
    performance.getEntriesByName("first-contentful-paint").map(entry => entry.startTime)[0],
    performance.getEntriesByType("navigation")[0].loadEventEnd])"""


def filled(root: Path, cells: int, records: int) -> Store:
    """Write a store of about so many cells: eight objectives on three datasets, and as many seeds as that takes."""
    store, random, rows = Store(root), np.random.default_rng(0), []
    for number in range(cells):
        place, dataset = number % len(OBJECTIVES), list(DATASETS)[number // len(OBJECTIVES) % len(DATASETS)]
        seed, key = number // (len(OBJECTIVES) * len(DATASETS)), f"{number:016x}"
        rows.append(Listed(key, "e", OBJECTIVES[place], "mlp", dataset, seed, SETTINGS))
        status = Status("completed", 2000, train_seconds=float(random.uniform(1, 3)), images_seen=128_000)
        store.write_training(key, {"number": number}, status, _trace(random, records))
        better = IMAGES if dataset == "digits" else POINTS
        scores = tuple(_scores(random, better, step, 0.5 + 0.05 * place) for step in STEPS)
        samples = _samples(random, dataset)
        kept = _kept(samples, DATASETS[dataset].get("centres"))
        store.write_scores(key, "e", Scores("p" * 16, {"samples": 2000}, better, scores), samples, kept)
    store.write_suite(
        SuiteRecord("large", tuple(rows), datasets=DATASETS, objectives={name: {} for name in OBJECTIVES})
    )
    return store


def _trace(random: np.random.Generator, records: int) -> list[dict[str, float]]:
    names = ("d_loss", "d_penalty", "g_loss", "real_logit", "fake_logit", "d_accuracy", "d_grad_norm", "g_grad_norm")
    values = random.uniform(0.1, 1, (records, len(names))).tolist()
    apart = 2000 / records
    return [{"step": round((at + 1) * apart), **dict(zip(names, row, strict=True))} for at, row in enumerate(values)]


def _scores(random: np.random.Generator, values: dict[str, str], step: int, quality: float) -> dict[str, float | None]:
    level = float(np.clip(quality * (1 - math.exp(-step / 500)) + random.normal(0, 0.03), 0.01, 1))
    return {"step": step, **{name: level if way == "higher" else 100 * (1.01 - level) for name, way in values.items()}}


def _samples(random: np.random.Generator, dataset: str) -> np.ndarray:
    if dataset == "digits":
        return random.integers(0, 256, (64, 1, 8, 8), dtype=np.uint8)
    centres = np.array(DATASETS[dataset]["centres"])
    points = centres[random.integers(0, len(centres), 2000)] + random.normal(0, 0.05, (2000, 2))
    return points.astype(np.float32)


def _kept(samples: np.ndarray, centres: list[list[float]] | None) -> dict[str, np.ndarray]:
    """Return what scoring keeps for the report (see ganbench.evaluation.pictures)."""
    few = samples[:16] if centres is None else samples[:500].astype(np.float16)
    found = {
        "steps": np.array(STEPS),
        "by_step": np.stack([few] * len(STEPS)),
        "neighbours": samples[8:16],
        "neighbour_distances": np.linspace(0.1, 0.8, 8, dtype=np.float32),
        "real_distances": np.array([0.05, 0.5]),
    }
    if centres is None:
        return found
    nearest = ((samples[:, None] - np.array(centres)) ** 2).sum(axis=2).argmin(axis=1)
    edges = np.linspace(-6, 6, SIDE + 1)
    shares = (np.histogram2d(samples[:, 1], samples[:, 0], bins=(edges, edges))[0] / len(samples)).astype(np.float16)
    return found | {
        "mode_counts": np.stack([np.bincount(nearest, minlength=len(centres))] * len(STEPS)),
        "mode_weights": np.full(len(centres), 1 / len(centres)),
        "truth": shares,
        "generated": shares,
        "best": np.full((SIDE, SIDE), 0.5, np.float16),
        "surface": np.clip(shares * 40, 0, 1).astype(np.float16),
    }


def painted(page: Path) -> tuple[float, float] | None:
    """Return the seconds until Chromium paints the page first, and until all is loaded; None where there is none."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return None
    to_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        redirected = f'exec "$@" 3<&{to_browser} 4>&{from_browser} >/dev/null 2>&1'
        browser = subprocess.Popen(
            ["bash", "-c", redirected, "bash", chromium, f"--user-data-dir={folder}", *FLAGS],
            pass_fds=(to_browser, from_browser),
        )
        stream, last = os.fdopen(answers, "rb"), 0

        def send(method: str, **message: Any) -> dict[str, Any]:
            nonlocal last
            last += 1
            os.write(commands, json.dumps({"id": last, "method": method, **message}).encode() + b"\0")
            while (answer := _answer(stream)).get("id") != last:
                pass
            return dict(answer["result"])

        target = send("Target.createTarget", params={"url": page.as_uri()})["targetId"]
        session = send("Target.attachToTarget", params={"targetId": target, "flatten": True})["sessionId"]
        paint, loaded = None, 0.0
        while not paint or not loaded:
            time.sleep(0.2)
            told = send("Runtime.evaluate", sessionId=session, params={"expression": PAINTED})["result"].get("value")
            paint, loaded = json.loads(told) if told else (None, 0.0)
        send("Browser.close")
        browser.wait(60)
    return paint / 1e3, loaded / 1e3


def _answer(stream: Any) -> dict[str, Any]:
    found = bytearray()
    while (letter := stream.read(1)) != b"\0":
        if not letter:
            raise RuntimeError("Chromium is gone")
        found += letter
    return dict(json.loads(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--records", type=int, default=200, help="of each trace")
    parser.add_argument("--store", type=Path, help="report on this store instead of making one")
    parser.add_argument("--out", type=Path, help="keep the report here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = asked.out or Path(folder, "report")
        root = asked.store or filled(Path(folder, "store"), asked.cells, asked.records).root
        done = subprocess.run(
            [sys.executable, "-c", ONE_REPORT, str(root), str(out)], check=True, capture_output=True, text=True
        )
        clock, core, memory = json.loads(done.stdout)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        drawing = max(0.0, used.ru_utime + used.ru_stime - core)
        size = (out / "index.html").stat().st_size
        files = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) - size
        sys.stdout.write(
            f"by the clock   {clock:7.1f} s   (goal, a thousand cells: {GOAL_SECONDS:.0f} s on a quiet machine)\n"
            f"on a core      {core:7.1f} s   the report's own process, its peak {memory:.0f} MB\n"
            f"               {drawing:7.1f} s   start, and what draws beside it\n"
            f"page           {size / 1e6:7.2f} MB  (goal: {GOAL_BYTES / 1e6:.0f}), files beside it {files / 1e6:.1f}\n"
        )
        shown = painted(out / "index.html")
        sys.stdout.write(
            "no Chromium to open the page\n"
            if shown is None
            else f"first paint    {shown[0]:7.2f} s   all loaded {shown[1]:.2f} s\n"
        )
        sys.stdout.write(f"load           {os.getloadavg()[0]:7.1f}     on {os.cpu_count()} cores\n")


if __name__ == "__main__":
    main()
