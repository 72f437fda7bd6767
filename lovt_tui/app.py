"""The `lovt-tui` command: one app that routes what screens want and hands them what the poller saw."""

from typing import TYPE_CHECKING, ClassVar, assert_never

from textual import work
from textual.binding import BindingType

from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import (
    Act,
    NewFromRun,
    OpenRun,
    RunLaunched,
    ScreenName,
    ScreenOpened,
    ShowScreen,
    SnapshotTaken,
    WatchRun,
)
from lovt_tui.preferences import Preferences
from lovt_tui.reading.poller import READ_ERRORS, Poller, describe_error
from lovt_tui.reading.snapshot import Snapshot, find_ends, find_new_alarms
from lovt_tui.reading.sources import Sources, open_sources
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.runs import RunsScreen
from lovt_tui.terminal_app import TerminalApp
from lovt_tui.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace


SLOW_SYNC_SECONDS = 2.0
"""Between two looks over a slow link."""


class Dashboard(TerminalApp, inherit_bindings=False):
    """The list of runs lies at the bottom of the stack; one run, or the start of one, lies on it."""

    CSS_PATH = "lovt.tcss"
    TITLE = "lovt-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("1", "runs", "runs", "all runs", bar=False),
        bind("2", "new", "new", "start a run from an experiment file", bar=False),
        bind("3", "sweeps", "sweeps", "searches over hyper-parameters", bar=False),
        bind("4", "compare", "compare", "encoders by the 18 tasks", bar=False),
        bind("5", "data", "data", "data sets: prepare, look at", bar=False),
        bind("ctrl+p,colon", "palette", "palette", "find what to do, or a run, by some of its letters", bar=False),
        bind("question_mark,f1", "help", "help", "the keys that work where you are"),
        bind("q,ctrl+q", "quit", "quit", "leave the dashboard; runs go on"),
        bind("ctrl+l", "redraw", "redraw", "draw everything again, where something has written over it", bar=False),
        bind("ctrl+z", "suspend_process", "suspend", "back to the shell; fg goes on", bar=False, priority=True),
        bind("ctrl+c", "remind", "how to quit", "says how to quit; never touches a run", bar=False),
    ]

    def __init__(
        self,
        workspace: "Workspace",
        *,
        place: str,
        preferences: Preferences = Preferences(),
        sources: Sources | None = None,
    ) -> None:
        """`place` is how the workspace is called on the screen; `sources` stand in for the real ones."""
        super().__init__()
        self._workspace = workspace
        self._place = place
        for known in THEMES.values():
            self.register_theme(known)
        self.theme = THEMES[preferences.theme].name
        self.set_keymap(dict(preferences.keys))
        self.is_ascii = preferences.ascii
        if self.is_ascii:
            from lovt_tui.ascii_mode import AsciiFilter

            self._filters.append(AsciiFilter())
        seconds = SLOW_SYNC_SECONDS if preferences.slow_link else None
        self._poller = Poller(sources or open_sources(workspace), self._post_snapshot, seconds)
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
        """Hand it to the screen that is seen."""
        for row in find_ends(self._snapshot, message.snapshot):
            self._announce_end(row)
        for row, text in find_new_alarms(self._snapshot, message.snapshot):
            self.notify(clean(f"{row.name}: {text}"), severity="warning", markup=False)
            self.bell()
        self._snapshot = message.snapshot
        if (screen := self._find_shown()) is not None:
            screen.show(message.snapshot)

    def _find_shown(self) -> DashboardScreen | None:
        """The screen that is seen, also below a dialog; the others are filled when they come back."""
        shown = [each for each in self.screen_stack if isinstance(each, DashboardScreen)]
        return shown[-1] if shown and shown[-1].is_built else None

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
        """Read what the screen on top wants; those below it ask again when they are back."""
        if (screen := self._find_shown()) is not None:
            self._poller.watch(screen.wanted)

    def on_open_run(self, message: OpenRun) -> None:
        """Show one run."""
        from lovt_tui.screens.run import RunScreen
        from lovt_tui.widgets.chart_layers import Company

        company = Company(message.pinned, message.marked)
        self.push_screen(RunScreen(self._workspace, self._place, message.run_id, company))

    def on_act(self, message: Act) -> None:
        """Do it in a thread."""
        self._act(message.work)

    @work(thread=True)
    def _act(self, action: "Callable[[Workspace], str]") -> None:
        """Say what was done or why not."""
        try:
            self.notify(action(self._workspace), markup=False)
        except READ_ERRORS as error:
            self.notify(describe_error(error), severity="error", markup=False)
        self._poller.look_now()

    def on_run_launched(self, message: RunLaunched) -> None:
        """Back to the list, with the cursor on the new run."""
        self._poller.look_now()
        self.action_runs().select_when_seen(message.run_id)
        self.notify(f"{message.run_id} is queued", markup=False)

    def on_show_screen(self, message: ShowScreen) -> None:
        """Go there."""
        self._go_to(message.name)

    def on_new_from_run(self, message: NewFromRun) -> None:
        """The screen that starts runs, with the settings of a run."""
        from lovt_tui.screens.new import NewScreen

        screen = self._go_to("new")
        assert isinstance(screen, NewScreen)
        screen.start_from_run(message.run_id)

    def _go_to(self, name: ScreenName) -> DashboardScreen:
        """Show one of the screens that digits lead to; it is as it was left."""
        if name != "runs" and not self.is_screen_installed(name):
            self.install_screen(self._build_screen(name), name)
        wanted = self.screen_stack[0] if name == "runs" else self.get_screen(name)
        while len(self.screen_stack) > 1 and self.screen is not wanted:
            self.pop_screen()
        if self.screen is not wanted:
            self.push_screen(wanted)
        assert isinstance(wanted, DashboardScreen)
        return wanted

    def _build_screen(self, name: ScreenName) -> DashboardScreen:
        match name:
            case "runs":
                return RunsScreen(self._place)
            case "new":
                from lovt_tui.screens.new import NewScreen

                return NewScreen(self._workspace, self._place)
            case "sweeps":
                from lovt_tui.screens.sweeps import SweepsScreen

                return SweepsScreen(self._workspace, self._place)
            case "compare":
                from lovt_tui.screens.compare import CompareScreen

                return CompareScreen(self._workspace, self._place)
            case "data":
                from lovt_tui.screens.data import DataScreen

                return DataScreen(self._workspace, self._place)
        assert_never(name)

    def action_runs(self) -> RunsScreen:
        """All runs."""
        screen = self._go_to("runs")
        assert isinstance(screen, RunsScreen)
        return screen

    def action_new(self) -> None:
        """Start a run."""
        self._go_to("new")

    def action_sweeps(self) -> None:
        """Sweeps."""
        self._go_to("sweeps")

    def action_compare(self) -> None:
        """The comparison."""
        self._go_to("compare")

    def action_data(self) -> None:
        """Data sets."""
        self._go_to("data")

    def action_palette(self) -> None:
        """Find what to do."""
        from lovt_tui.keyboard.palette import build_palette

        self.push_screen(build_palette(self.screen, self._snapshot))

    def action_help(self) -> None:
        """What the keys do here."""
        from lovt_tui.screens.help import HelpScreen
        from lovt_tui.widgets.key_bar import live_keys

        screen = self.screen
        notes = screen.NOTES if isinstance(screen, DashboardScreen) else ()
        self.push_screen(HelpScreen(live_keys(screen), notes))

    async def action_quit(self) -> None:
        """Leave; changes to a form that are not saved are asked about first."""
        from lovt_tui.screens.confirm import ConfirmScreen, Question

        unsaved = self._find_unsaved()
        if not unsaved:
            self.exit()
            return

        def decide(agreed: bool | None) -> None:
            if agreed:
                self.exit()

        question = Question("Leave?", f"The changes to {unsaved} in New are not saved: w there saves them as a file.")
        self.push_screen(ConfirmScreen(question), decide)

    def _find_unsaved(self) -> str:
        if not self.is_screen_installed("new"):
            return ""
        from lovt_tui.screens.new import NewScreen

        screen = self.get_screen("new")
        return screen.unsaved if isinstance(screen, NewScreen) else ""

    def action_remind(self) -> None:
        """Say how to quit."""
        self.notify("q leaves the dashboard, and runs go on. x stops a run.")
