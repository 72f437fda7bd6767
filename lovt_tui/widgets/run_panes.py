"""The panes of the run screen: as many at once as there is room for, one of them in question."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message

from lovt_tui.formatting import Cell, label_run
from lovt_tui.listing.describing import config_lines, event_lines, log_lines, score_lines
from lovt_tui.listing.describing_settings import checkpoint_lines, diff_lines, metric_lines, system_lines
from lovt_tui.widgets.chart_grid import ChartGrid
from lovt_tui.widgets.chart_layers import Company, build_layers
from lovt_tui.widgets.chart_options import ChartOptions
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.pane_bar import PaneBar
from lovt_tui.widgets.panes import PANES, TEXT_PANES, Leading, Pane, arrange_panes
from lovt_tui.widgets.run_pictures import RunPictures
from lovt_tui.widgets.wrapped_view import WrappedView
from lovt_tui.widgets.wrapping import wrap_lines

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.reading.snapshot import Snapshot

NO_OTHER = "Pin another run on the list of runs (p), then open this one: their differences stand here."


class RunPanes(Vertical):
    """The charts come first; the text beside them is the one gone to last."""

    @dataclass
    class Arranged(Message):
        """Other panes are seen now."""

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__()
        self._workspace = workspace
        self.current: Pane = "charts"
        self.beside: Pane = "events"
        self._leading: Leading = "charts"

    def compose(self) -> ComposeResult:
        """The names of the panes, and the panes."""
        yield PaneBar()
        with Container(id="panes"):
            yield ChartGrid(id="charts")
            yield RunPictures(self._workspace, id="pictures")
            for name in TEXT_PANES:
                yield WrappedView(name) if name == "diff" else LineView(name, follow=name in ("log", "events"))

    def on_mount(self) -> None:
        """Titles, and the pane to begin with."""
        for name in TEXT_PANES:
            self.lines(name).border_title = name
        self.lines("log").border_subtitle = "following"
        self.go_to("charts")

    @property
    def charts(self) -> ChartGrid:
        """The charts."""
        return self.query_one(ChartGrid)

    @property
    def text(self) -> LineView:
        """The pane of text in question."""
        return self.lines(self.beside if self.beside in TEXT_PANES else "log")

    def lines(self, pane: Pane) -> LineView:
        """A pane of text."""
        return self.query_one(f"#{pane}", LineView)

    def show(self, row: "RunRow", snapshot: "Snapshot", company: Company, options: ChartOptions) -> None:
        """Show what was read of the run."""
        self._lead(row)
        detail = snapshot.detail
        if detail is None or detail.run_id != row.id:
            return
        no_curves = "No curves yet." if row.kind != "evaluate" else "An evaluation has results instead of curves."
        names = {each.id: label_run(each) for each in snapshot.runs if each.id in company.ids}
        self.charts.show(build_layers(detail, company, names), options, no_curves)
        self.lines("log").show(log_lines(detail))
        self.lines("config").show(config_lines(detail.experiment))
        self.lines("events").show((*score_lines(snapshot.find_scores(row.id)), *event_lines(detail.events)))
        self.lines("files").show(checkpoint_lines(detail))
        self.lines("system").show((*system_lines(row, snapshot.gauges), *metric_lines(row)))
        other = next((each for each in map(snapshot.find_run, company.ids) if each is not None), None)
        hint = partial(wrap_lines, ((Cell(NO_OTHER, "dim"),),))
        self.query_one(WrappedView).wrap(partial(diff_lines, row, other) if other else hint)
        self.query_one(RunPictures).show(row, detail)

    def _lead(self, row: "RunRow") -> None:
        leading: Leading = "pictures" if row.kind == "evaluate" else "charts"
        if leading != self._leading:
            self._leading = leading
            self._arrange()

    def go_to(self, pane: Pane) -> None:
        """Put a pane in question."""
        self.current = pane
        if pane != self._leading:
            self.beside = pane
        self._arrange()
        self.screen.set_focus(self.query_one(f"#{pane}"))

    def step(self, direction: int) -> None:
        """To the next pane, or the one before."""
        panes = [pane for pane in PANES if pane != "charts" or self._leading == "charts"]
        place = panes.index(self.current) if self.current in panes else 0
        self.go_to(panes[(place + direction) % len(panes)])

    def on_pane_bar_chosen(self, event: PaneBar.Chosen) -> None:
        """A pane was clicked."""
        self.go_to(event.pane)

    def on_line_view_follow_changed(self) -> None:
        """Say on the log whether it is followed."""
        log = self.lines("log")
        log.border_subtitle = "following" if log.follow else "paused, f follows"

    def on_resize(self, event: events.Resize) -> None:
        """More or fewer panes fit."""
        self._arrange()

    def _arrange(self) -> None:
        size = self.screen.size
        shown = arrange_panes(size.width, size.height, self.current, self.beside, self._leading)
        self.query_one(PaneBar).show(self.current, shown)
        panes = self.query_one("#panes")
        for count in (1, 2, 4):
            panes.set_class(len(shown) == count, f"-show-{count}")
        panes.set_class(self._leading == "pictures", "-pictures")
        for pane in PANES:
            self.query_one(f"#{pane}").display = pane in shown
        self.post_message(self.Arranged())
