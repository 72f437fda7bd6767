"""Encoders by tasks: what was scored, what is missing, and what would bring it."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from lovt_tui.comparing.grid import Grid, build_grid
from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.listing.filtering import parse_words
from lovt_tui.messages import ShowScreen
from lovt_tui.pages.comparison import ComparisonPage
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.screens.compare_acting import CompareActingScreen
from lovt_tui.widgets.comparison_heading import ComparisonHeading
from lovt_tui.widgets.comparison_table import ComparisonTable
from lovt_tui.widgets.filter_bar import FilterBar
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.comparing.cell import Entrance

NO_ROWS = "No evaluations yet. Try: lovt evaluate imagenet --task covid-linear, or press P for the paper's rows"


class CompareScreen(CompareActingScreen):
    """Headings and table, what the signs mean, and the entry under the cursor."""

    CSS_PATH = "../styles/compare.tcss"
    AUTO_FOCUS = "ComparisonTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("slash", "filter", "filter", "show only rows with certain words"),
        bind("escape", "back", "back", "drop the filter, then go to the list of runs", bar=False),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "Scores share a column only where task, protocol, data and split are the same.",
        "◆ best and ◇ second of a column, by the means as printed.",
        "Exports hold all rows, with the tasks, the pin and the intervals shown.",
    )

    def __init__(self, workspace: "Workspace", place: str) -> None:
        super().__init__(workspace)
        self._place = place
        self._snapshot = Snapshot(0.0)
        self._page: ComparisonPage | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "Compare")
        yield Reason(id="problem")
        yield FilterBar("row", "words of the label or of the group", parse_words)
        yield Reason(id="no-rows")
        yield ComparisonHeading()
        with Vertical(id="comparison"):
            yield ComparisonTable()
            yield Reason(id="legend")
            yield LineView(id="cell", focusable=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Before the first look."""
        self.query_one("#no-rows", Reason).show("Reading the results …", "dim")
        self.query_one("#cell").add_class("-empty")

    @property
    def comparison(self) -> "Comparison | None":
        """As last seen."""
        return self._page.comparison if self._page else None

    @property
    def entrance(self) -> "Entrance | None":
        """The entry under the cursor, with all that is known of it."""
        if self._page is None or self._page.comparison is None:
            return None
        table = self.query_one(ComparisonTable)
        row, column = table.selected, table.column
        if row is None or row.place is None or column is None:
            return None
        from lovt_tui.comparing.cell import find_entrance

        place = (row.place, column.place)
        return find_entrance(self._page.comparison, place, self._snapshot.runs, self._page.results)

    def show(self, snapshot: Snapshot) -> None:
        """Show what is new; the pages of other screens say nothing here."""
        runs, self._snapshot = self._snapshot.runs, snapshot
        self.query_one(TopBar).show(snapshot)
        page = snapshot.page
        if isinstance(page, ComparisonPage) and page is not self._page:
            self._page = page
            self.redraw()
        elif snapshot.runs is not runs:
            self._show_entry()
        problem = snapshot.error or (self._page.problem if self._page else "")
        self.query_one("#problem", Reason).show("\n".join(map(clean, problem.split("\n"))), "warning")

    def redraw(self) -> None:
        """Lay out the table again, and all that is about it."""
        comparison, bar = self.comparison, self.query_one(FilterBar)
        if comparison is None:
            return
        marked = self._with_significance
        grid = build_grid(comparison, with_significance=marked, words=bar.filter.text) if comparison.rows else Grid()
        self.query_one(ComparisonTable).show_grid(grid)
        bar.show_count(grid.num_rows, grid.num_rows + grid.num_hidden)
        empty = "" if grid.rows else "No row has these words. esc shows all." if comparison.rows else NO_ROWS
        self.query_one("#no-rows", Reason).show(empty, "dim")
        from lovt_tui.comparing.legend import describe_signs

        legend = describe_signs(comparison, grid, with_significance=marked) if grid.rows else ""
        self.query_one("#legend", Reason).show(legend, "dim")
        self._show_entry()

    def _show_entry(self) -> None:
        entrance, view = self.entrance, self.query_one("#cell", LineView)
        view.set_class(entrance is None, "-empty")
        if entrance is not None:
            from lovt_tui.comparing.cell import brief_line, entry_lines

            view.border_title = entrance.title
            view.show((brief_line(entrance),) if self.has_class("-low") else entry_lines(entrance))
        self.refresh_bindings()

    def on_line_table_highlighted(self) -> None:
        """Another row."""
        self._show_entry()

    def on_comparison_table_cell_changed(self) -> None:
        """Another column, or others in sight."""
        table = self.query_one(ComparisonTable)
        self.query_one(ComparisonHeading).show(table.grid, table.window)
        self._show_entry()

    def on_comparison_heading_clicked(self, event: ComparisonHeading.Clicked) -> None:
        """Go there."""
        self.query_one(ComparisonTable).go_to_column(event.place)

    def on_line_table_opened(self) -> None:
        """All that is known of the entry, in a box."""
        if (entrance := self.entrance) is not None:
            from lovt_tui.comparing.cell import entry_lines
            from lovt_tui.screens.cell import CellScreen

            run_id = None if entrance.run is None else entrance.run.id
            self.app.push_screen(CellScreen(entrance.title, entry_lines(entrance), run_id))

    def action_filter(self) -> None:
        """Type words."""
        self.query_one(FilterBar).open()

    def action_back(self) -> None:
        """Show all rows, or leave."""
        bar = self.query_one(FilterBar)
        if bar.filter.text:
            bar.drop()
        else:
            self.post_message(ShowScreen("runs"))

    def on_filter_bar_changed(self) -> None:
        """Show what fits now."""
        self.redraw()

    def on_filter_bar_left(self) -> None:
        """Done typing."""
        self.query_one(ComparisonTable).focus()
