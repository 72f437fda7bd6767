"""The cache of frozen encoders' features, `<workspace>/features`: what no evaluation has open can go.

Folder and locks are those of the evaluation's feature cache:

    <name>/                one entry (32 hex digits)
    <name>.lock            held by all who have the entry open
    .<name>.<bytes>.tmp/   an entry that is being built or removed
    .lock                  held for an instant by whoever looks for an entry, begins, publishes or removes one
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from os import close
from pathlib import Path

from lovt_core.errors import RecordError
from lovt_core.runs.locks import holding, take_lock
from lovt_core.runs.space.cleaning.garbage import Garbage
from lovt_core.runs.space.erasing import delete
from lovt_core.runs.space.sizes import Scale
from lovt_core.runs.workspace import Workspace

_NAME = re.compile(r"[0-9a-f]{32}")
WAIT_SECONDS = 60.0
"""Somebody may be deleting gigabytes under the lock."""


def find_feature_garbage(workspace: Workspace, scale: Scale) -> Iterator[Garbage]:
    """Entries that nobody has open; raises RecordError where the folder's lock stays taken."""
    folder = workspace.path / "features"
    if folder.is_symlink() or not folder.is_dir():
        return
    with holding(folder / ".lock", WAIT_SECONDS):
        names = sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))
        unused = [folder / name for name in names if _is_unused(folder / name)]
    for path in unused:
        yield Garbage("features", path, scale.weigh(path), "is a cache: evaluations compute it again when they need it")


def _is_unused(entry: Path) -> bool:
    """The caller holds the folder's lock, without which nobody begins to use an entry."""
    lock = entry.with_name(f"{entry.name}.lock")
    if entry.is_symlink():
        return False
    if not lock.exists():
        return True
    if (descriptor := take_lock(lock, 0)) is None:
        return False
    close(descriptor)
    return True


def remove_features(entry: Path) -> None:
    """Remove an entry unless somebody has opened it meanwhile; raises RecordError then, and OSError."""
    lock = entry.with_name(f"{entry.name}.lock")
    with holding(entry.parent / ".lock", WAIT_SECONDS):
        if not entry.is_dir():
            return
        if (descriptor := take_lock(lock, 0)) is None:
            raise RecordError(f"{entry} is in use by an evaluation now")
        try:
            doomed = entry.with_name(f".{entry.name}.0.tmp")
            with suppress(FileNotFoundError):
                delete(doomed)  # left by a removal that was killed
            delete(entry.rename(doomed))
            lock.unlink(missing_ok=True)
        finally:
            close(descriptor)
