"""Keys that act on runs, the same on the list of runs and on the screen of one."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from lovt_tui.actions.runs import (
    change_priority,
    change_tags,
    kill_runs,
    restore_runs,
    resume_runs,
    set_note,
    stop_runs,
    trash_runs,
)
from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import Act, NewFromRun
from lovt_tui.screens.confirm import ConfirmScreen, Question, kill_question, stop_question, trash_question
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.prompt import Prompt, PromptScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace

    Action = Callable[[Workspace], str]

RETRIABLE = ("cancelled",)
"""States besides the resumable ones from which a run is queued again."""


class RunActingScreen(DashboardScreen):
    """Its subclasses say which runs are meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("x", "stop", "stop", "stop the run: it asks first, finishes the step and saves; again = kill"),
        bind("r", "resume", "resume", "queue again: a stopped, interrupted, failed, lost or cancelled run"),
        bind("t", "tag", "tags", "add tags, or take away those with a minus in front", bar=False),
        bind("a", "note", "note", "write a note on the run", bar=False),
        bind("less_than_sign,comma", "priority(-1)", "later", "lower priority of a queued run", bar=False),
        bind("greater_than_sign,full_stop", "priority(1)", "sooner", "higher priority of a queued run", bar=False),
        bind("delete,D", "trash", "delete", "move the run to the trash; u brings it back", bar=False),
        bind("u", "restore", "undo delete", "bring back what was deleted last", bar=False),
        bind("c", "copy_run", "new from this", "start a new run with the settings of this one", bar=False),
        bind("y", "copy_id", "copy id", "put the run's id on the clipboard, and into a file", bar=False),
    ]
    _trashed: tuple[str, ...] = ()

    @property
    def run_rows(self) -> "tuple[RunRow, ...]":
        """The runs that the keys are about: those that are marked, else the one in question."""
        return ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what has not ended can be stopped, and only what ended early resumed."""
        rows = self.run_rows
        match action:
            case "stop":
                return any(row.is_active for row in rows)
            case "resume":
                return any(_can_go_on(row) for row in rows)
            case "priority":
                return any(row.state == "queued" for row in rows)
            case "restore":
                return bool(self._trashed)
            case "tag" | "note" | "copy_id" | "trash":
                return bool(rows)
            case "copy_run":
                return len(rows) == 1 and rows[0].kind != "imported"
            case _:
                return True

    def action_stop(self) -> None:
        """Ask, then stop; runs that are all stopping already are killed, after another question."""
        rows = [row for row in self.run_rows if row.is_active]
        fresh = [row for row in rows if not row.stop_asked]
        if fresh:
            self._ask(stop_question(fresh), partial(stop_runs, run_ids=_ids(fresh)))
        elif rows:
            self._ask(kill_question(rows), partial(kill_runs, run_ids=_ids(rows)))

    def action_resume(self) -> None:
        """Queue the next attempts."""
        rows = [row for row in self.run_rows if _can_go_on(row)]
        self.post_message(Act(partial(resume_runs, run_ids=_ids(rows))))

    def action_priority(self, change: int) -> None:
        """Sooner or later."""
        rows = [row for row in self.run_rows if row.state == "queued"]
        self.post_message(Act(partial(change_priority, run_ids=_ids(rows), change=change)))

    def action_tag(self) -> None:
        """Type tags."""
        rows = self.run_rows
        have = " ".join(rows[0].tags) if len(rows) == 1 else ""
        hint = f"tau baseline -draft{f'   (has: {clean(have)})' if have else ''}"
        self._type(Prompt("Tags to add; with a minus in front: to take away", hint=hint), change_tags)

    def action_note(self) -> None:
        """Type a note."""
        rows = self.run_rows
        self._type(Prompt("Note (empty: none)", text=rows[0].remark if len(rows) == 1 else ""), set_note)

    def action_trash(self) -> None:
        """Ask, then move to the trash; what is at work must be stopped first."""
        rows = self.run_rows
        if active := [row for row in rows if row.is_active]:
            self.notify(f"{active[0].id} is {active[0].state}: stop it first (x)", severity="warning", markup=False)
            return
        ids = _ids(rows)

        def move(workspace: "Workspace") -> str:
            said = trash_runs(workspace, ids)
            self._trashed = ids
            return said

        self._ask(trash_question(rows), move)

    def action_restore(self) -> None:
        """Bring back."""
        ids, self._trashed = self._trashed, ()
        self.post_message(Act(partial(restore_runs, run_ids=ids)))

    def action_copy_id(self) -> None:
        """Ids, one a line."""
        self.app.copy_to_clipboard("\n".join(_ids(self.run_rows)))

    def action_copy_run(self) -> None:
        """Its experiment is where a new one starts."""
        self.post_message(NewFromRun(self.run_rows[0].id))

    def _ask(self, question: Question, work: "Action") -> None:
        def decide(agreed: bool | None) -> None:
            if agreed:
                self.post_message(Act(work))

        self.app.push_screen(ConfirmScreen(question), decide)

    def _type(self, prompt: Prompt, do: "Callable[[Workspace, Sequence[str], str], str]") -> None:
        ids = _ids(self.run_rows)

        def take(text: str | None) -> None:
            if text is not None:
                self.post_message(Act(lambda workspace: do(workspace, ids, text)))

        self.app.push_screen(PromptScreen(prompt), take)


def _ids(rows: "Sequence[RunRow]") -> tuple[str, ...]:
    return tuple(row.id for row in rows)


def _can_go_on(row: "RunRow") -> bool:
    return row.is_resumable or row.state in RETRIABLE
