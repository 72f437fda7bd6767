"""The trash: run directories that were removed but can still be brought back, in `<workspace>/trash`.

    <id>/         a run directory, as it was
    <id>.json     when it was removed; without it the folder's own change counts
    .<id>.*.tmp   one that is being deleted

A run comes and goes by one rename, inside the queue lock and its own control lock.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lovt_core.errors import InputError, RecordError
from lovt_core.files import sync_folder, write_text_atomic
from lovt_core.runs.control import deciding
from lovt_core.runs.directory import ID, RunDirectory
from lovt_core.runs.locks import holding
from lovt_core.runs.space.erasing import delete, erase
from lovt_core.runs.space.needs import find_needs
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import Workspace

FOLDER_NAME = "trash"


@dataclass(frozen=True)
class TrashedRun:
    """A run in the trash."""

    path: Path
    time: float
    """When it was removed, in Unix seconds."""

    @property
    def id(self) -> str:
        """Of the run."""
        return self.path.name

    @property
    def name(self) -> str:
        """Of the experiment, as it stands in the id."""
        return RunDirectory(self.path).name


def trash_runs(workspace: Workspace, runs: Sequence[RunDirectory], *, force: bool = False) -> tuple[str, ...]:
    """Move runs to the trash; what other runs will miss, a sentence each.

    Raises InputError, before anything is moved, for a run that is active or whose worker is still ending, and without
    `force` for one that an active run needs; RecordError when the disk refuses.
    """
    runs = list({run.id: run for run in runs}.values())
    with holding(workspace.queue_lock):
        needs = find_needs(workspace)
        for run in runs:
            check_removable(workspace, run, {} if force else needs)
        for run in runs:
            with deciding(run.path):
                check_idle(run)
                _move_in(workspace, run)
    return tuple(f"run {run.id}: {sentence}" for run in runs for sentence in needs.get(run.id, ()))


def folder_of(workspace: Workspace) -> Path:
    """The folder of the trash, which need not exist; raises RecordError where it leads out of the workspace."""
    folder = workspace.path / FOLDER_NAME
    if folder.is_symlink():
        raise RecordError(f"{folder} is a link: the trash must be a folder of the workspace itself")
    return folder


def check_idle(run: RunDirectory) -> None:
    """Raise InputError for a run that is active, or whose last worker is alive."""
    state = read_state(run)
    if state.is_active:
        raise InputError(f"run {run.id} is {state.state}: stop it first: lovt stop {run.id}")
    if state.lock_held:
        raise InputError(f"the last worker of run {run.id} is still ending: try again in a moment")


def check_removable(workspace: Workspace, run: RunDirectory, needs: Mapping[str, tuple[str, ...]]) -> None:
    """Raise InputError saying why a run cannot go to the trash now; `needs` as `find_needs` tells them."""
    check_idle(run)
    if sentences := needs.get(run.id):
        raise InputError(f"run {run.id} is needed: {'; '.join(sentences)}; lovt rm --force removes it all the same")
    if os.path.lexists(folder_of(workspace) / run.id):
        raise InputError(f"the trash holds a run {run.id} already: lovt rm --empty {run.id} makes room for this one")


def _move_in(workspace: Workspace, run: RunDirectory) -> None:
    folder = folder_of(workspace)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_text_atomic(_note_of(folder / run.id), json.dumps({"removed": time.time()}))
        _move(run.path, folder / run.id)
    except OSError as error:
        raise RecordError(f"cannot move {run.path} to {folder}: {error.strerror or error}") from error


def _move(source: Path, target: Path) -> None:
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def list_trash(workspace: Workspace) -> tuple[TrashedRun, ...]:
    """All runs in the trash, the one removed last first."""
    folder = folder_of(workspace)
    try:
        names = [name for name in os.listdir(folder) if ID.fullmatch(name)]  # noqa: PTH208, names alone
    except FileNotFoundError:
        return ()
    found = [TrashedRun(folder / name, _read_time(folder / name)) for name in names if (folder / name).is_dir()]
    return tuple(sorted(found, key=lambda each: (-each.time, each.id)))


def _read_time(path: Path) -> float:
    try:
        return float(json.loads(_note_of(path).read_text())["removed"])
    except (OSError, ValueError, KeyError, TypeError):
        return path.lstat().st_ctime


def find_trashed(workspace: Workspace, text: str) -> TrashedRun:
    """The run in the trash whose id, id prefix or name is `text` (`last`: the one removed last; of equal names it too).

    Raises InputError when there is none, or when a prefix fits several.
    """
    trashed = list_trash(workspace)
    exact = [each for each in trashed if each.id == text] or (list(trashed[:1]) if text == "last" else [])
    named = [each for each in trashed if each.name == text][:1]
    begun = [each for each in trashed if each.id.startswith(text) or each.id.endswith(f"-{text}")]
    matches = exact or named or begun
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise InputError(f"no run '{text}' in the trash of {workspace.path}: `lovt rm --list` lists them")
    raise InputError(f"'{text}' fits {len(matches)} runs: {', '.join(each.id for each in matches[:5])}")


def restore_run(workspace: Workspace, trashed: TrashedRun) -> RunDirectory:
    """Bring a run back; raises InputError when another one has its id, RecordError when the disk refuses."""
    run = RunDirectory(workspace.runs / trashed.id)
    with holding(workspace.queue_lock):
        if os.path.lexists(run.path):
            raise InputError(f"there is a run {run.id} already: move it away first: lovt rm {run.id}")
        try:
            _move(trashed.path, run.path)
            _note_of(trashed.path).unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(f"cannot bring back {trashed.path}: {error.strerror or error}") from error
    return run


def delete_trashed(trashed: TrashedRun) -> None:
    """Delete a run in the trash for good; raises RecordError when the disk refuses."""
    erase(trashed.path)
    _note_of(trashed.path).unlink(missing_ok=True)


def empty_trash(workspace: Workspace, runs: Iterable[TrashedRun], on_deleted: Callable[[TrashedRun], None]) -> None:
    """Delete these runs for good, and what was left of an emptying that was killed; raises RecordError."""
    for trashed in runs:
        delete_trashed(trashed)
        on_deleted(trashed)
    folder = folder_of(workspace)
    with holding(workspace.queue_lock):  # nothing is on its way into the trash, so nothing temporary is in use
        leftovers = list(folder.glob(".*.tmp"))
        leftovers += [note for note in folder.glob("*.json") if not note.with_suffix("").exists()]
    for leftover in leftovers:
        try:
            delete(leftover)
        except FileNotFoundError:
            continue  # another command is at it too
        except OSError as error:
            raise RecordError(f"cannot remove {leftover}: {error.strerror or error}") from error
