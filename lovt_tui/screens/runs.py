"""The first screen: all runs, live, and the one under the cursor in more detail."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from lovt_tui.actions.runs import toggle_queue
from lovt_tui.formatting import clean, label_run
from lovt_tui.keyboard.keys import bind
from lovt_tui.listing.describing_settings import diff_lines
from lovt_tui.listing.filtering import find_unknown
from lovt_tui.listing.run_order import click_sort, next_sort, turn_sort
from lovt_tui.listing.run_view import (
    RunChoice,
    choose_pair,
    describe_emptiness,
    describe_problem,
    describe_surroundings,
)
from lovt_tui.messages import Act, OpenRun, ShowScreen, WatchRun
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.screens.run_acting import RunActingScreen
from lovt_tui.screens.run_export import export_runs
from lovt_tui.screens.text import TextScreen
from lovt_tui.widgets.chart_layers import Company
from lovt_tui.widgets.filter_bar import FilterBar
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.run_panel import NUM_CHARTS, RunPanel
from lovt_tui.widgets.run_table import RunTable
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


class RunsScreen(RunActingScreen):
    """Table above, panel below."""

    AUTO_FOCUS = "RunTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("space", "mark", "mark", "mark the run: keys act on all marked ones, their curves are drawn together"),
        bind("p", "pin", "pin", "pin the run: its curves stay behind all others; again: no longer"),
        bind("n", "new_run", "new", "start a run from an experiment file"),
        bind("slash", "filter", "filter", "show only some runs"),
        bind("s", "sort", "sort", "sort by the next column", bar=False),
        bind("S", "turn", "turn order", "the other direction", bar=False),
        bind("d", "diff", "diff", "settings and metrics of this run beside the pinned, or of two marked ones"),
        bind("e", "export", "export", "save the list, or the curves of the marked runs", bar=False),
        bind("w", "pause_queue", "pause queue", "start no queued run, or start them again", bar=False),
        bind("escape", "back", "back", "one step back: drop the marks, then the filter"),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "A filter: words of the name, state: method: kind: task: tag:,",
        "age<2d, best.val/loss<3.5, cfg.training.batch_size>=64; a minus in front",
        "means not. All parts must fit; * stands for anything.",
    )

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place
        self._snapshot: Snapshot | None = None
        self._awaited: str | None = None
        self._choice = RunChoice()
        self._sort = ""
        self._pinned: str | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "Runs")
        yield Reason(id="problem")
        yield FilterBar()
        yield RunTable()
        yield RunPanel()
        yield KeyBar()

    def on_mount(self) -> None:
        """Before the first look."""
        self.query_one(RunTable).show((), f"Reading {self._place} …")
        self.query_one(RunPanel).add_class("-empty")

    @property
    def run_row(self) -> "RunRow | None":
        """The run under the cursor."""
        return self.query_one(RunTable).selected

    @property
    def run_rows(self) -> "tuple[RunRow, ...]":
        """The marked runs, else the one under the cursor."""
        return self.query_one(RunTable).targets

    @property
    def wanted(self) -> Watch:
        """The charts and the end of the log of the run under the cursor."""
        row = self.run_row
        return Watch(row.id if row else None, num_curves=NUM_CHARTS, beside=self.company.ids)

    @property
    def company(self) -> Company:
        """The runs whose curves are drawn beside those of the run under the cursor."""
        row, table = self.run_row, self.query_one(RunTable)
        marked = tuple(each.id for each in table.targets) if table.num_marked else ()
        return Company(self._pinned, tuple(run_id for run_id in marked if row is None or run_id != row.id))

    def show(self, snapshot: Snapshot) -> None:
        """Show the runs that fit the filter."""
        self._snapshot = snapshot
        self._show_table(snapshot)
        self.query_one(TopBar).show(snapshot)
        problem = self.query_one(FilterBar).problem or describe_problem(snapshot)
        self.query_one("#problem", Reason).show(clean(problem), "warning")
        self.query_one(RunPanel).show(self.run_row, snapshot, self.company)
        self.refresh_bindings()

    def select_when_seen(self, run_id: str) -> None:
        """Put the cursor on a run as soon as a snapshot has it."""
        self._awaited = run_id
        if self._snapshot is not None:
            self._show_table(self._snapshot)

    def _show_table(self, snapshot: Snapshot) -> None:
        bar, table = self.query_one(FilterBar), self.query_one(RunTable)
        rows = self._choice.choose(snapshot, bar.filter, self._sort)
        table.set_surroundings(describe_surroundings(snapshot, self._pinned))
        table.show(rows, describe_emptiness(snapshot))
        bar.show_count(len(rows), len(snapshot.runs), find_unknown(bar.filter, snapshot.runs))
        if self._awaited is not None and table.select(self._awaited):
            self._awaited = None

    def action_new_run(self) -> None:
        """The screen that starts runs."""
        self.post_message(ShowScreen("new"))

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_back(self) -> None:
        """Drop the marks, else the filter."""
        if self.query_one(RunTable).num_marked:
            self.query_one(RunTable).clear_marks()
            self._look_again()
        else:
            self.query_one(FilterBar).drop()

    def action_mark(self) -> None:
        """Mark, and go on to the next."""
        self.query_one(RunTable).toggle_mark()
        self._look_again()

    def action_pin(self) -> None:
        """Pin the run under the cursor, or let it go."""
        row = self.run_row
        if row is not None:
            self._pinned = None if row.id == self._pinned else row.id
            self._look_again()

    def action_sort(self) -> None:
        """By the next column."""
        self._sort_by(next_sort(self._sort))

    def action_turn(self) -> None:
        """The other direction."""
        self._sort_by(turn_sort(self._sort))

    def _sort_by(self, sort: str) -> None:
        self._sort = sort
        self.query_one(RunTable).set_sort(sort)
        self._look_again()

    def _look_again(self) -> None:
        self.post_message(WatchRun(self.wanted))
        if self._snapshot is not None:
            self.show(self._snapshot)

    def action_diff(self) -> None:
        """Two runs side by side."""
        if pair := self._pair():
            first, second = pair
            title = f"{label_run(first)} | {label_run(second)}"
            self.app.push_screen(TextScreen(title, partial(diff_lines, first, second)))

    def _pair(self) -> "tuple[RunRow, ...]":
        pinned = self._snapshot.find_run(self._pinned) if self._snapshot else None
        return choose_pair(self.run_rows, pinned, self.run_row)

    def action_export(self) -> None:
        """Ask what and where to."""
        export_runs(self, self.query_one(RunTable).entries, self.run_rows)

    def action_pause_queue(self) -> None:
        """Pause the queue, or let it go on."""
        self.post_message(Act(toggle_queue))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes sense just now."""
        table = self.query_one(RunTable)
        match action:
            case "back":
                return bool(self.query_one(FilterBar).filter.text or table.num_marked)
            case "mark" | "pin" | "sort" | "export":
                return bool(table.entries)
            case "turn":
                return bool(self._sort)
            case "diff":
                return bool(self._pair())
            case _:
                return super().check_action(action, parameters)

    def on_filter_bar_changed(self) -> None:
        """Show what fits now."""
        if self._snapshot is not None:
            self.show(self._snapshot)
        self.refresh_bindings()

    def on_filter_bar_left(self) -> None:
        """Done typing."""
        self.query_one(RunTable).focus()

    def on_line_table_highlighted(self) -> None:
        """Another run: its panel fills with the next snapshot."""
        self.post_message(WatchRun(self.wanted))
        if self._snapshot is not None:
            self.query_one(RunPanel).show(self.run_row, self._snapshot, self.company)
        self.refresh_bindings()

    def on_line_table_heading_clicked(self, event: RunTable.HeadingClicked) -> None:
        """Sort by what was clicked."""
        if column := self.query_one(RunTable).column_at(event.x):
            self._sort_by(click_sort(self._sort, column))

    def on_line_table_opened(self, event: RunTable.Opened) -> None:
        """Look closer, with the pinned and the marked runs beside."""
        company = self.company
        self.post_message(OpenRun(event.key, company.pinned, company.marked))
