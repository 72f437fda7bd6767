"""A question before something that cannot be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from lovt_tui.formatting import clean, plural
from lovt_tui.keyboard.keys import bind
from lovt_tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow


@dataclass(frozen=True)
class Question:
    """What is asked, and what follows."""

    title: str
    consequence: str


def stop_question(rows: "Sequence[RunRow]") -> Question:
    """A queued run never starts; one at work saves."""
    if all(row.state == "queued" and row.attempt == 1 for row in rows):
        return Question(f"Cancel {_name(rows)}?", f"{_they(rows)} still queued and will never start.")
    return Question(f"Stop {_name(rows)}?", "What is at work finishes its step, saves, and can be resumed with r.")


def kill_question(rows: "Sequence[RunRow]") -> Question:
    """Asked of runs that are stopping already."""
    return Question(
        f"Kill {_name(rows)}?",
        f"{_they(rows)} asked to stop and still at work. Killed now, all since the last checkpoint is lost.",
    )


def trash_question(rows: "Sequence[RunRow]") -> Question:
    """Before runs go to the trash."""
    return Question(f"Move {_name(rows)} to the trash?", "u brings back what was moved last; lovt rm --empty deletes.")


def _name(rows: "Sequence[RunRow]") -> str:
    return clean(rows[0].name) if len(rows) == 1 else plural(len(rows), "run")


def _they(rows: "Sequence[RunRow]") -> str:
    return "It is" if len(rows) == 1 else "They are"


class ConfirmScreen(ModalScreen[bool], inherit_bindings=False):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("y,enter", "answer(True)", "yes"),
        bind("n,escape", "answer(False)", "no"),
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
