"""Checkpoints that are superseded, and optimiser state that nobody will go on from.

The `saved` events of a run decide. What any of them calls best stays, as does the newest one, with its state unless the
run has finished. Where the newest one is not on the disk nothing is touched: the run may have to fall back on any.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lovt_core.errors import LovtError
from lovt_core.files import temporary_sibling
from lovt_core.runs.control import deciding
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.space.cleaning.garbage import Garbage
from lovt_core.runs.space.erasing import delete
from lovt_core.runs.space.sizes import CHECKPOINT, STATE_SUFFIX, Scale
from lovt_core.runs.state import RunState, read_state


@dataclass(frozen=True)
class Saved:
    """One `saved` event."""

    name: str
    is_last: bool
    is_best: bool


@dataclass(frozen=True)
class Superseded:
    """Names of folders that can go; weights are removed before states."""

    weights: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


def find_superseded(
    folders: Collection[str], saved: Sequence[Saved], keep_last: int, *, drops_states: bool
) -> Superseded:
    """Which of the checkpoint folders of a run that is not at work can go.

    `saved`: its events, oldest first. `drops_states`: the run has finished and is not to be extended.
    """
    weights = [name for name in folders if CHECKPOINT.fullmatch(name)]
    states = [name for name in folders if name.endswith(STATE_SUFFIX) and CHECKPOINT.fullmatch(_weights_of(name))]
    announced = list(dict.fromkeys(event.name for event in reversed(saved) if event.is_last))
    if not announced or announced[0] not in weights:
        return Superseded()
    newest = [name for name in announced if name in weights][: max(1, keep_last)]
    kept = {*newest, *(event.name for event in saved if event.is_best)}
    return Superseded(
        weights=tuple(sorted(name for name in weights if name not in kept)),
        states=tuple(sorted(name for name in states if drops_states or _weights_of(name) not in kept)),
    )


def _weights_of(state: str) -> str:
    return state.removesuffix(STATE_SUFFIX)


def find_checkpoint_garbage(run: RunDirectory, keep_last: int, scale: Scale) -> Iterator[Garbage]:
    """Superseded checkpoints and states of a run; none of one that is at work, or whose files cannot be read."""
    with suppress(LovtError, OSError):
        state, found = _look(run, keep_last)
        for name in found.weights:
            path = run.checkpoints / name
            yield Garbage("checkpoints", path, scale.weigh(path), "is neither best nor among the newest of its run")
        why = "is optimiser state of a finished run" if state.state == "finished" else "belongs to no checkpoint kept"
        for name in found.states:
            path = run.checkpoints / name
            yield Garbage("states", path, scale.weigh(path), why)


def remove_checkpoints(run: RunDirectory, names: Collection[str], keep_last: int) -> None:
    """Remove those of the named folders that can still go, decided under the run's control lock.

    Raises OSError, and RecordError where the run cannot be read or locked.
    """
    doomed = []
    with deciding(run.path):
        _, found = _look(run, keep_last)
        for name in (*found.weights, *found.states):
            if name in names:
                path = run.checkpoints / name
                doomed.append(path.rename(temporary_sibling(path)))
    for path in doomed:
        delete(path)


def _look(run: RunDirectory, keep_last: int) -> tuple[RunState, Superseded]:
    """The run's state, and what can go now."""
    state = read_state(run)
    folders = _list_folders(run)
    num_weights = sum(CHECKPOINT.fullmatch(name) is not None for name in folders)
    if not is_at_rest(run, state) or not folders or (num_weights == len(folders) <= 1):
        return state, Superseded()
    saved = [event for attempt in range(1, state.attempt + 1) for event in read_saved(run.events(attempt))]
    has_states = num_weights < len(folders)
    drops_states = has_states and state.state == "finished" and not keeps_state(run)
    return state, find_superseded(folders, saved, keep_last, drops_states=drops_states)


def is_at_rest(run: RunDirectory, state: RunState) -> bool:
    """Whether nothing works in a run's directory: a lost run of another machine may yet be alive there."""
    if state.is_active or state.lock_held:
        return False
    return state.state != "lost" or run.is_at_home()


def _list_folders(run: RunDirectory) -> list[str]:
    """Names of checkpoint folders; of links, none: they may lead anywhere."""
    if run.path.is_symlink() or run.checkpoints.is_symlink() or not run.checkpoints.is_dir():
        return []
    return [path.name for path in run.checkpoints.iterdir() if path.is_dir() and not path.is_symlink()]


def read_saved(path: Path) -> Iterator[Saved]:
    """The `saved` events of an event file; other lines are not decoded."""
    try:
        with path.open("rb") as file:
            for line in file:
                if b'"saved"' in line and (event := _decode(line)) is not None:
                    yield event
    except FileNotFoundError:
        return


def _decode(line: bytes) -> Saved | None:
    try:
        event = json.loads(line)
        if event["event"] != "saved":
            return None
        return Saved(str(event["checkpoint"]), bool(event["is_last"]), bool(event["is_best"]))
    except (ValueError, KeyError, TypeError):
        return None


def keeps_state(run: RunDirectory) -> bool:
    """Whether a run's experiment asks for its optimiser state to stay; raises RecordError where it cannot be read."""
    training = getattr(run.experiment(), "training", None)
    return training is not None and bool(training.keep_state)
