"""People's own keys and looks, the palette, ASCII, terminals that are too small, failures of the dashboard itself."""

import pytest
from rich.segment import Segment
from textual.color import Color

from lovt_core.errors import InputError
from lovt_tui.ascii_mode import AsciiFilter, to_ascii
from lovt_tui.crash import describe_crash
from lovt_tui.keyboard.key_names import PLACES, collect, describe_keys
from lovt_tui.preferences import Preferences, load_preferences
from tests.tui.factories import make_app, screen_text, wait_for


def load(tmp_path, text):
    file = tmp_path / "dashboard.toml"
    file.write_text(text)
    return load_preferences(file)


def test_no_file_means_the_defaults(tmp_path):
    assert load_preferences(tmp_path / "none.toml") == Preferences()


def test_a_file(tmp_path):
    found = load(tmp_path, 'theme = "light"\nslow_link = true\n[keys]\nstop = "ctrl+x,f8"\n')
    assert found == Preferences("light", slow_link=True, keys={"stop": "ctrl+x,f8"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theme = 'pink'", "theme: 'pink' is none: one of dark, light"),
        ("colour = 1", "unknown key 'colour': known are theme, ascii, slow_link, keys"),
        ("ascii = 1", "ascii: '1' is neither true nor false"),
        ("keys = 1", "keys: a table of names and keys"),
        ("[keys]\nstopp = 'z'", "no action is called 'stopp', did you mean stop?"),
        ("[keys]\nstop = 'nokey'", "stop: 'nokey' is no key"),
        ("[keys]\nstop = 'r'", "'r' would be both"),
        ("not toml", "cannot be read"),
    ],
)
def test_wrong_files(tmp_path, text, message):
    with pytest.raises(InputError, match=r"dashboard\.toml") as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


def test_every_action_has_a_name_a_key_and_words():
    text = describe_keys()
    for place in PLACES:
        assert f"# {place}\n" in text
        for name, binding in collect(place).items():
            assert name
            assert binding.key
            assert binding.description, name


def test_the_list_of_keys_can_stand_in_the_file(tmp_path):
    assert load(tmp_path, f"[keys]\n{_unique(describe_keys())}").keys["stop"] == "x"


def _unique(text):
    lines = {line.split("=")[0]: line for line in text.splitlines() if not line.startswith("#")}
    return "\n".join(lines.values())


def test_the_list_shows_the_keys_that_people_have_set():
    assert '"stop" = "f8"  # stop the run' in describe_keys({"stop": "f8"})


async def test_other_keys_work_and_the_bar_says_so(index, tmp_path):
    app = make_app(index, tmp_path)
    app.set_keymap({"stop": "f8"})
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        shown = await wait_for(pilot, "tau03")
        await pilot.press("x")
        await pilot.pause()
        assert "Stop tau03?" not in screen_text(app)
        await pilot.press("f8")
        shown = await wait_for(pilot, "Stop tau03?")
        assert shown


async def test_the_palette_finds_actions_and_runs(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(100, 30)) as pilot:
        await wait_for(pilot, "tau03")
        await pilot.press("colon")
        await wait_for(pilot, "what to do, or the name of a run")
        await pilot.press(*"simclr")
        await wait_for(pilot, "run simclr  failed")
        await pilot.press("down", "enter")
        await wait_for(pilot, "✘ failed  simclr")
        await pilot.press("escape", "ctrl+p")
        await wait_for(pilot, "what to do")
        await pilot.press(*"pin the run")
        await pilot.pause(0.4)
        await pilot.press("down", "enter")
        await wait_for(pilot, "P ")


def test_ascii_keeps_places():
    text = "▸ ● running ██░ 41% 0.7±.1 ╭─ ⠉⠒ ─╮ …日"
    drawn = to_ascii(text)
    assert drawn.isascii()
    assert drawn == "> * running ##. 41% 0.7~.1 +- .. -+ ~??"
    (segment,) = AsciiFilter().apply([Segment("●")], Color(0, 0, 0))
    assert segment.text == "*"


async def test_a_terminal_that_is_too_small_says_what_it_needs(index, tmp_path):
    async with make_app(index, tmp_path).run_test(size=(39, 9)) as pilot:
        await wait_for(pilot, "needs 40x10 cells")
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, "tau03")
        await pilot.resize_terminal(30, 5)
        await wait_for(pilot, "needs 40x10")
        await pilot.press("q")


def test_a_failure_of_the_dashboard_leaves_its_details(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    said = describe_crash(ValueError("broken\nin two lines"))
    assert said.startswith("The dashboard failed (ValueError: broken). Runs go on; start it again. Details: ")
    assert "ValueError: broken" in next((tmp_path / "lovt").glob("dashboard-error-*.txt")).read_text()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert "could not be saved" in describe_crash(ValueError("broken"))
