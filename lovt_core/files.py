"""Writing files so that a reader, a crash or a full disk never sees half of one: temporary name, fsync, rename."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lovt_core.errors import LovtError


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_sibling(path: Path) -> Path:
    """A free hidden name beside `path`, on the same file system, ending in `.tmp`."""
    return path.parent / f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp"


def write_bytes_atomic(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `content`, all or nothing; raises LovtError when the disk is full or refuses."""
    temporary = temporary_sibling(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LovtError(f"cannot write {path}: {error.strerror}") from error


def write_text_atomic(path: Path, content: str, mode: int = 0o600) -> None:
    """Replace `path` by `content` in UTF-8, all or nothing."""
    write_bytes_atomic(path, content.encode(), mode)


@contextmanager
def publish_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` when the block ends well, and is removed when it does not.

    Every file in it is fsynced before the rename. Raises LovtError when `path` exists already or the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        yield temporary
        _move(temporary, path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise LovtError(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def move_folder(source: Path, path: Path) -> None:
    """Rename the finished folder `source`, on the same file system, to `path`; every file in it is fsynced before.

    Raises LovtError when `path` exists already or the disk refuses; `source` is then as it was.
    """
    try:
        _move(source, path)
    except OSError as error:
        raise LovtError(f"cannot write {path}: {error.strerror or error}") from error


def _move(source: Path, path: Path) -> None:
    for file in source.rglob("*"):
        if file.is_dir():
            sync_folder(file)
        else:
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    sync_folder(source)
    source.rename(path)
    sync_folder(path.parent)
