"""The question before gaps are filled: however many evaluations, each stands there with its tasks."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label

from lovt_tui.screens.confirm import ConfirmScreen, Question
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import Line, LineView


class FillingScreen(ConfirmScreen):
    """Yes or no, below lines that scroll."""

    def __init__(self, title: str, lines: tuple[Line, ...]) -> None:
        super().__init__(Question(title, ""))
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Title, lines, keys."""
        with Vertical(classes="dialog text"):
            yield Label(self._question.title, classes="title", markup=False)
            yield LineView(id="fill-lines")
            yield KeyBar()

    def on_mount(self) -> None:
        """As high as the lines are."""
        view = self.query_one(LineView)
        view.styles.height = max(1, len(self._lines))
        view.show(self._lines)
        view.focus()
