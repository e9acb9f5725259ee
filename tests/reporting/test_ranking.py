import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ganbench.reporting import write_report
from ganbench.reporting.drawing import score_scale
from ganbench.reporting.figures.scores import ranking_figure
from ganbench.reporting.frame import load
from ganbench.reporting.limits import ANY, limits, of_differences
from ganbench.reporting.page import unscored
from ganbench.reporting.ranking import Ranking, rankings
from ganbench.reporting.tables import collapse_table, overview, ranking_table
from ganbench.reporting.verdict import caveats, verdict
from ganbench.reporting.wording import rounded
from ganbench.store import Store


def _only(store: Store) -> Ranking:
    (found,) = rankings(load(store))
    return found


def test_who_lost_a_seed_is_ranked_last_shown_and_not_imputed(varied: Store):
    ring = rankings(load(varied))[0]
    assert [s.contender for s in ring.standings] == ["r3gan", "hinge", "minimax", "<script>alert(1)</script>"]
    minimax = ring.standings[2]
    assert (minimax.rank, minimax.relation) == (3, "broken")
    assert sorted(minimax.finals) == [0, 2]
    assert minimax.final.mean > ring.standings[0].final.mean
    assert minimax.difference is None
    row = next(row for row in ranking_table(load(varied), ring).rows if row[1] == "minimax")
    assert row[2:4] == ("2 completed, 1 diverged", "8.00 (2/3)")


def test_protocols_never_share_a_table(varied: Store):
    found = [r for r in rankings(load(varied)) if r.dataset == "digits"]
    assert [(r.protocol_id, {s.contender for s in r.standings}) for r in found] == [
        ("p1", {"hinge", "r3gan"}),
        ("p2", {"wgan_gp"}),
    ]
    assert any("2 protocols" in sentence for sentence in caveats(load(varied), found))


def test_a_dataset_that_is_called_as_a_part_of_the_page_has_an_address_of_its_own(builder):
    for dataset in ("method", "method-2", "Ring 8"):
        builder.add("hinge", dataset, 0, "failed")
    assert [found.slug for found in rankings(load(builder.write()))] == ["method-2", "method-2-2", "Ring-8"]


def test_cells_without_scores_stand_under_the_protocol_they_were_meant_for(builder):
    for seed in range(2):
        builder.add("hinge", "digits", seed)
        builder.add("wgan_gp", "digits", seed, protocol="p2", outcome="failed" if seed else "completed")
    first, second = rankings(load(builder.write()))
    assert {s.contender for s in first.standings} == {"hinge"}
    assert second.standings[0].outcomes == {"completed": 1, "failed": 1}


def test_fewer_losses_rank_before_a_better_mean(builder):
    for seed in range(3):
        builder.add("hinge", "digits", seed, quality=0.99, outcome="completed" if seed == 0 else "diverged")
        builder.add("minimax", "digits", seed, quality=0.3, outcome="diverged" if seed == 0 else "completed")
        builder.add("r3gan", "digits", seed, outcome="failed")
    ranking = _only(builder.write())
    assert [(s.contender, s.rank) for s in ranking.standings] == [("minimax", 1), ("hinge", 2), ("r3gan", 3)]
    assert verdict(ranking).startswith("No contender completed all of its seeds. minimax came nearest: FID")


def test_equal_means_share_a_rank_and_the_verdict(builder):
    for seed in range(5):
        for objective, quality in (("hinge", 1.0), ("r3gan", 1.0), ("minimax", 0.12)):
            builder.add(objective, "ring8", seed, quality=quality, constant=True)
    ranking = _only(builder.write())
    assert [s.rank for s in ranking.standings] == [1, 1, 3]
    assert verdict(ranking) == (
        "r3gan and hinge share the highest modes covered of 3 contenders: 8.00 (the same in each of 5 seeds). "
        "minimax scores worse (by one and the same amount in every seed)."
    )


