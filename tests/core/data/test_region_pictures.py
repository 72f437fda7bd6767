"""Sheets of attention: one scale for all maps of a sample, whole sentences, and single pictures found again."""

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.region_pictures import (
    RegionMap,
    describe_scale,
    draw_map,
    draw_region_sheet,
    read_panels,
    scale_maps,
)

LONG = "there is no focal consolidation pleural effusion or pneumothorax and the cardiac silhouette is not enlarged"


def make_map(title, grid, text="a sentence"):
    grid = np.asarray(grid, dtype=np.float64)
    return RegionMap(title, text, grid / grid.sum())


EVEN = make_map("1", np.ones((4, 4)))
PEAKED = make_map("2", [[5, 1, 1, 1], *[[1, 1, 1, 1]] * 3], LONG)


def test_even_attention_looks_even_and_weak():
    black = np.zeros((32, 32), dtype=np.uint8)
    alone = draw_map(black, EVEN, scale_maps((EVEN,)), (32, 32))
    assert (alone == alone[0, 0]).all()
    brightest = draw_map(black, PEAKED, scale_maps((PEAKED,)), (32, 32)).sum(axis=2).max()
    assert alone[0, 0].sum() < brightest / 2


def test_a_sample_has_one_scale():
    assert scale_maps((EVEN,)).high == pytest.approx(3 / 16)
    assert scale_maps((EVEN, PEAKED)).high == pytest.approx(5 / 20)
    assert describe_scale((EVEN, PEAKED)) == "darkest 0, brightest 0.250 (4.0 times an even share)"


def test_panels_are_those_of_the_sheet_with_whole_sentences(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    file = tmp_path / "sheet.png"
    file.write_bytes(draw_region_sheet(image, (EVEN, PEAKED)))
    plain, even, peaked = read_panels(file)
    assert plain.caption == "the image"
    assert (plain.pixels[..., 0] == plain.pixels[..., 2]).all()
    assert even.caption == "1: a sentence  (darkest 0, brightest 0.250 (4.0 times an even share))"
    assert peaked.caption.startswith(f"2: {LONG}  (")
    assert np.array_equal(peaked.pixels, draw_map(image, PEAKED, scale_maps((EVEN, PEAKED)), (256, 256)))


def test_a_long_sentence_makes_room_and_the_colours_stand_below(tmp_path):
    image = np.zeros((64, 64), dtype=np.uint8)
    heights = []
    for number, each in enumerate((EVEN, PEAKED)):
        file = tmp_path / f"{number}.png"
        file.write_bytes(draw_region_sheet(image, (each,)))
        with Image.open(file) as sheet:
            heights.append(sheet.height)
            pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert heights[1] >= heights[0] + 14
    bar = pixels[-26:-16, 4:132].sum(axis=2)
    assert (np.diff(bar, axis=1) >= 0).all()
    assert bar[0, -1] > bar[0, 0] + 400


def test_other_pictures_have_no_panels(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "any.png")
    assert read_panels(tmp_path / "any.png") == ()
