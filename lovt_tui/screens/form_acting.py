"""What the screen with a form does with it: pick values, ranges and overrides, queue, save."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from lovt_core.errors import LovtError
from lovt_tui import starting
from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import Act, RunLaunched, ShowScreen
from lovt_tui.screens.confirm import ConfirmScreen, Question
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.new_messages import StartFailed, ValuesOffered
from lovt_tui.screens.pick import Choice, PickScreen
from lovt_tui.screens.prompt import Prompt, PromptScreen
from lovt_tui.starting import START_ERRORS
from lovt_tui.widgets.form import Form

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.forms.drafts import Draft
    from lovt_tui.forms.views import Row

TYPED = "…"
"""Of the choices for a key the one that is none of them."""


class OfferScreen(PickScreen):
    """Wide enough for what is known of each value."""


class FormActingScreen(DashboardScreen):
    """Base of the screen that starts runs: acts on the draft of its form."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("ctrl+s,f5", "queue", "queue", "queue the runs, or start the sweep"),
        bind("w", "save", "save", "save as a file that lovt can start"),
        bind("equals_sign", "override", "key=value", "change keys by typing key=value"),
    ]

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__()
        self._workspace = workspace
        self._runs: tuple[RunRow, ...] = ()
        """Newest first."""
        self._is_starting = False
        self._kept: Draft | None = None
        """The draft that was queued or saved last."""

    @property
    def unsaved(self) -> str:
        """The start whose changes are neither queued nor saved; empty without any."""
        draft = self.form.draft if self.is_built else None
        return draft.start.name if draft is not None and draft.changes and draft != self._kept else ""

    @property
    def form(self) -> Form:
        """The form."""
        return self.query_one(Form)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a form there is nothing to act on; while somebody types the keys are letters."""
        if action in ("queue", "save", "override"):
            return self.has_class("-form") and not self.form.is_typing and not self._is_starting
        return super().check_action(action, parameters)

    def action_queue(self) -> None:
        """Queue what is in the form, once."""
        if self.form.draft is not None and not self._is_starting:
            self._is_starting = True
            self._start(self.form.draft)

    @work(thread=True)
    def _start(self, draft: "Draft") -> None:
        from lovt_tui.forms.views import build_view

        try:
            view = build_view(draft)
            if view.draft.start.kind == "sweep":
                name = starting.start_sweep(self._workspace, view)
                self.notify(f"the sweep {name} is at work", markup=False)
                self.post_message(ShowScreen("sweeps"))
            else:
                ids = starting.queue(self._workspace, view)
                if len(ids) > 1:
                    self.notify(f"{len(ids)} runs, their seeds one apart", markup=False)
                self.post_message(RunLaunched(ids[0]))
            self._kept = draft
        except START_ERRORS as error:
            self.post_message(StartFailed(str(error)))
            self.notify("not queued: see the lines above the form", severity="warning", markup=False)
        self._is_starting = False

    def action_save(self) -> None:
        """Ask for a path, and once more where a file is there."""
        draft = self.form.draft
        if draft is not None:
            prompt = Prompt("Save as", starting.suggest_path(draft), "path ending in .yaml", _check_path)
            self.app.push_screen(PromptScreen(prompt), lambda text: self._save_as(draft, text))

    def _save_as(self, draft: "Draft", text: str | None) -> None:
        if not text:
            return
        path = Path(text.strip()).expanduser()
        if not path.exists():
            self._save(draft, path, replacing=False)
            return
        question = Question(f"Replace {clean(path.name)}?", "The file is there already; comments in it are lost.")
        self.app.push_screen(
            ConfirmScreen(question), lambda agreed: self._save(draft, path, replacing=True) if agreed else None
        )

    def _save(self, draft: "Draft", path: Path, *, replacing: bool) -> None:
        def write(workspace: "Workspace") -> str:
            from lovt_tui.forms.views import build_view

            said = starting.save(build_view(draft), path, replacing=replacing)
            self._kept = draft
            return said

        self.post_message(Act(write))

    def action_override(self) -> None:
        """Type several changes at once."""
        from lovt_tui.forms.edits import apply_overrides

        draft = self.form.draft
        if draft is not None:
            prompt = Prompt(
                "Change keys",
                hint="training.max_epochs=5 data.name=mimic-cxr repeats=3",
                check=lambda text: apply_overrides(draft, text),
            )
            self.app.push_screen(
                PromptScreen(prompt), lambda text: self.form.take(apply_overrides(draft, text)) if text else None
            )

    def on_form_choice_wanted(self, event: Form.ChoiceWanted) -> None:
        """Look up what there is."""
        self._look_up(event.row)

    @work(thread=True, exclusive=True, group="offers")
    def _look_up(self, row: "Row") -> None:
        from lovt_tui.forms.suggestions import suggest

        try:
            self.post_message(ValuesOffered(row, suggest(row.field, self._workspace, self._runs)))
        except (LovtError, OSError):
            self.post_message(ValuesOffered(row, ()))

    def on_values_offered(self, event: ValuesOffered) -> None:
        """Pick one of them, or type another one; of none at all type at once."""
        from lovt_tui.forms.edits import set_text
        from lovt_tui.forms.values import NONE, show_value

        row = event.row
        if not event.suggestions:
            self.form.type_value(row)
            return
        width = max(len(each.value) for each in event.suggestions)
        choices = [Choice(each.value, f"{each.value:<{width}}  {each.note}".rstrip()) for each in event.suggestions]
        choices += [Choice(NONE, NONE)] if row.field.is_optional and NONE not in row.field.choices else []
        choices += [] if row.field.choices else [Choice(TYPED, "… type another value")]

        def take(value: str | None) -> None:
            if value == TYPED:
                self.form.type_value(row)
            elif value is not None and self.form.draft is not None:
                self.form.take(set_text(self.form.draft, row, value))

        self.app.push_screen(OfferScreen(row.key, choices, show_value(row.field.value)), take)

    def on_form_range_wanted(self, event: Form.RangeWanted) -> None:
        """Type a range; an empty line ends the search over the key."""
        from lovt_tui.forms.paths import MISSING
        from lovt_tui.forms.ranges import HINT, check_parameter, parse_parameter, suggest_range

        row, draft = event.row, self.form.draft
        if draft is None:
            return

        def take(text: str | None) -> None:
            if text is not None:
                found = parse_parameter(row.field, text) if text.strip() else MISSING
                self.form.take(draft.search(row.field.path, found))

        def check(text: str) -> None:
            if text.strip():
                check_parameter(row.field, text)

        prompt = Prompt(f"Search {row.key} over", row.search or suggest_range(row.field), HINT, check)
        self.app.push_screen(PromptScreen(prompt), take)


def _check_path(text: str) -> None:
    starting.check_path(Path(text.strip()).expanduser())