def test_one_difference_in_every_one_of_few_seeds_is_not_called_worse(builder):
    for seed in range(3):
        builder.add("hinge", "ring8", seed, quality=1.0, constant=True)
        builder.add("minimax", "ring8", seed, quality=0.12, constant=True)
    assert "Too few seeds to test the difference to minimax." in verdict(_only(builder.write()))


STEPS = (500, 1000, 2000)


def add(builder, name: str, finals: Sequence[float], dataset: str = "digits", value: str = "fid") -> None:
    for seed, score in enumerate(finals):
        builder.add(name, dataset, seed, rows=[{"step": step, value: score} for step in STEPS], traced=False)


def test_nobody_is_worse_whose_difference_points_the_other_way(builder):
    """The leader by the median collapses in seven seeds of sixteen: by the mean difference the other one is better."""
    random = np.random.default_rng(1)
    add(builder, "collapsing", [*(1 + 0.01 * random.random(9)), *(80 + 20 * random.random(7))])
    add(builder, "robust", 1.02 + 0.01 * random.random(16))
    ranking = _only(builder.write())
    assert [(s.contender, s.relation) for s in ranking.standings] == [("collapsing", "first"), ("robust", "indistinct")]
    robust = ranking.standings[1]
    assert ranking.test == "sign" and robust.p == pytest.approx(stats.binomtest(9, 16).pvalue)
    assert robust.difference.interval.value < 0 < ranking.shown(robust.difference).value
    assert verdict(ranking).endswith("robust cannot be told apart from it.")


def test_a_lead_that_seeds_deny_one_by_one_is_no_lead(builder):
    """Half of the seeds are easy for both: the second is better in all sixteen and has the larger median."""
    easy, hard = np.linspace(1, 2, 8), np.linspace(9, 10, 8)
    add(builder, "steady", [*easy, 5.0, *hard])
    add(builder, "second", [*(easy - 0.5), 5.1, *(hard - 0.5)])
    ranking = _only(builder.write())
    assert [(s.contender, s.relation) for s in ranking.standings] == [("steady", "first"), ("second", "contrary")]
    assert "Seed by seed second does better than it (p\u00a0<\u00a0.001 after Holm's correction)" in verdict(ranking)
    assert verdict(ranking).endswith("though the median over seeds does not: neither is called the better one.")


def test_a_p_value_is_said_of_those_alone_that_were_tested(builder):
    add(builder, "hinge", [8.0] * 5, "ring8", "modes")
    add(builder, "sngan", [1.0, 2.0, 3.0, 2.0, 1.0], "ring8", "modes")
    add(builder, "wgan_gp", [0.0] * 5, "ring8", "modes")
    ranking = _only(builder.write())
    assert verdict(ranking).endswith(
        "sngan and wgan_gp score worse (p\u00a0<\u00a0.001 after Holm's correction; wgan_gp by one and the same amount "
        "in every seed)."
    )


def test_those_that_differ_by_as_much_in_every_seed_are_not_called_alike(builder):
    for name, modes in (("hinge", 8.0), ("sngan", 4.0), ("wgan_gp", 0.0)):
        add(builder, name, [modes] * 5, "ring8", "modes")
    ranking = _only(builder.write())
    assert verdict(ranking).endswith("sngan and wgan_gp score worse (by one and the same amount in every seed).")
    assert not ranking.worse_alike


def test_no_interval_leaves_what_a_score_can_be(builder):
    add(builder, "hinge", [0.2, 7.9, 8.0, 7.8, 7.7, 7.5], "ring8", "modes")
    add(builder, "r3gan", [0.0, 0.1, 0.2, 0.3, 7.9, 8.0], "ring8", "modes")
    store = builder.write()
    first, second = _only(store).standings
    assert (first.final.high, second.final.low) == (8.0, 0.0)
    frame = load(store)
    assert limits(frame, "ring8", "recall") == (0.0, 1.0) and limits(frame, "ring8", "something") == ANY
    assert of_differences((0.0, 8.0)) == (-8.0, 8.0) and of_differences((0.0, math.inf)) == ANY


