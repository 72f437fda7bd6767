"""Half blocks: the right colours in the right cells, and shades where there is no colour."""

import numpy as np
import pytest

from lovt_tui.pictures import draw_cells, fit_cells


@pytest.mark.parametrize(
    ("shape", "cells", "expected"),
    [
        ((224, 224), (64, 32), (64, 64)),
        ((224, 224), (20, 32), (20, 20)),
        ((400, 200), (64, 20), (40, 20)),
        ((10, 1000), (50, 20), (2, 50)),
    ],
)
def test_pictures_keep_their_shape_and_fit(shape, cells, expected):
    assert fit_cells(shape, cells) == expected


def test_a_cell_shows_two_pixels():
    pixels = np.array([[[255, 0, 0], [0, 0, 0]], [[0, 0, 255], [0, 255, 0]]], dtype=np.uint8)
    text = draw_cells(pixels, colour=True)
    assert text.plain == "▀▀\n"
    first, second = (span.style for span in text.spans)
    assert first.color.triplet == (255, 0, 0)
    assert first.bgcolor.triplet == (0, 0, 255)
    assert second.bgcolor.triplet == (0, 255, 0)


def test_shades_without_colour():
    pixels = np.repeat(np.array([[0, 60, 120, 180, 255]], dtype=np.uint8), 2, axis=0)
    assert draw_cells(np.repeat(pixels[:, :, None], 3, axis=2), colour=False).plain == " ░▒▓█\n"
