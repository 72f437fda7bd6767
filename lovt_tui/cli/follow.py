"""Launch and follow: show a run's progress until it ends; ctrl-c asks it to stop and save."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import get_console, print_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from lovt_core.config.experiment import Experiment
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.indexing.index import Index
    from lovt_core.runs.records import EventRow, RunRow
    from lovt_core.runs.terms import Terms
    from lovt_core.runs.workspace import Workspace

LOOK_SECONDS = 0.5
USERS_FAULT = 2


def launch(
    workspace: "Workspace",
    experiment: "Experiment",
    file: Path | None = None,
    terms: "Terms | None" = None,
    *,
    detach: bool,
    as_json: bool,
) -> int:
    """Queue an experiment, read from `file`, and follow its run, unless `detach`; the exit code."""
    from lovt_core.config.loading import stamp_files
    from lovt_core.runs.queueing.requests import queue_run
    from lovt_core.runs.terms import Terms

    run = queue_run(workspace, experiment, terms or Terms(), files=stamp_files(file) if file else None)
    if detach:
        print_queued(run, as_json=as_json)
        return 0
    return follow(workspace, run, as_json=as_json)


def print_queued(run: "RunDirectory", *, as_json: bool) -> None:
    """What a detached run is called; as text its id alone, for scripts."""
    if as_json:
        print_json({"id": run.id, "path": run.path})
    else:
        sys.stdout.write(f"{run.id}\n")


def follow(workspace: "Workspace", run: "RunDirectory", *, as_json: bool = False, quiet: bool = False) -> int:
    """Show a run until it ends; 0 when it finished, 130 when stopped, 1 otherwise. `quiet`: no word if all is well."""
    from lovt_core.runs.indexing.index import Index

    index = Index(workspace)
    try:
        row = _watch(index, run)
        code = _exit_code(index, row)
    finally:
        index.close()
    if as_json:
        print_json({"id": row.id, "state": row.state, "detail": row.detail, "best": row.best, "latest": row.latest})
    elif not (quiet and row.state == "finished"):
        _print_end(row, run.path, is_users=code == USERS_FAULT)
    return code


def _exit_code(index: "Index", row: "RunRow") -> int:
    """0 finished, 130 stopped, 2 failed by the user's fault, 1 otherwise."""
    if row.state == "finished":
        return 0
    if row.state in ("stopped", "cancelled"):
        return 130
    failed = index.events(row.id, "failed") if row.state == "failed" else []
    return int(failed[-1].data.get("exit_code", 1)) if failed else 1


def _watch(index: "Index", run: "RunDirectory") -> "RunRow":
    """Draw until the run is at its end; an interrupted one is queued again by itself and goes on."""
    shown = 0
    stop_asked = False
    with _progress() as (progress, task):
        progress.console.print(f"run {run.id}")
        while True:
            try:
                index.sync()
                row = index.run(run.id)
                shown += _print_news(progress, index.events(run.id)[shown:])
                _update(progress, task, row)
                if not row.is_active and row.state != "interrupted":
                    return row
                time.sleep(LOOK_SECONDS)
            except KeyboardInterrupt:
                if stop_asked:
                    progress.console.print(f"left to itself; `lovt show {run.id}` shows it")
                    raise
                stop_asked = True
                _ask_to_stop(progress, run)


def _ask_to_stop(progress: "Progress", run: "RunDirectory") -> None:
    from lovt_core.errors import InputError
    from lovt_core.runs.queueing.requests import request_stop

    try:
        if request_stop(run).state == "queued":
            return  # it never starts, which the next look shows
    except InputError:
        return  # it ended in the meantime, likewise
    progress.console.print("asked to stop: it finishes its step and saves (ctrl-c again leaves it to itself)")


@contextmanager
def _progress() -> "Iterator[tuple[Progress, TaskID]]":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[done]}")),
        *(TextColumn("{task.fields[left]}"), TimeElapsedColumn(), TextColumn("{task.fields[metric]}")),
    )
    with Progress(*columns, console=get_console(stderr=True), refresh_per_second=4) as progress:
        yield progress, progress.add_task("queued", total=None, done="", left="", metric="")


def _update(progress: "Progress", task: "TaskID", row: "RunRow") -> None:
    state = f"{row.state}, stopping" if row.stop_asked else row.state
    left = f"{_duration(row.seconds_left)} left" if row.seconds_left is not None else ""
    done = f"{row.done}/{row.total} {row.unit}" if row.total else ""
    metric = next((f"{name} {row.latest[name]:.4g}" for name in ("val/loss", "train/loss") if name in row.latest), "")
    progress.update(
        task, description=state, completed=row.done, total=row.total, done=done, left=left, metric=metric or row.note
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _print_news(progress: "Progress", events: "list[EventRow]") -> int:
    """Print what matters of new events; how many there were."""
    for event in events:
        if (said := describe_said(event)) is not None:
            progress.console.print(said[0], markup=False, style=said[1], soft_wrap=True)
        elif event.kind == "result" and event.data["data"].get("type") == "cell":
            progress.console.print(describe_cell(event.data["data"]), markup=False, soft_wrap=True)
    return len(events)


def describe_said(event: "EventRow") -> tuple[str, str] | None:
    """A note or an alarm as a line and its style; None of any other event."""
    style = {"alarm": "yellow", "note": "dim"}.get(event.kind)
    return None if style is None else (f"{event.kind}: {event.data.get('message', '')}", style)


def describe_cell(cell: dict[str, Any]) -> str:
    """One line on a task's score; a single replicate has no interval."""
    interval = f" ± {cell['ci95']:.4f}" if cell.get("ci95") is not None else ""
    return f"{cell['task']}: {cell['metric']} {cell['mean']:.4f}{interval}"


def _advise(row: "RunRow", path: Path) -> str:
    """What to do about a run that ended early; from the same checkpoint a training diverges at the same step again."""
    command = "evaluate" if row.kind == "evaluate" else "pretrain"
    anew = f"start anew with: lovt {command} {path / 'experiment.yaml'}"
    match row.cause:
        case "checkpoints":
            return anew
        case "diverged":
            return f"resuming would diverge again; {anew} --set training.optimiser.learning_rate=..."
        case _:
            return f"go on with: lovt resume {row.id}"


def _print_end(row: "RunRow", path: Path, *, is_users: bool) -> None:
    """The run and its state on stdout, everything else on stderr; what the user must change is not resumed."""
    value = f"  {row.headline.label} {row.headline.value:.4g}" if row.headline else ""
    get_console().print(f"{row.id} {row.state}{value}", markup=False, soft_wrap=True)
    has_failed = row.state in ("failed", "lost")
    notes = [f"error: {row.detail}" if has_failed else row.detail] if row.detail else []
    notes += [f"log: {path / 'log.txt'}"] if has_failed else []
    notes += [_advise(row, path)] if row.is_resumable and not is_users else []
    for note in notes:
        get_console(stderr=True).print(note, markup=False, soft_wrap=True)
