"""Heat maps against naive loops and torch's own interpolation."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from lovt_core.data.heat_maps import (
    Scale,
    beside,
    colour,
    cut,
    draw_with_scale,
    enlarge,
    enlarge_to_image,
    find_peak,
    lay_over,
    scale_of,
    wrap,
)
from lovt_core.data.images.transforms import EvaluationFrame


def enlarge_slowly(grid, shape):
    """Bilinear interpolation, pixel by pixel."""
    result = np.zeros(shape)
    for row in range(shape[0]):
        for column in range(shape[1]):
            places = []
            for index, small, large in ((row, grid.shape[0], shape[0]), (column, grid.shape[1], shape[1])):
                place = min(max((index + 0.5) * small / large - 0.5, 0), small - 1)
                below = int(place)
                places.append((below, min(below + 1, small - 1), place - below))
            (top, bottom, down), (left, right, across) = places
            upper = grid[top, left] * (1 - across) + grid[top, right] * across
            lower = grid[bottom, left] * (1 - across) + grid[bottom, right] * across
            result[row, column] = upper * (1 - down) + lower * down
    return result


@pytest.mark.parametrize(("grid", "shape"), [((7, 7), (31, 45)), ((1, 1), (3, 4)), ((2, 5), (16, 5)), ((4, 4), (3, 2))])
def test_enlarge_is_bilinear(grid, shape):
    values = np.random.default_rng(0).normal(size=grid)
    enlarged = enlarge(values, shape)
    np.testing.assert_allclose(enlarged, enlarge_slowly(values, shape), atol=1e-12)
    theirs = torch.nn.functional.interpolate(torch.from_numpy(values)[None, None], shape, mode="bilinear")
    np.testing.assert_allclose(enlarged, theirs[0, 0].numpy(), atol=1e-12)


@pytest.mark.parametrize("shape", [(90, 60), (60, 90), (61, 90), (64, 64), (90, 61)])
def test_a_map_lies_where_the_encoder_has_seen_it(shape):
    """A spot on the image is framed, read off as a grid, and found again in the same place."""
    row, column = shape[0] // 3, shape[1] // 4
    image = np.zeros(shape, dtype=np.uint8)
    image[row - 8 : row + 8, column - 8 : column + 8] = 255
    framed = EvaluationFrame(*shape, size=64).apply_to_image(image)
    grid = framed.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    heat = enlarge_to_image(grid, *shape)
    assert heat.shape == shape
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    centre = (heat * rows).sum() / heat.sum(), (heat * columns).sum() / heat.sum()
    np.testing.assert_allclose(centre, (row, column), atol=1.5)


def test_peak_is_the_first_of_several():
    assert find_peak(np.array([[0, 1.0, 0, 1], [0.5, 0, 0, 0]])) == (0, 1)


@pytest.mark.parametrize("cell", [(0, 0), (0, 2), (4, 4), (2, 0), (2, 3)])
def test_peak_of_an_enlarged_map_lies_in_the_middle_of_its_best_cell(cell):
    """Also in corners, where values stay the same up to the border."""
    grid = np.zeros((5, 5))
    grid[cell] = 1
    peak = find_peak(enlarge(grid, (150, 150)))
    assert tuple(place // 30 for place in peak) == cell
    assert all(5 <= place % 30 <= 25 for place in peak)


def test_colours_grow_brighter_all_the_way():
    brightness = colour(np.linspace(0, 1, 50)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(brightness) > 0).all()


def test_scale_of_equal_values_is_dark_everywhere():
    flat = np.full((2, 2), 3.0)
    assert scale_of(flat) == Scale(3.0, 3.0)
    assert (scale_of(flat).shares(flat) == 0).all()
    assert Scale(0, 2).shares([-1, 1, 5]).tolist() == [0, 0.5, 1]


def test_overlay_keeps_the_image_visible_and_has_a_scale():
    image = np.array([[0, 255]], dtype=np.uint8).repeat(40, axis=1).repeat(20, axis=0)
    pixels = lay_over(image, np.zeros(image.shape), Scale(0, 1))
    assert pixels.shape == (20, 80, 3)
    assert pixels[0, 79].sum() > pixels[0, 0].sum() + 250
    picture = draw_with_scale(pixels, Scale(-0.5, 0.25), "a phrase " * 30)
    assert picture.width == 80
    assert picture.height > 40
    bar = np.asarray(picture)[24]
    assert bar[-1].sum() > bar[0].sum() + 400


def test_beside_and_cut():
    picture = np.ones((2, 3, 3), dtype=np.uint8)
    joined = beside([picture, picture], 2)
    assert joined.shape == (2, 8, 3)
    assert not joined[:, 3:5].any()
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    assert cut("short\nü", 100, pen) == "short ?"
    shortened = cut("a long sentence about a small opacity", 80, pen)
    assert shortened.startswith("a long")
    assert shortened.endswith("...")
    assert pen.textlength(shortened) <= 80
    lines = wrap("a long sentence about a small opacity and averyveryverylongword", 80, pen)
    assert " ".join(lines).startswith("a long sentence about a small opacity and averyv")
    assert len(lines) > 3
    assert max(pen.textlength(line) for line in lines) <= 80
