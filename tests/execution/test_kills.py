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

folder, chance = Path(sys.argv[1]), random.Random(7)
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
store, kills, again, finished = folder / "killed", 0, [], {}
while kills < 20:
    pid = started(store)
    time.sleep(chance.uniform(0, whole / 4))
    os.kill(pid, signal.SIGKILL)
    if os.waitpid(pid, 0)[1] != signal.SIGKILL:
        break
    kills += 1
    now = stamps(store)
    again += [key for key in finished if now.get(key) != finished[key]]
    finished = now
assert os.waitpid(started(store), 0)[1] == 0
now = stamps(store)
again += [key for key in finished if now[key] != finished[key]]
same = scores(store) == scores(folder / "whole")
left = [path.name for path in store.rglob("checkpoint*")]
print(json.dumps({"kills": kills, "finished": len(finished), "again": again, "same": same, "left": left}))
"""

SUITE = """
objectives: [hinge, minimax, wgan_gp]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 4
train: {g_steps: [400, 800, 1600], batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 400, metrics: [fid, modes]}
"""


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_with_the_same_scores_and_trains_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["kills"] >= 5
    assert told["again"] == [] and told["left"] == [] and told["same"]
