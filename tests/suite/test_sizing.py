"""Which size of cohorts is chosen from measured rates, what is worth measuring, and what the cache remembers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ganbench.suite.errors import SuiteError
from ganbench.suite.load import load_suite
from ganbench.suite.sizing import CEILING, SHARE, Cache, Rates, affordable, ahead, mean, read_setting, worth_measuring


def doubling(*rates: float, settled: bool = True) -> Rates:
    return Rates({2**place: rate for place, rate in enumerate(rates)}, settled)


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ((100, 200, 390, 400, 402), 4),  # 390 is within 5 % of the best
        ((10, 7, 6.4), 1),  # a large network on a CPU
        ((10, 18, 33, 60, 110, 200), 32),  # monotone: a small one
        ((10, 9.7, 10.1, 9.9), 1),  # noise around one rate
        ((10, 7, 12, 14, 14.2), 8),  # a dip at two is no reason to stay alone
        ((5,), 1),  # nothing larger fits the memory
    ],
)
def test_the_smallest_size_within_five_percent_of_the_best_is_chosen(rates: tuple[float, ...], chosen: int) -> None:
    assert doubling(*rates).size(default=8) == chosen


def test_where_time_ran_out_the_default_is_taken_unless_company_was_no_help() -> None:
    assert doubling(10, 18, settled=False).size(default=32) == 32
    assert doubling(10, 18, 33, settled=False).size(default=2) == 4
    assert doubling(10, 7, settled=False).size(default=8) == 1
    assert doubling(10, 9.8, settled=False).size(default=8) == 8
    assert doubling(10, 9.8, 10.2, settled=False).size(default=8) == 1
    assert doubling(10, 9.8, 10.9, settled=False).size(default=8) == 8
    assert Rates().size(default=8) == 8


def test_larger_cohorts_are_not_tried_when_two_were_slower_or_three_no_faster() -> None:
    assert not doubling(10, 7).enough() and doubling(10, 7, 8).enough()
    assert not doubling(10, 7, 12, 9).enough() and not doubling(10, 7, 9.5).enough()
    assert not doubling(10, 10.1, 10.2).enough() and doubling(10, 10.1, 10.2, 10).enough()
    assert not doubling(10, 20, 40, 80).enough()


def test_sizes_double_up_to_the_number_of_cells() -> None:
    assert [ahead(doubling(*[1.0] * tried, settled=False), 10) for tried in range(5)] == [1, 2, 4, 8, None]
    assert ahead(doubling(1, 2), 10) is None  # settled


def test_a_step_between_two_sizes_takes_a_time_between_theirs_and_beyond_the_last_the_rate_stays() -> None:
    assert [doubling(10, 20, 40).at(size) for size in (1, 2, 3, 4, 100)] == pytest.approx([10, 20, 30, 40, 40])
    assert doubling(10, 10, 10).at(3) == pytest.approx(10)


@pytest.mark.parametrize("rate", [1.0, 30.0, 700.0, 10_000.0])
@pytest.mark.parametrize("cell_steps", [2_000, 40_000, 3_000_000])
def test_measuring_takes_a_few_percent_of_the_time_at_most(rate: float, cell_steps: int) -> None:
    """Measured sizes are worth it only while all of them together stay a small share, whatever the rates do."""
    for gain in (0.7, 1.0, 2.0):
        rates, spent = Rates(), 0.0
        while (size := ahead(rates, 256)) and affordable(rates, size, cell_steps, 1, spent):
            new = rate if size == 1 else rates.by_size[size // 2] * gain
            rates = replace(rates, by_size={**rates.by_size, size: new})
            spent += max(0.2, 3 * size / new) + 2 * size / new
        assert rates.largest != 2 or gain < 1  # where a third was not as fast as it was taken to be
        alone = max(0.2, 3 / rate) + 2 / rate
        assert spent <= max(alone, min(SHARE * cell_steps / rates.best, CEILING) * 1.01)
        if cell_steps / rate < 10:
            assert rates.largest == 1


def test_what_is_known_is_measured_again_only_to_get_further() -> None:
    known = doubling(100, 150, 180, settled=False)
    assert worth_measuring(known, 64, 1_000_000, 1)
    assert not worth_measuring(known, 4, 1_000_000, 1)  # no more cells than were tried
    assert not worth_measuring(known, 64, 10_000, 1)  # too little is left
    assert not worth_measuring(replace(known, settled=True), 64, 1_000_000, 1)
    assert worth_measuring(Rates(), 2, 10, 1)


def test_of_measurements_side_by_side_the_sizes_that_all_have_count() -> None:
    both = mean([doubling(10, 20, 30, settled=False), doubling(20, 40, settled=True)])
    assert (both.by_size, both.settled) == ({1: 15, 2: 30}, True)
    assert mean([]) == Rates()


def test_rates_are_kept_by_shape_device_and_slots(tmp_path: Path) -> None:
    cache, rates = Cache(tmp_path / "cohorts", "a CPU", 2), Rates({1: 10.0, 2: 18.5}, True, 1e6)
    assert cache.read("shape") is None and not (tmp_path / "cohorts").exists()
    cache.write("shape", rates, "ring8 x mlp")
    assert cache.read("shape") == rates
    assert cache.read("other shape") is None
    assert replace(cache, device="another CPU").read("shape") is None
    assert replace(cache, slots=1).read("shape") is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"rates": 3}', "half", '"by_size": {"0": 1}', "negative"])
def test_a_damaged_file_is_no_file(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path, "a CPU", 2)
    cache.write("shape", Rates({1: 10.0, 2: 20.0}), "ring8 x mlp")
    (path,) = tmp_path.glob("*.json")
    whole = path.read_text()
    made = {"half": whole[: len(whole) // 2], "negative": whole.replace("20.0", "-20.0")}
    path.write_text(made.get(damage, damage))
    assert cache.read("shape") is None
    cache.write("shape", Rates({1: 12.0}), "ring8 x mlp")
    assert cache.read("shape") == Rates({1: 12.0})
    assert json.loads(path.read_text())["cells"] == "ring8 x mlp"


def test_the_setting_is_auto_or_a_number_of_cells(tmp_path: Path) -> None:
    assert [read_setting(given) for given in ("auto", 1, 8, "16")] == ["auto", 1, 8, 16]
    path = tmp_path / "suite.yaml"
    text = "objectives: [hinge]\ndatasets: [ring8]\n"
    path.write_text(text)
    assert load_suite(path).cohort == "auto"
    path.write_text(f"{text}cohort: 4\n")
    assert load_suite(path).cohort == 4
    for wrong in ("0", "-3", "2.5", "true", "many", "[4]", "null"):
        path.write_text(f"{text}cohort: {wrong}\n")
        with pytest.raises(SuiteError, match=r"suite\.yaml:3: cohort: expected auto or the most cells"):
            load_suite(path)
