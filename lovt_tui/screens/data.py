"""The screen of data sets: what there is, what is prepared, what is being prepared."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message

from lovt_tui.datasets.background import answer_later
from lovt_tui.datasets.counting import MAX_SAMPLES, Counts, count_parts
from lovt_tui.datasets.describing import describe_end, describe_progress, describe_set
from lovt_tui.datasets.samples import Drawing, draw_preview
from lovt_tui.formatting import Cell, clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import ShowScreen
from lovt_tui.pages.data import DataPage, SetRow
from lovt_tui.pages.wishes import DataWish
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.screens.data_acting import READ_ERRORS, DataActingScreen
from lovt_tui.screens.pick import Choice, PickScreen
from lovt_tui.widgets.data_table import SetTable
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.picture import Picture, has_half_blocks
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.top_bar import TopBar
from lovt_tui.widgets.wrapped_view import WrappedView

if TYPE_CHECKING:
    from lovt_core.data.inventory import Version
    from lovt_core.runs.workspace import Workspace

MAX_COUNTED = 64
"""Versions whose counts are remembered."""
Key = tuple[str, str | None]
"""Folder of a version, and the stamp of its split."""


class DataScreen(DataActingScreen):
    """Table above; all about the set under the cursor below, with a film of it where there is room."""

    CSS_PATH = "../styles/data.tcss"
    AUTO_FOCUS = "SetTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("tab,shift+tab", "pane", "pane", "from the table to the text below it and back"),
        bind("escape", "back", "back", "one step back: stop waiting for a look, to the table, to the list of runs"),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "A data set is never downloaded for you: each has its own licence and page.",
        "Preparing goes on when the dashboard is left, and is seen again in the next;",
        "stopped, it keeps what is decoded. Not genuine: other images in the layout.",
    )

    @dataclass
    class Counted(Message):
        """A thread has counted a version, and drawn one of its films."""

        key: Key
        counts: Counts | str
        drawing: Drawing | None

    def __init__(self, workspace: "Workspace", place: str) -> None:
        super().__init__(workspace)
        self._place = place
        self._page: DataPage | None = None
        self._counts: dict[Key, Counts | str] = {}
        self._drawings: dict[Key, Drawing | None] = {}
        self._shown = ""

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "Data")
        yield Reason(id="problem")
        yield SetTable()
        yield LineView(id="work", focusable=False)
        with Horizontal(id="below"):
            yield WrappedView(id="about")
            yield Picture(id="preview")
        yield KeyBar()

    def on_mount(self) -> None:
        """Before the first look."""
        self.query_one(SetTable).show((), "Reading the prepared data …")

    @property
    def set_row(self) -> SetRow | None:
        """The data set under the cursor."""
        return self.query_one(SetTable).selected if self.is_built else None

    @property
    def wanted(self) -> Watch:
        """Its page."""
        return Watch(page=DataWish())

    def show(self, snapshot: Snapshot) -> None:
        """Show what is new."""
        self.query_one(TopBar).show(snapshot)
        page = snapshot.page
        if not isinstance(page, DataPage) or page is self._page:
            return
        before, self._page = self._page, page
        self.query_one("#problem", Reason).show(clean(page.problem))
        self.query_one(SetTable).show(page.rows)
        self._tell_ends(before, page)
        self.show_work()
        self._show_about()
        self.refresh_bindings()

    def _tell_ends(self, before: DataPage | None, page: DataPage) -> None:
        """Say what has come of preparations that were at work."""
        for row in before.rows if before is not None else ():
            now = page.find(row.name)
            if row.is_preparing and now is not None and now.preparation is not None and not now.is_preparing:
                is_good = now.preparation.state in ("prepared", "stopped")
                self.notify(describe_end(now.preparation), severity="information" if is_good else "error", markup=False)

    def show_work(self) -> None:
        """Preparations at work, and what a thread looks at."""
        rows = self._page.rows if self._page is not None else ()
        lines = [describe_progress(row.preparation) for row in rows if row.preparation is not None and row.is_preparing]
        if self.looking:
            lines.append((Cell(f" ● {self.looking} …  ", "accent"), Cell("esc stops waiting", "dim")))
        view = self.query_one("#work", LineView)
        view.styles.height = len(lines)
        view.display = bool(lines)
        view.show(tuple(lines))
        self.refresh_bindings()

    def _show_about(self) -> None:
        """All about the set under the cursor; what takes a moment to count comes later."""
        row, view = self.set_row, self.query_one(WrappedView)
        if row is None:
            return
        version = row.readable[0] if row.readable else None
        key = None if version is None else (str(version.folder), row.split)
        counts = None if key is None else self._counts.get(key, "counting …")
        if version is not None and key is not None and key not in self._counts:
            self._count(version, key)
        self._show_preview(key)
        view.wrap(partial(describe_set, row, counts))
        if row.name != self._shown:
            self._shown = row.name
            view.scroll_home(animate=False)

    def _show_preview(self, key: Key | None) -> None:
        picture, drawing = self.query_one("#preview", Picture), self._drawings.get(key) if key is not None else None
        picture.set_class(drawing is not None, "-given")
        if drawing is None:
            picture.clear()
        else:
            pixels = drawing.tinted if has_half_blocks(self.app) else drawing.pixels
            picture.show_pixels(pixels, drawing.marks, drawing.legend)

    def _count(self, version: "Version", key: Key) -> None:
        if len(self._counts) >= MAX_COUNTED:
            self._counts.clear()
            self._drawings.clear()
        self._counts[key] = "counting …"
        answer_later(self, partial(_count_version, version, key))

    def on_data_screen_counted(self, event: Counted) -> None:
        """Show it, if it is still looked at."""
        self._counts[event.key], self._drawings[event.key] = event.counts, event.drawing
        if self.is_built:
            self._show_about()

    def on_line_table_highlighted(self) -> None:
        """Another data set."""
        self._show_about()
        self.refresh_bindings()

    def on_line_table_opened(self) -> None:
        """Look at samples, or prepare what has none."""
        row = self.set_row
        if row is None or not row.readable:
            self.action_prepare()
            return
        choices = [Choice(str(each.folder), f"{each.meta.size} px") for each in row.readable if each.meta is not None]
        if len(choices) == 1:
            self._open(choices[0].value)
        else:
            self.app.push_screen(PickScreen(f"{row.name} at", choices), self._open)

    def _open(self, folder: str | None) -> None:
        from lovt_tui.screens.samples import SamplesScreen

        if folder is not None:
            self.app.push_screen(SamplesScreen(self._place, folder))

    def action_pane(self) -> None:
        """The table or the text; where only one of them has room, the other one."""
        table, about = self.query_one(SetTable), self.query_one(WrappedView)
        self.set_class(table.has_focus, "-about")
        (about if table.has_focus else table).focus()

    def action_back(self) -> None:
        """One step."""
        if self.looking:
            self.looking = ""
            self.show_work()
        elif self.query_one(WrappedView).has_focus:
            self.action_pane()
        else:
            self.post_message(ShowScreen("runs"))


def _count_version(version: "Version", key: Key) -> DataScreen.Counted:
    """Counts of a version that is not too large, and a film of it."""
    try:
        is_large = version.meta is not None and version.meta.num_samples > MAX_SAMPLES
        counts = "press i to count the parts of this large set" if is_large else count_parts(version)
        return DataScreen.Counted(key, counts, draw_preview(version.folder))
    except READ_ERRORS as error:
        return DataScreen.Counted(key, f"cannot be counted: {error}", None)
