"""What all screens of the dashboard share: they show snapshots, and say what they want to see in them."""

from typing import ClassVar

from textual.screen import Screen

from lovt_tui.messages import ScreenOpened
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.widgets.top_bar import TopBar

HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-narrow"), (100, "-normal"), (150, "-wide")]
VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]
"""Classes of a screen from that many cells on, for the style sheet."""


class DashboardScreen(Screen[None], inherit_bindings=False):
    """Base of the screens that digits and `enter` lead to."""

    HORIZONTAL_BREAKPOINTS = HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = VERTICAL_BREAKPOINTS
    NOTES: ClassVar[tuple[str, ...]] = ()
    """Lines for the help of this screen, beside its keys."""

    @property
    def wanted(self) -> Watch:
        """What the poller is to watch for this screen."""
        return Watch()

    @property
    def is_built(self) -> bool:
        """Whether its widgets are there: not before it is composed, no longer while the app ends."""
        return bool(self.query(TopBar))

    def show(self, snapshot: Snapshot) -> None:
        """Show what is new. Called in the app's thread whenever the poller saw something."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """On top again: ask for what this screen shows."""
        self.post_message(ScreenOpened(self))
