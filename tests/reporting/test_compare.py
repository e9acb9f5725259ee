"""Two sets of results against each other: what is matched, what is told, and what makes a build fail."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ganbench.registry import UnknownName
from ganbench.reporting.comparing.changes import Seeds, changes
from ganbench.reporting.comparing.figure import dumbbell_figure
from ganbench.reporting.comparing.telling import Compared, caveats, compare, verdict, whole_verdict
from ganbench.reporting.comparing.written import as_json, markdown, write_comparison
from ganbench.reporting.summary import summary
from ganbench.store import Store, StoreError
from ganbench.suite.errors import SuiteError


def _beside(name: str) -> Any:
    """Import a file of this folder, which is no package."""
    spec = util.spec_from_file_location(f"beside_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Builder = _beside("conftest").Builder
Page = _beside("test_report").Page
HOSTILE = '</script><img src=x onerror="alert(1)"> | `x` *b*'
Fill = Callable[[Any], None]


@pytest.fixture
def sides(tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Make two stores, each filled by a function of its builder."""

    def make(a: Fill, b: Fill) -> tuple[str, str]:
        for name, fill in (("a", a), ("b", b)):
            builder = Builder(tmp_path / name)
            fill(builder)
            builder.write()
        return str(tmp_path / "a"), str(tmp_path / "b")

    return make


def cells(seeds: range = range(5), dataset: str = "digits", **qualities: float) -> Fill:
    def fill(builder: Any) -> None:
        for name, quality in qualities.items():
            for seed in seeds:
                builder.add(name, dataset, seed, quality=quality)

    return fill


def only(found: Compared, contender: str = "hinge"):
    (pairing,) = [pairing for _, pairing in found.pairings if pairing.contender == contender]
    return pairing


def test_a_store_against_itself_has_the_same_numbers(sides):
    a, b = sides(cells(hinge=0.8, r3gan=0.7), cells(hinge=0.8, r3gan=0.7))
    for found in (compare(a, a), compare(a, b)):
        assert {pairing.verdict for _, pairing in found.pairings} == {"same"}
        assert found.same == (10, 10, 0)
        assert found.regressions() == []
        assert whole_verdict(found) == "Nothing changed beyond seed noise: all shared cells have the same numbers."


def test_same_numbers_under_other_keys_are_told(sides):
    a, b = sides(cells(hinge=0.8), cells(hinge=0.8))
    store = Store(Path(b))
    record = store.suite("losses")
    for row in record.listed:
        (store.root / "cells" / row.key).rename(store.root / "cells" / f"new-{row.key}")
    store.write_suite(replace(record, listed=tuple(replace(row, key=f"new-{row.key}") for row in record.listed)))
    found = compare(a, b)
    assert (only(found).verdict, found.same) == ("same", (5, 5, 5))
    assert "under another key" in markdown(found)


def test_one_other_number_at_any_step_is_not_the_same(sides):
    a, b = sides(cells(hinge=0.8), cells(hinge=0.8))
    path = next(Path(b).glob("cells/*/scores/*/scores.json"))
    scores = json.loads(path.read_text())
    scores["rows"][3]["kid"] += 1e-9
    path.write_text(json.dumps(scores))
    found = compare(a, b)
    assert found.same == (5, 4, 0)
    assert only(found).verdict == "indistinct"


