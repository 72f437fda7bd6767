"""What screens and the poller tell the app: each message names what somebody wants or what was seen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from lovt_tui.reading.snapshot import Snapshot, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from lovt_core.runs.workspace import Workspace
    from lovt_tui.screens.dashboard import DashboardScreen

ScreenName = Literal["runs", "new", "sweeps", "compare", "data"]


@dataclass
class SnapshotTaken(Message):
    """The poller saw something new."""

    snapshot: Snapshot


@dataclass
class ScreenOpened(Message):
    """A screen came to the top and wants to be filled."""

    screen: "DashboardScreen"


@dataclass
class WatchRun(Message):
    """A screen wants this in the snapshots from now on."""

    watch: Watch


@dataclass
class OpenRun(Message):
    """Show a run on its own screen."""

    run_id: str
    pinned: str | None = None
    """A run whose curves stand behind its own."""
    marked: tuple[str, ...] = ()
    """Runs whose curves are drawn beside."""


@dataclass
class Act(Message):
    """Do this in a thread, and say in its words what was done, or why not."""

    work: "Callable[[Workspace], str]"
    """Raises LovtError or OSError where it cannot be done."""


@dataclass
class ShowScreen(Message):
    """Go to one of the screens that digits lead to."""

    name: ScreenName


@dataclass
class RunLaunched(Message):
    """A new run is in the queue."""

    run_id: str


@dataclass
class NewFromRun(Message):
    """Start a run with the settings of another one."""

    run_id: str
