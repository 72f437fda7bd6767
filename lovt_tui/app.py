"""The `lovt-tui` command: one app that routes what screens want and hands them what the poller saw."""

from typing import TYPE_CHECKING, ClassVar, assert_never

from textual import events, work
from textual.app import App
from textual.binding import BindingType
from textual.widgets import Input

from lovt_tui.changed_cells import TerminalMemory
from lovt_tui.formatting import abbreviate_home, clean, fit, plural
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
from lovt_tui.preferences import Preferences, state_folder
from lovt_tui.reading.poller import READ_ERRORS, Poller, describe_error
from lovt_tui.reading.snapshot import Snapshot, find_ends, find_new_alarms
from lovt_tui.reading.sources import Sources, open_sources
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.runs import RunsScreen
from lovt_tui.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from textual.screen import Screen

    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace


SLOW_SYNC_SECONDS = 2.0
"""Between two looks over a slow link."""


class Dashboard(App[None], inherit_bindings=False):
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
        self._memory = TerminalMemory()
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
        self.app_resume_signal.subscribe(self, lambda _: self._memory.forget())
        self.call_after_refresh(self._poller.start)

    def on_unmount(self) -> None:
        """Stop reading; runs go on."""
        self._poller.finish()

    async def on_event(self, event: events.Event) -> None:
        """Keys act in the order in which they come, however many arrive at once (a slow link, a paste).

        Textual hands a key to what has the focus, and looks for its action only when that did not want it; by then the
        next keys are under way, and would not be typed into the line that the first one opens.
        """
        is_ours = isinstance(event, events.Key) and not event.is_forwarded and not isinstance(self.focused, Input)
        if is_ours and await self._run_key(event):
            return
        await super().on_event(event)

    async def _run_key(self, event: events.Event) -> bool:
        """Do what a key is bound to here; whether it is bound to anything."""
        assert isinstance(event, events.Key)
        return await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key)

    def _display(self, screen: "Screen[object]", renderable: "RenderableType | None") -> None:
        """Send only cells that look different: textual draws whole widgets again where one digit has changed."""
        super()._display(screen, self._memory.narrow(renderable))

    def action_redraw(self) -> None:
        """All of it, whatever something else has written over it."""
        self._memory.forget()
        self.refresh(layout=True)

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

    def copy_to_clipboard(self, text: str) -> None:
        """By OSC 52, which no terminal answers, so into a file too."""
        from lovt_core.files import write_text_atomic

        super().copy_to_clipboard(text)
        path = state_folder() / "copied.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, text + "\n")
        first, *others = text.splitlines() or [""]
        more = f" and {plural(len(others), 'line')} more" if others else ""
        self.notify(f"copied, also to {abbreviate_home(path)}: {fit(first, 40).rstrip()}{more}", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where nothing fits."""
        self._memory.forget()
        from lovt_tui.screens.too_small import TooSmallScreen, is_too_small

        is_covered = isinstance(self.screen, TooSmallScreen)
        if is_too_small(event.size) and not is_covered:
            self.push_screen(TooSmallScreen())
        elif is_covered and not is_too_small(event.size):
            self.pop_screen()

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

    def action_suspend_process(self) -> None:
        """Back to the shell, where there is one; runs go on."""
        from lovt_tui.suspending import NOT_HERE, is_job, suspend_job

        if self._driver is not None and self._driver.can_suspend and is_job():
            self.app_suspend_signal.publish(self)
            suspend_job()
        else:
            self.notify(NOT_HERE)

    def action_remind(self) -> None:
        """Say how to quit."""
        self.notify("q leaves the dashboard, and runs go on. x stops a run.")

    def _handle_exception(self, error: Exception) -> None:
        """Leave with a sentence instead of a traceback, which goes to a file; runs do not care."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        from lovt_tui.crash import describe_crash

        self._return_code = 1
        self.exit(return_code=1, message=describe_crash(error))