def test_a_clear_change_either_way_is_beyond_noise_and_its_p_is_scipys(sides):
    a, b = sides(cells(hinge=0.7, r3gan=0.9, minimax=0.8), cells(hinge=0.9, r3gan=0.7, minimax=0.8))
    found = compare(a, b)
    assert [only(found, name).verdict for name in ("hinge", "r3gan", "minimax")] == ["better", "worse", "same"]
    change = only(found, "r3gan").headline
    before, after = ([side[seed] for seed in range(5)] for side in (change.seeds.before, change.seeds.after))
    expected = [
        stats.ttest_rel(
            [one.headline.seeds.after[s] for s in range(5)], [one.headline.seeds.before[s] for s in range(5)]
        )
        for one in (only(found, "hinge"), only(found, "r3gan"))
    ]
    smaller, larger = sorted(one.pvalue for one in expected)
    mine = sorted(only(found, name).headline.p for name in ("hinge", "r3gan"))
    assert mine == pytest.approx([2 * smaller, max(2 * smaller, larger)]), (
        "Holm over two: those of the same numbers are none"
    )
    assert change.difference.interval.value == pytest.approx(sum(after) / 5 - sum(before) / 5)
    assert change.chance.value == 0.0
    assert [one.contender for one in found.regressions()] == ["r3gan"]
    assert "r3gan on digits got worse, and hinge on digits got better; 5 of 15" in whole_verdict(found)
    assert "r3gan (FID" in verdict(found.datasets[0])


def test_a_noisy_change_is_not_told_apart(sides):
    a, b = sides(cells(hinge=0.8), cells(other=0.5, hinge=0.8))
    found = compare(a, b)
    assert only(found).verdict == "indistinct"
    assert only(found).headline.p > 0.05
    assert only(found, "other").verdict == "new"
    assert found.regressions() == []
    assert verdict(found.datasets[0]) == "hinge cannot be told apart from before. Only B has other."


def test_a_small_effect_is_no_regression_where_it_is_asked_to_be_larger(sides):
    found = compare(*sides(cells(hinge=0.9), cells(hinge=0.85)))
    change = only(found).headline
    assert change.verdict == "worse"
    before, after = ([side[seed] for seed in range(5)] for side in (change.seeds.before, change.seeds.after))
    share = np.median(np.subtract(after, before)) / np.median(before)
    assert (change.before.value, change.after.value) == (np.median(before), np.median(after)), "as a report shows them"
    assert change.effect == pytest.approx(share)
    assert found.regressions(share * 0.99) and not found.regressions(share * 1.01)


def lossy(lost: int, quality: float) -> Fill:
    def fill(builder: Any) -> None:
        for seed in range(8):
            builder.add("hinge", "digits", seed, "diverged" if seed < lost else "completed", quality=quality)

    return fill


def test_one_lost_seed_of_several_is_told_and_is_no_regression(sides):
    found = compare(*sides(cells(range(8), hinge=0.8), lossy(1, 0.8)))
    change = only(found).headline
    assert (change.verdict, change.way) == ("indistinct", "ranks")
    assert found.regressions() == []
    assert verdict(found.datasets[0]).endswith("hinge lost 1 of 8 seeds, against 0: could be chance (p\u00a0= 1.00).")
    said = whole_verdict(found)
    assert said.startswith("Nothing changed beyond seed noise") and "which could be chance" in said


def test_more_lost_seeds_than_chance_would_take_are_worse_whatever_the_scores(sides):
    found = compare(*sides(cells(range(8), hinge=0.7), lossy(6, 0.99)))
    change = only(found).headline
    assert change.verdict == "worse" and change.losing < 0.05
    assert change.losing == pytest.approx(2 * stats.fisher_exact([[0, 8], [6, 2]]).pvalue), "ranks are tested as well"
    (regression,) = found.regressions(math.inf)
    assert regression.why.startswith("6 of 8 seeds lost, 0 before, p\u00a0= .0")
    assert "could be chance" not in verdict(found.datasets[0])


def test_scores_that_are_far_better_are_so_though_one_seed_was_lost(sides):
    a, b = sides(cells(range(8), hinge=0.7), lossy(1, 0.99))
    change = only(found := compare(a, b)).headline
    assert (change.verdict, change.way, found.regressions()) == ("better", "ranks", [])
    assert change.chance.value == 7 / 8 and math.isnan(change.size.value)
    assert "hinge lost 1 of 8 seeds, against 0: could be chance" in verdict(found.datasets[0])
    back = compare(b, a)
    assert only(back).verdict == "worse", "by ranks: the seven that survived were far better"
    assert back.regressions()[0].why.startswith("FID")


