"""Lines broken at a width, and the views and boxes that show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App

from lovt_tui.app import Dashboard
from lovt_tui.formatting import Cell
from lovt_tui.screens.text import TextScreen
from lovt_tui.widgets.wrapped_view import WrappedView
from lovt_tui.widgets.wrapping import wrap_line, wrap_lines
from tests.tui.factories import make_sources, screen_text, wait_for

WORDS = " ".join(f"word{number}" for number in range(60))


def texts_of(lines):
    return ["".join(cell.text for cell in line) for line in lines]


def test_a_line_that_fits_is_left_alone():
    line = (Cell("  a", "dim"), Cell(" b"))
    assert wrap_lines((line, ()), 5) == (line, ())


def test_what_goes_on_is_indented_and_keeps_its_tone():
    lines = wrap_line((Cell("  key ", "dim"), Cell("one two three", "good")), 10)
    assert texts_of(lines) == ["  key one ", "    two ", "    three"]
    assert [cell.tone for cell in lines[2]] == ["", "good"]


def test_a_word_that_is_too_long_is_broken():
    assert texts_of(wrap_line((Cell("abcdefghij"),), 6)) == ["abcd", "  efgh", "  ij"]


@given(st.lists(st.text("ab 字", max_size=30), max_size=4), st.integers(4, 30))
def test_no_line_is_wider_and_no_letter_is_lost(parts, width):
    lines = wrap_line(
        tuple(Cell(part, tone) for part, tone in zip(parts, ("", "dim", "", "good"), strict=False)), width
    )
    assert all(cell_len(text.rstrip()) <= width for text in texts_of(lines))
    assert "".join("".join(texts_of(lines)).split()) == "".join("".join(parts).split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_box_wraps_its_lines_and_is_as_high_as_they_are(index, quiet_workspace, size):
    app = Dashboard(quiet_workspace, place="~/lab", sources=make_sources(index, quiet_workspace.runs))
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, "tau03")
        app.push_screen(TextScreen("Much to read", ((Cell(WORDS),), (Cell("the end"),))))
        shown = await wait_for(pilot, "the end")
        assert all(f"word{number}" in shown.split() for number in range(60))
        view = app.screen.query_one(WrappedView)
        assert view.size.height == view.virtual_size.height
        await pilot.resize_terminal(60, 24)
        shown = await wait_for(pilot, "the end")
        assert all(f"word{number}" in shown.split() for number in range(60))


async def test_keys_stay_below_a_text_that_is_too_long(index, quiet_workspace):
    app = Dashboard(quiet_workspace, place="~/lab", sources=make_sources(index, quiet_workspace.runs))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "tau03")
        app.push_screen(TextScreen("Much to read", tuple((Cell(f"line {number}"),) for number in range(90))))
        await wait_for(pilot, lambda shown: "line 3" in shown and "esc close" in shown)
        await pilot.press("end")
        await wait_for(pilot, lambda shown: "line 89" in shown and "esc close" in shown)


async def test_a_view_without_a_width_yet_asks_for_no_lines():
    asked = []

    def describe(width):
        asked.append(width)
        return ((Cell("x" * width),),)

    class OneView(App[None]):
        def compose(self):
            yield WrappedView()

        def on_mount(self):
            self.query_one(WrappedView).wrap(describe)

    async with OneView().run_test(size=(50, 10)) as pilot:
        await pilot.pause()
        assert "x" * 40 in screen_text(pilot.app)
    assert set(asked) <= {48, 49, 50}
