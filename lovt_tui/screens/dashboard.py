"""What all screens of the dashboard share: they show snapshots, and act on the run in question."""

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from lovt_tui.messages import KillRun, ResumeRun, ScreenOpened, StopRun
from lovt_tui.screens.confirm import ConfirmScreen, kill_question, stop_question
from lovt_tui.snapshot import Snapshot, Watch
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-narrow"), (100, "-normal"), (150, "-wide")]
VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]
"""Classes of a screen from that many cells on, for the style sheet."""


class DashboardScreen(Screen[None], inherit_bindings=False):
    """Base of the screens that digits and `esc` lead to."""

    HORIZONTAL_BREAKPOINTS = HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = VERTICAL_BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "stop", "stop", tooltip="stop the run: it asks first, finishes the step and saves; again = kill"),
        Binding("r", "resume", "resume", tooltip="resume a stopped, interrupted, failed or lost run"),
    ]
    NOTES: ClassVar[tuple[str, ...]] = ()
    """Lines for the help of this screen, beside its keys."""

    @property
    def run_row(self) -> "RunRow | None":
        """The run that `x` and `r` are about."""
        return None

    @property
    def wanted(self) -> Watch:
        """What the poller is to watch for this screen."""
        return Watch()

    @property
    def is_built(self) -> bool:
        """Whether its widgets are there: not before it is composed, no longer while the app ends."""
        return bool(self.query(TopBar))

    def show(self, snapshot: Snapshot) -> None:
        """Show what is new."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """On top again: ask for what this screen shows."""
        self.post_message(ScreenOpened(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what has not ended can be stopped, and only what ended early resumed."""
        row = self.run_row
        match action:
            case "stop":
                return row is not None and row.is_active
            case "resume":
                return row is not None and row.is_resumable
            case _:
                return True

    def action_stop(self) -> None:
        """Ask, then stop; a run that is already stopping is killed, after another question."""
        row = self.run_row
        if row is None:
            return
        wish: StopRun | KillRun = KillRun(row.id) if row.stop_asked else StopRun(row.id)
        question = kill_question(row) if row.stop_asked else stop_question(row)

        def decide(agreed: bool | None) -> None:
            if agreed:
                self.post_message(wish)

        self.app.push_screen(ConfirmScreen(question), decide)

    def action_resume(self) -> None:
        """Queue the next attempt."""
        if (row := self.run_row) is not None:
            self.post_message(ResumeRun(row.id))