def test_a_lost_seed_alone_seldom_calls_alarm():
    """Two sides that lose one seed in ten alike: a build that fails on regressions fails seldom."""
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(400):
        sides = [
            {seed: None if random.random() < 0.1 else float(random.lognormal()) for seed in range(8)} for _ in "ab"
        ]
        alarms += changes({"hinge": Seeds(*sides, paired=True)}, "lower")["hinge"].verdict == "worse"
    assert alarms / 400 <= 0.05


def test_the_figure_says_what_it_shows_of_how_many_seeds(sides, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ganbench.reporting.drawing.draw", lambda _: Future())
    (one,) = compare(*sides(cells(range(5), hinge=0.8), cells(range(5), hinge=0.6))).datasets
    figure = dumbbell_figure(one, "fid", ["hinge"])
    assert figure is not None
    assert "median of either, 95 % interval between order statistics over seeds (n = 5)" in figure.caption


def test_distances_are_compared_by_their_median_and_never_against_it():
    """Nine seeds of sixteen are a little better after, and seven collapse: the mean says worse, the median better."""
    random = np.random.default_rng(1)
    before = dict(enumerate((1.02 + 0.01 * random.random(16)).tolist()))
    collapsed = [0.0] * 9 + (80 + 20 * random.random(7)).tolist()
    after = {seed: 1.0 + 0.01 * seed / 16 + collapsed[seed] for seed in before}
    change = changes({"hinge": Seeds(before, after, paired=True)}, "lower")["hinge"]
    assert (change.verdict, change.way) == ("indistinct", "sign")
    assert change.size.value < 0 < change.difference.interval.value
    back = changes({"hinge": Seeds(after, before, paired=True)}, "lower")["hinge"]
    assert back.verdict == "indistinct"


def test_every_seed_lost_under_no_protocol_at_all_is_still_compared(sides):
    def failing(builder: Any) -> None:
        for seed in range(3):
            builder.add("hinge", "digits", seed, "failed")

    found = compare(*sides(cells(range(3), hinge=0.8), failing))
    assert only(found).verdict == "untested", "three seeds cannot tell it from chance"
    assert [one.why for one in found.regressions()] == ["3 of 3 seeds lost, 0 before"], "and no score is left"
    assert as_json(found)["compared"][0]["contenders"][0]["values"]["fid"]["b"]["value"] is None


def test_other_seeds_are_compared_unpaired_and_said(sides):
    a, b = sides(cells(range(5), hinge=0.9), cells(range(10, 15), hinge=0.7))
    found = compare(a, b)
    change = only(found).headline
    before, after = (list(side.values()) for side in (change.seeds.before, change.seeds.after))
    assert (change.seeds.paired, change.verdict, change.way) == (False, "worse", "ranks")
    assert change.p == pytest.approx(2 / math.comb(10, 5))
    assert change.difference.p == pytest.approx(stats.ttest_ind(after, before, equal_var=False).pvalue)
    assert any("they are not paired" in sentence for sentence in caveats(found))


def test_more_seeds_on_one_side_are_left_out_and_said(sides):
    found = compare(*sides(cells(range(5), hinge=0.8), cells(range(8), hinge=0.8)))
    assert only(found).verdict == "same"
    assert found.same == (5, 5, 0)
    assert "hinge on digits: left out 3 seeds of B, which the other side lacks." in caveats(found)


def test_one_seed_is_too_few(sides):
    found = compare(*sides(cells(range(1), hinge=0.8), cells(range(1), hinge=0.7)))
    assert only(found).verdict == "untested"
    assert found.regressions() == []
    assert verdict(found.datasets[0]) == "Too few seeds to test hinge."


def test_what_is_missing_in_b_is_a_regression(sides):
    found = compare(*sides(cells(hinge=0.8, r3gan=0.8), cells(hinge=0.8)))
    assert only(found, "r3gan").verdict == "missing"
    assert [(one.contender, one.why) for one in found.regressions(9.0)] == [("r3gan", "no score in B")]


def test_scores_of_other_protocols_are_never_compared(sides):
    def other(builder: Any) -> None:
        for seed in range(3):
            builder.add("hinge", "ring8", seed)
            builder.add("hinge", "digits", seed, protocol="p2")

    def first(builder: Any) -> None:
        for seed in range(3):
            builder.add("hinge", "ring8", seed)
            builder.add("hinge", "digits", seed)

    a, b = sides(first, other)
    for path in Path(b).glob("cells/*/scores/e-p2/scores.json"):
        scores = json.loads(path.read_text())
        path.write_text(json.dumps(scores | {"protocol": scores["protocol"] | {"samples": 500}}))
    found = compare(a, b)
    assert [one.dataset for one in found.datasets] == ["ring8"]
    assert [(one.where, one.differs) for one in found.apart] == [("A", (("samples", "2000", "500"),)), ("B", ())]
    assert "samples 2000 in A, 500 in B" in caveats(found)[-2]
    assert [(one.dataset, one.contender) for one in found.regressions()] == [("digits", "hinge")]
    with pytest.raises(StoreError, match=r"nothing in common.*samples 2000 in A, 500 in B"):
        compare(a, b, ["dataset=digits"])


def test_nothing_in_common_is_said_with_what_there_is(sides):
    a, b = sides(cells(hinge=0.8), cells(r3gan=0.8))
    with pytest.raises(StoreError, match=r"nothing in common.*A has hinge\. B has r3gan\."):
        compare(a, b)


def test_settings_that_differ_are_told(sides):
    def with_rate(rate: float) -> Fill:
        def fill(builder: Any) -> None:
            for seed in range(2):
                builder.add("hinge", "digits", seed, settings={"g_lr": rate, "betas": [0.5, 0.9]})

        return fill

    a, b = sides(with_rate(2e-4), with_rate(1e-4))
    for root in (a, b):
        for path in Path(root).glob("cells/*/cell.json"):
            path.unlink()
    assert only(compare(a, b)).settings == (("g lr", "0.0002", "0.0001"),)


def test_two_suites_of_one_store(tmp_path: Path):
    builder, runs = Builder(tmp_path / "runs"), tmp_path / "runs"
    cells(hinge=0.9)(builder)
    builder.write("old")
    cells(hinge=0.6)(builder)
    builder.listed = builder.listed[5:]
    builder.write("new")
    found = compare(f"{runs}:old", f"{runs}:new")
    assert (found.a.suite, found.b.suite, only(found).verdict) == ("old", "new", "worse")
    assert only(compare(f"{runs}:new", f"{runs}:old")).verdict == "better"
    with pytest.raises(StoreError, match="unknown suite 'od'; did you mean 'old'"):
        compare(f"{runs}:od", f"{runs}:new")
    with pytest.raises(StoreError, match=r"rums is no folder; did you mean '.*runs'"):
        compare(str(tmp_path / "rums"), str(runs))
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="neither a store"):
        compare(str(runs), str(tmp_path / "empty"))


