"""What the dashboard does to runs, through the very functions of the command line. Called in worker threads.

Each function takes the workspace and ids of runs, and says in a sentence what was done. Raises LovtError when nothing
could be done; where some of several runs refused, the sentence says which and why.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lovt_core.errors import InputError, LovtError
from lovt_tui.formatting import plural

if TYPE_CHECKING:
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace

Do = Callable[["RunDirectory"], str]


def stop_runs(workspace: "Workspace", run_ids: Sequence[str]) -> str:
    """Ask runs to finish their step, save and end; queued ones will not start."""
    from lovt_core.runs.queueing.requests import ensure_scheduler, request_stop

    def stop(run: "RunDirectory") -> str:
        is_queued = request_stop(run).state == "queued"
        return f"{run.id} will not start" if is_queued else f"{run.id} finishes its step, saves and stops"

    said = _each(workspace, run_ids, stop, "stopped")
    ensure_scheduler(workspace)
    return said


def kill_runs(workspace: "Workspace", run_ids: Sequence[str]) -> str:
    """End workers at once; runs that are not running here refuse."""
    from lovt_core.runs.queueing.requests import ensure_scheduler, request_kill

    def kill(run: "RunDirectory") -> str:
        request_kill(run)
        return f"{run.id} was killed"

    said = _each(workspace, run_ids, kill, "killed")
    ensure_scheduler(workspace)
    return said


def resume_runs(workspace: "Workspace", run_ids: Sequence[str]) -> str:
    """Queue the next attempts of runs that ended early, or were cancelled before they began."""
    from lovt_core.runs.queueing.requests import request_retry

    def resume(run: "RunDirectory") -> str:
        return f"{run.id} is queued again as attempt {request_retry(workspace, run).attempt + 1}"

    return _each(workspace, run_ids, resume, "queued again")


def change_priority(workspace: "Workspace", run_ids: Sequence[str], change: int) -> str:
    """Queued runs of a higher priority start first."""
    from lovt_core.runs.control import read_control, read_labels
    from lovt_core.runs.queueing.requests import label_run

    def move(run: "RunDirectory") -> str:
        priority = read_labels(read_control(run.control)).priority + change
        label_run(run, "priority", priority)
        return f"{run.id}: priority {priority}"

    return _each(workspace, run_ids, move, "moved")


def set_note(workspace: "Workspace", run_ids: Sequence[str], note: str) -> str:
    """Write a note on runs; an empty one removes it."""
    return _label(workspace, run_ids, "note", note, "noted" if note else "note removed")


def change_tags(workspace: "Workspace", run_ids: Sequence[str], text: str) -> str:
    """Add the tags in `text`, and take away those with a minus in front."""
    from lovt_core.config.base import check_name
    from lovt_core.runs.control import read_control, read_labels
    from lovt_core.runs.queueing.requests import label_run

    words = [word.removeprefix("#") for word in text.split()]
    for word in words:
        check_name(word.removeprefix("-"), "tag")
    added = [word for word in words if not word.startswith("-")]
    removed = {word[1:] for word in words if word.startswith("-")}

    def change(run: "RunDirectory") -> str:
        have = read_labels(read_control(run.control)).tags
        label_run(run, "tags", [tag for tag in dict.fromkeys((*have, *added)) if tag not in removed])
        return f"{run.id} is tagged"

    return _each(workspace, run_ids, change, "tagged")


def trash_runs(workspace: "Workspace", run_ids: Sequence[str]) -> str:
    """Move runs to the trash, all or none; `restore_runs` brings them back."""
    from lovt_core.runs.space.trash import trash_runs as move

    warnings = move(workspace, [find_run(workspace, run_id) for run_id in run_ids])
    said = f"{run_ids[0] if len(run_ids) == 1 else plural(len(run_ids), 'run')} moved to the trash; u brings back"
    return "\n".join((said, *warnings))


def restore_runs(workspace: "Workspace", run_ids: Sequence[str]) -> str:
    """Bring runs back from the trash."""
    from lovt_core.runs.space.trash import find_trashed, restore_run

    for run_id in run_ids:
        restore_run(workspace, find_trashed(workspace, run_id))
    return f"{run_ids[0] if len(run_ids) == 1 else plural(len(run_ids), 'run')} brought back"


def pause_queue(workspace: "Workspace", *, paused: bool) -> str:
    """Start no queued run, or start them again."""
    from lovt_core.runs.locks import holding
    from lovt_core.runs.queue_file import set_paused
    from lovt_core.runs.queueing.requests import ensure_scheduler

    with holding(workspace.queue_lock):
        set_paused(workspace, paused)
    if not paused:
        ensure_scheduler(workspace)
    return "the queue is paused: runs at work go on, none begins" if paused else "the queue goes on"


def toggle_queue(workspace: "Workspace") -> str:
    """Pause the queue, or let it go on where it is paused."""
    from lovt_core.runs.queue_file import read_order

    return pause_queue(workspace, paused=not read_order(workspace).paused)


def find_run(workspace: "Workspace", run_id: str) -> "RunDirectory":
    """The directory of a run; raises InputError when it was removed."""
    from lovt_core.runs.directory import RunDirectory

    run = RunDirectory(workspace.runs / run_id)
    if not run.path.is_dir():
        raise InputError(f"run {run_id} is gone: its directory {run.path} was removed")
    return run


def _label(workspace: "Workspace", run_ids: Sequence[str], operation: str, value: object, done: str) -> str:
    from lovt_core.runs.queueing.requests import label_run

    def label(run: "RunDirectory") -> str:
        label_run(run, operation, value)  # type: ignore[arg-type]
        return f"{run.id}: {done}"

    return _each(workspace, run_ids, label, done)


def _each(workspace: "Workspace", run_ids: Sequence[str], do: Do, done: str) -> str:
    """Do it to each; raises the first error when all refuse."""
    said: list[str] = []
    refused: list[LovtError] = []
    for run_id in run_ids:
        try:
            said.append(do(find_run(workspace, run_id)))
        except LovtError as error:
            refused.append(error)
    if refused and not said:
        raise refused[0]
    if len(run_ids) == 1:
        return said[0]
    return "\n".join((f"{len(said)} of {plural(len(run_ids), 'run')} {done}", *map(str, refused)))
