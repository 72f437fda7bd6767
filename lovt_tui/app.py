"""The `lovt-tui` command: one app that routes what screens want and hands them what the poller saw."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

from lovt_core.errors import LovtError
from lovt_tui.actions import kill_run, resume_run, stop_run
from lovt_tui.formatting import abbreviate_home, clean
from lovt_tui.messages import (
    KillRun,
    OpenRun,
    ResumeRun,
    RunLaunched,
    ScreenOpened,
    SnapshotTaken,
    StopRun,
    WatchRun,
)
from lovt_tui.poller import Poller, Sources, open_sources
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.runs import RunsScreen
from lovt_tui.snapshot import Snapshot, find_ends
from lovt_tui.themes import THEMES

if TYPE_CHECKING:
    from textual.screen import Screen

    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace


class Dashboard(App[None], inherit_bindings=False):
    """The list of runs lies at the bottom of the stack; one run, or the start of one, lies on it."""

    CSS_PATH = "lovt.tcss"
    TITLE = "lovt-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "runs", "runs", show=False, tooltip="all runs"),
        Binding("2", "new", "new", show=False, tooltip="start a run from an experiment file"),
        Binding("question_mark,f1", "help", "help", tooltip="the keys that work where you are"),
        Binding("q,ctrl+q", "quit", "quit", tooltip="leave the dashboard; runs go on"),
        Binding("ctrl+c", "remind", "how to quit", show=False, tooltip="says how to quit; never touches a run"),
    ]

    def __init__(
        self, workspace: "Workspace", *, place: str, theme: str = "dark", sources: Sources | None = None
    ) -> None:
        """`place` is how the workspace is called on the screen; `sources` stand in for the real ones."""
        super().__init__()
        self._workspace = workspace
        self._place = place
        for known in THEMES.values():
            self.register_theme(known)
        self.theme = THEMES[theme].name
        self._poller = Poller(sources or open_sources(workspace), self._post_snapshot)
        self._snapshot: Snapshot | None = None

    def get_default_screen(self) -> "Screen[None]":
        """The list of runs."""
        return RunsScreen(self._place)

    def on_mount(self) -> None:
        """First the paint, then the reading, whose imports would hold it up."""
        self.call_after_refresh(self._poller.start)

    def on_unmount(self) -> None:
        """Stop reading; runs go on."""
        self._poller.finish()

    def _post_snapshot(self, snapshot: Snapshot) -> None:
        self.post_message(SnapshotTaken(snapshot))

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        """Hand it to all screens that show snapshots, those below too: they are seen when the upper one leaves."""
        for row in find_ends(self._snapshot, message.snapshot):
            self._announce_end(row)
        self._snapshot = message.snapshot
        for screen in self.screen_stack:
            if isinstance(screen, DashboardScreen) and screen.is_built:
                screen.show(message.snapshot)

    def _announce_end(self, row: "RunRow") -> None:
        """A note here, a bell, and a desktop notification of terminals that know OSC 9 (others ignore it)."""
        text = clean(f"{row.name} {row.state}" + (f": {row.detail.splitlines()[0]}" if row.detail else ""))
        self.notify(text, severity="information" if row.state == "finished" else "error", markup=False)
        self.bell()
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]9;{text}\x07")

    def on_screen_opened(self, message: ScreenOpened) -> None:
        """A screen came to the top: what is known at once, what it wants beside with the next snapshot."""
        if not message.screen.is_built:
            return
        self._poller.watch(message.screen.wanted)
        if self._snapshot is not None:
            message.screen.show(self._snapshot)

    def on_watch_run(self, message: WatchRun) -> None:
        """Read this from now on."""
        self._poller.watch(message.watch)

    def on_open_run(self, message: OpenRun) -> None:
        """Show one run."""
        from lovt_tui.screens.run import RunScreen

        self.push_screen(RunScreen(self._place, message.run_id))

    def on_stop_run(self, message: StopRun) -> None:
        """Ask it to stop."""
        self._act(lambda: stop_run(self._workspace, message.run_id))

    def on_kill_run(self, message: KillRun) -> None:
        """End it at once."""
        self._act(lambda: kill_run(self._workspace, message.run_id))

    def on_resume_run(self, message: ResumeRun) -> None:
        """Queue it again."""
        self._act(lambda: resume_run(self._workspace, message.run_id))

    @work(thread=True)
    def _act(self, action: Callable[[], str]) -> None:
        """Do it in a thread, and say what was done or why not."""
        try:
            self.notify(action(), markup=False)
        except (LovtError, OSError) as error:
            self.notify(str(error), severity="error", markup=False)
        self._poller.look_now()

    def on_run_launched(self, message: RunLaunched) -> None:
        """Back to the list, with the cursor on the new run."""
        self._poller.look_now()
        self.action_runs().select_when_seen(message.run_id)
        self.notify(f"{message.run_id} is queued", markup=False)

    def action_runs(self) -> RunsScreen:
        """All runs."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        base = self.screen_stack[0]
        assert isinstance(base, RunsScreen)
        return base

    def action_new(self) -> None:
        """Start a run."""
        from lovt_tui.screens.new import NewScreen

        if not isinstance(self.screen, NewScreen):
            self.action_runs()
            self.push_screen(NewScreen(self._workspace, self._place))

    def action_help(self) -> None:
        """What the keys do here."""
        from lovt_tui.screens.help import HelpScreen
        from lovt_tui.widgets.key_bar import live_keys

        screen = self.screen
        notes = screen.NOTES if isinstance(screen, DashboardScreen) else ()
        self.push_screen(HelpScreen(live_keys(screen), notes))

    def action_remind(self) -> None:
        """Say how to quit."""
        self.notify("q leaves the dashboard, and runs go on. x stops a run.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: finds the workspace and opens the dashboard on it."""
    options = _parser().parse_args(arguments)
    try:
        from lovt_core.runs.workspace import find_workspace

        workspace = find_workspace(options.workspace)
    except LovtError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        sys.stderr.write("error: the dashboard needs a terminal; scripts read `lovt runs --json`\n")
        sys.exit(2)
    app = Dashboard(workspace, place=abbreviate_home(workspace.path), theme=options.theme)
    app.run()
    sys.exit(app.return_code)


def _parser() -> argparse.ArgumentParser:
    from lovt_core import __version__

    parser = argparse.ArgumentParser(
        prog="lovt-tui",
        description="Dashboard of LoVT runs: watch, start, stop and resume them. Quitting never stops a run.",
        epilog="Everything here can be scripted with the `lovt` command.",
    )
    parser.add_argument("--version", action="version", version=f"lovt-tui {__version__}")
    parser.add_argument(
        "--workspace", "-w", type=Path, help="workspace folder [default: $LOVT_HOME, else the nearest lovt-workspace]"
    )
    parser.add_argument("--theme", choices=tuple(THEMES), default="dark", help="colours [default: dark]")
    return parser


if __name__ == "__main__":
    main()