def report(store: str, folder: Path) -> str:
    """Write what is read of a report, without its figures."""
    from ganbench.reporting.frame import load
    from ganbench.reporting.ranking import rankings

    frame = load(Store(Path(store)))
    folder.mkdir()
    frame.cells.to_csv(folder / "cells.csv", index=False)
    (folder / "summary.json").write_text(json.dumps(summary(frame, rankings(frame))))
    return str(folder)


def plain(found: Compared) -> dict[str, Any]:
    told = as_json(found)
    for side in ("a", "b"):
        del told[side]
    for one in told["compared"]:
        for contender in one["contenders"]:
            del contender["settings"]
    return told


def test_reports_are_compared_as_their_stores_are(varied: Store, sides, tmp_path: Path):
    _, b = sides(cells(hinge=0.8), cells(range(3), hinge=0.6, r3gan=0.7))
    a = str(varied.root)
    ra, rb = report(a, tmp_path / "ra"), report(b, tmp_path / "rb")
    assert plain(compare(ra, rb)) == plain(compare(a, b)) == plain(compare(a, rb))
    same = compare(a, ra)
    assert {pairing.verdict for _, pairing in same.pairings} <= {"same", "untested"}
    assert all(not pairing.settings for _, pairing in same.pairings)


def test_an_older_report_has_its_headlines_compared(sides, tmp_path: Path):
    a, _ = sides(cells(hinge=0.8), cells(hinge=0.8))
    folder = Path(report(a, tmp_path / "old"))
    told = json.loads((folder / "summary.json").read_text())
    del told["datasets"]["digits"]["values"]
    (folder / "summary.json").write_text(json.dumps(told))
    found = compare(str(folder), a)
    assert list(found.datasets[0].titles.items()) == [("fid", "FID")]
    assert only(found).verdict == "same"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("summary.json", "{", "not valid JSON"),
        ("summary.json", '{"suite": "x", "datasets": {"digits": 3}}', "datasets.digits"),
        ("cells.csv", "", "not what a report writes"),
        ("cells.csv", "a,b\n1,2\n", "no column 'key'"),
    ],
)
def test_a_damaged_report_is_told(sides, tmp_path: Path, name: str, text: str, message: str):
    a, _ = sides(cells(range(1), hinge=0.8), cells(range(1), hinge=0.8))
    folder = Path(report(a, tmp_path / "r"))
    (folder / name).write_text(text)
    with pytest.raises(StoreError, match=re.escape(message)):
        compare(a, str(folder))


