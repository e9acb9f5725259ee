"""A store made again from MLflow: the same report, nothing outside its folder, and nothing of its own lost."""

from __future__ import annotations

import json
import math
import pickle
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.pulling import pull
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting import write_report
from ganbench.sent import list_is_sent, pending, places
from ganbench.store import Store, StoreError
from ganbench.suite.cells import digest
from ganbench.tracking import Synced, Tracker

SETTINGS = {"g_steps": 300, "g_lr": 2e-4, "betas": [0.5, 0.999]}
POINTS, IMAGES = "1" * 16, "2" * 16  # evaluation keys
PROVENANCE = {"torch": "2.9", "finished": "2026-11-01T00:01:00Z", "device": "cpu"}


def row(objective: str, dataset: str, seed: int, skipped: str = "") -> Listed:
    key = "" if skipped else digest({"o": objective, "d": dataset, "s": seed})
    evaluation = "" if skipped else (POINTS if dataset == "ring8" else IMAGES)
    return Listed(key, evaluation, objective, "mlp", dataset, seed, SETTINGS, skipped=skipped)


ROWS = (
    *(row(objective, dataset, seed) for dataset in ("ring8", "digits") for objective in "ab" for seed in (0, 1)),
    row("b", "ring8", 2),
    row("c", "ring8", 0, skipped="needs pictures"),
    row("a", "ring8", 2),
)
DIVERGED, FAILED, MISSING = ROWS[1].key, ROWS[7].key, ROWS[10].key
SUITE = SuiteRecord(
    "losses",
    ROWS,
    source="name: losses\n",
    started="2026-11-01T00:00:00Z",
    seconds=321.5,
    datasets={
        "ring8": {"shape": [2], "centres": [[0.0, 1.0], [1.0, 0.0]], "std": 0.1, "headline": "modes", "titles": {}},
        "digits": {"shape": [1, 8, 8], "classes": 10, "headline": "fid", "titles": {"fid": "FID"}},
    },
    objectives={name: {"equilibrium": 2 * math.log(2), "d_steps": 1, "formula": name} for name in "abc"},
    plugins=("mine.py",),
)


def add(store: Store, listed: Listed, noise: float = 0.0) -> None:
    outcome = {DIVERGED: "diverged", FAILED: "failed"}.get(listed.key, "completed")
    random = np.random.default_rng(int(listed.key, 16))
    trace = [{"step": step, "d_loss": random.normal() / step + noise} for step in range(10, 301, 10)]
    if outcome == "diverged":
        trace[-1]["d_loss"] = math.nan
    steps = () if outcome == "failed" else (100, 200, 300)
    status = Status(
        outcome,
        0 if outcome == "failed" else 300,
        reason="ValueError: <b>" if outcome == "failed" else "",
        train_seconds=random.uniform(1, 2),
        cohort_seconds=3.0,
        g_updates=300,
        snapshot_steps=steps,
        provenance=PROVENANCE,
        facts={"radius": 0.5},
    )
    store.write_training(listed.key, {"seed": listed.seed}, status, () if outcome == "failed" else trace)
    if outcome == "failed":
        return
    value, better = ("modes", "higher") if listed.dataset == "ring8" else ("fid", "lower")
    rows = tuple({"step": step, value: float(random.integers(1, 9)) + noise} for step in steps)
    scores = Scores(f"p-{value}", {"samples": 100}, {value: better}, rows, {}, 0.25, ceiling={value: 8.0})
    shape = (50, 2) if listed.dataset == "ring8" else (16, 1, 8, 8)
    samples = random.normal(size=shape).astype(np.float32)
    drawn = samples if listed.dataset == "ring8" else (samples * 50 + 128).clip(0, 255).astype(np.uint8)
    pictures = {"steps": np.array(steps), "by_step": np.stack([drawn[:4]] * 3)}
    store.write_scores(listed.key, listed.evaluation_key, scores, drawn, pictures)


def filled(root: Path, rows: tuple[Listed, ...] = ROWS, suite: SuiteRecord = SUITE) -> Store:
    store = Store(root)
    for listed in rows:
        if not listed.skipped and listed.key != MISSING:
            add(store, listed)
    store.write_suite(suite)
    return store


def sent(store: Store, database: Path) -> str:
    """Send a store to its own database, and return where that is."""
    if not (store.root / "mlflow.db").exists():
        shutil.copyfile(database, store.root / "mlflow.db")
    assert not Tracker(store, store.suite("losses"), None).sync().failed
    return str(store.root / "mlflow.db")


@pytest.fixture
def original(tmp_path: Path) -> Store:
    return filled(tmp_path / "original")


def artifacts(store: Store, key: str) -> Path:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(places(store, None)[0])
    found = client.get_experiment_by_name("losses").experiment_id
    (run,) = client.search_runs([found], f"tags.`ganbench.key` = '{key}'")
    return store.root / "mlartifacts" / run.info.run_id / "artifacts"


