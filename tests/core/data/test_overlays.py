"""Pictures to look at: what is marked stands where it is marked, in its colour."""

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.overlays import colour_of, draw_overlay, draw_sheet


class Drawn:
    """Prepared data of one grey image with a mask and a box of the second class."""

    num_classes = 2

    def image(self, row):
        return np.full((40, 60), 100, dtype=np.uint8)

    def mask(self, row):
        masks = np.zeros((2, 40, 60), dtype=np.uint8)
        masks[1, 5:15, 30:50] = 1
        return masks

    def boxes(self, row):
        return np.array([[30, 5, 20, 10]], dtype=np.float32), np.array([1])


def test_masks_are_tinted_and_boxes_outlined_in_the_colour_of_their_class():
    picture = np.asarray(draw_overlay(Drawn(), 0))
    assert picture.shape == (40, 60, 3)
    assert tuple(picture[5, 30]) == tuple(picture[14, 49]) == colour_of(1)
    inside = picture[10, 40]
    assert tuple(inside) == tuple(int(100 + 0.4 * (channel - 100)) for channel in colour_of(1))
    assert tuple(picture[4, 40]) == tuple(picture[10, 50]) == (100, 100, 100)


def test_pictures_can_be_enlarged():
    picture = np.asarray(draw_overlay(Drawn(), 0, side=120))
    assert picture.shape == (80, 120, 3)
    assert tuple(picture[10, 60]) == tuple(picture[29, 99]) == colour_of(1)


def test_data_without_classes_is_grey(paired):
    picture = np.asarray(draw_overlay(paired, 0))
    assert np.array_equal(picture[..., 0], paired.image(0))
    assert np.array_equal(picture[..., 0], picture[..., 2])


@pytest.mark.parametrize(("count", "size"), [(1, (24, 42)), (3, (44, 80)), (2, (44, 42))])
def test_sheet_has_rows_of_pictures_with_captions(count, size):
    pictures = [(Image.new("RGB", (16, 20), (200, 0, number)), f"picture {number}") for number in range(count)]
    sheet = draw_sheet(pictures, 2)
    assert sheet.size == size
    assert sheet.getpixel((4, 4)) == (200, 0, 0)


def test_captions_that_are_no_ascii_or_too_long_are_cut():
    sheet = draw_sheet([(Image.new("RGB", (30, 30)), "\udcff é " + "x" * 500)], 1)
    assert sheet.width == 38