def test_filters_know_the_names_of_both_sides(sides):
    a, b = sides(cells(hinge=0.8, r3gan=0.8), cells(hinge=0.8))
    found = compare(a, b, ["objective=hinge", "seed=0,1"])
    assert (found.same, found.regressions()) == ((2, 2, 0), [])
    with pytest.raises(UnknownName, match="did you mean 'r3gan'"):
        compare(a, b, ["objective=r3gn"])
    with pytest.raises(SuiteError, match="did you mean 'dataset'"):
        compare(a, b, ["datset=digits"])
    with pytest.raises(SuiteError, match="expected axis=value"):
        compare(a, b, ["hinge"])


def test_a_suite_without_scores_compares_outcomes_alone(sides):
    def unscored(lost: int) -> Fill:
        def fill(builder: Any) -> None:
            for seed in range(5):
                outcome = "diverged" if seed < lost else "completed"
                builder.add("hinge", "digits", seed, outcome, scored=False, scoring=False)

        return fill

    found = compare(*sides(unscored(0), unscored(4)))
    assert (only(found).verdict, found.regressions()[0].why) == ("worse", "4 of 5 seeds lost, 0 before, p\u00a0= .048")
    assert as_json(found)["compared"][0]["headline"] is None


def test_the_same_step_in_every_seed_needs_as_many_seeds_as_in_a_ranking():
    def steps(n: int):
        seeds = Seeds(dict.fromkeys(range(n), 8.0), dict.fromkeys(range(n), 7.0), paired=True)
        return changes({"hinge": seeds}, "higher")["hinge"].verdict

    assert [steps(n) for n in (2, 4, 5, 6)] == ["untested", "untested", "worse", "worse"]


def test_the_family_is_corrected_and_takes_one_kind_of_test():
    random = stats.norm(0, 1).rvs
    family = {
        name: Seeds(
            dict(enumerate(random(8, random_state=place))),
            dict(enumerate(random(8, random_state=place + 50) + 2)),
            True,
        )
        for place, name in enumerate("abc")
    }
    for better, way in (("lower", "sign"), ("higher", "permutation")):
        found = changes(family, better)
        assert {one.way for one in found.values()} == {way}
        raw = {name: one.difference.by(way) for name, one in found.items()}
        assert min(one.p for one in found.values()) == pytest.approx(3 * min(raw.values()))
    found = changes({**family, "d": Seeds({0: 1.0, 1: 2.0}, {0: 3.0, 1: 4.5}, True)}, "lower")
    assert {one.way for one in found.values()} == {"t"}


