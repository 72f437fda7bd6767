"""What screens and the poller tell the app: each message names what somebody wants or what was seen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from lovt_tui.snapshot import Snapshot, Watch

if TYPE_CHECKING:
    from lovt_tui.screens.dashboard import DashboardScreen


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


@dataclass
class StopRun(Message):
    """Let a run finish its step, save and end."""

    run_id: str


@dataclass
class KillRun(Message):
    """End a run's worker at once."""

    run_id: str


@dataclass
class ResumeRun(Message):
    """Queue the next attempt of a run."""

    run_id: str


@dataclass
class RunLaunched(Message):
    """A new run is in the queue."""

    run_id: str
