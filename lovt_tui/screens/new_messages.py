"""What the threads of the screen that starts runs tell it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from lovt_tui.forms.drafts import Start
    from lovt_tui.forms.judging import Verdict
    from lovt_tui.forms.suggestions import Suggestion
    from lovt_tui.forms.views import Row, View
    from lovt_tui.starting import StartChoice


@dataclass
class FilesListed(Message):
    """The files that there are."""

    files: "tuple[StartChoice, ...]"


@dataclass
class StartOpened(Message):
    """A start was read."""

    start: "Start"


@dataclass
class DraftViewed(Message):
    """What became of a draft, and whether it can begin, once that is known."""

    view: "View"
    verdict: "Verdict | None" = None


@dataclass
class StartFailed(Message):
    """Nothing came of it."""

    problem: str


@dataclass
class ValuesOffered(Message):
    """Values that a key could have."""

    row: "Row"
    suggestions: "tuple[Suggestion, ...]"
