"""Temporary files and folders (`.<name>.*.tmp`) that killed commands and workers have left."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

from lovt_core.data.preparation.lock import preparation_lock
from lovt_core.errors import LovtError
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.space.cleaning.checkpoints import is_at_rest
from lovt_core.runs.space.cleaning.garbage import Garbage
from lovt_core.runs.space.erasing import delete
from lovt_core.runs.space.sizes import Scale, scan
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import Workspace

MIN_AGE_SECONDS = 86_400.0
"""Nothing is written for a day without a single change."""


def find_leftovers(workspace: Workspace, scale: Scale, now: float) -> Iterator[Garbage]:
    """Temporary names that nothing has touched for a day: in the workspace, in runs at rest, beside prepared data."""
    for path in _list_places(workspace):
        if not _is_folder(path):
            continue
        for entry in scan(path):
            is_temporary = entry.name.startswith(".") and entry.name.endswith(".tmp")
            if is_temporary and now - _last_change(Path(entry.path)) >= MIN_AGE_SECONDS:
                found = Path(entry.path)
                yield Garbage("leftovers", found, scale.weigh(found), "was left half-written by a killed process")


def _list_places(workspace: Workspace) -> Iterator[Path]:
    yield from (workspace.path, workspace.runs, workspace.path / "trash")
    for run in list_runs(workspace):
        if not run.path.is_symlink() and _is_resting(run):
            yield from (run.path, run.checkpoints, run.artifacts)
    yield from (Path(entry.path) for entry in scan(workspace.prepared_root))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_resting(run: RunDirectory) -> bool:
    try:
        return is_at_rest(run, read_state(run))
    except (LovtError, OSError):
        return False


def _last_change(path: Path) -> float:
    """Of the newest file or folder in it; infinite where somebody is at work on it now."""
    try:
        newest = path.lstat().st_mtime
        if _is_folder(path):
            for folder, names, files in os.walk(path):
                newest = max(newest, *(Path(folder, name).lstat().st_mtime for name in (".", *names, *files)))
    except OSError:
        return math.inf
    return newest


def remove_leftover(workspace: Workspace, path: Path) -> None:
    """Remove one; raises OSError, and InputError while its data set is being prepared."""
    if path.parent.parent == workspace.prepared_root:
        with preparation_lock(path.parent):  # which removes all of them
            return
    delete(path)
