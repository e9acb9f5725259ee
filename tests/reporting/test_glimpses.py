"""Pictures of what cells kept: each pixel is where it should be."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.reporting.frame import Frame, load
from ganbench.reporting.glimpses import absent, by_step, kept, neighbours, planes
from ganbench.reporting.parts import Choice, Folded, Gallery, Picture, Text
from ganbench.reporting.ranking import Ranking, rankings
from ganbench.store import Store

SIDE = 48
ROOM = 10**7


def _pixels(picture: Picture) -> np.ndarray:
    content = base64.b64decode(picture.uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")).astype(int)


def _read(builder: Any) -> tuple[Frame, Ranking]:
    frame = load(builder.write())
    return frame, rankings(frame)[0]


def _keep(store: Store, frame: Frame, place: int, **arrays: Any) -> None:
    """Write other pictures of a cell beside the scores that it has."""
    listed = frame.suite.listed[place]
    scores = store.scores(listed.key, listed.evaluation_key)
    samples = store.samples(listed.key, listed.evaluation_key)
    assert scores is not None
    store.write_scores(
        listed.key, listed.evaluation_key, scores, samples, {name: np.asarray(a) for name, a in arrays.items()}
    )


def _spot(row: int, column: int) -> np.ndarray:
    """Return a density whose mass is in one pixel; row 0 has the lowest y."""
    found = np.zeros((SIDE, SIDE), np.float16)
    found[row, column] = 1.0
    return found


def _planes(builder: Any, **arrays: Any) -> list[Gallery]:
    builder.add("hinge", "ring8", 0)
    frame, ranking = _read(builder)
    _keep(builder.store, frame, 0, steps=[2000], by_step=np.zeros((1, 4, 2), np.float16), **arrays)
    found = planes(frame, ranking, kept(frame, ranking), ROOM)
    return [part for part in found if isinstance(part, Gallery)]


def test_a_density_is_dark_where_the_mass_is_and_y_points_upwards(builder: Any):
    (gallery,) = _planes(builder, truth=_spot(40, 10), generated=_spot(5, 30))
    truth, generated = (_pixels(picture)[..., 3] for picture in gallery.pictures)
    assert [picture.title for picture in gallery.pictures] == ["truth", "hinge"]
    assert np.argwhere(truth == truth.max()).tolist() == [[SIDE - 1 - 40, 10]]  # high up on the picture
    assert np.argwhere(generated == generated.max()).tolist() == [[SIDE - 1 - 5, 30]]
    assert truth.min() == 0 and truth.max() == 255


def test_densities_of_the_first_seeds_alone_say_so(builder: Any):
    for seed in range(5):
        builder.add("hinge", "ring8", seed)
    frame, ranking = _read(builder)
    arrays = {"steps": [2000], "by_step": np.zeros((1, 4, 2), np.float16), "truth": _spot(1, 1)}
    for place in range(5):
        _keep(
            builder.store, frame, place, **arrays, generated=_spot(2, 2), surface=np.full((SIDE, SIDE), 0.5, np.float16)
        )
    found = planes(frame, ranking, kept(frame, ranking), ROOM)
    told = [part.text for part in found if isinstance(part, Text)]
    assert len(told) == 2 and all(text.endswith("The first 3 of 5 seeds.") for text in told)


def test_d_is_blue_where_it_says_real_orange_where_fake_and_clear_between(builder: Any):
    surface = np.full((SIDE, SIDE), 0.5, np.float16)
    surface[40, 10], surface[5, 30] = 1.0, 0.0
    best = np.full((SIDE, SIDE), np.nan, np.float16)
    (gallery,) = _planes(builder, surface=surface, best=best)
    drawn, nothing = (_pixels(picture) for picture in gallery.pictures)
    red, _, blue, alpha = drawn[SIDE - 1 - 40, 10]
    assert blue > red and alpha > 200
    red, _, blue, alpha = drawn[SIDE - 1 - 5, 30]
    assert red > blue and alpha > 200
    assert drawn[0, 0, 3] == 0 and not nothing[..., 3].any()


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_d_without_probabilities_is_drawn_around_its_median(builder: Any, odd: float):
    logits = np.full((SIDE, SIDE), 7.0, np.float32)
    logits[:10], logits[10:20], logits[0, 0] = 9.0, 4.0, odd
    (gallery,) = _planes(builder, logits=logits)
    (picture,) = gallery.pictures
    assert picture.remark == "output of D"
    drawn = _pixels(picture)[::-1]  # row 0 has the lowest y again
    assert drawn[5, 5, 2] > drawn[5, 5, 0] and drawn[15, 5, 0] > drawn[15, 5, 2] and drawn[30, 5, 3] == 0


def test_a_d_that_is_nowhere_finite_is_drawn_as_unknown(builder: Any):
    (gallery,) = _planes(builder, logits=np.full((SIDE, SIDE), np.nan, np.float32))
    assert not _pixels(gallery.pictures[0])[..., 3].any()


def _moving(builder: Any, budget: int = ROOM) -> Choice:
    frame, ranking = _read(builder)
    found = by_step(frame, ranking, kept(frame, ranking), budget)
    assert isinstance(found, Choice) and found.slider
    return found


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"surface": np.full((SIDE, SIDE), 0.497, np.float16)}, "D: 0.497 everywhere"),
        ({"logits": np.full((SIDE, SIDE), 3.0, np.float32)}, "output of D: 3 everywhere"),
    ],
)
def test_a_flat_d_is_drawn_and_said_to_be_flat(builder: Any, arrays: dict[str, np.ndarray], told: str):
    (gallery,) = _planes(builder, **arrays)
    (picture,) = gallery.pictures
    assert picture.remark == told and _pixels(picture)[..., 3].min() > 50


def test_samples_move_step_by_step_and_who_ended_before_is_said(builder: Any):
    builder.add("hinge", "digits", 0, pictures=True)
    builder.add("minimax", "digits", 0, "diverged", pictures=True)
    builder.add("r3gan", "digits", 1, pictures=True)
    found = _moving(builder)
    assert [name for name, _ in found.options] == [str(step) for step in range(200, 2001, 200)]
    first, last = (option for _, option in (found.options[0], found.options[-1]))
    assert isinstance(first, Gallery) and isinstance(last, Gallery)
    assert {picture.title: picture.remark for picture in first.pictures} == {
        "hinge": "",
        "minimax": "",
        "r3gan": "no samples",  # of the first seed
    }
    assert {picture.title: picture.remark for picture in last.pictures}["minimax"] == "diverged before"
    uris = {
        picture.uri
        for _, gallery in found.options
        if isinstance(gallery, Gallery)
        for picture in gallery.pictures
        if picture.title == "hinge"
    }
    assert len(uris) == 8  # the fixture turns pictures of 8 columns by one a step


def test_a_small_budget_shows_fewer_steps_the_first_and_the_last_among_them(builder: Any):
    builder.add("hinge", "digits", 0, pictures=True)
    few = _moving(builder, 10)
    assert [name for name, _ in few.options] == ["200", "2000"]


def test_densities_beyond_the_budget_are_those_of_later_seeds(builder: Any):
    for seed in range(4):
        builder.add("hinge", "ring8", seed, pictures=True)
    frame, ranking = _read(builder)
    pictures = kept(frame, ranking)
    many, few = (planes(frame, ranking, pictures, budget) for budget in (ROOM, 10))
    seeds = [[name for name, _ in part.options] for part in many if isinstance(part, Choice)]
    assert seeds == [["Seed 0", "Seed 1", "Seed 2"]] * 2
    assert sum(isinstance(part, Gallery) for part in few) == 2  # one seed, with nothing to choose from


def test_samples_stand_above_their_nearest_training_rows(builder: Any):
    builder.add("hinge", "digits", 0, pictures=True)
    frame, ranking = _read(builder)
    rows = np.full((8, 1, 8, 8), 200, np.uint8)
    arrays = {"steps": [0], "by_step": np.zeros((1, 1, 1, 8, 8), np.uint8), "neighbours": rows}
    distances = {"neighbour_distances": np.linspace(1, 8, 8), "real_distances": [0.5, 2.5]}
    _keep(builder.store, frame, 0, **arrays, **distances)
    found = neighbours(frame, ranking, kept(frame, ranking), ROOM)
    assert isinstance(found, Folded) and isinstance(found.parts[1], Gallery)
    (picture,) = found.parts[1].pictures
    assert picture.remark == "median distance 4.5; of real ones 2.5"
    drawn = _pixels(picture)[..., 0]
    factor = drawn.shape[1] // (8 * 9 - 1)
    drawn = drawn[::factor, ::factor]
    samples = frame.store.samples(frame.suite.listed[0].key, "e-p1")
    assert samples is not None and drawn.shape == (17, 71)
    np.testing.assert_array_equal(drawn[:8, :8], samples[0, 0])
    np.testing.assert_array_equal(drawn[9:, 9:17], rows[1, 0])


def test_what_cells_could_not_keep_is_said_once_with_its_reason(builder: Any):
    for seed in range(3):
        builder.add("hinge", "ring8", seed)
    frame, ranking = _read(builder)
    arrays = {"steps": [2000], "by_step": np.zeros((1, 4, 2), np.float16)}
    for place, reasons in ((0, ["truth: no density"]), (1, ["truth: no density", "surface: no D"])):
        _keep(builder.store, frame, place, **arrays, absent=reasons)
    assert absent(frame, ranking, kept(frame, ranking))[:2] == [
        "hinge: truth: no density (2 cells)",
        "hinge: surface: no D (1 cell)",
    ]
    assert absent(frame, ranking, kept(frame, ranking))[2].startswith("1 cell of hinge: nothing but samples was kept")
    assert planes(frame, ranking, kept(frame, ranking), ROOM) == []


def test_more_modes_than_can_be_seen_are_said_to_be_too_many(builder: Any):
    builder.add("hinge", "ring8", 0)
    frame, ranking = _read(builder)
    counts = {"mode_counts": np.ones((1, 1000), int), "mode_weights": np.full(1000, 1e-3)}
    _keep(builder.store, frame, 0, steps=[2000], by_step=np.zeros((1, 4, 2), np.float16), **counts)
    (sentence,) = absent(frame, ranking, kept(frame, ranking))
    assert sentence.startswith("1\u2009000 modes are too many to be drawn one by one")
