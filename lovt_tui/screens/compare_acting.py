"""Keys of the comparison: what it shows, which gaps are filled, where it is written."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.binding import BindingType

from lovt_core.errors import LovtError
from lovt_tui.actions.compare import (
    ExportOrder,
    FillOffer,
    FillScope,
    TableFormat,
    export_comparison,
    fill_gaps,
    offer_filling,
    read_table_format,
    suggest_file,
)
from lovt_tui.actions.export import read_path
from lovt_tui.comparing.choices import FORMATS, expand_typed, list_scopes, split_words
from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import Act, OpenRun, WatchRun
from lovt_tui.pages.wishes import ComparisonWish
from lovt_tui.reading.snapshot import Watch
from lovt_tui.screens.confirm import ConfirmScreen, Question
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.pick import Choice, PickScreen
from lovt_tui.screens.prompt import Prompt, PromptScreen

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.comparing.cell import Entrance


class CompareActingScreen(DashboardScreen):
    """Its subclass shows the comparison, and knows where the cursor is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("P", "published", "paper", "show the paper's rows, or hide them"),
        bind("p", "pin", "pin", "show differences to this row; again: no longer"),
        bind("w", "significance", "Welch", "mark what differs from the pin: Welch's t, Holm's correction"),
        bind("f", "fill", "fill gaps", "list what would bring missing scores; queue it if you agree"),
        bind("e", "export", "export", "write the table: CSV, JSON, Markdown, LaTeX, HTML, SQLite"),
        bind("T", "tasks", "tasks", "choose the tasks to show"),
        bind("o", "open_run", "open run", "the run that brings the score under the cursor", bar=False),
        bind("I", "interval", "interval", "intervals of Student's t, or as in the paper (1.96)", bar=False),
        bind("i", "notes", "notes", "all notes of the table in words", bar=False),
        bind("y", "copy", "copy table", "the table as Markdown: to the clipboard, and into a file", bar=False),
    ]

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__()
        self._workspace = workspace
        self._wish = ComparisonWish()
        self._with_significance = False

    @property
    def wanted(self) -> Watch:
        """The comparison as it is wished for."""
        return Watch(page=self._wish)

    @property
    def comparison(self) -> "Comparison | None":
        """As last seen."""
        return None

    @property
    def entrance(self) -> "Entrance | None":
        """The entry under the cursor, with all that is known of it."""
        return None

    def redraw(self) -> None:
        """Show the same comparison in another way."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A row to pin, a pin to test against, an encoder to evaluate, a table to write."""
        match action:
            case "pin":
                return self.entrance is not None
            case "significance":
                return self._wish.pin is not None
            case "fill":
                return self.comparison is not None and any(not row.is_published for row in self.comparison.rows)
            case "open_run":
                return self.entrance is not None and self.entrance.run is not None
            case "export" | "notes" | "copy":
                return self.comparison is not None and bool(self.comparison.rows)
            case _:
                return super().check_action(action, parameters)

    def _change_wish(self, wish: ComparisonWish) -> None:
        self._wish = wish
        self.post_message(WatchRun(self.wanted))
        self.refresh_bindings()

    def action_published(self) -> None:
        """On or off; a pinned row of the paper goes with its rows."""
        pin = self._wish.pin
        rows = self.comparison.rows if self.comparison is not None else ()
        is_pin_published = any(row.label == pin and row.is_published for row in rows)
        pin = None if self._wish.published and is_pin_published else pin
        self._change_wish(replace(self._wish, published=not self._wish.published, pin=pin))

    def action_pin(self) -> None:
        """This row, or none."""
        if (entrance := self.entrance) is not None:
            label = entrance.row.label
            self._change_wish(replace(self._wish, pin=None if self._wish.pin == label else label))

    def action_significance(self) -> None:
        """On or off."""
        self._with_significance = not self._with_significance
        self.redraw()
        if self.comparison is not None and self._with_significance:
            from lovt_core.results.footnotes import describe_significance

            self.notify(clean(describe_significance(self.comparison)), markup=False)

    def action_interval(self) -> None:
        """The other rule."""
        interval = "published" if self._wish.interval == "student" else "student"
        self._change_wish(replace(self._wish, interval=interval))  # type: ignore[arg-type]

    def action_tasks(self) -> None:
        """Type patterns."""
        prompt = Prompt(
            "Tasks to show: ids, numbers, globs, suites; empty: the evaluated ones",
            text=" ".join(self._wish.tasks),
            hint="rsna-*  covid  frozen  12",
            check=expand_typed,
        )

        def take(text: str | None) -> None:
            if text is not None:
                self._change_wish(replace(self._wish, tasks=split_words(text)))

        self.app.push_screen(PromptScreen(prompt), take)

    def action_open_run(self) -> None:
        """Its own screen."""
        if (entrance := self.entrance) is not None and entrance.run is not None:
            self.post_message(OpenRun(entrance.run.id))

    def action_notes(self) -> None:
        """In a box."""
        if self.comparison is not None:
            from lovt_tui.comparing.legend import note_lines
            from lovt_tui.screens.text import TextScreen

            lines = note_lines(self.comparison, with_significance=self._with_significance)
            self.app.push_screen(TextScreen("Notes", lines))

    def action_copy(self) -> None:
        """As Markdown."""
        if self.comparison is not None:
            from lovt_core.results.export import to_markdown

            self.app.copy_to_clipboard(to_markdown(self.comparison, self._with_significance))

    def action_fill(self) -> None:
        """Ask which gaps."""
        scopes = list_scopes(self._wish, self.comparison, self.entrance)
        choices = [Choice(str(number), text) for number, (text, _) in enumerate(scopes)]

        def look(value: str | None) -> None:
            if value is not None:
                self._look_for_gaps(scopes[int(value)][1])

        self.app.push_screen(PickScreen("Fill which gaps? (it lists them, and asks)", choices), look)

    @work(thread=True, exclusive=True, group="gaps")
    def _look_for_gaps(self, scope: FillScope) -> None:
        """In a thread: runs, data and weights are looked at."""
        try:
            offer = offer_filling(self._workspace, scope)
        except (LovtError, OSError) as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.app.call_from_thread(self._ask_to_fill, offer)

    def _ask_to_fill(self, offer: FillOffer) -> None:
        from lovt_tui.comparing.offer import describe_total, offer_lines
        from lovt_tui.screens.filling import FillingScreen
        from lovt_tui.screens.text import TextScreen

        if not offer.plan.evaluations:
            self.app.push_screen(TextScreen("Nothing to queue", offer_lines(offer)))
            return

        def decide(agreed: bool | None) -> None:
            if agreed:
                self.post_message(Act(partial(fill_gaps, offer=offer)))

        self.app.push_screen(FillingScreen(describe_total(offer), offer_lines(offer)), decide)

    def action_export(self) -> None:
        """Ask for the format, then for the file."""

        def ask_for_path(value: str | None) -> None:
            if value is not None:
                self._ask_for_path(cast(TableFormat, value))

        self.app.push_screen(PickScreen("Export the table as", FORMATS), ask_for_path)

    def _ask_for_path(self, table_format: TableFormat) -> None:
        title = f"File, in {clean(str(Path.cwd()))} unless it has a folder"
        prompt = Prompt(title, suggest_file(table_format), check=read_table_format)

        def take(typed: str | None) -> None:
            if typed is not None:
                order = ExportOrder(self._wish, read_table_format(typed), read_path(typed), self._with_significance)
                self._export(order)

        self.app.push_screen(PromptScreen(prompt), take)

    def _export(self, order: ExportOrder) -> None:
        """At once, or after a question where the file is there already."""
        if not order.path.exists():
            self.post_message(Act(partial(export_comparison, order=order)))
            return

        def decide(agreed: bool | None) -> None:
            if agreed:
                self.post_message(Act(partial(export_comparison, order=replace(order, replace=True))))

        question = Question(f"Replace {clean(str(order.path))}?", "The file that is there now will be lost.")
        self.app.push_screen(ConfirmScreen(question), decide)
