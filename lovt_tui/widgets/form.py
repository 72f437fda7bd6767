"""A form that edits a draft: its keys, the line to type in, what a key means."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Label

from lovt_tui.formatting import clean
from lovt_tui.forms.lines import Heading, arrange
from lovt_tui.forms.offers import find_offer
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.form_table import FormTable
from lovt_tui.widgets.line_table import LineTable
from lovt_tui.widgets.type_bar import TypeBar

if TYPE_CHECKING:
    from lovt_tui.forms.drafts import Draft
    from lovt_tui.forms.views import Row, View

NOT_SEARCHED = ("switch", "yaml", "list", "unknown")
"""Kinds of values that no range is over."""
NEED_KEY = ("step", "put_back", "take_out")


class Form(Vertical):
    """Edits are told by messages; whoever builds views of the drafts shows them here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("space", "step", "next value", "turn on or off, or take the next of the values that are allowed"),
        bind("u,backspace", "put_back", "put back", "the value of the start again"),
        bind("delete", "take_out", "leave out", "take the key out, so that its default counts", bar=False),
        bind("v", "search_over", "search over", "let the sweep search over this key: a range, or choices"),
        bind("slash", "find", "find", "show only keys that have a text"),
        bind("left,h", "fold(True)", "fold", "fold the group", bar=False),
        bind("right,l", "fold(False)", "unfold", "unfold the group", bar=False),
        bind("z", "fold_all", "fold all", "fold all groups, or unfold them", bar=False),
    ]

    @dataclass
    class Edited(Message):
        """Another draft; while somebody types it is only looked at."""

        draft: "Draft"

    @dataclass
    class ChoiceWanted(Message):
        """Somebody wants to pick a value."""

        row: "Row"

    @dataclass
    class RangeWanted(Message):
        """Somebody wants to type a range for a key."""

        row: "Row"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.draft: Draft | None = None
        self._view: View | None = None
        self._folded: set[str] = set()
        self._wanted = ""
        self._edited: Row | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield FormTable(id="fields")
        yield TypeBar()
        yield Label("", id="meaning", markup=False)

    @property
    def row(self) -> "Row | None":
        """The key under the cursor."""
        line = self.query_one(FormTable).selected
        return None if line is None or isinstance(line, Heading) else line

    @property
    def is_typing(self) -> bool:
        """Whether somebody types a value or a text to find."""
        return self.query_one(TypeBar).is_open

    def begin(self, draft: "Draft") -> None:
        """Edit this from now on; what was typed for another one is forgotten."""
        self.draft, self._view, self._edited, self._wanted = draft, None, None, ""
        self.query_one(TypeBar).close()
        self.query_one(FormTable).show((), f"Reading {clean(draft.start.name)} …")

    def show(self, view: "View") -> None:
        """Show what became of a draft."""
        is_new = self._view is None
        self._view = view
        self._arrange()
        if is_new:
            self.query_one(FormTable).action_first()
            self.query_one(FormTable).action_move(1)
        self._show_meaning()
        self.refresh_bindings()

    def take(self, draft: "Draft") -> None:
        """Go on with this draft."""
        self.draft = draft
        self.post_message(self.Edited(draft))

    def type_value(self, row: "Row") -> None:
        """Edit a value in the line."""
        from lovt_tui.forms.ranges import HINT, edit_entry

        self._edited = row
        wanted = HINT if row.field.path[:2] == ("sweep", "space") else row.field.wanted
        self.query_one(TypeBar).open(row.key, edit_entry(row.field.value), wanted)
        self.refresh_bindings()

    def _arrange(self) -> None:
        if self._view is None:
            return
        table = self.query_one(FormTable)
        lines = arrange(self._view.rows, self._folded, self._wanted)
        table.show(lines, f"No key has '{clean(self._wanted)}'. esc shows all." if self._wanted else "")
        to_key = self._wanted and isinstance(table.selected, Heading)
        table.action_move(1 if to_key else 0)  # rows may have come above: the cursor stays in sight

    def _show_meaning(self) -> None:
        row = self.row
        parts: list[str] = []
        if row is not None:
            field = row.field
            parts = [row.key] if not field.help else [field.help]
            parts += [field.wanted] if field.wanted not in ("", "text") else []
        self.query_one("#meaning", Label).update(clean(" · ".join(parts)))

    def on_line_table_highlighted(self, event: LineTable.Highlighted) -> None:
        """Another key: what it means."""
        event.stop()
        self._show_meaning()
        self.refresh_bindings()

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """Fold a heading, turn a switch, pick or type a value."""
        event.stop()
        line, row = self.query_one(FormTable).selected, self.row
        if isinstance(line, Heading):
            self.action_fold(not line.is_folded)
        elif row is not None and row.field.form in ("bool", "switch"):
            self.action_step()
        elif row is not None and row.search:
            self.action_search_over()
        elif row is not None and (row.field.choices or find_offer(row.field.path)):
            self.post_message(self.ChoiceWanted(row))
        elif row is not None:
            self.type_value(row)

    def on_type_bar_typed(self, event: TypeBar.Typed) -> None:
        """Look at what is typed, or for it."""
        event.stop()
        if self._edited is None:
            self._wanted = event.text
            self._arrange()
        elif self.draft is not None:
            from lovt_tui.forms.edits import set_text

            self.post_message(self.Edited(set_text(self.draft, self._edited, event.text)))

    def on_type_bar_kept(self, event: TypeBar.Kept) -> None:
        """Keep what is typed."""
        event.stop()
        row, self._edited = self._edited, None
        self.query_one(FormTable).focus()
        if row is not None and self.draft is not None:
            from lovt_tui.forms.edits import set_text

            self.take(set_text(self.draft, row, event.text))
        self.refresh_bindings()

    def on_type_bar_left(self, event: TypeBar.Left) -> None:
        """As it was."""
        event.stop()
        self.query_one(FormTable).focus()
        if self._edited is None:
            self.drop_find()
        elif self.draft is not None:
            self._edited = None
            self.take(self.draft)
        self.refresh_bindings()

    def drop_find(self) -> bool:
        """Show all keys again; whether some were hidden."""
        was_hiding, self._wanted = bool(self._wanted), ""
        self._arrange()
        return was_hiding

    def action_step(self) -> None:
        """The next value."""
        from lovt_tui.forms.edits import step

        if self.row is not None and self.draft is not None and (draft := step(self.draft, self.row)) is not None:
            self.take(draft)

    def action_put_back(self) -> None:
        """As at the start."""
        if self.row is not None and self.draft is not None:
            self.take(self.draft.put_back(self.row.field.path))

    def action_take_out(self) -> None:
        """Leave the key out."""
        from lovt_tui.forms.edits import take_out

        if self.row is not None and self.draft is not None:
            self.take(take_out(self.draft, self.row))

    def action_search_over(self) -> None:
        """Type a range."""
        if self.row is not None:
            self.post_message(self.RangeWanted(self.row))

    def action_find(self) -> None:
        """Type what to look for."""
        self._edited = None
        self.query_one(TypeBar).open("/", self._wanted, "part of a key or of a heading")
        self.refresh_bindings()

    def action_fold(self, folded: bool) -> None:
        """The group that the cursor is in."""
        line = self.query_one(FormTable).selected
        if line is not None:
            title = line.title if isinstance(line, Heading) else line.group
            self._folded = self._folded | {title} if folded else self._folded - {title}
            self._arrange()
            self.query_one(FormTable).select(f"#{title}")

    def action_fold_all(self) -> None:
        """All groups, or none."""
        titles = {row.group for row in self._view.rows} if self._view is not None else set()
        self._folded = set() if titles <= self._folded else titles
        self._arrange()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While somebody types the keys are letters; some make sense for some keys only."""
        if action in ("step", "put_back", "take_out", "search_over", "find", "fold", "fold_all") and self.is_typing:
            return False
        row = self.row
        if action == "step":
            return row is not None and (row.field.form in ("bool", "switch") or bool(row.field.choices))
        if action == "put_back":
            return row is not None and row.is_changed
        if action == "search_over":
            return row is not None and row.field.path[0] == "base" and row.field.form not in NOT_SEARCHED
        return row is not None if action in NEED_KEY else super().check_action(action, parameters)
