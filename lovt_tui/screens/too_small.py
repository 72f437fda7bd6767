"""What is said while the terminal is smaller than anything can be shown in."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Label

from lovt_tui.keyboard.keys import bind

LEAST = Size(40, 10)


class TooSmallScreen(ModalScreen[None], inherit_bindings=False):
    """Goes away by itself when the terminal grows."""

    BINDINGS: ClassVar[list[BindingType]] = [bind("q,ctrl+q", "app.quit", "quit")]

    def compose(self) -> ComposeResult:
        """One sentence."""
        yield Label(f"needs {LEAST.width}x{LEAST.height} cells; runs go on; q quits", markup=False)


def is_too_small(size: Size) -> bool:
    """Whether nothing fits."""
    return size.width < LEAST.width or size.height < LEAST.height
