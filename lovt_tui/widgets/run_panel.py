"""The run under the cursor: its live charts and the end of its log."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from lovt_tui.formatting import label_run
from lovt_tui.listing.describing import SHORT_CLOCK, describe_reason, event_lines, fact_lines, log_lines
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.widgets.chart import DEFAULT_OPTIONS, Chart
from lovt_tui.widgets.chart_layers import Company, build_layers
from lovt_tui.widgets.line_view import LineView, set_title
from lovt_tui.widgets.reason import Reason

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_tui.widgets.chart_layers import Layer

NUM_CHARTS = 3


class RunPanel(Vertical):
    """Charts where there are curves, otherwise what happened; the log, or the events while it is empty."""

    def compose(self) -> ComposeResult:
        """The charts that do not fit the width are hidden by the style sheet."""
        yield Reason()
        with Horizontal():
            for number in range(1, NUM_CHARTS + 1):
                yield Chart(id=f"chart-{number}")
            yield LineView(id="facts", follow=True, focusable=False)
            yield LineView(id="tail", follow=True, focusable=False)

    def show(self, row: "RunRow | None", snapshot: Snapshot, company: Company) -> None:
        """Show a run, as far as it is read, and beside its curves those of its company."""
        self.set_class(row is None, "-empty")
        if row is None:
            return
        self.query_one(Reason).show(*describe_reason(row))
        detail = snapshot.detail if snapshot.detail and snapshot.detail.run_id == row.id else None
        beside = (snapshot.find_run(run_id) for run_id in company.ids)
        names = {each.id: label_run(each) for each in beside if each is not None}
        charts = build_layers(detail, company, names) if detail else ()
        self._show_charts(charts, is_read=detail is not None)
        facts = self.query_one("#facts", LineView)
        set_title(facts, label_run(row))
        facts.show(() if charts else fact_lines(row, snapshot.find_scores(row.id), detail))
        tail = self.query_one("#tail", LineView)
        has_log = detail is None or bool(detail.log)
        set_title(tail, "log" if has_log else "events")
        if detail is None:
            tail.show(())
        else:
            tail.show(log_lines(detail) if has_log else event_lines(detail.events, SHORT_CLOCK))

    def _show_charts(self, charts: "tuple[tuple[Layer, ...], ...]", *, is_read: bool) -> None:
        """Until a run is read its charts stand empty where those of the last one stood: two layouts less a key."""
        if is_read:
            self.set_class(bool(charts), "-has-curves")
        for number in range(NUM_CHARTS):
            chart = self.query_one(f"#chart-{number + 1}", Chart)
            if is_read:
                chart.set_class(number >= len(charts), "-empty")
            chart.show(charts[number] if number < len(charts) else (), DEFAULT_OPTIONS)
