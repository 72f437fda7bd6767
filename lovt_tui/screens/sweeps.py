"""Sweeps: the list, and the one under the cursor with its trials and what they say."""

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType

from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import OpenRun, ShowScreen, WatchRun
from lovt_tui.pages.sweeps import SweepsPage
from lovt_tui.pages.wishes import SweepsWish
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.screens.sweep_acting import SweepActingScreen
from lovt_tui.screens.text import TextScreen
from lovt_tui.sweeping.listing import SweepEntry
from lovt_tui.sweeping.permitting import Seen, is_allowed
from lovt_tui.sweeping.study import Study, SweepSummary
from lovt_tui.sweeping.trials import next_sort, trial_lines, turn_sort
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.sweep_panel import SweepPanel
from lovt_tui.widgets.sweep_table import SweepTable
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_core.sweeps.trials import Trial

TIGHT = 30
"""Lines of the terminal below which the study that somebody has entered takes the place of the list."""
NO_SWEEPS = "No sweeps yet. Press n, or try: lovt sweep run tiny"


class SweepsScreen(SweepActingScreen):
    """The list above; below it the trials, or one of the views, or both."""

    AUTO_FOCUS = "#sweeps"
    CSS_PATH = "../styles/sweeps.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("tab", "view(1)", "view", "next view: trials, history, importance, slice, contour, parallel, curves"),
        bind("shift+tab", "view(-1)", "previous view", bar=False),
        bind("left,h", "parameter(-1)", "previous parameter", "of the slice, or across in the contour", bar=False),
        bind("right,l", "parameter(1)", "next parameter", "of the slice, or across in the contour", bar=False),
        bind("less_than_sign,comma", "second(-1)", "parameter below", "upwards in the contour", bar=False),
        bind("greater_than_sign,full_stop", "second(1)", "parameter above", "upwards in the contour", bar=False),
        bind("o", "objective", "objective", "show the next of several objectives"),
        bind("s", "sort", "sort", "sort the trials by number, value or duration", bar=False),
        bind("S", "turn", "turn order", "the other direction", bar=False),
        bind("d", "detail", "details", "everything about the trial: parameters, settings, runs, cause", bar=False),
        bind(
            "y", "copy_id", "copy ids", "put the ids of the trial's runs on the clipboard, and into a file", bar=False
        ),
        bind("escape", "back", "back", "one step back: to the list of sweeps, then to the runs"),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "◆ is the best trial, or one on the Pareto front; pruned trials are dim.",
        "Validation scores alone decide. The winner is the best of many noisy",
        "numbers: f trains it again with fresh seeds.",
    )

    def __init__(self, workspace: "Workspace", place: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._place = place
        self._snapshot: Snapshot | None = None
        self._page: SweepsPage | None = None
        self._entered: str | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "Sweeps")
        yield Reason(id="problem")
        yield SweepTable(id="sweeps")
        yield SweepPanel()
        yield KeyBar()

    def on_mount(self) -> None:
        """Before the first look."""
        self.add_class("-empty")
        self.query_one(SweepTable).show((), f"Reading {self._place} …")

    @property
    def summary(self) -> SweepSummary | None:
        """The sweep under the cursor."""
        entry = self.query_one(SweepTable).selected
        return None if entry is None else entry.summary

    @property
    def study(self) -> Study | None:
        """The same in full, as soon as it is read."""
        study = self._page.study if self._page else None
        return study if study is not None and self.summary is not None and study.name == self.summary.name else None

    @property
    def trial(self) -> "Trial | None":
        """The trial under the cursor."""
        return self._panel.trial

    @property
    def wanted(self) -> Watch:
        """The list, and the sweep under the cursor in full."""
        return Watch(page=SweepsWish(self.summary.name if self.summary else None))

    @property
    def _panel(self) -> SweepPanel:
        return self.query_one(SweepPanel)

    def show(self, snapshot: Snapshot) -> None:
        """Show the list and the sweep under the cursor."""
        self.query_one(TopBar).show(snapshot)
        if not isinstance(snapshot.page, SweepsPage):
            return
        self._snapshot, self._page = snapshot, snapshot.page
        self.query_one("#problem", Reason).show(clean(self._page.problem or snapshot.error), "warning")
        self._show_list(self._page, snapshot.now)
        if self._entered is not None and self._entered not in {summary.name for summary in self._page.sweeps}:
            gone = f"the sweep {clean(self._entered)} is gone: its folder was removed"
            self.notify(gone, severity="warning", markup=False)
            self._leave()
        self._show_panel()

    def _show_list(self, page: SweepsPage, now: float) -> None:
        entries = tuple(SweepEntry(summary, now) for summary in page.sweeps)
        table = self.query_one(SweepTable)
        self.set_class(not entries, "-empty")
        table.styles.height = len(entries) + 1 if entries else 3
        table.show(entries, "" if page.problem else NO_SWEEPS)
        if self._awaited is not None and table.select(self._awaited):
            self._awaited = None

    def _show_panel(self) -> None:
        if self._snapshot is not None:
            self._panel.show(self.summary, self.study, self._snapshot)
        self.refresh_bindings()

    @on(LineTable.Highlighted, "#sweeps")
    def take_sweep(self) -> None:
        """Another sweep: it is read for the next snapshot."""
        self.post_message(WatchRun(self.wanted))
        self._show_panel()

    @on(LineTable.Highlighted, "#trials")
    def take_trial(self) -> None:
        """Other keys make sense."""
        self.refresh_bindings()

    @on(LineTable.Opened, "#sweeps")
    def enter_sweep(self) -> None:
        """On to its trials, also while they are still being read."""
        if self.summary is not None and self.summary.state != "damaged":
            self.add_class("-open")
            self._panel.go_to(self._panel.view)

    @on(LineTable.Opened, "#trials")
    def open_run(self) -> None:
        """The trial's run, on its own screen."""
        run_id = self._panel.run_id
        if run_id is None:
            self.notify("this trial has no run: d says what is known of it", markup=False)
        else:
            self.post_message(OpenRun(run_id))

    def on_resize(self, event: events.Resize) -> None:
        """Where list and study have no room together, the one with the focus stays."""
        self.set_class(event.size.height < TIGHT, "-tight")
        if event.size.height < TIGHT and self._entered is not None:
            self.add_class("-open")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click leads into the study and back too; the list stays where it is under the mouse."""
        self._entered = None if event.widget.id == "sweeps" or self.summary is None else self.summary.name

    def _leave(self) -> None:
        """Back to the list."""
        self.remove_class("-open")
        self.call_after_refresh(self.query_one(SweepTable).focus)

    def action_view(self, direction: int) -> None:
        """The next view."""
        self.add_class("-open")
        self._panel.step_view(direction)

    def action_parameter(self, direction: int) -> None:
        """Another parameter across."""
        self._panel.choose(first=direction)

    def action_second(self, direction: int) -> None:
        """Another parameter upwards."""
        self._panel.choose(second=direction)

    def action_objective(self) -> None:
        """The next objective."""
        self._panel.choose(objective=1)

    def action_sort(self) -> None:
        """By the next column."""
        self._panel.sort_by(next_sort(self._panel.sort))

    def action_turn(self) -> None:
        """The other direction."""
        self._panel.sort_by(turn_sort(self._panel.sort))

    def action_detail(self) -> None:
        """Everything about the trial."""
        trial, study, summary = self.trial, self.study, self.summary
        if trial is not None and study is not None and summary is not None:
            lines = trial_lines(study, trial, summary.state)
            self.app.push_screen(TextScreen(f"Trial {trial.number}", lines))

    def action_copy_id(self) -> None:
        """Ids, one a line."""
        if (trial := self.trial) is not None:
            self.app.copy_to_clipboard("\n".join(run.id for run in trial.runs))

    def action_back(self) -> None:
        """To the list, else to the runs."""
        if self.query_one(SweepTable).has_focus:
            self.post_message(ShowScreen("runs"))
        else:
            self._leave()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes sense just now."""
        if not self.is_built:
            return False
        seen = Seen(self.summary, self.study, self.trial, self._panel.seen)
        return is_allowed(action, seen) and super().check_action(action, parameters)
