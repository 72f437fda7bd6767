"""What can be done to the data set under the cursor: prepare it, check it, compare it, count it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message

from lovt_core.errors import LovtError
from lovt_tui.actions.data import check_versions, compare_with_others, prepare_data, stop_preparing
from lovt_tui.datasets.background import answer_later
from lovt_tui.datasets.describing import Line, describe_checks, describe_overlap, describe_statistics
from lovt_tui.datasets.preparing import Order
from lovt_tui.formatting import plural
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import Act
from lovt_tui.screens.confirm import ConfirmScreen, Question
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.text import TextScreen

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.pages.data import SetRow

Look = Callable[[], tuple[str, tuple[Line, ...]]]
"""Gives a sentence and the lines to read."""
READ_ERRORS = (LovtError, OSError, ValueError, KeyError, IndexError, TypeError)
"""What damaged or vanishing data raises."""
TEXT_WIDTH = 76


class DataActingScreen(DashboardScreen):
    """Base of the screen of data sets; says what is being looked at while a thread looks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("n", "prepare", "prepare", "prepare this data set from its download"),
        bind("x", "stop_preparing", "stop", "stop preparing; what is decoded is kept"),
        bind("c", "check", "check", "read every byte of its versions again"),
        bind("o", "overlap", "overlap", "films that it shares with other sets and between its own parts"),
        bind("i", "statistics", "statistics", "classes, boxes, pixels and reports per part of the split"),
        bind("y", "copy", "copy address", "copy the address of its download page", bar=False),
    ]

    @dataclass
    class Looked(Message):
        """A thread has looked."""

        title: str
        summary: str
        lines: tuple[Line, ...]
        failed: bool = False

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__()
        self._workspace = workspace
        self.looking = ""
        """Title of what a thread looks at; empty: nothing."""

    @property
    def set_row(self) -> "SetRow | None":
        """The data set under the cursor."""
        raise NotImplementedError

    def show_work(self) -> None:
        """Show what is being looked at."""
        raise NotImplementedError

    def action_prepare(self) -> None:
        """Ask for the folder and the options."""
        from lovt_tui.screens.prepare import PrepareScreen

        row = self.set_row

        def start(order: Order | None) -> None:
            if order is not None:
                self.post_message(Act(lambda workspace: prepare_data(workspace, order)))

        if row is not None and not row.is_preparing:
            last = None if row.preparation is None else row.preparation.order
            self.app.push_screen(PrepareScreen(row.data_set, last), start)

    def action_stop_preparing(self) -> None:
        """Ask first."""
        row = self.set_row
        if row is None or not row.is_preparing:
            return

        def stop(agreed: bool | None) -> None:
            if agreed:
                self.post_message(Act(lambda workspace: stop_preparing(workspace, row.name)))

        question = Question(f"Stop preparing {row.name}?", "What is decoded is kept; n goes on from there.")
        self.app.push_screen(ConfirmScreen(question), stop)

    def action_check(self) -> None:
        """Every byte."""
        row = self.set_row

        def look() -> tuple[str, tuple[Line, ...]]:
            assert row is not None
            checks = check_versions(row)
            damaged = sum(bool(check.problems) for check in checks)
            said = f"{row.name}: {f'{damaged} damaged of ' if damaged else ''}{plural(len(checks), 'version')} checked"
            return said, describe_checks(checks)

        if row is not None and row.versions:
            self._start(f"check of {row.name}", look)

    def action_overlap(self) -> None:
        """With all other sets, and within."""
        row = self.set_row

        def look() -> tuple[str, tuple[Line, ...]]:
            assert row is not None
            found = compare_with_others(self._workspace, row)
            sharing = sum(bool(films.images) for _, films in found.shared)
            return f"{row.name} shares films with {plural(sharing, 'other set')}", describe_overlap(found, TEXT_WIDTH)

        if row is not None and row.readable:
            self._start(f"overlap of {row.name}", look)

    def action_statistics(self) -> None:
        """Of each part of the split."""
        row = self.set_row

        def look() -> tuple[str, tuple[Line, ...]]:
            from lovt_tui.datasets.counting import measure_parts
            from lovt_tui.datasets.texts import statistics_rows

            assert row is not None
            parts = measure_parts(row.readable[0])
            lines = describe_statistics(statistics_rows(parts), [part.name for part in parts])
            return f"{row.name} is counted", lines

        if row is not None and row.readable:
            self._start(f"statistics of {row.name}", look)

    def action_copy(self) -> None:
        """The address of its download page."""
        if self.set_row is not None:
            self.app.copy_to_clipboard(self.set_row.data_set.url)

    def _start(self, title: str, look: Look) -> None:
        self.looking = title
        self.show_work()
        answer_later(self, partial(_look, title, look))

    def on_data_acting_screen_looked(self, event: Looked) -> None:
        """Show it here; elsewhere, or in a dialog, only say so. What was given up is dropped."""
        if event.title != self.looking:
            return
        self.looking = ""
        self.show_work()
        if event.failed:
            self.notify(event.summary, severity="error", markup=False)
        elif self.is_current:
            self.app.push_screen(TextScreen(event.title, event.lines))
        else:
            self.notify(event.summary, markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that have something to act on."""
        row = self.set_row
        match action:
            case "prepare":
                return row is not None and not row.is_preparing
            case "stop_preparing":
                return row is not None and row.is_preparing
            case "check":
                return row is not None and bool(row.versions)
            case "overlap" | "statistics":
                return row is not None and bool(row.readable)
            case "copy":
                return row is not None
            case _:
                return super().check_action(action, parameters)


def _look(title: str, look: Look) -> DataActingScreen.Looked:
    try:
        summary, lines = look()
    except READ_ERRORS as error:
        return DataActingScreen.Looked(title, f"{title}: {error}", (), failed=True)
    return DataActingScreen.Looked(title, summary, lines)