def test_numbers_of_all_sizes_keep_their_digits_and_are_the_same_in_text_and_table(builder):
    add(builder, "hinge", [0.00126] * 5)
    add(builder, "wgan", [85.25, 85.35, 85.45, 85.3, 85.31])
    store = builder.write()
    ranking = _only(store)
    assert "median 0.00126" in verdict(ranking)
    assert [row[3] for row in ranking_table(load(store), ranking).rows] == ["0.00126", "85.3"]
    written = (0.0, 1.0, 24.2, -0.5, 123.4, 1234.0, 3.4e-9, 6e27, math.nan)
    assert [rounded(one) for one in written] == [
        *("0", "1.00", "24.2", "\u22120.500", "123", "1\u2009234", "3.40e\u22129", "6.00e27", "\u2013")
    ]


def test_a_value_that_is_missing_on_the_way_alone_is_no_trouble(builder):
    rows = [{"step": 500, "modes": 8.0, "mode_kl": None}, {"step": 2000, "modes": 8.0, "mode_kl": 0.1}]
    lacking = [rows[0], {"step": 2000, "modes": 0.0, "mode_kl": None}]
    for seed in range(2):
        builder.add("hinge", "ring8", seed, rows=rows, quality=0.1)
        builder.add("minimax", "ring8", seed, rows=lacking, quality=0.1)
    frame = load(builder.write())
    assert unscored(frame) == ["minimax on ring8: no final KL of modes in 2 cells (no sample is of high quality)"]
    told = [sentence for sentence in caveats(frame, rankings(frame)) if "KL of modes" in sentence]
    assert told == ["On ring8, 2 of 4 scored cells have no final KL of modes (minimax): medians are over the others."]


def test_what_cannot_be_told_apart_is_said(builder):
    for seed in range(5):
        for objective, quality in (("hinge", 0.7), ("r3gan", 0.7), ("minimax", 0.2)):
            builder.add(objective, "digits", seed, quality=quality)
    ranking = _only(builder.write())
    said = verdict(ranking)
    assert [s.relation for s in ranking.standings] == ["first", "indistinct", "worse"]
    assert "has the lowest FID of 3 contenders" in said
    assert "cannot be told apart from it. minimax scores worse (p\u00a0<\u00a0.001 after Holm's correction)." in said


def test_one_seed_gives_no_interval_and_no_test(builder):
    builder.add("hinge", "ring8", 0)
    builder.add("minimax", "ring8", 0, quality=0.3)
    ranking = _only(builder.write())
    assert math.isnan(ranking.standings[0].final.low)
    assert [s.relation for s in ranking.standings] == ["first", "untested"]
    assert any(sentence.startswith("One seed:") for sentence in caveats(load(builder.store), [ranking]))


def test_all_diverged_has_a_verdict(builder):
    for seed in range(3):
        builder.add("minimax", "ring8", seed, outcome="diverged")
    ranking = _only(builder.write())
    assert verdict(ranking) == "No contender completed a single seed, so there is no final score to rank by."


def test_nothing_has_run_yet(builder):
    builder.add("minimax", "ring8", 0, outcome="missing")
    ranking = _only(builder.write())
    assert verdict(ranking) == "No contender has a final score yet."
    assert ranking.standings[0].rank is None


@pytest.mark.parametrize(
    "sentence",
    [
        "Few seeds (3)",
        "1 of 21 cells diverged (minimax)",
        "3 of 21 cells failed (<script>",
        "1 of 21 cells are not in the store yet",
        "3 combinations skipped: dcgan needs a side of 16 or more.",
    ],
)
def test_caveats_that_apply_are_listed(varied: Store, sentence: str):
    frame = load(varied)
    assert any(found.startswith(sentence) for found in caveats(frame, rankings(frame)))


def test_unequal_cost_is_a_caveat(builder):
    builder.add("wgan_gp", "ring8", 0)
    builder.add("hinge", "ring8", 0)
    frame = load(builder.write())
    assert any("wgan_gp (5.0 x)" in sentence for sentence in caveats(frame, rankings(frame)))


