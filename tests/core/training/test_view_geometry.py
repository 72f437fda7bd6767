"""Where the pixels of a view come from: against exact levels, torchvision's affine step, and a spot's centre."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from torchvision.transforms import InterpolationMode

from lovt_core.training.view_parameters import Crop, ViewParameters
from tests.core.training.augmentation_oracle import (
    SIZE,
    apply_oracle,
    find_exact_levels,
    make_image,
    render,
    share_within,
    whole,
)

SHAPES = [  # and the mean error that is allowed, of 255 levels; a neighbouring pixel differs by 12
    (80, 100, Crop(5, 10, 70, 82), 1.2),  # shrunk a little
    (110, 120, Crop(1, 2, 104, 115), 1.2),  # shrunk by less than two
    (300, 260, Crop(10, 20, 280, 230), 2.0),  # shrunk by four
    (900, 700, Crop(40, 60, 800, 610), 3.5),  # shrunk by twelve: waves of four pixels in the view
    (300, 70, Crop(0, 3, 300, 40), 1.2),  # shrunk one way, enlarged the other
    (30, 30, Crop(2, 2, 20, 25), 0.7),  # enlarged
]
MOVES: list[dict[str, Any]] = [
    {},
    {"angle": 20.0, "flip": True},
    {"angle": -13.7, "shift": (6, -5), "scale": 0.95},
    {"angle": 3.0, "shift": (-6, 2), "scale": 1.05, "flip": True},
    {"shift": (1, 1), "scale": 1.043},
]


@pytest.mark.parametrize("move", MOVES, ids=str)
@pytest.mark.parametrize(("height", "width", "crop", "allowed"), SHAPES)
def test_pixels_have_the_exact_levels_of_their_places(
    height: int, width: int, crop: Crop, allowed: float, move: dict[str, Any]
) -> None:
    image = make_image(height, width)
    view = ViewParameters(crop, **move)
    differences = render(image, view) - find_exact_levels(image, view)
    assert np.nanmean(np.abs(differences)) < allowed
    assert abs(np.nanmean(differences)) < 0.3


@pytest.mark.parametrize(("height", "width", "crop", "allowed"), SHAPES)
def test_resized_crop_is_near_to_pillow_s(height: int, width: int, crop: Crop, allowed: float) -> None:
    image = make_image(height, width)
    differences = render(image, ViewParameters(crop)) - apply_oracle(image, ViewParameters(crop))
    assert np.abs(differences).mean() < allowed
    assert abs(differences.mean()) < 0.3


def test_crop_of_the_view_s_size_is_taken_as_it_is() -> None:
    image = make_image(SIZE + 10, SIZE + 20)
    np.testing.assert_array_equal(render(image, ViewParameters(Crop(3, 7, SIZE, SIZE))), image[3:-7, 7:-13])


@pytest.mark.parametrize("length", [100, 120, 150, 224, 330, 630])
def test_what_is_finer_than_a_pixel_vanishes(length: int) -> None:
    """Without antialiasing the stripes of one pixel would become coarser ones, of a deviation of 60 levels or more."""
    image = np.broadcast_to(np.uint8(255) * (np.arange(length) % 2 == 0), (SIZE, length)).astype(np.uint8)
    for picture in (image, image.T):
        got = render(picture, ViewParameters(whole(picture), angle=5.0))[8:-8, 8:-8]
        assert got.std() < 40
        assert got.mean() == pytest.approx(127.5, abs=1)


def find_centroid(levels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """x, y in pixels from the corner."""
    rows, columns = np.mgrid[: levels.shape[0], : levels.shape[1]] + 0.5
    return np.array([(columns * levels).sum(), (rows * levels).sum()]) / levels.sum()


@pytest.mark.parametrize("move", MOVES, ids=str)
@pytest.mark.parametrize("length", [90, 128, 150, 256, 300, 601, 1024])
def test_places_are_exact_to_a_twentieth_of_a_pixel(length: int, move: dict[str, Any]) -> None:
    size = 128
    crop = Crop(length // 10, length // 20, length - length // 10 - 3, length - length // 20 - 5)
    spot = np.array([0.58, 0.45]) * length  # x, y
    rows, columns = np.mgrid[:length, :length] + 0.5
    image = 250 * np.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / 2 / (length / 25) ** 2)
    view = ViewParameters(crop, **move)
    got = find_centroid(render(image.round().astype(np.uint8), view, size))

    x, y = (spot - (crop.left, crop.top)) / (crop.width, crop.height) * size - size / 2
    x = -x if view.flip else x
    turn = math.radians(view.angle)
    moved = np.array([math.cos(turn) * x - math.sin(turn) * y, math.sin(turn) * x + math.cos(turn) * y]) * view.scale
    assert np.abs(got - (moved + view.shift + size / 2)).max() < 0.05
    published = find_centroid(apply_oracle(image.round().astype(np.uint8), view, size))
    assert np.abs(got - published).max() < 0.2  # the nearest pixel's own error


def test_flip_equals_oracle() -> None:
    image = make_image(SIZE, SIZE)
    view = ViewParameters(whole(image), flip=True)
    np.testing.assert_array_equal(render(image, view), apply_oracle(image, view))


@pytest.mark.parametrize("shift", [(5, 0), (0, -7), (-3, 4), (63, 0), (200, 0)])
def test_whole_pixel_shift_equals_oracle(shift: tuple[int, int]) -> None:
    image = make_image(SIZE, SIZE)
    view = ViewParameters(whole(image), shift=shift)
    np.testing.assert_array_equal(render(image, view), apply_oracle(image, view))


@pytest.mark.parametrize("move", MOVES[1:], ids=str)
def test_affine_equals_pillow_s_with_interpolation(move: dict[str, Any]) -> None:
    image = make_image(224, 224)
    view = ViewParameters(whole(image), **move)
    got, expected = render(image, view, 224), apply_oracle(image, view, 224, InterpolationMode.BILINEAR)
    inside = np.isfinite(find_exact_levels(image, view, 224))
    assert share_within(got[inside], expected[inside], 1) > 0.999


def test_edge_of_the_crop_is_as_black_as_the_part_outside() -> None:
    image = np.full((SIZE, SIZE), 200, dtype=np.uint8)
    shrunk = render(image, ViewParameters(whole(image), scale=0.95))  # 60.8 pixels: 60 and 0.4 on each side
    assert set(shrunk[SIZE // 2].tolist()) == {0, 80, 200}
    turned = render(image, ViewParameters(whole(image), angle=20.0, scale=0.7))
    assert turned.sum() / 200 == pytest.approx((0.7 * SIZE) ** 2, rel=0.002)


def test_outside_of_the_crop_is_black_even_inside_the_image() -> None:
    image = np.full((SIZE, SIZE), 255, dtype=np.uint8)
    levels = render(image, ViewParameters(Crop(16, 16, 32, 32), shift=(8, 0)))
    assert (levels[:, :8] == 0).all()
    assert (levels[:, 8:] == 255).all()
