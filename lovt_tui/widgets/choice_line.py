"""One line to type in on the screen that starts a run."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class ChoiceLine(Input):
    """Enter queues the run, and the key bar says so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "queue the run", tooltip="queue a run of this file with these overrides")
    ]