def test_a_trained_cell_that_awaits_its_scores_is_not_called_broken(builder):
    builder.add("hinge", "ring8", 0)
    builder.add("hinge", "ring8", 1, scored=False)
    ranking = _only(builder.write())
    assert ranking.standings[0].broken == 0
    assert any("have not been scored" in sentence for sentence in caveats(load(builder.store), [ranking]))


def test_the_overview_says_of_how_many_seeds_a_mean_is(varied: Store):
    table = overview(rankings(load(varied)))
    assert any("8.00 (2/3)" in row for row in table.rows)


def test_the_overview_ranks_one_protocol_per_dataset(varied: Store):
    found = rankings(load(varied))
    table = overview(found)
    assert [heading.split(":")[0] for heading in table.headings if ":" in heading] == ["ring8", "digits (p1)"]
    assert all("wgan_gp" not in row for row in table.rows)  # its scores are of another protocol alone
    assert "other protocols cannot be compared" in table.caption
    assert "other protocols" not in overview([r for r in found if r.protocol_id == "p1"]).caption


def test_one_evaluation_by_two_extractors_is_noticed(builder):
    """As in a store that was put together from two machines whose classifiers differ in their last digits."""
    keys = [builder.add(name, "digits", 0) for name in ("hinge", "r3gan")]
    store = builder.write()
    scores = store.scores(keys[1], "e-p1")
    other = {**scores.protocol, "extractor": {"name": "classifier", "weights": "other"}}
    store.write_scores(keys[1], "e-p1", replace(scores, protocol_id="p9", protocol=other), None)
    frame = load(store)
    found = rankings(frame)
    assert {(r.protocol_id, *(s.contender for s in r.standings)) for r in found} == {("p1", "hinge"), ("p9", "r3gan")}
    assert any("2 protocols" in sentence for sentence in caveats(frame, found))


def test_the_ceiling_stands_below_the_scores_it_belongs_to(builder, tmp_path):
    builder.ceiling = {"fid": 0.125, "recall": 0.75, "coverage": 0.875}
    for seed in range(3):
        builder.add("hinge", "digits", seed, quality=0.5)
        builder.add("r3gan", "digits", seed, quality=0.8)
    frame = load(builder.write())
    (ranking,) = rankings(frame)
    table, collapse = ranking_table(frame, ranking), collapse_table(frame, ranking)
    assert table.rows[-1][1] == "real samples, held out" and table.rows[-1][3] == "0.125"
    assert collapse is not None and collapse.rows[-1][0] == "real samples, held out"
    named = dict(zip(collapse.headings, collapse.rows[-1], strict=True))
    assert (named["Recall ↑"], named["Coverage ↑"]) == ("0.750", "0.875")
    assert len(table.rows) == len(table.objectives) == 3 and table.objectives[-1] == ""
    # It is no contender: nothing is ranked against it.
    assert {s.contender for s in ranking.standings} == {"hinge", "r3gan"}
    drawn = ranking_figure(frame, ranking, ranking.headline)
    assert drawn is not None and "held-out real samples" in drawn.caption and "stroke-dasharray" in drawn.svg
    page = write_report(builder.store, "losses", tmp_path / "report")
    assert "real samples, held out" in page.read_text()
    assert "real samples, held out" in (page.parent / "report.md").read_text()
    written = json.loads((page.parent / "summary.json").read_text())
    assert written["datasets"]["digits"]["ceiling"]["fid"] == 0.125


def test_scores_that_span_magnitudes_are_drawn_on_a_logarithm_whatever_their_intervals():
    wide = score_scale([0.05, 52.0, 2.0], "lower", [-34.0, 86.0])
    assert wide["type"] == "log" and wide["domain"][0] > 0 and wide["domain"][1] >= 86
    narrow = score_scale([1.0, 2.0], "lower", [-1.0, 3.0])
    assert "type" not in narrow and narrow["domain"][0] <= -1 and narrow["domain"][1] >= 3
