"""A parent that is killed again and again, at any moment: what is finished stays, and the numbers are the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# One fork server for all runs, each of which is a fork of this process: a run then starts in milliseconds.
DRIVER = """
import json, os, random, signal, sys, time
from multiprocessing import forkserver
from pathlib import Path
import ganbench, ganbench.runner
from ganbench.execution import fork_server
from ganbench.store import Store

class Untracked:
    def __init__(self, *_): pass
    def __getattr__(self, name): return lambda *_: ""

folder, most, chance = Path(sys.argv[1]), int(sys.argv[2]), random.Random(7)
ganbench.runner.LiveTracking, ganbench.runner.track = Untracked, lambda *_: ""
fork_server.start()

def started(store):
    pid = os.fork()
    if pid:
        return pid
    # The server is no child of a fork, which may not ask after it.
    forkserver.ForkServer.ensure_running = forkserver.ensure_running = lambda *_: None
    done = ganbench.run(folder / "suite.yaml", store=store, workers=2, checkpoint_every=0.02)
    os._exit(done.failed)

def stamps(store):
    return {path.parent.name: path.stat().st_mtime_ns for path in store.glob("cells/*/status.json")}

def scores(store):
    held = Store(store)
    return {row.key: held.scores(row.key, row.evaluation_key).rows for row in held.suite("suite").listed}

began = time.monotonic()
assert os.waitpid(started(folder / "whole"), 0)[1] == 0
whole = time.monotonic() - began
kills, rounds, again, different, left = 0, 0, [], [], []
while kills < most:  # a store that is finished before makes way for another
    store, finished, code, rounds = folder / f"killed-{rounds}", {}, signal.SIGKILL, rounds + 1
    while code == signal.SIGKILL:
        pid = started(store)
        if kills < most:
            time.sleep(chance.uniform(0, whole / 6))
            os.kill(pid, signal.SIGKILL)
        code = os.waitpid(pid, 0)[1]
        kills += code == signal.SIGKILL
        now = stamps(store)
        again += [key for key in finished if now.get(key) != finished[key]]
        finished = now
    assert code == 0
    different += [] if scores(store) == scores(folder / "whole") else [rounds]
    left += [path.name for path in store.rglob("checkpoint*")]
print(json.dumps({"kills": kills, "again": again, "different": different, "left": left}))
"""

SUITE = """
objectives: [hinge, minimax, wgan_gp]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: [150, 450], batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 150, metrics: [fid, modes]}
"""


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_a_run_killed_at_any_moment_ends_with_the_same_scores_and_trains_nothing_twice(
    kills: int, tmp_path: Path
) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    command = [sys.executable, "-c", DRIVER, str(tmp_path), str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"kills": kills, "again": [], "different": [], "left": []}
