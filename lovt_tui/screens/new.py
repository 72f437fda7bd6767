"""Starting a run or a sweep: pick what to begin from, change it in a form, see at once what is wrong, queue it."""

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Label
from textual.worker import get_current_worker

from lovt_tui import starting
from lovt_tui.formatting import clean
from lovt_tui.forms.reading import describe_draft, difference_lines, shorten, whole_lines
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import ShowScreen
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.screens.confirm import ConfirmScreen, Question
from lovt_tui.screens.form_acting import FormActingScreen
from lovt_tui.screens.new_messages import DraftViewed, FilesListed, StartFailed, StartOpened
from lovt_tui.screens.text import TextScreen
from lovt_tui.starting import START_ERRORS, StartChoice
from lovt_tui.widgets.form import Form
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.start_pane import StartPane
from lovt_tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.forms.drafts import Draft
    from lovt_tui.forms.views import View

NO_START = "What to begin from"
MAX_PROBLEMS = 4
"""Where there is room; half as many where they wrap."""


class NewScreen(FormActingScreen):
    """First a list of what to begin from; then the form, beside it what differs."""

    CSS_PATH = "../styles/new.tcss"
    AUTO_FOCUS = "#starts"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("d", "turn_pane", "difference", "what differs from the start, or the whole experiment"),
        bind("escape", "back", "back", "back to what to begin from, then to the runs; the form is kept"),
        bind("tab", "app.focus_next", "next pane", bar=False),
        bind("shift+tab", "app.focus_previous", "previous pane", bar=False),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "* a key that differs from the start, ✘ one that is wrong, ~ one that a sweep",
        "searches over. Lists are typed with commas between; none empties a key.",
        "Saved files have what the start gave and what was changed, without comments.",
    )

    def __init__(self, workspace: "Workspace", place: str) -> None:
        super().__init__(workspace)
        self._place = place
        self._files: tuple[StartChoice, ...] = ()
        self._seen: tuple[RunRow, ...] = ()
        self._past_runs: tuple[StartChoice, ...] = ()
        self._view: View | None = None
        self._latest: Draft | None = None
        self._shows_whole = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "New")
        yield Label(NO_START, id="about", markup=False)
        yield Reason()
        yield Label("", id="estimate", markup=False)
        yield StartPane()
        with Horizontal(id="editing"):
            yield Form()
            yield LineView(id="pane")
        yield KeyBar()

    def on_mount(self) -> None:
        """Look which files there are."""
        self._list_files()

    def show(self, snapshot: Snapshot) -> None:
        """Past runs are starts too."""
        self.query_one(TopBar).show(snapshot)
        if snapshot.runs is not self._seen:
            self._seen = snapshot.runs
            self._runs = tuple(sorted(snapshot.runs, key=lambda row: -row.created))
            self._past_runs = starting.list_past_runs(self._runs)
        self._show_starts()

    def on_screen_resume(self) -> None:
        """Files and data may have come meanwhile."""
        super().on_screen_resume()
        if self.is_built:
            self._list_files()
            if self._latest is not None and self.has_class("-form"):
                self._look(self._latest)

    def _show_starts(self) -> None:
        if not self._files:
            return
        edited = None if self._view is None else self._view.draft.start.name
        self.query_one(StartPane).show(starting.list_starts(edited, self._files, self._past_runs))

    @work(thread=True, exclusive=True, group="files")
    def _list_files(self) -> None:
        self.post_message(FilesListed(starting.list_files()))

    def on_files_listed(self, event: FilesListed) -> None:
        """Show them."""
        self._files = event.files
        self._show_starts()

    def start_from_run(self, run_id: str) -> None:
        """Begin with the experiment of a run."""
        self._begin_from(StartChoice("run", run_id, ""))

    def on_start_pane_picked(self, event: StartPane.Picked) -> None:
        """Begin from it."""
        self._begin_from(event.choice)

    def _begin_from(self, choice: StartChoice) -> None:
        """Open it, unless that would drop changes that somebody still wants."""
        draft = self.form.draft if self.is_built else None
        if choice.kind == "draft":
            self._turn(to_form=True)
        elif draft is None or not self.unsaved:
            self._open(choice)
        else:
            question = Question(
                f"Drop the changes to {draft.start.name}?", "They are not saved: w in the form saves them as a file."
            )

            def answer(agreed: bool | None) -> None:
                if agreed:
                    self._open(choice)

            self.app.push_screen(ConfirmScreen(question), answer)

    @work(thread=True, exclusive=True, group="open")
    def _open(self, choice: StartChoice) -> None:
        try:
            self.post_message(StartOpened(starting.open_start(self._workspace, choice)))
        except START_ERRORS as error:
            self.post_message(StartFailed(str(error)))

    def on_start_opened(self, event: StartOpened) -> None:
        """Edit it."""
        from lovt_tui.forms.drafts import Draft

        draft = Draft(event.start)
        self._view, self._latest = None, draft
        self.form.begin(draft)
        self._turn(to_form=True)

    def on_start_failed(self, event: StartFailed) -> None:
        """Say why."""
        self.query_one(Reason).show(shorten(event.problem, self._num_problems))

    def on_form_edited(self, event: Form.Edited) -> None:
        """Check it."""
        self._look(event.draft)

    def _look(self, draft: "Draft") -> None:
        self._latest = draft
        self._build(draft)

    @work(thread=True, exclusive=True, group="judge")
    def _build(self, draft: "Draft") -> None:
        """First what the schema says, at once; then what is missing on this machine."""
        from lovt_tui.forms.judging import judge_view
        from lovt_tui.forms.views import build_view

        worker = get_current_worker()
        try:
            view = build_view(draft)
            self.post_message(DraftViewed(view))
            if not worker.is_cancelled:
                self.post_message(DraftViewed(view, judge_view(self._workspace, view, self._runs)))
        except START_ERRORS as error:
            self.post_message(StartFailed(str(error)))

    def on_draft_viewed(self, event: DraftViewed) -> None:
        """Show it, unless the draft is another one by now, or the list of starts is shown."""
        if event.view.draft is not self._latest or not self.has_class("-form"):
            return
        self._view = event.view
        if event.verdict is None:
            self.form.show(event.view)
            self._show_pane()
            self.query_one("#about", Label).update(describe_draft(event.view))
            return
        self._show_starts()
        told = self.query_one("#estimate", Label)
        told.update(event.verdict.estimate)
        told.set_class(bool(event.verdict.estimate), "-told")
        if event.verdict.problem:
            self.query_one(Reason).show(shorten(event.verdict.problem, self._num_problems))
        else:
            self.query_one(Reason).show(f"✔ {clean(event.verdict.summary)}", "good")

    @property
    def _num_problems(self) -> int:
        return MAX_PROBLEMS if self.has_class("-normal") or self.has_class("-wide") else MAX_PROBLEMS // 2

    def _show_pane(self) -> None:
        pane = self.query_one("#pane", LineView)
        pane.border_title = "whole" if self._shows_whole else "difference to the start"
        if self._view is not None:
            pane.show(whole_lines(self._view) if self._shows_whole else difference_lines(self._view))

    def _turn(self, *, to_form: bool) -> None:
        """To the form, or to the list of starts."""
        self.set_class(to_form, "-form")
        if not to_form:
            self.query_one("#about", Label).update(NO_START)
            self.query_one(Reason).show("")
        elif self._latest is not None:
            self._look(self._latest)
        self.query_one("#fields" if to_form else "#starts").focus()
        self.refresh_bindings()

    def action_turn_pane(self) -> None:
        """The difference or the whole; where there is no room for a pane, the difference in a box."""
        if self._view is not None and not self.query_one("#pane").is_on_screen:
            self.app.push_screen(TextScreen("Difference to the start", difference_lines(self._view)))
            return
        self._shows_whole = not self._shows_whole
        self._show_pane()

    def action_back(self) -> None:
        """One step: what hides keys, then the form, then the screen."""
        if self.has_class("-form"):
            if not self.form.drop_find():
                self._turn(to_form=False)
        elif not self.query_one(StartPane).drop_find():
            self.post_message(ShowScreen("runs"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The pane belongs to the form."""
        if action == "turn_pane":
            return self.has_class("-form") and not self.form.is_typing
        return super().check_action(action, parameters)