@pytest.mark.slow
def test_a_pulled_store_gives_the_same_report_and_is_not_sent_back(original, fresh_database, tmp_path):
    uri = sent(original, fresh_database)
    shutil.rmtree(original.root / "cells")
    pulled = Store(tmp_path / "pulled")
    done = pull(pulled, uri, "losses")
    assert (done.added, done.known, done.conflicts, done.refused, done.underway) == (9, 0, [], [], 0)

    again = filled(tmp_path / "original")
    for store, name in ((again, "first"), (pulled, "second")):
        write_report(store, "losses", tmp_path / name)
    for file in ("cells.csv", "summary.json", "report.md"):
        assert (tmp_path / "second" / file).read_bytes() == (tmp_path / "first" / file).read_bytes(), file
    pages = [(tmp_path / name / "index.html").read_text() for name in ("first", "second")]
    first, second = (re.findall(r"data:image/png;base64,[^\"')]*", page) for page in pages)
    assert len(first) > 5 and first == second
    assert pulled.suite("losses") == SUITE

    assert pending(pulled, SUITE, f"sqlite:///{uri}") == [] and list_is_sent(pulled, SUITE, f"sqlite:///{uri}")
    assert Tracker(pulled, SUITE, f"sqlite:///{uri}").sync() == Synced(0, [])
    # Without its marks the tracker finds the runs by their tags: a store without snapshots has the same results.
    shutil.rmtree(pulled.root / "tracking")
    assert Tracker(pulled, SUITE, f"sqlite:///{uri}").sync() == Synced(0, [])


@pytest.mark.slow
def test_what_a_store_has_stays_and_the_rest_is_added(original, fresh_database, tmp_path):
    uri = sent(original, fresh_database)
    mine = Store(tmp_path / "mine")
    add(mine, ROWS[0])
    add(mine, ROWS[2], noise=0.5)
    mine.write_suite(replace(SUITE, listed=(ROWS[2], ROWS[0]), source="mine"))
    before = (mine.cell_folder(ROWS[2].key) / "status.json").read_bytes()
    done = pull(mine, uri, "losses")
    assert (done.added, done.known) == (7, 1)
    (told,) = done.conflicts
    ours, theirs = (store.scores(ROWS[2].key, POINTS).rows[-1]["modes"] for store in (mine, original))
    assert f"{ROWS[2].key}: modes is {ours} in {mine.root} and {theirs} in run " in told and "stays" in told
    assert (mine.cell_folder(ROWS[2].key) / "status.json").read_bytes() == before
    record = mine.suite("losses")
    assert record.source == "mine" and record.listed[:2] == (ROWS[2], ROWS[0])
    assert {listed.key for listed in record.listed} == {listed.key for listed in ROWS}
    assert len(record.listed) == len(ROWS)
    # Only what differs, or is new in the list, would be sent.
    assert pending(mine, record, f"sqlite:///{uri}") == [ROWS[2].key]
    assert pull(mine, uri, "losses").added == 0


@pytest.mark.slow
def test_a_suite_that_shrank_or_is_half_sent_is_pulled_as_its_store_has_it(original, fresh_database, tmp_path):
    first = replace(SUITE, listed=(*ROWS[:3], ROWS[9]))
    original.write_suite(first)
    uri = sent(original, fresh_database)
    assert len(list((original.root / "mlartifacts").rglob("suite-*.json"))) == 1
    smaller = replace(first, listed=(ROWS[9], ROWS[2], ROWS[0]))
    original.write_suite(smaller)
    sent(original, fresh_database)  # no cell is new, the list is
    pull(shrunk := Store(tmp_path / "shrunk"), uri, "losses")
    assert shrunk.suite("losses") == smaller

    for whole in (original.root / "mlartifacts").rglob("suite-*.json"):
        whole.unlink()  # as if the sync had been killed before its end
    pull(half := Store(tmp_path / "half"), uri, "losses")
    assert half.suite("losses").listed == (*ROWS[:3], ROWS[9])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("pickle", "samples.npy cannot be read"),
        ("packed pickle", "pictures.npz cannot be read"),
        ("status", "status.json cannot be read"),
        ("trace", "trace.jsonl cannot be read"),
        ("gone", "cell.json is missing"),
        ("row", "the key '../../x' of a · ring8 · 0 is not 16 hexadecimal digits"),
        ("earlier", "an earlier ganbench sent it"),
        ("elsewhere", "which is not on this machine"),
    ],
)
def test_a_damaged_or_hostile_run_costs_no_other_run(harm, told, original, fresh_database, tmp_path):
    original.write_suite(replace(SUITE, listed=ROWS[:3]))
    uri = sent(original, fresh_database)
    folder, mark = artifacts(original, ROWS[0].key), tmp_path / "executed"
    if harm == "pickle":
        loaded = np.array([_Executed(mark)], dtype=object)
        np.save(folder / "samples.npy", loaded, allow_pickle=True)
    elif harm == "packed pickle":
        np.savez_compressed(folder / "pictures.npz", allow_pickle=True, steps=np.array([_Executed(mark)], dtype=object))
    elif harm == "status":
        (folder / "status.json").write_text('{"outcome": "splendid", "step": 1}')
    elif harm == "trace":
        (folder / "trace.jsonl").write_text('{"step": 1, "d_loss": "<script>"}\n')
    elif harm == "gone":
        (folder / "cell.json").unlink()
    elif harm == "row":
        part = json.loads((folder / "suite.json").read_text())
        part["suite"]["listed"][0]["key"] = "../../x"
        (folder / "suite.json").write_text(json.dumps(part))
    elif harm == "earlier":
        for path in folder.glob("suite*.json"):
            path.unlink()
    else:
        folder.rename(tmp_path / "moved")
    (tmp_path / "into").mkdir()
    done = pull(Store(tmp_path / "into" / "pulled"), uri, "losses")
    (refused,) = done.refused
    assert ROWS[0].key in refused and told in refused and done.added == 2
    assert not mark.exists() and {path.name for path in (tmp_path / "into").iterdir()} == {"pulled"}


