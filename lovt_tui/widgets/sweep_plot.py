"""One view of a sweep, drawn in a thread, because thousands of trials take a while and importance takes seconds."""

import time
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.message import Message

from lovt_tui.formatting import Cell
from lovt_tui.keyboard.keys import bind
from lovt_tui.sweeping.drawing import Lines, ViewChoice, describe_choice, draw_view
from lovt_tui.sweeping.study import Study
from lovt_tui.widgets.line_view import LineView

REST = 10
"""A view that only has new trials is drawn again after so many times what drawing it took, a second at least."""


@dataclass(frozen=True)
class Request:
    """What is to be drawn."""

    study: Study
    choice: ViewChoice
    width: int
    height: int

    @property
    def is_slow(self) -> bool:
        """Whether somebody should be told to wait."""
        return self.choice.view == "importance"

    def is_update_of(self, other: "Request") -> bool:
        """Whether only trials are new."""
        mine = (self.study.name, self.choice, self.width, self.height)
        return mine == (other.study.name, other.choice, other.width, other.height)


class SweepPlot(LineView, inherit_bindings=False):
    """Keeps the old picture until the new one is there. Arrows to the sides belong to the screen: they choose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("up,k", "scroll_up", "line up", bar=False),
        bind("down,j", "scroll_down", "line down", bar=False),
        bind("pageup", "page_up", "page up", bar=False),
        bind("pagedown", "page_down", "page down", bar=False),
        bind("home,g", "scroll_home", "first line", bar=False),
        bind("end,G", "scroll_end", "last line", bar=False),
    ]

    @dataclass
    class Drawn(Message):
        """A picture is ready."""

        request: Request
        lines: Lines
        seconds: float

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._study: Study | None = None
        self._choice = ViewChoice()
        self._shown: Request | None = None
        self._at_work: set[bool] = set()
        """Whether a quick drawing, and whether a slow one, is being made."""
        self._is_waiting = False
        self._due = 0.0

    def show_view(self, study: Study | None, choice: ViewChoice) -> None:
        """Show this view from now on."""
        if study is None:
            self._study = self._shown = None
            self.border_title = self.border_subtitle = ""
            self.show(())
            return
        self._study, self._choice = study, choice
        titles = choice.view, describe_choice(study, choice)
        if (self.border_title, self.border_subtitle) != titles:
            self.border_title, self.border_subtitle = titles
        self._ask()

    def on_resize(self) -> None:
        """Another size needs another picture."""
        super().on_resize()
        self._ask()

    def _ask(self) -> None:
        """Draw what is wanted now, unless it is there or being drawn."""
        width, height = self.size
        if self._study is None or not self.display or width < 1 or height < 1:
            return
        wanted = Request(self._study, self._choice, width, height)
        if wanted == self._shown:
            return
        is_update = self._shown is not None and wanted.is_update_of(self._shown)
        if wanted.is_slow and not is_update:
            self.show(((Cell("computing importance …", "dim"),),))
        if wanted.is_slow in self._at_work:
            return
        if is_update and (wait := self._due - time.monotonic()) > 0:
            self._wait(wait)
            return
        self._at_work.add(wanted.is_slow)
        self._draw(wanted)

    def _wait(self, seconds: float) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self.set_timer(seconds, self._go_on)

    def _go_on(self) -> None:
        self._is_waiting = False
        self._ask()

    @work(thread=True)
    def _draw(self, request: Request) -> None:
        began = time.monotonic()
        lines = draw_view(request.study, request.choice, request.width, request.height)
        self.post_message(self.Drawn(request, lines, time.monotonic() - began))

    def on_sweep_plot_drawn(self, event: Drawn) -> None:
        """Show it if it is still wanted, and draw what is wanted now."""
        self._at_work.discard(event.request.is_slow)
        study = self._study
        if study is not None and (event.request.study.name, event.request.choice) == (study.name, self._choice):
            self._shown = event.request
            self._due = time.monotonic() + max(1.0, REST * event.seconds)
            self.show(event.lines)
        self._ask()
