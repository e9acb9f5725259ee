"""Objectives keep one look, which eyes without one kind of cone tell apart too, on white paper and on a dark page."""

import itertools
import json
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ganbench.reporting.colours import DASHES, OUTCOME_COLOURS, PALETTE, look
from ganbench.reporting.comparing.written import COLOURS as VERDICTS
from ganbench.reporting.contents import contents
from ganbench.reporting.frame import load
from ganbench.reporting.legends import looks
from ganbench.reporting.ranking import rankings
from ganbench.reporting.tuning.region import SHARES

PAPERS = {"light": "#ffffff", "dark": "#14171a"}
EYES = {  # Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB
    "all cones": np.eye(3),
    "no red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])


def linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(values: NDArray[np.float64], eyes: str) -> NDArray[np.float64]:
    """Return CIELAB of what these eyes make of a colour (sRGB, 0 to 1)."""
    t = TO_XYZ @ np.clip(EYES[eyes] @ linear(values), 0, 1) / WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def least(colours: Any, eyes: str, paper: str = "", opacity: float = 1.0) -> float:
    """Return the smallest distance of any two colours, drawn with an opacity on a paper."""
    ground = rgb(PAPERS[paper]) if paper else np.zeros(3)
    seen = [lab(opacity * rgb(colour) + (1 - opacity) * ground, eyes) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


def contrast(colour: str, paper: str) -> float:
    lights = sorted(float(TO_XYZ[1] @ linear(rgb(one))) + 0.05 for one in (colour, PAPERS[paper]))
    return lights[1] / lights[0]


def test_the_measure_is_right():
    assert lab(rgb("#ff0000"), "all cones") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert contrast("#ffffff", "dark") == pytest.approx(18.0, abs=0.1)
    confused = [lab(rgb(colour), "no green cones") for colour in ("#d55e00", "#8f8a00")]
    assert np.linalg.norm(confused[0] - confused[1]) < 6 < least(("#d55e00", "#8f8a00"), "all cones")


@pytest.mark.parametrize("eyes", EYES)
def test_objectives_are_told_apart_by_every_eye(eyes: str):
    assert least(PALETTE, eyes) > 13
    for paper in PAPERS:
        assert least(PALETTE, eyes, paper, 0.75) > 6  # of single seeds


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("used", [OUTCOME_COLOURS, SHARES, VERDICTS], ids=["outcomes", "trials", "verdicts"])
def test_outcomes_and_verdicts_are_told_apart_by_every_eye(eyes: str, used: dict[str, str]):
    assert least(used.values(), eyes) > 10


@pytest.mark.parametrize("paper", PAPERS)
def test_every_objective_stands_out_from_the_page(paper: str):
    assert min(contrast(colour, paper) for colour in PALETTE) >= 3


def test_forty_objectives_have_forty_looks():
    every = [look(place) for place in range(40)]
    assert len({(one.colour, one.shape) for one in every}) == len({(one.colour, one.dash) for one in every}) == 40
    assert len({one.colour for one in every[:10]}) == 10 and every[0].dash == DASHES[0] == ()


def test_an_objective_has_one_look_and_one_place_in_every_figure(builder: Any, monkeypatch: pytest.MonkeyPatch):
    asked: list[dict[str, Any]] = []

    def draw(chart: str) -> Future[str]:
        asked.append(json.loads(chart))
        return Future()

    monkeypatch.setattr("ganbench.reporting.drawing.draw", draw)
    names = ("minimax", "hinge", "r3gan", "wgan_gp")
    for seed in range(3):
        for place, name in enumerate(names):  # the last is best on one dataset, the first on the other
            builder.add(name, "ring8", seed, quality=0.5 + 0.1 * place)
            builder.add(name, "grid25", seed, quality=0.9 - 0.1 * place)
    frame = load(builder.write(objectives={name: {} for name in names}))
    ranked = rankings(frame)
    assert [s.contender for s in ranked[0].standings] == [s.contender for s in ranked[1].standings][::-1]
    contents(frame, ranked)
    found: dict[str, list[Any]] = {"color": [], "shape": [], "strokeDash": [], "y": [], "title": []}
    for chart in asked:
        found["title"].append([panel.get("title") for panel in chart.get("concat", [])])
        for layer in [chart, *chart.get("concat", [])]:
            for channel, told in (pair for one in layer.get("layer", []) for pair in one["encoding"].items()):
                if channel in found and told.get("field") in ("contender", "objective"):
                    found[channel].append(
                        (told.get("sort") or told["scale"]["domain"], told.get("scale", {}).get("range"))
                    )
    expected = looks(frame)
    assert all(
        domain == list(names) for channel in ("color", "shape", "strokeDash", "y") for domain, _ in found[channel]
    )
    assert {tuple(range_) for _, range_ in found["color"]} == {tuple(one.colour for one in expected.values())}
    assert {tuple(range_) for _, range_ in found["shape"]} == {tuple(one.shape for one in expected.values())}
    assert len({str(range_) for _, range_ in found["strokeDash"]}) == 1 and len(found["y"]) > 10
    panels = [titles for titles in found["title"] if set(titles) & set(names)]
    assert len(panels) > 10 and all(titles == list(names) for titles in panels)


def test_contenders_of_one_objective_share_its_colour_alone(builder: Any):
    for rate in (1e-4, 2e-4, 5e-4):
        builder.add("hinge", "ring8", 0, settings={"g_lr": rate}, swept=("g_lr",))
    builder.add("r3gan", "ring8", 0)
    found = list(looks(load(builder.write())).values())
    assert len({one.colour for one in found}) == 2 and len({(one.colour, one.shape) for one in found}) == 4
    assert len({(one.colour, one.dash) for one in found}) == 4
