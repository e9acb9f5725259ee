"""Processes that are killed in a search, and two that share one: nothing is lost, and the budget is never exceeded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# One fork server for all searches, each of which is a fork of this process: it then starts in milliseconds.
DRIVER = """
import json, os, random, signal, sys, time
from multiprocessing import forkserver
from pathlib import Path
import optuna
from ganbench.execution import fork_server
from ganbench.listener import Silence
from ganbench.planning import Options
from ganbench.runner import train
from ganbench.store import Store
from ganbench.tuning.study import open_storage
from ganbench.tuning.tuner import make_tune_plan, tune

folder, chance = Path(sys.argv[1]), random.Random(7)
fork_server.start()

def started(store):
    pid = os.fork()
    if pid:
        return pid
    # The server is no child of a fork, which may not ask after it.
    forkserver.ForkServer.ensure_running = forkserver.ensure_running = lambda *_: None
    made = make_tune_plan(folder / "suite.yaml", Options(store, device="cpu", workers=2, checkpoint_every=0.02))
    trained = lambda plan: train(plan, Silence())
    tune(made, trained, trained, lambda _: None)
    os._exit(0)

def stamps(store):
    return {path.parent.name: path.stat().st_mtime_ns for path in store.glob("cells/*/status.json")}

def trials(store):
    storage = open_storage(store / "studies" / "suite.journal")
    studies = sorted(storage.get_all_studies(), key=lambda each: each.study_name)
    found = [storage.get_all_trials(each._study_id) for each in studies]
    return [[[t.number, t.state.name, t.params, t.user_attrs["ganbench.scores"]] for t in each] for each in found]

def ended(*pids):
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]

began = time.monotonic()
assert ended(started(folder / "whole")) == [0]
whole = time.monotonic() - began
"""

KILLED = """
kills, again, code, store, finished = 0, [], -9, folder / "killed", {}
while code == -9:
    pid = started(store)
    if kills < 8:
        time.sleep(chance.uniform(0, whole / 4))
        os.kill(pid, signal.SIGKILL)
    (code,) = ended(pid)
    kills += code == -9
    now = stamps(store)
    again += [key for key in finished if now.get(key) != finished[key]]
    finished = now
assert code == 0, code  # what it said stands above
same = [trials(store) == trials(folder / "whole"), set(finished) == set(stamps(folder / "whole"))]
print(json.dumps({"code": code, "killed": kills > 3, "again": again, "same": same}))
"""

SHARED = """
codes = ended(started(folder / "shared"), started(folder / "shared"))
counts = [len(each) for each in trials(folder / "shared")]
storage = open_storage(folder / "shared" / "studies" / "suite.journal")
asked = [each for study in storage.get_all_studies() for each in storage.get_all_trials(study._study_id)]
owners = {each.user_attrs["ganbench.claim"][0] for each in asked}
states = {trial[1] for each in trials(folder / "shared") for trial in each}
print(json.dumps({"codes": codes, "counts": counts, "owners": len(owners), "states": sorted(states)}))
"""


def driven(folder: Path, suite: str, then: str) -> dict[str, object]:
    (folder / "suite.yaml").write_text(suite)
    command = [sys.executable, "-c", DRIVER + then, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long  # worth it: what a killed process leaves between two writes is seen only by killing one
def test_a_search_killed_again_and_again_ends_as_one_that_was_not(tmp_path, alone_text):
    found = driven(tmp_path, alone_text.replace("trials: 3", "trials: 4"), KILLED)
    assert found == {"code": 0, "killed": True, "again": [], "same": [True, True]}


@pytest.mark.long  # worth it: the same between the writes of a rung, with checkpoints in all states
def test_a_search_that_prunes_and_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path, alone_text):
    text = (
        alone_text.replace("trials: 3", "trials: 8")
        .replace("g_steps: 4", "g_steps: 320")
        .replace("every: 2", "every: 32")
    )
    text = text.replace("batch: 2", "batch: 4\n  prune: {by: halving, first: 32, reduction: 2}")
    found = driven(tmp_path, text, KILLED)
    assert found == {"code": 0, "killed": True, "again": [], "same": [True, True]}


@pytest.mark.long  # worth it: two processes meet in the journal, in the run's lock and in the last round
def test_two_processes_share_a_search_and_its_budget(tmp_path, alone_text):
    found = driven(tmp_path, alone_text.replace("trials: 3", "trials: 5").replace("batch: 2", "batch: 1"), SHARED)
    assert found == {"codes": [0, 0], "counts": [5], "owners": 2, "states": ["COMPLETE"]}
