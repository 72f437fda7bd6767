"""Half blocks: the right colours in the right cells, and shades where there is no colour."""

import numpy as np
import pytest

from lovt_tui.pictures import Mark, draw_cells, draw_legend, draw_marked_cells, fit_cells


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


LEGEND = (Mark("T", (1, 2, 3), "to be found"), Mark("P", (4, 5, 6), "predicted"), Mark("B", (7, 8, 9), "both"))


def test_marks_are_colours_or_letters():
    pixels = np.zeros((2, 5, 3), dtype=np.uint8)
    marks = np.array([[0, 1, 0, 3, 1], [0, 0, 2, 0, 2]], dtype=np.uint8)
    assert draw_marked_cells(pixels, marks, LEGEND, colour=False).plain == " TPBB\n"
    text = draw_marked_cells(pixels, marks, LEGEND, colour=True)
    upper = [span.style.color.triplet for span in text.spans]
    lower = [span.style.bgcolor.triplet for span in text.spans]
    assert upper == [(0, 0, 0), (1, 2, 3), (0, 0, 0), (7, 8, 9), (1, 2, 3)]
    assert lower == [(0, 0, 0), (0, 0, 0), (4, 5, 6), (0, 0, 0), (4, 5, 6)]
    assert not pixels.any()


def test_legend_has_words():
    assert draw_legend(LEGEND, colour=False).plain == "T to be found   P predicted   B both"
    coloured = draw_legend(LEGEND, colour=True)
    assert coloured.plain == "█ to be found   █ predicted   █ both"
    assert [span.style.color.triplet for span in coloured.spans] == [(1, 2, 3), (4, 5, 6), (7, 8, 9)]
