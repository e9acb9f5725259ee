"""Figures and tables of the report hold the numbers that they should: small stores, exact values, nothing drawn."""

import json
import math
from concurrent.futures import Future
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ganbench.reporting.comparison_tables import middles_table, overall_table, pairs_table
from ganbench.reporting.drawing import Sheet, inks, linear_scale, number
from ganbench.reporting.figures.comparisons import profiles_figure, ranks_figure, survival_figure, wins_figure
from ganbench.reporting.figures.modes import frequency_figure, trade_figures
from ganbench.reporting.figures.scores import curves_figure
from ganbench.reporting.figures.stability import measure_figures, trace_figures
from ganbench.reporting.frame import Frame, load
from ganbench.reporting.overall import overall, overall_verdict
from ganbench.reporting.panels import curve_panel, trace_panel
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking, rankings
from ganbench.reporting.reaching import reaching, reaching_table
from ganbench.reporting.studio import DrawingError

STEPS = (500, 1000, 2000)
DATASETS = ("ring8", "grid25", "digits")


@pytest.fixture(autouse=True)
def charts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The charts that are asked for, none of which is drawn."""
    asked: list[dict[str, Any]] = []

    def draw(chart: str) -> Future[str]:
        asked.append(json.loads(chart))
        return Future()

    monkeypatch.setattr("ganbench.reporting.drawing.draw", draw)
    return asked


def _scores(**values: float | None) -> list[dict[str, float | None]]:
    return [{"step": step, **values} for step in STEPS]


def _read(builder: Any) -> tuple[Frame, list[Ranking]]:
    frame = load(builder.write())
    return frame, rankings(frame)


def _rows(table: Any) -> list[dict[str, str]]:
    return [
        {**dict(reversed(list(zip(table.headings, row, strict=True)))), "all": row}  # the first of equal headings
        for row in table.rows
    ]


def test_a_lost_seed_loses_against_every_score_and_ties_count_half(builder: Any):
    for seed, (hinge, r3gan) in enumerate(((1.0, 2.0), (2.0, None), (3.0, 4.0))):
        builder.add("hinge", "digits", seed, rows=_scores(fid=hinge))
        outcome = "completed" if r3gan else "diverged"
        builder.add("r3gan", "digits", seed, outcome, rows=_scores(fid=r3gan or 0.5))
    frame, (ranking,) = _read(builder)
    figure = wins_figure(frame, ranking)
    assert figure is not None
    chances = figure.data.set_index(["contender", "against"])["chance"]
    assert chances["hinge", "r3gan"] == pytest.approx(7.5 / 9)  # 3 + 2.5 + 2 of 9 pairs
    assert chances["r3gan", "hinge"] == pytest.approx(1.5 / 9)
    assert "n = 3 seeds each" in figure.caption and "No interval: " in figure.caption


def _on_every_dataset(builder: Any, seeds: int = 2) -> None:
    for seed in range(seeds):
        for place, objective in enumerate(("hinge", "r3gan", "minimax")):
            for dataset in DATASETS:
                score: dict[str, float] = {"fid": 2.0**place} if dataset == "digits" else {"modes": 8.0 / 2**place}
                builder.add(objective, dataset, seed, rows=_scores(**score), traced=False)


def test_mean_ranks_that_can_be_told_apart_and_those_that_cannot(builder: Any, charts: list[dict[str, Any]]):
    _on_every_dataset(builder)
    frame, found = _read(builder)
    together = overall(found)
    assert together is not None
    figure = ranks_figure(frame, together)
    assert dict(zip(figure.data["contender"], figure.data["rank"], strict=True)) == {
        "hinge": 1.0,
        "r3gan": 2.0,
        "minimax": 3.0,
    }
    critical = stats.studentized_range.ppf(0.95, 3, np.inf) / math.sqrt(2) * math.sqrt(3 * 4 / (6 * 3))
    assert f"Nemenyi's critical difference ({critical:.2f} at 5 %)" in figure.caption
    assert "Friedman's test of whether they differ at all: p = .028." in figure.caption  # one of 36 orders
    ends = next(rows for rows in charts[-1]["datasets"].values() if "high" in rows[0])
    reach = {row["contender"]: row["high"] - row["low"] for row in ends}  # up to the axis' end
    assert reach == pytest.approx({"hinge": critical, "r3gan": 1.5, "minimax": 0.5})
    axes = [layer["encoding"]["x"] for layer in charts[-1]["layer"]]
    assert {x["title"] for x in axes} == {"mean rank (1 is best)"} and axes[0]["axis"]["values"] == [1, 2, 3]
    assert overall_verdict(together) == (
        "hinge has the best mean rank over 3 datasets (1.0) (Friedman's test, p = .028); r3gan cannot be told apart "
        "from it (Nemenyi's test)."
    )


def test_profiles_and_shares_count_factors_of_the_best(builder: Any):
    _on_every_dataset(builder)
    frame, found = _read(builder)
    together = overall(found)
    assert together is not None and together.profiles is not None
    figure = profiles_figure(frame, together, together.profiles)
    at = {
        name: dict(zip(mine["factor"], mine["share"], strict=True)) for name, mine in figure.data.groupby("contender")
    }
    assert at["hinge"][1.0] == 1.0
    assert at["r3gan"][1.0] == 0.0 and at["r3gan"][2.0] == 1.0
    assert at["minimax"][4.0] == 1.0 and 2.0 not in at["minimax"]
    assert "n = 6 cells per contender" in figure.caption
    shares = {row["Contender"]: row["Share of the best"] for row in _rows(overall_table(together))}
    assert shares == {"hinge": "1.00", "r3gan": "0.50", "minimax": "0.25"}


@pytest.mark.parametrize(("best", "within"), [(8.0, [0.0, 1.0]), (0.0, [1.0, 1.0])])
def test_a_score_of_0_is_within_no_factor_unless_no_cell_did_better(builder: Any, best: float, within: list[float]):
    for seed in range(2):
        for dataset in ("ring8", "grid25"):
            builder.add("hinge", dataset, seed, rows=_scores(modes=0.0), traced=False)
            builder.add("r3gan", dataset, seed, rows=_scores(modes=best), traced=False)
    frame, found = _read(builder)
    together = overall(found)
    assert together is not None and together.profiles is not None
    assert [dict(zip(curve.at, curve.share, strict=True)).get(1.0, 0.0) for curve in together.profiles.values()] in (
        within,
        within[::-1],
    )
    assert "whose score is 0 while the best is above" in profiles_figure(frame, together, together.profiles).caption


@pytest.mark.parametrize("modes", [(0.0, 0.0, 4.0), (0.0, 0.0, 0.0)])
def test_a_score_of_0_is_no_target(builder: Any, modes: tuple[float, ...]):
    for name, score in zip(("hinge", "r3gan", "minimax"), modes, strict=True):
        builder.add(name, "ring8", 0, rows=_scores(modes=score), traced=False)
    frame, (ranking,) = _read(builder)
    found = reaching(frame, ranking)
    assert (found is None) == (not any(modes))
    if found is not None:
        assert found.target == 4.0 / 1.25 and found.told.endswith("median of contenders' final medians above 0)")
        assert [row["Reached it"] for row in _rows(reaching_table(ranking, found))] == ["1 of 1", "0 of 1", "0 of 1"]
        drawn = survival_figure(frame, ranking, found.step_curves, found.told, "G step", found.steps)
        assert "(n = 1 seed, no interval)" in drawn.caption


def test_what_hardly_any_seed_reached_is_never_and_not_never_to_never(builder: Any):
    for seed in range(5):
        builder.add("hinge", "ring8", seed, rows=_scores(modes=8.0), traced=False)
        builder.add("minimax", "ring8", seed, rows=_scores(modes=1.0 + seed / 10), traced=False)
        builder.add("r3gan", "ring8", seed, rows=_scores(modes=7.0), traced=False)
    frame, (ranking,) = _read(builder)
    found = reaching(frame, ranking)
    assert found is not None
    assert not any("never to" in cell for row in reaching_table(ranking, found).rows for cell in row)


def test_a_target_is_reached_when_it_is_evaluated_and_never_by_those_that_are_lost(builder: Any):
    ways = {0: (8.0, 8.0, 8.0), 1: (1.0, 8.0, 8.0), 2: (1.0, 1.0, 8.0), 3: (8.0, 8.0, 1.0), 4: (1.0, 1.0, 1.0)}
    for seed, way in ways.items():
        rows = [{"step": step, "modes": score} for step, score in zip(STEPS, way, strict=True)]
        builder.add("hinge", "ring8", seed, "diverged" if seed == 4 else "completed", rows=rows)
    frame, (ranking,) = _read(builder)
    found = reaching(frame, ranking)
    assert found is not None
    assert found.target == 8.0 / 1.25 and found.steps == 2000
    assert found.by_steps["hinge"] == (500, 1000, 2000, 500, math.inf)
    seconds = [frame.statuses[place].train_seconds for place in range(4)]
    paces = (500 / 2000, 1000 / 2000, 1.0, 500 / 2000)
    assert found.by_seconds["hinge"][:4] == pytest.approx([s * p for s, p in zip(seconds, paces, strict=True)])
    assert found.by_seconds["hinge"][4] == math.inf
    row = _rows(reaching_table(ranking, found))[0]
    assert (row["Reached it"], row["Share"], row["Median G step"]) == ("4 of 5", "80 %", "1\u2009000")
    assert row["Mean within the budget"] == "1\u2009200"  # (500 + 1000 + 2000 + 500 + 2000) / 5
    drawn = survival_figure(frame, ranking, found.step_curves, found.told, "G step", found.steps)
    assert dict(zip(drawn.data["time"], drawn.data["share"], strict=True)) == {0: 0, 500: 0.4, 1000: 0.6, 2000: 0.8}


Noisy = tuple[Ranking, dict[str, np.ndarray]]


@pytest.fixture(params=["fid", "modes"])
def noisy(builder: Any, request: pytest.FixtureRequest) -> Noisy:
    """A ranking of three contenders by 12 seeds of a distance, or of a score of which more is better."""
    random = np.random.default_rng(3)
    scores = {name: 3 + place + random.normal(0, 1, 12) for place, name in enumerate(("hinge", "r3gan", "minimax"))}
    for name, mine in scores.items():
        for seed, score in enumerate(mine):
            rows = _scores(**{request.param: float(score)})
            builder.add(name, "digits" if request.param == "fid" else "ring8", seed, rows=rows, traced=False)
    _, (ranking,) = _read(builder)
    return ranking, scores


def test_means_medians_middles_and_spreads_are_scipys(noisy: Noisy):
    ranking, scores = noisy
    table = middles_table(ranking)
    assert table is not None
    for row in _rows(table):
        mine = scores[row["Contender"]]
        known = (np.mean(mine), np.median(mine), stats.trim_mean(mine, 0.25), np.std(mine, ddof=1))
        assert (row["Mean"], row["Median"], row["IQM"], row["Spread"]) == tuple(f"{one:#.3g}" for one in known)
        assert row["Seeds"] == "12"


def test_pairs_are_tested_as_scipy_does_and_corrected_over_all(noisy: Noisy):
    """Of distances the median difference, by signs: what is tested is what is shown."""
    ranking, scores = noisy
    table, distances = pairs_table(ranking), ranking.better == "lower"
    assert table is not None and ("Size" in table.headings) != distances
    raw = []
    for row in _rows(table):
        difference = scores[row["Contender"]] - scores[row["Against"]]
        exact = stats.permutation_test(
            (difference,), lambda d, axis: d.mean(axis=axis), permutation_type="samples", n_resamples=np.inf
        )
        signs = stats.binomtest(int((difference > 0).sum()), difference.size)
        raw.append(float((signs if distances else exact).pvalue))
        middle = np.median(difference) if distances else difference.mean()
        assert row["Difference"].replace("\u2212", "-") == f"{middle:+#.3g}"
        beaten = scores[row["Contender"]][:, None] < scores[row["Against"]]
        assert row["Beats it"] == f"{100 * np.mean(beaten if distances else ~beaten):.0f} %"
    test = "exact sign test" if distances else "exact sign-flip permutation test"
    assert len(raw) == 3 and test in table.caption and "3 pairs" in table.caption
    assert "Intervals are not corrected" in table.caption
    order = np.argsort(raw)
    corrected = np.maximum.accumulate([min(1.0, raw[place] * (3 - step)) for step, place in enumerate(order)])
    shown = [row["p"] for row in _rows(table)]
    for place, p in zip(order, corrected, strict=True):
        assert shown[place] == (
            "< .001" if p < 0.001 else f"{p:.3f}"[1:] if p < 0.0995 else f"{p:.2f}"[int(p < 0.995) :]
        )


def test_bands_are_drawn_only_where_a_table_would_give_an_interval(builder: Any, charts: list[dict[str, Any]]):
    """Six seeds of which five cover all modes have no t-interval, and no interval leaves 0 to 8."""
    ways = [(8.0, 8.0), (8.0, 7.0), (8.0, 1.0), (8.0, 6.0), (8.0, 8.0), (1.0, 5.0)]
    for seed, way in enumerate(ways):
        rows = [{"step": step, "modes": score} for step, score in zip(STEPS, way, strict=False)]
        builder.add("hinge", "ring8", seed, rows=rows, traced=False)
    frame, (ranking,) = _read(builder)
    figure = curves_figure(frame, ranking, "modes")
    assert figure is not None and "where that holds" in figure.caption and "n = 6" in figure.caption
    bands = next(rows for rows in charts[0]["datasets"].values() if "low" in rows[0])
    first, second = sorted(bands, key=lambda row: row["step"])
    assert first["low"] is None and first["mean"] == pytest.approx(41 / 6)
    table = middles_table(ranking)
    assert table is not None
    assert second["high"] == 8.0 and _rows(table)[0]["95 % interval"]


def test_so_few_seeds_that_no_band_is_drawn_have_none_described(builder: Any, charts: list[dict[str, Any]]):
    for seed in range(4):
        builder.add("hinge", "ring8", seed, rows=_scores(modes=float(seed)), traced=False)
    frame, (ranking,) = _read(builder)
    figure = curves_figure(frame, ranking, "modes")
    assert figure is not None and "no band, since its interval needs 5 seeds" in figure.caption


def test_measures_show_every_seed_and_the_median(builder: Any, charts: list[dict[str, Any]]):
    for seed, last in enumerate((8.0, 4.0, 2.0)):
        rows = [{"step": step, "modes": score} for step, score in zip(STEPS, (8.0, 8.0, last), strict=True)]
        builder.add("hinge", "ring8", seed, rows=rows, traced=False)
    frame, (ranking,) = _read(builder)
    figures = dict(measure_figures(frame, ranking))
    assert list(figures["Kept of best"].data["value"]) == [1.0, 0.5, 0.25]
    assert list(figures["Step of best"].data["value"]) == [500, 500, 500]
    assert "n = 3" in figures["Kept of best"].caption and "no interval" in figures["Kept of best"].caption
    middles = next(rows for rows in charts[0]["datasets"].values() if "median" in rows[0])
    assert [row["median"] for row in middles] == [0.5]
    assert "Vanished gradient" not in figures  # nothing was recorded


def test_gradient_norms_have_a_geometric_mean_on_the_way(charts: list[dict[str, Any]]):
    norms = [0.01, 0.1, 1.0, 10.0, 100.0]
    traces = pd.DataFrame({"step": [20.0] * 5, "score": norms})
    ink, scale = inks(["hinge"])["hinge"], {"type": "log", "domain": [1e-3, 1e3]}
    sheet = Sheet()
    sheet.figure(trace_panel(sheet, traces, "hinge", ink, None, 20, scale, geometric=True), "a", "b", "c", traces)
    (row,) = charts[0]["datasets"]["table-0"]
    half = stats.t.ppf(0.975, 4) * np.std(np.log(norms), ddof=1) / math.sqrt(5)
    assert row["mean"] == pytest.approx(1.0)
    assert (row["low"], row["high"]) == pytest.approx((max(1e-3, math.exp(-half)), min(1e3, math.exp(half))))


def test_where_no_step_has_all_seeds_a_crowd_is_drawn_one_by_one():
    sheet, ink = Sheet(), next(iter(inks(("hinge",)).values()))
    curves = pd.DataFrame({"cell": [0, 1], "step": [500.0, 1000.0], "score": [1.0, 2.0]})
    cells = pd.DataFrame({"seed": [0, 1], "outcome": "completed"})
    panel = curve_panel(sheet, curves, cells, "hinge", ink, {}, 1000.0, "lower", single=False)
    assert [layer["mark"]["type"] for layer in panel["layer"]] == ["line", "point"]
    assert panel["layer"][0]["encoding"]["detail"]["field"] == "cell"


@pytest.mark.parametrize("seeds", [1, 6])
def test_what_is_known_of_one_step_alone_is_drawn_as_points(charts: list[dict[str, Any]], seeds: int):
    ink = inks(("hinge",))["hinge"]
    data = pd.DataFrame({"cell": range(seeds), "step": 500.0, "score": [1.0, 2.0, 4.0, 3.0, 5.0, 6.0][:seeds]})
    cells, scale = pd.DataFrame({"seed": range(seeds), "outcome": "completed"}), {"domain": [0, 9]}
    for panel in (
        lambda sheet: curve_panel(sheet, data, cells, "hinge", ink, scale, 500.0, "higher"),
        lambda sheet: trace_panel(sheet, data[["step", "score"]], "hinge", ink, None, 500.0, scale),
    ):
        sheet = Sheet()
        sheet.figure(panel(sheet), "a", "b", "c", data)
        mean = charts[-1]["layer"][-1]
        assert mean["mark"]["type"] == "point" and mean["encoding"]["y"]["field"] == "mean"
        assert not [layer for layer in charts[-1]["layer"] if layer["mark"]["type"] == "area"]
        (row,) = charts[-1]["datasets"][mean["data"]["name"]]
        assert row["mean"] == pytest.approx(data["score"].mean())


def test_axes_say_no_more_than_there_is():
    low, high = linear_scale(0.0, 0.0)["domain"]
    assert -0.1 <= low < 0 and high == 1  # no such thing as minus one mode
    low, high = linear_scale(8.0, 8.0)["domain"]
    assert 7 <= low < 8 < high <= 9
    assert number("loss", {"domain": [0, 6.000000000000001e27]})["axis"]["format"] == ".4~g"
    assert "axis" not in number("modes", {"domain": [0, 25]})


def test_a_figure_that_cannot_be_drawn_says_so_in_its_place():
    drawn: Future[str] = Future()
    drawn.set_exception(DrawingError("Vega is at a loss\n    at l (vega.js:1)"))
    figure = Figure("sad", drawn, "caption", "alt", pd.DataFrame({"a": [1]}))
    with pytest.warns(UserWarning, match=r"the figure sad could not be drawn \(Vega is at a loss\)"):
        assert "could not be drawn; its numbers are in its CSV file" in figure.svg


def test_traces_are_counted_while_seeds_still_train(builder: Any):
    builder.add("hinge", "ring8", 0)
    builder.add("hinge", "ring8", 1, "diverged")  # at step 900
    builder.add("hinge", "ring8", 2, "missing")
    frame, (ranking,) = _read(builder)
    found = dict(trace_figures(frame, ranking))["G's loss"]
    counts = found.data.set_index("step")["count"]
    assert counts[880] == 2 and counts[2000] == 1
    assert "no interval below 5 seeds (n = 2 at first)" in found.caption
    assert found.data.set_index("step")["mean"][20] == pytest.approx(0.7)


def _kept(**arrays: Any) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in arrays.items()}


def test_modes_are_counted_as_shares_of_what_is_true(builder: Any):
    builder.add("hinge", "ring8", 0, rows=_scores(modes=2.0))
    builder.add("hinge", "ring8", 1, rows=_scores(modes=2.0))
    frame, (ranking,) = _read(builder)
    pictures = {
        0: _kept(mode_counts=[[9, 0, 0], [6, 3, 1]], mode_weights=[0.5, 0.3, 0.2]),
        1: _kept(mode_counts=[[0, 4, 4], [-1, -1, -1]], mode_weights=[0.5, 0.3, 0.2]),  # the last step was not readable
    }
    figure = frequency_figure(frame, ranking, pictures)
    assert figure is not None
    rows = figure.data.set_index(["seed", "mode"])
    assert rows["share"].tolist() == [0.6, 0.3, 0.1, 0.0, 0.5, 0.5]
    assert rows["ratio"].tolist() == pytest.approx([1.2, 1.0, 0.5, 0.0, 5 / 3, 2.5])
    assert frequency_figure(frame, ranking, {}) is None


def test_quality_against_variety_has_the_medians_of_the_seeds(builder: Any, charts: list[dict[str, Any]]):
    for seed, (precision, recall) in enumerate(((0.9, 0.2), (0.8, 0.4), (0.1, 0.3))):
        builder.add("hinge", "digits", seed, rows=_scores(precision=precision, recall=recall, fid=2.0))
    frame, (ranking,) = _read(builder)
    ((_, figure),) = trade_figures(frame, ranking)
    assert figure.data["precision"].tolist() == [0.9, 0.8, 0.1]
    middles = next(rows for rows in charts[0]["datasets"].values() if "medians" in rows[0]["tip"])
    assert [(row["quality"], row["variety"]) for row in middles] == [(0.8, 0.3)]
