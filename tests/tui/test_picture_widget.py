"""Pictures on a screen: their shape, their marks, files that cannot be read, and no colour."""

import numpy as np
import pytest
from PIL import Image
from textual.app import App

from lovt_core.errors import DataError
from lovt_tui.ascii_mode import AsciiFilter
from lovt_tui.pictures import Mark
from lovt_tui.widgets.picture import Picture
from lovt_tui.widgets.picture_drawing import draw_picture, load_pixels
from tests.tui.factories import screen_text, wait_for

LEGEND = (Mark("L", (255, 0, 0), "lesion"), Mark("N", (0, 255, 0), "nodule"))


class Frame(App[None]):
    """A picture and nothing else."""

    CSS = "Picture { height: 1fr; }"

    def compose(self):
        yield Picture()


def texts(lines):
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize(
    ("shape", "cells", "expected"),
    [((224, 224), (40, 20), (20, 40)), ((400, 200), (60, 10), (10, 10)), ((10, 1000), (50, 10), (1, 50))],
)
def test_a_picture_keeps_its_shape(shape, cells, expected):
    lines = texts(draw_picture(np.zeros(shape, dtype=np.uint8), None, (), cells, colour=True))
    assert (len(lines), len(lines[0])) == expected


def test_colours_stand_where_the_pixels_are():
    pixels = np.zeros((2, 4, 3), dtype=np.uint8)
    pixels[0, :2] = (10, 20, 30)
    ((first, second),) = draw_picture(pixels, None, (), (4, 1), colour=True)
    assert (first.text, second.text) == ("▀▀", "▀▀")
    assert first.style.color.triplet == (10, 20, 30)
    assert first.style.bgcolor.triplet == (0, 0, 0)
    assert second.style.color.triplet == (0, 0, 0)


@pytest.mark.parametrize("cells", [(8, 4), (20, 10), (64, 32), (100, 50)])
def test_no_mark_is_lost_however_small(cells):
    pixels = np.full((64, 64), 128, dtype=np.uint8)
    marks = np.zeros((64, 64), dtype=np.uint8)
    marks[17, 5] = 1
    marks[40:44, 30] = 2
    text = "".join(texts(draw_picture(pixels, marks, LEGEND, cells, colour=False)))
    assert "L" in text
    assert "N" in text
    lines = draw_picture(pixels, marks, LEGEND, cells, colour=True)
    styles = [segment.style for line in lines for segment in line]
    colours = {colour.triplet for style in styles for colour in (style.color, style.bgcolor)}
    assert (255, 0, 0) in colours
    assert (0, 255, 0) in colours


def test_marks_lie_where_they_belong():
    marks = np.zeros((40, 40), dtype=np.uint8)
    marks[30:, :10] = 1
    lines = texts(draw_picture(np.zeros((40, 40), dtype=np.uint8), marks, LEGEND, (20, 10), colour=False))
    assert [line.count("L") for line in lines] == [0] * 7 + [5] * 3
    assert lines[9] == "LLLLL" + " " * 15


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16", "1", "CMYK"])
def test_files_of_all_modes(tmp_path, mode):
    path = tmp_path / ("film.tif" if mode == "CMYK" else "film.png")
    Image.new(mode, (30, 20)).save(path)
    assert load_pixels(path).shape == (20, 30, 3)


def test_large_files_are_shrunk_and_bad_ones_named(tmp_path):
    Image.new("L", (3000, 1500)).save(tmp_path / "large.png")
    assert load_pixels(tmp_path / "large.png").shape == (512, 1024, 3)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad\.png"):
        load_pixels(tmp_path / "bad.png")


async def test_a_file_is_shown_and_drawn_again_on_resize(tmp_path):
    Image.new("RGB", (100, 50), (200, 10, 10)).save(tmp_path / "a.png")
    async with Frame().run_test(size=(40, 20)) as pilot:
        picture = pilot.app.query_one(Picture)
        picture.show_file(tmp_path / "a.png")
        shown = await wait_for(pilot, "▀")
        assert shown.count("▀") == 40 * 10
        assert shown.splitlines()[5] == "▀" * 40
        await pilot.resize_terminal(20, 20)
        await wait_for(pilot, lambda shown: shown.count("▀") == 20 * 5)


async def test_a_file_that_changes_is_read_again_and_one_that_did_not_is_not(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.new("L", (100, 50)).save(path)
    async with Frame().run_test(size=(40, 20)) as pilot:
        picture = pilot.app.query_one(Picture)
        picture.show_file(path)
        await wait_for(pilot, lambda shown: shown.count("▀") == 400)
        monkeypatch.setattr(picture, "run_worker", lambda *given, **named: pytest.fail("read again"))
        picture.show_file(path)
        monkeypatch.undo()
        Image.new("L", (100, 100)).save(path)
        picture.show_file(path)
        await wait_for(pilot, lambda shown: shown.count("▀") == 40 * 20)


async def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    async with Frame().run_test(size=(120, 20)) as pilot:
        picture = pilot.app.query_one(Picture)
        picture.show_file(tmp_path / "absent.png")
        await wait_for(pilot, "No such file or directory")
        picture.show_file(tmp_path / "bad.png")
        await wait_for(pilot, "bad.png")
        assert "▀" not in screen_text(pilot.app)
        assert picture.text


async def test_the_legend_says_what_marks_mean(tmp_path):
    pixels, marks = np.full((64, 64), 90, dtype=np.uint8), np.zeros((64, 64), dtype=np.uint8)
    marks[8:20, 8] = 1
    async with Frame().run_test(size=(40, 20)) as pilot:
        pilot.app.query_one(Picture).show_pixels(pixels, marks, LEGEND)
        shown = await wait_for(pilot, "▀")
        assert shown.splitlines()[-1] == " █ lesion   █ nodule"
        await pilot.resize_terminal(40, 3)
        await wait_for(pilot, lambda shown: "lesion" not in shown and "▀" in shown)


@pytest.mark.parametrize(("how", "expected"), [("NO_COLOR", "▓L▓"), ("ascii", "#L#")])
async def test_shades_and_letters_without_colour(monkeypatch, how, expected):
    if how == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    app = Frame()
    if how == "ascii":
        app._filters.append(AsciiFilter())
        app.is_ascii = True
    pixels, marks = np.full((64, 64), 200, dtype=np.uint8), np.zeros((64, 64), dtype=np.uint8)
    marks[8:20, 8] = 1
    async with app.run_test(size=(40, 20)) as pilot:
        pilot.app.query_one(Picture).show_pixels(pixels, marks, LEGEND)
        shown = await wait_for(pilot, expected)
        assert "▀" not in shown
        assert shown.splitlines()[-1] == " L lesion   N nodule"
