"""The form that prepares a data set: its download, and how; what its tables say is shown while typing."""

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from lovt_core.errors import LovtError
from lovt_tui.actions.data import read_download
from lovt_tui.datasets.background import answer_later
from lovt_tui.datasets.ordering import FIELDS, describe_report, read_order
from lovt_tui.datasets.preparing import Order, check_order
from lovt_tui.keyboard.keys import bind
from lovt_tui.screens.dashboard import HORIZONTAL_BREAKPOINTS, VERTICAL_BREAKPOINTS
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_input import LineInput
from lovt_tui.widgets.reason import Reason

if TYPE_CHECKING:
    from textual.timer import Timer

    from lovt_core.data.data_set import DataSet

TYPING_SECONDS = 0.4
"""A folder is looked into when nobody has typed for so long."""


class PrepareScreen(ModalScreen[Order | None], inherit_bindings=False):
    """The order, or None when it was left."""

    CSS_PATH = "../styles/data.tcss"
    HORIZONTAL_BREAKPOINTS = HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = VERTICAL_BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "prepare", "prepare", "start; it goes on in the background", priority=True),
        bind("tab,down", "app.focus_next", "next line", priority=True),
        bind("shift+tab,up", "app.focus_previous", "line before", bar=False, priority=True),
        bind("escape", "leave", "back", priority=True),
    ]

    @dataclass
    class Read(Message):
        """The tables of a download were read, or cannot be."""

        source: str
        text: str
        is_good: bool

    def __init__(self, data_set: "DataSet", last: Order | None = None) -> None:
        super().__init__()
        self._data_set = data_set
        self._last = last
        self._source = ""
        self._process: subprocess.Popen[str] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lines to type in, and what is wrong with them."""
        with Vertical(classes="dialog prepare"):
            yield Label(f"Prepare {self._data_set.name}", classes="title", markup=False)
            for field in FIELDS:
                with Horizontal(classes="field"):
                    yield Label(field.title, markup=False)
                    hint = field.hint.format(size=self._data_set.default_size)
                    yield LineInput(field.first(self._last), placeholder=hint, compact=True, id=field.id)
            yield Reason(id="verdict")
            yield Reason(id="tables")
            yield KeyBar()

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one("#source", Input).focus()
        self._judge()

    def on_unmount(self) -> None:
        """Nobody waits for what is being read."""
        self._give_up()

    def _read_order(self) -> Order:
        texts = {field.id: self.query_one(f"#{field.id}", Input).value.strip() for field in FIELDS}
        return check_order(read_order(self._data_set.name, texts))

    def _judge(self) -> str:
        """Say what is wrong."""
        try:
            self._read_order()
            problem = ""
        except (LovtError, OSError) as error:
            problem = str(error)
        is_begun = bool(self.query_one("#source", Input).value)
        self.query_one("#verdict", Reason).show(problem if is_begun else "")
        return problem

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge, and look into the folder as soon as nobody types."""
        self._judge()
        if event.input.id == "source":
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(TYPING_SECONDS, self._look)

    def _look(self) -> None:
        """Read the tables of another folder."""
        source = self.query_one("#source", Input).value.strip()
        folder = Path(source).expanduser()
        if source == self._source:
            return
        self._give_up()
        self._source = source
        is_folder = bool(source) and folder.is_dir()
        self._tell("reading its tables …" if is_folder else "", "dim")
        if is_folder:
            answer_later(self, partial(self._read_tables, source, folder.resolve()))

    def _read_tables(self, source: str, folder: Path) -> Message:
        try:
            report = read_download(self._data_set.name, folder, self._keep)
        except (LovtError, OSError, ValueError, KeyError) as error:
            return self.Read(source, str(error), is_good=False)
        return self.Read(source, describe_report(report), is_good=not report.problems)

    def _keep(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def _give_up(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def on_prepare_screen_read(self, event: Read) -> None:
        """Say what the tables hold, if the folder is still the one."""
        if event.source == self._source and self.is_mounted:
            self._tell(event.text, "good" if event.is_good else "warning")

    def _tell(self, text: str, tone: str) -> None:
        self.query_one("#tables", Reason).show(text, tone)

    def action_prepare(self) -> None:
        """Start, unless something is wrong."""
        if problem := self._judge():
            self.query_one("#verdict", Reason).show(problem)
        else:
            self.dismiss(self._read_order())

    def action_leave(self) -> None:
        """Nothing is prepared."""
        self.dismiss(None)
