"""Keys that arrive in one bunch, as over a slow link or from a paste, lose and change nothing."""

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Input

from lovt_tui.screens.prompt import Prompt, PromptScreen
from lovt_tui.widgets.line_input import LineInput
from tests.tui.factories import make_app, wait_for


class Typing(App[None]):
    def compose(self) -> ComposeResult:
        yield LineInput("")


def send(app: App[None], *keys: str) -> None:
    """All at once, before any of them is handled."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


async def test_editing_keys_act_in_their_order():
    app = Typing()
    async with app.run_test() as pilot:
        send(app, "a", "b", "x", "backspace", "c", "home", "z")
        await pilot.pause(0.1)
        assert app.query_one(Input).value == "zabc"
        send(app, "end", "ctrl+u", "n", "e", "w")
        await pilot.pause(0.1)
        assert app.query_one(Input).value == "new"


async def test_letters_behind_the_key_that_opens_a_line_are_typed_into_it(index, tmp_path):
    app = make_app(index, tmp_path)
    async with app.run_test(notifications=True, size=(100, 30)) as pilot:
        await wait_for(pilot, "tau03")
        send(app, "slash", "s", "i", "m", "c", "l", "r")
        await wait_for(pilot, "1 of 5 runs shown")
        await pilot.press("escape")
        await wait_for(pilot, "convirt")
        send(app, "t", "n", "e", "w")
        await wait_for(pilot, "Tags to add")
        assert app.screen.query_one(Input).value == "new"
        await pilot.press("escape")


async def test_a_prompt_keeps_what_was_typed_before_its_line_was_there():
    app = Typing()
    async with app.run_test() as pilot:
        app.push_screen(PromptScreen(Prompt("Name", text="x")))
        send(app, "y", "z")
        await pilot.pause(0.2)
        assert app.screen.query_one(Input).value == "xyz"
