"""Into how many cohorts groups of cells go: whatever was measured, no slot stays idle that could help."""

from __future__ import annotations

import pytest

from ganbench.suite.packing import Group, makespan, split
from ganbench.suite.sizing import Rates


def group(cells: int, rates: dict[int, float], largest: int, steps: int = 1000) -> Group:
    known = Rates(rates)
    return Group(cells, largest, lambda size: size * steps / known.at(size))


FLAT = {1: 10.0, 2: 10.0, 4: 10.0}  # company brings nothing
PADDED = {1: 10.0, 2: 20.0, 4: 40.0, 8: 41.0}  # a step of up to four takes as long as one of one


def test_a_list_of_tasks_is_over_when_its_last_slot_is() -> None:
    assert makespan([5, 4, 3, 3, 3], 2) == 10  # 5 + 3, 4 + 3 + 3
    assert makespan([], 3) == 0 and makespan([7.0], 3) == 7


def test_no_cohort_is_larger_than_the_best_size_and_all_cells_are_in_one() -> None:
    for cells in (1, 3, 4, 5, 9, 40):
        (sizes,) = split([group(cells, PADDED, 4)], 1)
        assert sum(sizes) == cells and max(sizes) <= 4 and max(sizes) - min(sizes) <= 1


def test_slots_share_the_cells_evenly_where_halves_are_faster() -> None:
    assert split([group(8, FLAT, 8)], 2) == [[4, 4]]
    assert split([group(12, PADDED, 4)], 2) == [[4, 4, 4]]  # a step of three takes as long as one of four
    assert split([group(6, FLAT, 1)], 4) == [[1] * 6]
    assert sorted(split([group(3, FLAT, 4)], 2)[0]) == [1, 2]


def test_cells_stay_together_where_a_slot_more_saves_no_time() -> None:
    assert split([group(4, PADDED, 4)], 4) == [[4]]
    assert split([group(2, PADDED, 4)], 2) == [[2]]


def test_the_last_slot_is_not_left_with_a_cohort_alone() -> None:
    """Three equal cohorts on two slots take two rounds; four smaller ones take less."""
    (sizes,) = split([group(12, {1: 10.0, 2: 10.0, 4: 10.5}, 4)], 2)
    assert len(sizes) % 2 == 0 and max(sizes) <= 3
    one, _ = split([group(4, FLAT, 4, steps=3000), group(4, FLAT, 4)], 2)
    assert len(one) >= 2  # beside the shorter group one slot would wait for the whole of it


def test_groups_that_were_not_measured_keep_company_in_halves() -> None:
    assert split([Group(6, 32)], 2) == [[3, 3]]
    assert split([Group(3, 32)], 2) == [[3]]
    assert split([Group(64, 32)], 2) == [[16] * 4]
    assert split([Group(64, 32, batch=64)], 2) == [[32] * 2]  # a step of half as many samples is mostly launches
    assert split([Group(64, 32, batch=64)], 4) == [[16] * 4]  # but no slot is idle for that
    assert split([Group(5, 1)], 2) == [[1] * 5]
    measured, other = split([group(4, FLAT, 4), Group(1, 8)], 4)
    assert (sorted(measured), other) == ([1, 1, 2], [1])
    assert split([group(4, PADDED, 4), Group(1, 8)], 4) == [[4], [1]]


@pytest.mark.parametrize("slots", [1, 2, 3, 8])
def test_more_cohorts_than_the_fewest_are_only_made_to_be_over_sooner(slots: int) -> None:
    for cells in range(1, 24):
        for rates, largest in ((FLAT, 1), (FLAT, 4), (PADDED, 4)):
            both = [group(cells, rates, largest), group(5, PADDED, 4, steps=400)]
            found = split(both, slots)
            fewest = [even(each.cells, -(-each.cells // each.largest)) for each in both]
            assert [sum(sizes) for sizes in found] == [cells, 5]
            assert over(both, found, slots) <= over(both, fewest, slots)
            if sum(map(len, found)) > sum(map(len, fewest)):
                assert over(both, found, slots) < 0.98 * over(both, fewest, slots)


def even(cells: int, parts: int) -> list[int]:
    return [cells // parts + (part < cells % parts) for part in range(parts)]


def over(groups: list[Group], sizes: list[list[int]], slots: int) -> float:
    times = [each.seconds(size) for each, own in zip(groups, sizes, strict=True) for size in own if each.seconds]
    return makespan(sorted(times, reverse=True), slots)