@pytest.fixture(scope="module")
def written(varied: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison in which every name is markup, with two protocols and every outcome; tests only read it."""
    folder = tmp_path_factory.mktemp("compared")
    shutil.copytree(varied.root, folder / "b")
    for path in (folder / "b").glob("cells/*/scores/*/scores.json"):
        scores = json.loads(path.read_text())
        for row in scores["rows"]:
            row |= {name: row[name] * 1.5 for name in ("fid", "modes") if row.get(name) is not None}
        path.write_text(json.dumps(scores))
    stores = []
    for name, store in (("a", varied), ("b", Store(folder / "b"))):
        record = store.suite("losses")
        listed = tuple(replace(row, objective=f"{row.objective}{HOSTILE}") for row in record.listed)
        shutil.copytree(store.root, folder / f"hostile-{name}")
        hostile = Store(folder / f"hostile-{name}")
        hostile.write_suite(replace(record, listed=listed))
        stores.append(str(hostile.root))
    return write_comparison(compare(*stores), folder / "out").parent


def test_the_page_opens_asks_for_nothing_and_runs_no_name(written: Path):
    text = (written / "index.html").read_text(encoding="utf-8")
    page = Page(text)  # which finds handlers of events
    assert not page.resources and not {"iframe", "object", "link"} & set(page.tags)
    assert page.tags.count("script") == text.count("</script") == 2
    assert len(page.ids) == len(set(page.ids)) and page.tags.count("h1") == 1
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert "&lt;/script&gt;&lt;img" in text and "ganbench compare" in text
    told = json.loads(re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)[1])
    assert told["datasets"] == ["ring8", "digits"] and told["seeds"] == [0, 1, 2]
    drawn = {path.stem for path in (written / "figures").glob("*.svg")}
    assert {"ring8-modes-change", "digits-p1-fid-change"} <= drawn
    assert drawn == {path.stem for path in (written / "figures").glob("*.csv")}


def test_the_json_is_strict_and_says_everything(written: Path):
    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads((written / "compare.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert set(found) == {
        *("a", "b", "verdict", "caveats", "cells", "min_effect", "regressions", "compared", "not_compared")
    }
    assert found["a"] == {**found["a"], "kind": "store", "suite": "losses", "cells": 24}
    assert [one["dataset"] for one in found["compared"]] == ["ring8", "digits", "digits"]
    contender = found["compared"][1]["contenders"][0]
    assert set(contender) == {
        *("contender", "objective", "verdict", "paired", "seeds", "lost", "outcomes", "cells", "costs", "settings"),
        "values",
    }
    change = contender["values"]["fid"]
    assert set(change) == {"verdict", "a", "b", "difference", "effect", "test", "p", "p_losses", "beats"}
    assert change["b"]["value"] == pytest.approx(1.5 * change["a"]["value"])
    assert change["effect"] == pytest.approx(0.5)
    assert contender["costs"] == {"train_seconds": 1.0, "images_seen": 1.0}


def test_markdown_keeps_names_out_of_its_tables(written: Path):
    text = (written / "compare.md").read_text(encoding="utf-8")
    assert "<img" not in text and "\\| \\`x\\` \\*b\\*" in text
    assert text.startswith("# ") and "## Outcomes" in text


def test_a_report_is_not_overwritten(sides, tmp_path: Path):
    a, b = sides(cells(range(1), hinge=0.8), cells(range(1), hinge=0.8))
    folder = Path(report(a, tmp_path / "r"))
    for out in (folder, Path(b)):
        with pytest.raises(StoreError, match="choose another"):
            write_comparison(compare(a, b), out)
    assert not (folder / "index.html").exists()
