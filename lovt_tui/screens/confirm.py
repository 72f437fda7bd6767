"""A question before something that cannot be taken back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from lovt_tui.formatting import clean
from lovt_tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


@dataclass(frozen=True)
class Question:
    """What is asked, and what follows."""

    title: str
    consequence: str


def stop_question(row: "RunRow") -> Question:
    """A queued run never starts; one at work saves."""
    if row.state == "queued" and row.attempt == 1:
        return Question(f"Cancel {clean(row.name)}?", "It is still queued and will never start.")
    return Question(f"Stop {clean(row.name)}?", "It finishes its step, saves, and can be resumed with r.")


def kill_question(row: "RunRow") -> Question:
    """Asked of a run that is stopping already."""
    return Question(
        f"Kill {clean(row.name)}?",
        "It was asked to stop and is still at work. Killed now, it loses everything since its last checkpoint.",
    )


class ConfirmScreen(ModalScreen[bool], inherit_bindings=False):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question in a box, its keys below."""
        with Vertical(classes="dialog"):
            yield Label(self._question.title, classes="title", markup=False)
            yield Label(self._question.consequence, markup=False)
            yield KeyBar()

    def action_answer(self, agreed: bool) -> None:
        """Answer."""
        self.dismiss(agreed)