class _Executed:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_the_pickle_of_these_tests_would_be_executed(tmp_path):
    pickle.loads(pickle.dumps(_Executed(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


@pytest.mark.slow
def test_keys_that_lead_elsewhere_are_refused(original, fresh_database, tmp_path):
    from mlflow.tracking import MlflowClient

    original.write_suite(replace(SUITE, listed=ROWS[:3]))
    uri = sent(original, fresh_database)
    client = MlflowClient(places(original, None)[0])
    runs = client.search_runs([client.get_experiment_by_name("losses").experiment_id])
    for run, tag, value in zip(runs, ("key", "evaluation_key", "key"), ("../../x", "a/../b", "A" * 16), strict=True):
        client.set_tag(run.info.run_id, f"ganbench.{tag}", value)
    done = pull(Store(tmp_path / "pulled"), uri, "losses")
    assert done.added == 0 and len(done.refused) == 3
    assert any("'../../x' is not 16 hexadecimal digits" in told for told in done.refused)
    assert not (tmp_path / "pulled" / "cells").exists() and not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_moved_database_and_a_run_under_way(original, fresh_database, tmp_path):
    from mlflow.tracking import MlflowClient

    original.write_suite(replace(SUITE, listed=ROWS[:2]))
    sent(original, fresh_database)
    client = MlflowClient(places(original, None)[0])
    experiment = client.get_experiment_by_name("losses").experiment_id
    client.create_run(experiment, tags={"ganbench.key": ROWS[2].key})
    client.create_run(experiment)  # somebody else's
    moved = original.root.rename(tmp_path / "moved")
    done = pull(Store(tmp_path / "pulled"), str(moved / "mlflow.db"), "losses")
    assert (done.added, done.underway, done.refused) == (2, 1, [])


@pytest.mark.slow
def test_what_cannot_be_pulled_is_told_with_what_can(original, fresh_database, tmp_path):
    original.write_suite(replace(SUITE, listed=ROWS[:1]))
    uri = sent(original, fresh_database)
    target = tmp_path / "pulled"
    with pytest.raises(StoreError, match="unknown experiment 'loses'; did you mean 'losses'"):
        pull(Store(target), uri, "loses")
    with pytest.raises(StoreError, match="no such database"):
        pull(Store(target), f"sqlite:///{tmp_path / 'absent.db'}", "losses")
    (tmp_path / "text.db").write_text("no database, but as long as the header of one would have to be")
    with pytest.raises(StoreError, match="no database of MLflow"):
        pull(Store(target), str(tmp_path / "text.db"), "losses")
    done = CliRunner().invoke(app, ["pull", "http://me:secret@127.0.0.1:9", "losses", "--store", str(target)])
    assert done.exit_code == 2 and "me:***@127.0.0.1:9" in done.output and "secret" not in done.output
    assert not target.exists() and not (tmp_path / "absent.db").exists()


def test_a_pulled_cell_is_done_and_trains_again_only_for_scores_that_it_lacks(tmp_path):
    from ganbench.planning import Options, make_plan

    suite = tmp_path / "suite.yaml"
    suite.write_text("objectives: [hinge]\ndatasets: [ring8]\nseeds: 1\n")
    store = Store(tmp_path / "runs")
    (entry,) = make_plan(suite, Options(store.root)).entries
    cell, scoring = entry.planned.cell, entry.planned.scoring
    store.write_training(cell.key, cell.as_json(), Status("completed", 5000))
    assert [entry.state for entry in make_plan(suite, Options(store.root)).entries] == ["to train"]
    store.write_scores(cell.key, scoring.key, Scores("p", {}, {}, ()), None)
    assert [entry.state for entry in make_plan(suite, Options(store.root)).entries] == ["done"]
    other = Options(store.root, settings=("evaluate.samples=100",))
    assert [entry.state for entry in make_plan(suite, other).entries] == ["to train"]
    unscored = Options(store.root, settings=("evaluate.metrics=[]",))
    assert [entry.state for entry in make_plan(suite, unscored).entries] == ["done"]
