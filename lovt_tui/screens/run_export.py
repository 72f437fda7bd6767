"""Asking what of the runs to save, and where."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from lovt_tui.actions.export import check_new_file, list_exports
from lovt_tui.messages import Act
from lovt_tui.screens.pick import Choice, PickScreen
from lovt_tui.screens.prompt import Prompt, PromptScreen

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


def export_runs(screen: Screen[None], shown: "Sequence[RunRow]", chosen: "Sequence[RunRow]") -> None:
    """Two questions, then the file."""
    exports = list_exports(shown, chosen)

    def ask_path(key: str | None) -> None:
        if key is None:
            return
        export = exports[key]

        def write(text: str | None) -> None:
            if text is not None:
                screen.post_message(Act(lambda workspace: export.write(workspace, text)))

        check = partial(check_new_file, formats=export.formats)
        screen.app.push_screen(PromptScreen(Prompt(f"Save {export.what} as", text=export.name, check=check)), write)

    choices = [Choice(key, export.what) for key, export in exports.items()]
    screen.app.push_screen(PickScreen("What to save", choices), ask_path)
