"""Keys that act on a sweep; what takes a moment to find out is found out in a thread, then asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType
from textual.message import Message

from lovt_core.errors import LovtError
from lovt_tui.actions import sweeps as actions
from lovt_tui.actions.export import check_new_file
from lovt_tui.formatting import Cell, clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import Act
from lovt_tui.screens.confirm import ConfirmScreen, Question
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.pick import Choice, PickScreen
from lovt_tui.screens.prompt import Prompt, PromptScreen
from lovt_tui.screens.text import TextScreen
from lovt_tui.starting import list_files
from lovt_tui.sweeping import starting as starting

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_core.sweeps.trials import Trial
    from lovt_tui.sweeping.study import Study, SweepSummary
    from lovt_tui.widgets.line_view import Line

PLAN_ERRORS = (LovtError, OSError, ValueError, KeyError, TypeError)
"""What damaged files and wrong sweep files lead to."""


class SweepActingScreen(DashboardScreen):
    """Its subclass says which sweep and which trial are meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("n", "start", "new", "start a sweep from a shipped file or one of yours"),
        bind("P", "pause", "pause", "begin no more trials; those at work go on to their end"),
        bind("r", "resume", "resume", "go on with a paused, stopped or interrupted sweep"),
        bind("x", "stop", "stop", "all runs of the sweep save and stop: it asks first; r goes on"),
        bind("E", "extend", "extend", "more trials, hours, or trials at once; a finished sweep goes on"),
        bind("b", "save_best", "save best", "save the experiment of the best trial as a file", bar=False),
        bind("f", "confirm", "confirm", "train base and winner again with fresh seeds, or see what came of it"),
        bind("e", "export", "export", "save the trials as CSV, JSON, Markdown or LaTeX"),
        bind("R", "report", "report", "save everything in one HTML file", bar=False),
        bind("B", "rebuild", "rebuild", "put a lost study together from the run directories", bar=False),
    ]

    @dataclass
    class FoundOut(Message):
        """A thread knows what is to be asked or shown."""

        go_on: Callable[[], object]

    _workspace: "Workspace"
    _awaited: str | None = None
    """Name of a sweep that was just started: the cursor goes there."""

    @property
    def summary(self) -> "SweepSummary | None":
        """The sweep under the cursor."""
        return None

    @property
    def study(self) -> "Study | None":
        """The same in full, as soon as it is read."""
        return None

    @property
    def trial(self) -> "Trial | None":
        """The trial under the cursor."""
        return None

    def on_sweep_acting_screen_found_out(self, event: FoundOut) -> None:
        """Ask or show it, unless somebody went elsewhere meanwhile."""
        if self.is_current:
            event.go_on()

    @work(thread=True, exclusive=True, group="finding out")
    def _find_out(self, find: "Callable[[Workspace], Callable[[], object]]") -> None:
        """`find` runs in the thread and returns what the screen does then."""
        try:
            go_on = find(self._workspace)
        except PLAN_ERRORS as error:
            go_on = partial(self._show_problem, str(error) or type(error).__name__)
        self.post_message(self.FoundOut(go_on))

    def _show_problem(self, text: str) -> None:
        """A short one passes by, several lines stay until they are read."""
        if "\n" not in text:
            self.notify(clean(text), severity="error", markup=False)
        else:
            self._show_lines("This cannot be done yet", tuple((Cell(clean(line)),) for line in text.splitlines()))

    def _show_lines(self, title: str, lines: "tuple[Line, ...]") -> None:
        self.app.push_screen(TextScreen(title, lines))

    def _ask(self, question: Question, act: "Callable[[Workspace], str]") -> None:
        def decide(agreed: bool | None) -> None:
            if agreed:
                self.post_message(Act(act))

        self.app.push_screen(ConfirmScreen(question), decide)

    def _ask_path(
        self,
        title: str,
        name: str,
        formats: Mapping[str, str],
        act: "Callable[[Workspace, str], str]",
    ) -> None:
        def take(path: str | None) -> None:
            if path is not None:
                self.post_message(Act(lambda workspace: act(workspace, path)))

        check = partial(check_new_file, formats=formats)
        self.app.push_screen(PromptScreen(Prompt(title, text=name, check=check)), take)

    def _act(self, act: "Callable[[Workspace, str], str]") -> None:
        if self.summary is not None:
            name = self.summary.name
            self.post_message(Act(lambda workspace: act(workspace, name)))

    def action_pause(self) -> None:
        """Begin no more trials."""
        self._act(actions.pause_sweep)

    def action_resume(self) -> None:
        """Go on."""
        self._act(actions.resume_sweep)

    def action_stop(self) -> None:
        """Ask, then stop."""
        if self.summary is not None:
            name = self.summary.name
            question = Question(
                f"Stop the sweep {clean(name)}?",
                "All its runs finish their step, save and stop, and no trial begins. r goes on with the same trials.",
            )
            self._ask(question, partial(actions.stop_sweep, name=name))

    def action_extend(self) -> None:
        """Type how far it is to go."""
        if self.summary is None:
            return
        name, wanted = self.summary.name, self.summary.wanted

        def take(text: str | None) -> None:
            if text is not None:
                self.post_message(Act(lambda workspace: actions.extend_sweep(workspace, name, text)))

        title = f"Extend {clean(name)} ({wanted} trials now): trials in all, hours since its beginning, trials at once"
        check = partial(actions.check_extension, wanted=wanted)
        prompt = Prompt(title, hint=f"trials={2 * wanted} hours=8 jobs=2", check=check)
        self.app.push_screen(PromptScreen(prompt), take)

    def action_rebuild(self) -> None:
        """Ask, then rebuild."""
        if self.summary is not None:
            name = self.summary.name
            question = Question(
                f"Rebuild the study of {clean(name)}?",
                "Only for a study that was lost with its storage: its trials are read from the run directories. "
                "A study that is there is left alone.",
            )
            self._ask(question, partial(actions.rebuild_sweep, name=name))

    @property
    def _chosen(self) -> int | None:
        """Of several objectives the trial under the cursor is meant, else the best one."""
        study, trial = self.study, self.trial
        return trial.number if study is not None and len(study.objectives) > 1 and trial is not None else None

    def action_save_best(self) -> None:
        """Type a file name."""
        if self.summary is not None:
            name, number = self.summary.name, self._chosen
            which = "the best trial" if number is None else f"trial {number}"
            self._ask_path(
                f"Save the experiment of {which} as",
                f"{name}-best.yaml",
                actions.EXPERIMENT_FILES,
                lambda workspace, path: actions.save_experiment(workspace, name, number, path),
            )

    def action_export(self) -> None:
        """Choose a format, then type a file name."""
        if self.summary is None:
            return
        name = self.summary.name

        def write(workspace: "Workspace", path: str) -> str:
            return actions.export_trials(workspace, name, path)

        def ask_path(chosen: str | None) -> None:
            for text_format, (what, suffix) in actions.FORMATS.items():
                if text_format == chosen:
                    title = f"Save the trials of {clean(name)} as {what}"
                    self._ask_path(title, f"{name}{suffix}", actions.TRIAL_FILES, write)

        choices = [Choice(key, what) for key, (what, _) in actions.FORMATS.items()]
        self.app.push_screen(PickScreen(f"Trials of {clean(name)} as", choices), ask_path)

    def action_report(self) -> None:
        """Type a file name."""
        if self.summary is not None:
            name = self.summary.name
            self._ask_path(
                f"Save the report of {clean(name)} as",
                f"{name}.html",
                actions.PAGE_FILES,
                lambda workspace, path: actions.save_report(workspace, name, path),
            )

    def action_confirm(self) -> None:
        """Say what would be queued, or show what is."""
        if self.summary is None:
            return
        name, number = self.summary.name, self._chosen

        def find(workspace: "Workspace") -> Callable[[], object]:
            if lines := starting.find_confirmation_lines(workspace, name):
                return partial(self._show_lines, f"Confirmation of {clean(name)}", lines)
            question = starting.plan_confirmation(workspace, name, number)
            return partial(self._ask, question, partial(starting.confirm_trial, name=name, trial=number))

        self._find_out(find)

    def action_start(self) -> None:
        """Choose a file, see what it would do, then start it."""

        def find(workspace: "Workspace") -> Callable[[], object]:
            files = [each for each in list_files() if each.kind == "sweep"]
            choices = [Choice(each.name, f"{each.name}  {each.note}") for each in files]
            return lambda: self.app.push_screen(PickScreen("Start which sweep?", choices), self._plan_start)

        self._find_out(find)

    def _plan_start(self, file: str | None) -> None:
        if file is None:
            return

        def start(workspace: "Workspace") -> str:
            name = starting.start_sweep(workspace, file)
            self._awaited = name
            return f"the sweep {name} has started"

        self._find_out(lambda workspace: partial(self._ask, starting.plan_start(workspace, file), start))
