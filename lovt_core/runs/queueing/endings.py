"""What a scheduler writes down when a worker has ended, and whether the run goes on by itself."""

from pathlib import Path
from typing import Any

from lovt_core.runs.causes import describe_code
from lovt_core.runs.control import append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.queueing.retrying import plan_retry
from lovt_core.runs.state import MAX_DEATHS_BEFORE_START, RunState, read_state
from lovt_core.runs.terms import Retry

LOG_LINES = 5


def died_unrecorded(state: RunState) -> bool:
    """Whether a worker has ended without a last word and nobody has written down how."""
    return state.state in ("launched", "running", "lost") and not state.lock_held and not state.exit_recorded


def record_exit(run: RunDirectory, attempt: int, code: int | None, *, oom_killed: bool) -> None:
    """Append `exited n` for a worker without a last word; one that died before its first event is queued again."""
    record_end(run, attempt, describe_code(code, oom_killed=oom_killed))


def record_end(run: RunDirectory, attempt: int, how: dict[str, Any]) -> None:
    """Append `exited n` with these details, unless the worker has had a last word."""
    with deciding(run.path):
        state = read_state(run)
        if state.attempt != attempt or not died_unrecorded(state):
            return
        before_start = not run.events(attempt).exists()
        exited = record("exited", attempt, **how, before_start=before_start, log=read_last_lines(run.log))
        records = [exited]
        if before_start and not state.stop_asked and _deaths_before_start(run) + 1 < MAX_DEATHS_BEFORE_START:
            records.append(record("queued", attempt + 1, reason="the worker died before its first event"))
        append_control(run.control, *records)


def _deaths_before_start(run: RunDirectory) -> int:
    """Exits in a row, up to now, of workers that died before their first event."""
    count = 0
    for item in read_control(run.control):
        if item.operation == "exited":
            count = count + 1 if item.details.get("before_start") else 0
    return count


def queue_interrupted(run: RunDirectory, attempt: int) -> None:
    """Queue the next attempt of a run that a SIGTERM has ended which nobody here asked for."""
    with deciding(run.path):
        state = read_state(run)
        if (state.state, state.attempt) == ("interrupted", attempt):
            append_control(run.control, record("queued", attempt + 1, reason="interrupted"))


def queue_retry(run: RunDirectory, default: Retry) -> bool:
    """Queue the next attempt of a failed or lost run where its policy says so; whether it does."""
    with deciding(run.path):
        state = read_state(run)
        planned = None if state.lock_held else plan_retry(run, state, default)
        if planned is not None:
            append_control(run.control, planned)
        return planned is not None


def cancel_hopeless(run: RunDirectory, attempt: int, reason: str) -> None:
    """Take a run out of the queue whose turn cannot come."""
    with deciding(run.path):
        state = read_state(run)
        if (state.state, state.attempt) == ("queued", attempt):
            append_control(run.control, record("cancel", attempt, reason=reason))


def read_last_lines(path: Path, count: int = LOG_LINES) -> list[str]:
    """The end of a log; nothing where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4096))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
