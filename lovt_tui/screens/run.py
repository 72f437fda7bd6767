"""One run in full: its curves, log, experiment, events, files and pictures."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from lovt_tui.keyboard.keys import bind
from lovt_tui.listing.describing import describe_reason, heading_cells
from lovt_tui.messages import WatchRun
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.screens.metrics import MetricsScreen
from lovt_tui.screens.run_acting import RunActingScreen
from lovt_tui.screens.run_export import export_runs
from lovt_tui.widgets.chart_layers import SEED_MODES, Company, find_seeds
from lovt_tui.widgets.chart_options import BEST_MARK, BROKEN_MARK, ChartOptions
from lovt_tui.widgets.heading import Heading
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.panes import TEXT_PANES
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.run_panes import RunPanes
from lovt_tui.widgets.run_pictures import RunPictures
from lovt_tui.widgets.search_bar import SearchBar
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace

LOG_BYTES = 1 << 20
NUM_CURVES = 6


class RunScreen(RunActingScreen):
    """Opened from a list; `esc` leads back."""

    AUTO_FOCUS = "#charts"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("escape", "back", "back", "one step back: drop the search, then the list"),
        bind("tab", "pane(1)", "pane", "next pane: charts, log, config, diff, events, files, system, pictures"),
        bind("shift+tab", "pane(-1)", "previous pane", bar=False),
        bind("m", "metrics", "metrics", "choose the curves to show"),
        bind("L", "log_scale", "log scale", "logarithmic or linear values"),
        bind("X", "x_axis", "x axis", "x is the step, the epoch or the time"),
        bind("plus,equals_sign", "smooth(1)", "smoother", "average more neighbouring points"),
        bind("minus", "smooth(-1)", "rougher", "average fewer points", bar=False),
        bind("0", "smooth(0)", "raw", "no smoothing", bar=False),
        bind("o", "seeds", "seeds", "runs of the same experiment with other seeds: each, as their mean, or not"),
        bind("f", "follow", "follow", "keep the end of the log in sight, or stay"),
        bind("slash", "search", "search", "search the pane of text"),
        bind("n", "hit(1)", "next hit"),
        bind("N", "hit(-1)", "previous hit"),
        bind("left,h", "picture(-1)", "previous picture, or part of one", bar=False),
        bind("right,l", "picture(1)", "next picture", "next picture, or part of one"),
        bind("e", "export", "export", "save the curves of this run", bar=False),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        f"Charts: {BEST_MARK} is the best value, {BROKEN_MARK} one that is not finite.",
        "Smoothing averages the raw points, which stay visible behind the line.",
        "P stands at the end of the pinned run's curve, A, B ... at those of marked ones.",
        "The log follows its end until you scroll up; f follows again.",
    )

    def __init__(self, workspace: "Workspace", place: str, run_id: str, company: Company = Company()) -> None:
        super().__init__()
        self._workspace = workspace
        self._place = place
        self._run_id = run_id
        self._company = company
        self._snapshot: Snapshot | None = None
        self._metrics: tuple[str, ...] = ()
        self._options = ChartOptions()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "")
        yield Heading()
        yield Reason()
        yield RunPanes(self._workspace)
        yield SearchBar()
        yield KeyBar()

    @property
    def run_row(self) -> "RunRow | None":
        """The run of this screen, as last seen."""
        return self._snapshot.find_run(self._run_id) if self._snapshot else None

    @property
    def run_rows(self) -> "tuple[RunRow, ...]":
        """The run of this screen."""
        row = self.run_row
        return () if row is None else (row,)

    @property
    def wanted(self) -> Watch:
        """Its chosen curves, those of its company, much of its log, its files."""
        return Watch(self._run_id, self._metrics, NUM_CURVES, LOG_BYTES, self._company.ids, files=True)

    @property
    def is_built(self) -> bool:
        """Whether the panes are there too."""
        return super().is_built and bool(self.query(RunPictures))

    @property
    def panes(self) -> RunPanes:
        """All panes."""
        return self.query_one(RunPanes)

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
            self.panes.go_to("events")
        self.query_one(Heading).show(heading_cells(row))
        self.query_one(Reason).show(*describe_reason(row))
        self.panes.show(row, snapshot, self._company, self._options)
        self.refresh_bindings()

    def action_pane(self, direction: int) -> None:
        """The next pane."""
        self.panes.step(direction)

    def on_run_panes_arranged(self) -> None:
        """Other keys make sense."""
        self.refresh_bindings()

    def on_run_pictures_read(self) -> None:
        """A sheet has parts to go to."""
        self.refresh_bindings()

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
        self._redraw(replace(self._options, log_scale=not self._options.log_scale))

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

    def action_seeds(self) -> None:
        """Not at all, each beside, or all as their mean."""
        row = self.run_row
        if row is None or self._snapshot is None:
            return
        mode = SEED_MODES[(SEED_MODES.index(self._company.mode) + 1) % len(SEED_MODES)]
        self._company = replace(self._company, mode=mode, seeds=find_seeds(row, self._snapshot.runs))
        self.post_message(WatchRun(self.wanted))
        self._redraw(self._options)

    def action_follow(self) -> None:
        """Follow the log, or stay."""
        log = self.panes.lines("log")
        log.set_follow(not log.follow)
        self.panes.go_to("log")

    def action_search(self) -> None:
        """Type what to look for in the pane of text."""
        panes = self.panes
        panes.go_to(panes.beside if panes.beside in TEXT_PANES else "log")
        self.query_one(SearchBar).open(panes.beside)

    def on_search_bar_asked(self, event: SearchBar.Asked) -> None:
        """Look for it."""
        view = self.panes.text
        search = view.look_for(event.text)
        view.focus()
        view.border_title = f"{view.id} · {len(search.hits)} hits" if event.text else view.id
        if event.text and not search.hits:
            self.notify(f"'{event.text}' is not in the {view.id}", markup=False)
        self.refresh_bindings()

    def action_hit(self, direction: int) -> None:
        """Next or previous place."""
        view = self.panes.text
        if (place := view.step(direction)) is not None:
            view.border_title = f"{view.id} · hit {place + 1} of {len(view.search.hits)}"

    def action_picture(self, direction: int) -> None:
        """Another picture."""
        self.query_one(RunPictures).step(direction)

    def action_export(self) -> None:
        """Ask what and where to."""
        export_runs(self, self.run_rows, self.run_rows)

    def action_back(self) -> None:
        """Drop the search, else leave."""
        view = self.panes.text
        if view.search.text:
            view.look_for("")
            view.border_title = view.id
            self.refresh_bindings()
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that have something to act on."""
        if not self.is_built:
            return False
        match action:
            case "hit":
                return bool(self.panes.text.search.hits)
            case "metrics" | "log_scale" | "x_axis" | "smooth":
                return self.panes.charts.has_curves and self.panes.charts.display
            case "seeds":
                row = self.run_row
                return row is not None and self._snapshot is not None and bool(find_seeds(row, self._snapshot.runs))
            case "picture":
                return self.query_one(RunPictures).has_several and self.query_one(RunPictures).display
            case _:
                return super().check_action(action, parameters)
