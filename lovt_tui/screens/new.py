"""Starting a run: pick an experiment file, override values, see at once what is wrong, queue it."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, OptionList
from textual.worker import get_current_worker

from lovt_tui.describing import config_lines
from lovt_tui.formatting import clean
from lovt_tui.messages import RunLaunched
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.snapshot import Snapshot
from lovt_tui.starting import START_ERRORS, Choice, Verdict, judge, list_experiment_files, start
from lovt_tui.widgets.choice_line import ChoiceLine
from lovt_tui.widgets.file_picker import FilePicker
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace


class NewScreen(DashboardScreen):
    """Files on the left, the merged experiment on the right, what is wrong with it above that."""

    AUTO_FOCUS = "#files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "queue", "queue the run", tooltip="queue a run of this file with these overrides"),
        Binding("escape", "back", "back", tooltip="back to the list of runs, nothing is queued"),
        Binding("tab", "app.focus_next", "next field", tooltip="list, file, overrides, experiment"),
        Binding("shift+tab", "app.focus_previous", "previous field", show=False),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "Overrides are key=value with spaces between:",
        "training.max_epochs=5 data.name=synthetic",
        "The list has the shipped experiments, then those of this folder;",
        "any other path can be typed.",
    )

    def __init__(self, workspace: "Workspace", place: str) -> None:
        super().__init__()
        self._place = place
        self._workspace = workspace
        self._is_starting = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "New")
        with Horizontal(classes="field"):
            yield Label("file")
            yield ChoiceLine(placeholder="path, or name of a shipped experiment", compact=True, id="file")
        with Horizontal(classes="field"):
            yield Label("overrides")
            yield ChoiceLine(placeholder="key=value …", compact=True, id="overrides")
        with Horizontal(id="start"):
            yield FilePicker(id="files")
            with Vertical():
                yield Reason()
                yield LineView(id="merged")
        yield KeyBar()

    def on_mount(self) -> None:
        """Look which files there are."""
        self.query_one("#merged").border_title = "experiment"
        self._list_files()

    def show(self, snapshot: Snapshot) -> None:
        """Only the top line shows what runs."""
        self.query_one(TopBar).show(snapshot)

    @property
    def choice(self) -> Choice:
        """What is picked and typed."""
        return Choice(self.query_one("#file", Input).value, self.query_one("#overrides", Input).value)

    @work(thread=True)
    def _list_files(self) -> None:
        self.app.call_from_thread(self.query_one(FilePicker).show, list_experiment_files())

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The file under the cursor is the one in question."""
        if event.option_id is not None:
            self.query_one("#file", Input).value = event.option_id

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Picked: the overrides come next."""
        self.query_one("#overrides", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge while typing."""
        self._judge(self.choice)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a line."""
        self.action_queue()

    @work(thread=True, exclusive=True, group="judge")
    def _judge(self, choice: Choice) -> None:
        worker = get_current_worker()
        verdict = judge(self._workspace, choice)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_verdict, verdict)

    def _show_verdict(self, verdict: Verdict) -> None:
        if verdict.problem:
            self.query_one(Reason).show("\n".join(f"✘ {clean(line)}" for line in verdict.problem.split("\n")))
        else:
            self.query_one(Reason).show(f"✔ {clean(verdict.summary)}", "good")
        self.query_one(LineView).show(config_lines(verdict.experiment) if verdict.experiment else ())

    def action_queue(self) -> None:
        """Queue what is picked, once, or say in place why it cannot be."""
        if not self._is_starting:
            self._is_starting = True
            self._start(self.choice)

    @work(thread=True)
    def _start(self, choice: Choice) -> None:
        try:
            self.post_message(RunLaunched(start(self._workspace, choice)))
        except START_ERRORS as error:
            verdict = replace(judge(self._workspace, choice), problem=str(error))
            self.app.call_from_thread(self._show_verdict, verdict)
            self._is_starting = False

    def action_back(self) -> None:
        """Start nothing."""
        self.dismiss()
