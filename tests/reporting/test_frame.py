import math

import pytest

from ganbench.reporting.frame import load
from ganbench.store import Store, StoreError


def test_one_row_per_listed_cell_in_the_agreed_order(varied: Store):
    cells = load(varied).cells
    columns = list(cells.columns)
    assert len(cells) == 24
    assert columns[:7] == ["key", "objective", "architecture", "dataset", "seed", "outcome", "reason"]
    assert (
        columns.index("g_lr") < columns.index("contender") < columns.index("fid_final") < columns.index("oscillation")
    )
    assert columns[-3:] == ["train_seconds", "evaluate_seconds", "wait_seconds"]
    times = {"train_seconds", "evaluate_seconds", "wait_seconds"}
    assert {name for name in columns if "second" in name or "time" in name} == times


def test_outcomes_are_kept_apart(varied: Store):
    counts = load(varied).cells["outcome"].value_counts()
    assert counts.to_dict() == {"completed": 16, "failed": 3, "skipped": 3, "diverged": 1, "missing": 1}


def test_a_diverged_cell_has_a_best_and_no_final_score(varied: Store):
    cells = load(varied).cells
    diverged = cells[cells["outcome"] == "diverged"].iloc[0]
    assert math.isnan(diverged["modes_final"])
    assert diverged["modes_best"] > 0
    assert math.isnan(diverged["oscillation"])


def test_lists_among_the_settings_stay_one_column(varied: Store):
    assert set(load(varied).cells["betas"]) == {"[0.5, 0.999]"}


def test_a_setting_may_not_hide_a_result(builder):
    builder.add("hinge", "ring8", 0, settings={"seed": 7, "parameters": 3})
    cells = load(builder.write()).cells
    assert cells.loc[0, ["seed", "setting_seed", "parameters"]].tolist() == [0, 7, 35_000]


def test_contenders_carry_what_the_suite_varies(builder):
    for rate in (1e-3, 1e-4):
        for architecture in ("mlp", "wide"):
            builder.add("hinge", "ring8", 0, architecture=architecture, settings={"g_lr": rate}, swept=("g_lr",))
    builder.add("hinge", "grid25", 0)
    names = list(load(builder.write()).cells["contender"])
    assert names[0] == "hinge · mlp · g_lr=0.001"
    assert len(set(names[:4])) == 4
    assert names[4] == "hinge"


def test_cells_that_would_share_a_name_and_a_seed_are_told_apart(builder):
    builder.add("hinge", "ring8", 0, settings={"g_lr": 1e-3})
    builder.add("hinge", "ring8", 0, settings={"g_lr": 1e-4})
    assert list(load(builder.write()).cells["contender"]) == ["hinge · g_lr=0.001", "hinge · g_lr=0.0001"]


def test_energy_is_a_column_where_it_is_known_of_a_cell(builder):
    keys = [builder.add("hinge", "ring8", seed) for seed in range(3)]
    store = builder.write()
    assert "energy_joules" not in load(store).cells
    path = store.cell_folder(keys[1]) / "status.json"
    path.write_text(path.read_text().replace('"energy_joules": null', '"energy_joules": 12.5'))
    cells = load(store).cells
    assert cells["energy_joules"].isna().tolist() == [True, False, True] and cells.loc[1, "energy_joules"] == 12.5
    assert list(cells.columns[-4:]) == ["energy_joules", "train_seconds", "evaluate_seconds", "wait_seconds"]
    assert cells["energy_joules"].dtype == float


def test_a_store_without_the_suite_says_what_it_has(varied: Store, tmp_path):
    with pytest.raises(StoreError, match=r"no results of suite nothing \(it has: losses\)"):
        load(varied, "nothing")
    with pytest.raises(StoreError, match="it has: none"):
        load(Store(tmp_path / "empty"))


def test_a_trace_keeps_its_cell_its_order_and_its_gaps(builder):
    keys = [builder.add("hinge", "ring8", seed, scored=False) for seed in range(3)]
    store = builder.write()
    lines = '{"step": 1, "d_loss": 0.5}\n{"step": 2, "d_loss": null, "late": 7.0}\n'
    (store.cell_folder(keys[1]) / "trace.jsonl").write_text(lines)
    (store.cell_folder(keys[2]) / "trace.jsonl").write_text("")
    frame = load(store)
    own = frame.traces[frame.traces["cell"] == 1].reset_index(drop=True)
    assert list(own.columns[:3]) == ["cell", "step", "d_loss"] and own.columns[-1] == "late"
    assert own["step"].tolist() == [1, 2] and own["d_loss"][0] == 0.5 and math.isnan(own["d_loss"][1])
    assert math.isnan(own["late"][0]) and own["late"][1] == 7
    assert own["g_loss"].isna().all() and set(frame.traces["cell"]) == {0, 1}
    assert frame.curves.empty and {"cell", "step"} <= set(frame.curves.columns)
