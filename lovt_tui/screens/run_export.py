"""Asking what of the runs to save, and where."""

from collections.abc import Sequence
from pathlib import Path
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
        what, name, export = exports[key]

        def write(text: str | None) -> None:
            if text is not None:
                screen.post_message(Act(lambda workspace: export(workspace, Path(text.strip()))))

        screen.app.push_screen(PromptScreen(Prompt(f"Save {what} as", text=name, check=check_new_file)), write)

    choices = [Choice(key, what) for key, (what, _, _) in exports.items()]
    screen.app.push_screen(PickScreen("What to save", choices), ask_path)
