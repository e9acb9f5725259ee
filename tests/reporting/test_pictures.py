import base64
import io

import numpy as np
from PIL import Image

from ganbench.reporting.frame import load
from ganbench.reporting.pictures import STRIP, TILE, gallery
from ganbench.reporting.ranking import rankings
from ganbench.store import Store


def _opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_there_is_one_tile_per_contender_and_one_picture_per_seed(varied: Store):
    frame = load(varied)
    tiles, folded = gallery(frame, rankings(frame)[0], 10**7)
    strips = [part for part in folded.parts if part.kind == "gallery"]
    assert [tile.title for tile in tiles.pictures] == [s.contender for s in rankings(frame)[0].standings]
    assert [len(strip.pictures) for strip in strips] == [3, 3, 3, 3]
    assert [picture.seed for picture in strips[0].pictures] == [0, 1, 2]
    assert tiles.pictures[3].uri == ""
    assert "no samples" in tiles.pictures[3].remark
    assert _opened(tiles.pictures[0].uri).size == (TILE, TILE)
    assert _opened(strips[0].pictures[0].uri).size == (STRIP, STRIP)


def test_points_are_drawn_where_they_are(builder):
    builder.add("hinge", "ring8", 0, quality=0.12)  # one mode, at (1, 0)
    frame = load(builder.write())
    (tile,) = gallery(frame, rankings(frame)[0], 10**7)[0].pictures
    pixels = np.asarray(_opened(tile.uri).convert("RGBA")).astype(int)
    blue = (pixels[..., 3] > 128) & (pixels[..., 2] > pixels[..., 0] + 20)
    row, column = np.argwhere(blue).mean(axis=0) / TILE
    assert abs(row - 0.5) < 0.03
    assert 0.8 < column < 0.95
    ring = pixels[: TILE // 4, TILE // 2 - 20 : TILE // 2 + 20]  # of the empty mode at (0, 1)
    assert (ring[..., 3] > 0).any()


def test_images_are_whole_pixels_of_the_samples(builder):
    key = builder.add("hinge", "digits", 0)
    store = builder.write()
    frame = load(store)
    (tile,) = gallery(frame, rankings(frame)[0], 10**7)[0].pictures
    samples = store.samples(key, "e-p1")
    assert samples is not None
    sheet = np.asarray(_opened(tile.uri))
    factor = sheet.shape[0] // 53
    assert sheet.shape == (53 * factor, 53 * factor)
    np.testing.assert_array_equal(sheet[::factor, ::factor][:8, 9:17], samples[1, 0])


def test_a_small_budget_gives_fewer_images(builder):
    builder.add("hinge", "digits", 0)
    frame = load(builder.write())
    large, small = (gallery(frame, rankings(frame)[0], budget) for budget in (10**7, 3_000))
    assert len(small[0].pictures[0].uri) < len(large[0].pictures[0].uri) / 2
