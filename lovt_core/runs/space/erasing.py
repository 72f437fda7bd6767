"""Removing folders so that a reader sees a whole one or none, and a kill in between leaves a plain leftover."""

import shutil
from pathlib import Path

from lovt_core.errors import RecordError
from lovt_core.files import temporary_sibling


def erase(path: Path) -> None:
    """Rename a file or folder to a temporary name beside it, then delete that; of a link the link alone.

    Raises RecordError where the disk refuses; what is not there any more is no error.
    """
    doomed = temporary_sibling(path)
    try:
        path.rename(doomed)
        delete(doomed)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(f"cannot remove {path}: {error.strerror or error}") from error


def delete(path: Path) -> None:
    """Delete a file, a link or a whole folder at once; raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
