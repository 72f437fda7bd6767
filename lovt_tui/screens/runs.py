"""The first screen: all runs, live, and the one under the cursor in more detail."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lovt_tui.formatting import clean
from lovt_tui.messages import OpenRun, WatchRun
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.snapshot import Snapshot, Watch
from lovt_tui.widgets.filter_bar import FilterBar
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.run_columns import Entry
from lovt_tui.widgets.run_panel import NUM_CHARTS, RunPanel
from lovt_tui.widgets.run_table import RunTable
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

NO_RUNS = "No runs yet. Press n, or try: lovt demo"


class RunsScreen(DashboardScreen):
    """Table above, panel below."""

    AUTO_FOCUS = "RunTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.new", "new", tooltip="start a run from an experiment file"),
        Binding("slash", "filter", "filter", tooltip="show only some runs"),
        Binding("escape", "drop_filter", "show all", tooltip="drop the filter and show all runs"),
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
    def wanted(self) -> Watch:
        """The charts and the end of the log of the run under the cursor."""
        row = self.run_row
        return Watch(row.id if row else None, num_curves=NUM_CHARTS)

    def show(self, snapshot: Snapshot) -> None:
        """Show the runs that fit the filter."""
        self._snapshot = snapshot
        self._show_table(snapshot)
        self.query_one(TopBar).show(snapshot)
        self.query_one("#problem", Reason).show(clean(_describe_problem(snapshot)), "warning")
        self.query_one(RunPanel).show(self.run_row, snapshot)
        self.refresh_bindings()

    def select_when_seen(self, run_id: str) -> None:
        """Put the cursor on a run as soon as a snapshot has it."""
        self._awaited = run_id
        if self._snapshot is not None:
            self._show_table(self._snapshot)

    def _show_table(self, snapshot: Snapshot) -> None:
        bar, table = self.query_one(FilterBar), self.query_one(RunTable)
        shown = bar.filter.apply(snapshot.runs, snapshot.now)
        scores = dict(snapshot.scores)
        entries = tuple(Entry(row, scores.get(row.id, ()), snapshot.now) for row in shown)
        table.show(entries, self._empty_text(snapshot))
        bar.show_count(len(shown), len(snapshot.runs))
        if self._awaited is not None and table.select(self._awaited):
            self._awaited = None

    def _empty_text(self, snapshot: Snapshot) -> str:
        if snapshot.runs:
            return "No run fits the filter. esc shows all."
        return "" if snapshot.error or snapshot.broken else NO_RUNS

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_drop_filter(self) -> None:
        """Show all runs again."""
        self.query_one(FilterBar).drop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`esc` does something while there is a filter."""
        if action == "drop_filter":
            return bool(self.query_one(FilterBar).filter.text)
        return super().check_action(action, parameters)

    def on_filter_bar_changed(self) -> None:
        """Show what fits now."""
        if self._snapshot is not None:
            self.show(self._snapshot)
        self.refresh_bindings()

    def on_filter_bar_left(self) -> None:
        """Done typing."""
        self.query_one(RunTable).focus()

    def on_run_table_highlighted(self) -> None:
        """Another run: its panel fills with the next snapshot."""
        self.post_message(WatchRun(self.wanted))
        if self._snapshot is not None:
            self.query_one(RunPanel).show(self.run_row, self._snapshot)
        self.refresh_bindings()

    def on_run_table_opened(self, event: RunTable.Opened) -> None:
        """Look closer."""
        self.post_message(OpenRun(event.run_id))


def _describe_problem(snapshot: Snapshot) -> str:
    """What could not be read; of several runs the first."""
    if snapshot.error:
        return f"{snapshot.error} (shown is what was last seen; it is tried again)"
    if snapshot.broken:
        run_id, reason = snapshot.broken[0]
        more = f" (and {len(snapshot.broken) - 1} more)" if len(snapshot.broken) > 1 else ""
        return f"run {run_id} cannot be read{more}: {reason}"
    return ""
