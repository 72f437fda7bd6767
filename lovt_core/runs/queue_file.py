"""`queue.jsonl`: runs in the order in which they asked to be started, moves within it, and whether it is paused.

Only an order: whether a run is queued stands in its own directory. Written inside the queue lock. A line that names no
queued run is ignored, so a crash between a line and what it announces does no harm.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lovt_core.errors import RecordError
from lovt_core.files import write_bytes_atomic
from lovt_core.runs.lines import append_line, encode_line, read_lines
from lovt_core.runs.workspace import Workspace

Where = Literal["first", "last", "before"]
COMPACT_LINES = 2_000
"""A file longer than this is written anew when a scheduler begins."""


@dataclass(frozen=True)
class QueueOrder:
    """The queue as its file leaves it."""

    runs: tuple[str, ...] = ()
    """Ids, first in line first; ended ones too."""
    paused: bool = False

    def sort(self, run_ids: Iterable[str], priorities: Mapping[str, int]) -> list[str]:
        """Those ids as they are to be started: higher priority first, then their place; unknown ones by id, last."""
        places = {run_id: place for place, run_id in enumerate(self.runs)}
        return sorted(run_ids, key=lambda each: (-priorities.get(each, 0), places.get(each, len(places)), each))


def read_order(workspace: Workspace) -> QueueOrder:
    """The order now."""
    return replay(read_lines(workspace.queue))


def replay(lines: Iterable[Mapping[str, Any]]) -> QueueOrder:
    """The order that the lines of a queue file leave."""
    runs: dict[str, None] = {}
    paused = False
    for line in lines:
        match line:
            case {"paused": bool(paused)}:
                pass
            case {"run": str(run), "move": str(where)}:
                runs = _move(runs, run, where, line.get("other"))
            case {"run": str(run)}:
                runs.pop(run, None)  # whoever asks again stands at the end
                runs[run] = None
    return QueueOrder(tuple(runs), paused)


def _move(runs: dict[str, None], run: str, where: str, other: object) -> dict[str, None]:
    rest = [each for each in runs if each != run]
    place = len(rest)
    if where == "first":
        place = 0
    elif where == "before" and other in rest:
        place = rest.index(str(other))
    return dict.fromkeys((*rest[:place], run, *rest[place:]))


def announce(workspace: Workspace, run_id: str) -> None:
    """Put a run at the end of the line; the caller holds the queue lock."""
    _append(workspace, {"run": run_id})


def move(workspace: Workspace, run_id: str, where: Where, other: str | None = None) -> None:
    """Move a run to the front, to the end, or before another one; the caller holds the queue lock."""
    _append(workspace, {"run": run_id, "move": where, **({"other": other} if other else {})})


def set_paused(workspace: Workspace, paused: bool) -> None:
    """Pause or go on: a paused queue starts nothing; the caller holds the queue lock."""
    _append(workspace, {"paused": paused})


def _append(workspace: Workspace, line: Mapping[str, Any]) -> None:
    try:
        append_line(workspace.queue, line)
    except OSError as error:
        raise RecordError(f"cannot write {workspace.queue}: {error.strerror}") from error


def compact(workspace: Workspace, is_queued: Callable[[str], bool]) -> None:
    """Write a long file anew with the runs still queued only; the caller holds the queue lock."""
    if len(read_lines(workspace.queue)) <= COMPACT_LINES:
        return
    order = read_order(workspace)
    lines: list[Mapping[str, Any]] = [{"run": run_id} for run_id in order.runs if is_queued(run_id)]
    lines += [{"paused": True}] if order.paused else []
    write_bytes_atomic(workspace.queue, b"".join(encode_line(line) for line in lines))
