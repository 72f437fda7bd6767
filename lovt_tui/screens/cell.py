"""One score of the comparison in full, and the way to its run."""

from typing import ClassVar

from textual.binding import BindingType

from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import OpenRun
from lovt_tui.screens.text import TextScreen
from lovt_tui.widgets.line_view import Line


class CellScreen(TextScreen):
    """Lines to read; `o` opens the run where there is one."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("o", "open_run", "open run", "the run that brings this score")]

    def __init__(self, title: str, lines: tuple[Line, ...], run_id: str | None) -> None:
        super().__init__(title, lines)
        self._run_id = run_id

    def action_open_run(self) -> None:
        """Leave, and show the run."""
        if self._run_id is not None:
            self.dismiss()
            self.app.post_message(OpenRun(self._run_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Published and imported scores, and those not run, have no run."""
        return self._run_id is not None if action == "open_run" else super().check_action(action, parameters)
