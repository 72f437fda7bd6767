"""The sweep under the cursor: state, best so far, and below that its trials, one of the views, or both."""

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from lovt_core.sweeps.trials import Trial
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.sweeping.drawing import View, ViewChoice, list_views
from lovt_tui.sweeping.listing import describe_state, heading_lines
from lovt_tui.sweeping.study import Study, SweepSummary
from lovt_tui.sweeping.trials import SORTS, click_sort, find_rows, find_run, make_entries, order_trials
from lovt_tui.widgets.heading import Heading
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.sweep_plot import SweepPlot
from lovt_tui.widgets.trial_table import TrialTable
from lovt_tui.widgets.view_bar import ViewBar

TWO_PANES = (100, 30)
"""Size of the terminal from which on trials and a view stand side by side."""
NO_TRIALS = "No trial yet: the first begins when there is a place."


class SweepPanel(Vertical):
    """Remembers which view, parameters and order somebody has chosen, from one sweep to the next."""

    def __init__(self) -> None:
        super().__init__()
        self._summary: SweepSummary | None = None
        self._study: Study | None = None
        self._snapshot: Snapshot | None = None
        self._choice = ViewChoice()
        self.view: View = "trials"
        self.sort = SORTS[0]

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Heading()
        yield Reason(id="state")
        yield ViewBar()
        with Container(id="study"):
            yield TrialTable(id="trials")
            yield SweepPlot(id="plot")

    def on_mount(self) -> None:
        """What was to be shown before there was anything to show it."""
        self._show()

    @property
    def _is_built(self) -> bool:
        return bool(self.query(SweepPlot))

    @property
    def trial(self) -> Trial | None:
        """The trial under the cursor."""
        if not self._is_built:
            return None
        entry = self.query_one(TrialTable).selected
        return None if entry is None or self._study is None else entry.trial

    @property
    def run_id(self) -> str | None:
        """The run of that trial to look at."""
        if self.trial is None or self._study is None or self._snapshot is None:
            return None
        return find_run(self.trial, find_rows(self._study, self._snapshot.runs))

    @property
    def seen(self) -> View | None:
        """The view that is drawn."""
        has_plot = self._study is not None and self._is_built and self.query_one(SweepPlot).display
        return self._choice.view if has_plot else None

    def show(self, summary: SweepSummary | None, study: Study | None, snapshot: Snapshot) -> None:
        """Show a sweep, in full as far as it is read."""
        self._summary, self._study, self._snapshot = summary, study, snapshot
        self._show()

    def _show(self) -> None:
        if not self._is_built:
            return
        summary, study, snapshot = self._summary, self._study, self._snapshot
        trials = self.query_one(TrialTable)
        if summary is None or snapshot is None:
            trials.show_trials(None, (), self.sort, "")
            self.query_one(SweepPlot).show_view(None, self._choice)
            return
        self.query_one(Heading).show(heading_lines(summary, study, snapshot.now))
        self.query_one("#state", Reason).show(*describe_state(summary))
        if study is None:
            trials.show_trials(None, (), self.sort, "" if summary.state == "damaged" else "Reading …")
        else:
            shown = order_trials(study, self.sort, self._choice.fitting(study).objective)
            entries = make_entries(study, shown, summary.state, find_rows(study, snapshot.runs), snapshot.now)
            trials.show_trials(study, entries, self.sort, NO_TRIALS)
        self._divide()

    def _divide(self) -> None:
        """Trials, a view, or both, and the names above them."""
        study, views = self._study, list_views(self._study)
        self.view = self.view if self.view in views else "trials"
        if study is not None and self._choice.view not in views:
            self._choice = replace(self._choice, view="history")
        size = self.screen.size
        is_wide = size.width >= TWO_PANES[0] and size.height >= TWO_PANES[1]
        has_plot = study is not None and (is_wide or self.view != "trials")
        self.query_one(TrialTable).display = is_wide or self.view == "trials"
        plot = self.query_one(SweepPlot)
        plot.display = has_plot
        self.query_one(ViewBar).show(views, self.view, self._choice.view if is_wide and study else None)
        plot.show_view(study if has_plot else None, self._choice)
        self.refresh_bindings()

    def on_resize(self) -> None:
        """More or less fits."""
        if self._is_built:
            self._divide()

    def go_to(self, view: View) -> None:
        """Show this view, and let it have the keys."""
        self.view = view
        if view != "trials":
            self._choice = replace(self._choice, view=view)
        self._divide()
        self.call_after_refresh(self._focus)

    def _focus(self) -> None:
        trials = self.query_one(TrialTable)
        (trials if trials.display else self.query_one(SweepPlot)).focus()

    def step_view(self, direction: int) -> None:
        """The next view, or the previous one."""
        views = list_views(self._study)
        self.go_to(views[(views.index(self.view) + direction) % len(views)])

    def choose(self, first: int = 0, second: int = 0, objective: int = 0) -> None:
        """Other parameters, another objective: so many further."""
        before = self._choice
        moved = replace(
            before,
            first=before.first + first,
            second=before.second + second,
            objective=before.objective + objective,
        )
        if self._study is not None:
            fitted = moved.fitting(self._study)
            if second and fitted.second != moved.second % len(self._study.parameters):
                fitted = replace(moved, second=moved.second + second).fitting(self._study)  # over the one across
            self._choice = fitted
        self._show()

    def sort_by(self, sort: str) -> None:
        """Another order of the trials."""
        self.sort = sort
        self._show()

    def on_view_bar_chosen(self, event: ViewBar.Chosen) -> None:
        """A name was clicked."""
        self.go_to(event.view)

    @on(LineTable.HeadingClicked, "#trials")
    def sort_by_click(self, event: LineTable.HeadingClicked) -> None:
        """Sort by what was clicked."""
        if by := self.query_one(TrialTable).sort_at(event.x):
            self.sort_by(click_sort(self.sort, by))
