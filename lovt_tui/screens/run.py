"""One run: live curves, log, experiment, events. On small terminals one pane at a time."""

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from lovt_tui.describing import config_lines, event_lines, log_lines, score_lines
from lovt_tui.formatting import clean, format_state
from lovt_tui.messages import WatchRun
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.metrics import MetricsScreen
from lovt_tui.snapshot import RunDetail, Snapshot, Watch
from lovt_tui.widgets.chart_grid import ChartGrid
from lovt_tui.widgets.chart_options import BEST_MARK, BROKEN_MARK, ChartOptions
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.pane_bar import PaneBar
from lovt_tui.widgets.panes import PANES, Pane, arrange_panes
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.run_heading import RunHeading
from lovt_tui.widgets.search_bar import SearchBar
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

LOG_BYTES = 1 << 20
NUM_CURVES = 6


class RunScreen(DashboardScreen):
    """Opened from the table; `esc` leads back."""

    AUTO_FOCUS = "#charts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="one step back: drop the search, then the list of runs"),
        Binding("tab", "pane(1)", "pane", tooltip="next pane: charts, log, config, events"),
        Binding("shift+tab", "pane(-1)", "previous pane", show=False),
        Binding("m", "metrics", "metrics", tooltip="choose the curves to show"),
        Binding("L", "log_scale", "log scale", tooltip="logarithmic or linear values"),
        Binding("X", "x_axis", "x axis", tooltip="x is the step, the epoch or the time"),
        Binding("plus,equals_sign", "smooth(1)", "smoother", tooltip="average more neighbouring points"),
        Binding("minus", "smooth(-1)", "rougher", tooltip="average fewer points", show=False),
        Binding("0", "smooth(0)", "raw", tooltip="no smoothing", show=False),
        Binding("f", "follow", "follow", tooltip="keep the end of the log in sight, or stay"),
        Binding("slash", "search", "search", tooltip="search the log, the config or the events"),
        Binding("n", "hit(1)", "next hit"),
        Binding("N", "hit(-1)", "previous hit"),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        f"Charts: {BEST_MARK} is the best value, {BROKEN_MARK} one that is not finite.",
        "Smoothing averages the raw points, which stay visible behind the line.",
        "The log follows its end until you scroll up; f follows again.",
    )

    def __init__(self, place: str, run_id: str) -> None:
        super().__init__()
        self._place = place
        self._run_id = run_id
        self._snapshot: Snapshot | None = None
        self._metrics: tuple[str, ...] = ()
        self._options = ChartOptions()
        self._pane: Pane = "charts"
        self._beside: Pane = "events"

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "")
        yield RunHeading()
        yield Reason()
        yield PaneBar()
        with Container(id="panes"):
            yield ChartGrid(id="charts")
            yield LineView(id="log", follow=True)
            yield LineView(id="config")
            yield LineView(id="events", follow=True)
        yield SearchBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Titles, and the pane to begin with."""
        for name in ("log", "config", "events"):
            self._lines(name).border_title = name
        self._lines("log").border_subtitle = "following"
        self._go_to_pane("charts")

    @property
    def run_row(self) -> "RunRow | None":
        """The run of this screen, as last seen."""
        return self._snapshot.find_run(self._run_id) if self._snapshot else None

    @property
    def wanted(self) -> Watch:
        """Its chosen curves and much of its log."""
        return Watch(self._run_id, self._metrics, NUM_CURVES, LOG_BYTES)

    def show(self, snapshot: Snapshot) -> None:
        """Show what is new of this run; one that is gone leads back to the list."""
        is_first, self._snapshot = self._snapshot is None, snapshot
        self.query_one(TopBar).show(snapshot)
        row = self.run_row
        if row is None:
            if snapshot.runs and not snapshot.error:
                self.notify(f"{self._run_id} is gone: its directory was removed", severity="warning", markup=False)
                self.dismiss()
            return
        if is_first and row.kind == "evaluate":
            self._go_to_pane("events")
        self.query_one(RunHeading).show(row)
        self.query_one(Reason).show(clean(row.detail), format_state(row).tone)
        if snapshot.detail is not None and snapshot.detail.run_id == self._run_id:
            self._show_detail(row, snapshot, snapshot.detail)
        self.refresh_bindings()

    def _show_detail(self, row: "RunRow", snapshot: Snapshot, detail: RunDetail) -> None:
        no_curves = "No curves yet." if row.kind != "evaluate" else "An evaluation has results instead of curves."
        self.query_one(ChartGrid).show(detail.curves, self._options, no_curves)
        self._lines("log").show(log_lines(detail))
        self._lines("config").show(config_lines(detail.experiment))
        self._lines("events").show((*score_lines(snapshot.find_scores(row.id)), *event_lines(detail.events)))

    def _lines(self, pane: str) -> LineView:
        return self.query_one(f"#{pane}", LineView)

    def on_line_view_follow_changed(self) -> None:
        """Say on the log whether it is followed."""
        log = self._lines("log")
        log.border_subtitle = "following" if log.follow else "paused, f follows"

    def on_resize(self, event: events.Resize) -> None:
        """More or fewer panes fit."""
        self._arrange()

    def _arrange(self) -> None:
        shown = arrange_panes(self.size.width, self.size.height, self._pane, self._beside)
        self.query_one(PaneBar).show(self._pane, len(shown) < len(PANES))
        panes = self.query_one("#panes")
        for count in (1, 2, len(PANES)):
            panes.set_class(len(shown) == count, f"-show-{count}")
        for pane in PANES:
            self.query_one(f"#{pane}").display = pane in shown
        self.refresh_bindings()

    def _go_to_pane(self, pane: Pane) -> None:
        self._pane = pane
        if pane != "charts":
            self._beside = pane
        self._arrange()
        self.query_one(f"#{pane}").focus()

    def action_pane(self, direction: int) -> None:
        """The next pane."""
        self._go_to_pane(PANES[(PANES.index(self._pane) + direction) % len(PANES)])

    def on_pane_bar_chosen(self, event: PaneBar.Chosen) -> None:
        """A pane was clicked."""
        self._go_to_pane(event.pane)

    def action_metrics(self) -> None:
        """Choose curves."""
        detail = self._snapshot.detail if self._snapshot else None
        if detail is None:
            return

        def choose(chosen: tuple[str, ...] | None) -> None:
            if chosen is not None:
                self._metrics = chosen
                self.post_message(WatchRun(self.wanted))

        self.app.push_screen(MetricsScreen(detail.metric_names, tuple(curve.metric for curve in detail.curves)), choose)

    def action_log_scale(self) -> None:
        """Logarithmic or linear."""
        self._redraw(ChartOptions(self._options.x_axis, not self._options.log_scale, self._options.smoothing))

    def action_x_axis(self) -> None:
        """Step, epoch, time."""
        self._redraw(self._options.with_next_axis())

    def action_smooth(self, change: int) -> None:
        """More, less or no smoothing."""
        self._redraw(self._options.with_smoothing(change))

    def _redraw(self, options: ChartOptions) -> None:
        self._options = options
        if self._snapshot is not None:
            self.show(self._snapshot)

    def action_follow(self) -> None:
        """Follow the log, or stay."""
        log = self._lines("log")
        log.set_follow(not log.follow)
        self._go_to_pane("log")

    def action_search(self) -> None:
        """Type what to look for in the pane of text."""
        self._go_to_pane(self._beside)
        self.query_one(SearchBar).open(self._pane)

    def on_search_bar_asked(self, event: SearchBar.Asked) -> None:
        """Look for it."""
        view = self._lines(self._beside)
        search = view.look_for(event.text)
        view.focus()
        view.border_title = f"{self._beside} · {len(search.hits)} hits"
        if event.text and not search.hits:
            self.notify(f"'{event.text}' is not in the {self._beside}", markup=False)
        self.refresh_bindings()

    def action_hit(self, direction: int) -> None:
        """Next or previous place."""
        view = self._lines(self._beside)
        place = view.step(direction)
        if place is not None:
            view.border_title = f"{self._beside} · hit {place + 1} of {len(view.search.hits)}"

    def action_back(self) -> None:
        """Drop the search, else leave."""
        view = self._lines(self._beside)
        if view.search.text:
            view.look_for("")
            view.border_title = self._beside
            self.refresh_bindings()
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that have something to act on."""
        match action:
            case "hit":
                return bool(self._lines(self._beside).search.hits)
            case "metrics" | "log_scale" | "x_axis" | "smooth":
                charts = self.query_one(ChartGrid)
                return charts.has_curves and charts.display
            case _:
                return super().check_action(action, parameters)
