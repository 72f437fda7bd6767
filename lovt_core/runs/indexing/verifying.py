"""Whether the index says what the run directories say, and whether their files are whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from lovt_core.errors import RecordError
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.indexing.fingerprints import FileContent, Fingerprint, read_file, read_index
from lovt_core.runs.indexing.index import DAMAGED_RUN, Index
from lovt_core.runs.indexing.sealing import find_damage
from lovt_core.runs.state import RunState, read_state

Severity = Literal["error", "note"]
LOOKS = 3
"""How often a run that goes on is looked at again before it is said that something is wrong."""
STATE_QUERY = "select state, attempt from runs where id = ?"
OFFSET_QUERY = "select name, offset from files where run = ?"


@dataclass(frozen=True)
class Finding:
    """Something about a run: an error, or a note on what a crash has left and what harms nothing."""

    run: str
    severity: Severity
    text: str
    is_index: bool = False
    """Whether the index is what is wrong: it can be built again, a run cannot."""


def verify(index: Index, deep: bool, on_progress: Callable[[int, int], object]) -> Iterator[Finding]:
    """Compare the index with all run directories, after a sync; `deep` computes the checkpoints' checksums too."""
    index.sync()
    runs = list_runs(index.workspace)
    for run_id, reason in index.broken.items():
        yield Finding(run_id, "error", f"cannot be read: {reason}")
    for number, run in enumerate(runs, 1):
        if run.id not in index.broken:
            try:
                yield from _verify_run(index, run)
                yield from _judge_experiment(run)
                if deep and run.checkpoints.is_dir():
                    yield from (Finding(run.id, "error", reason) for reason in find_damage(run.checkpoints))
            except FileNotFoundError:
                pass  # removed while we looked
            except DAMAGED_RUN as error:
                yield Finding(run.id, "error", f"cannot be read: {error}")
        on_progress(number, len(runs))


def _judge_experiment(run: RunDirectory) -> Iterator[Finding]:
    """The index reads it once and does not validate it; what cannot be read would be missing from the next one."""
    try:
        run.document()
    except RecordError as error:
        yield Finding(run.id, "error", f"{error}; put it back from a copy: reindexing would lose the run")
        return
    try:
        run.experiment()
    except RecordError as error:
        yield Finding(run.id, "note", f"cannot be started again: {error}")


def _verify_run(index: Index, run: RunDirectory) -> list[Finding]:
    """Findings on one run; a run that goes on is synced and looked at again while the index lags behind it."""
    for _ in range(LOOKS):
        findings = list(_compare(index, run))
        if all(finding.severity == "note" for finding in findings):
            break
        index.sync()
    return findings


def _compare(index: Index, run: RunDirectory) -> Iterator[Finding]:
    state = read_state(run)
    rows = index.look(lambda connection: connection.execute(STATE_QUERY, (run.id,)).fetchall())
    if not rows:
        yield Finding(run.id, "error", "is not in the index", is_index=True)
        return
    known = tuple(rows[0])
    if known != (state.state, state.attempt):
        yield Finding(
            run.id, "error", f"is {_tell(state.state, state.attempt)}; the index says {_tell(*known)}", is_index=True
        )
    stored, offsets = index.look(
        lambda connection: (
            read_index(connection, run.id),
            {row["name"]: row["offset"] for row in connection.execute(OFFSET_QUERY, (run.id,))},
        )
    )
    for path in sorted(run.path.glob("events-*.jsonl")):
        number = path.stem.removeprefix("events-")
        if not number.isdecimal() or not 1 <= int(number) <= state.attempt:
            yield Finding(run.id, "error", f"{path.name} belongs to no attempt that was queued")
            continue
        taken = offsets.get(path.name, 0)
        content = read_file(path, taken)
        yield from _judge_file(run.id, path.name, content, taken, state)
        for text in _differences(content.series, stored.pop(int(number), {})):
            yield Finding(run.id, "error", f"{path.name}: {text}", is_index=True)
    for attempt in stored:
        yield Finding(run.id, "error", f"the index has events of attempt {attempt}, whose file is gone", is_index=True)


def _tell(state: str, attempt: int) -> str:
    return f"{state} in attempt {attempt}"


def _judge_file(run_id: str, name: str, content: FileContent, taken: int, state: RunState) -> Iterator[Finding]:
    for fault in content.faults:
        yield Finding(run_id, "error", fault)
    if content.torn_bytes and not state.lock_held:
        yield Finding(run_id, "note", f"{name}: its last line is torn after {content.torn_bytes} bytes")
    if content.complete_bytes != taken and not state.lock_held:
        yield Finding(
            run_id, "error", f"{name}: {taken} of {content.complete_bytes} bytes are in the index", is_index=True
        )


def _differences(said: dict[str, Fingerprint], stored: dict[str, Fingerprint]) -> Iterator[str]:
    """Series that are not the same in a file and in the index."""
    for name in sorted({*said, *stored}):
        first, second = said.get(name, Fingerprint()), stored.get(name, Fingerprint())
        if first != second:
            what = f"points of {name}" if name else "events"
            counts = f"{first.count} {what} in the file, {second.count} in the index"
            yield counts if first.count != second.count else f"the {first.count} {what} are not those in the index"
