"""Reading archives of runs: nothing appears in a workspace before every checksum has been compared.

An archive may come from anybody. Only plain files that its manifest names are read, each with the size that it says;
nothing is ever written through a link or outside folders of our own.
"""

import gzip
import hashlib
import os
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, Final

from lovt_core.errors import InputError
from lovt_core.files import publish_folder
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.locks import holding
from lovt_core.runs.space.archive import CHUNK, Meter, OnProgress
from lovt_core.runs.space.manifest import MANIFEST, MAX_BYTES, ArchivedFile, Manifest, parse_manifest
from lovt_core.runs.space.sizes import format_size
from lovt_core.runs.workspace import Workspace

GZIP_MAGIC: Final = b"\x1f\x8b"
MAX_TAIL_BYTES: Final = 2**20
"""Of zeros at the end of a tar file; programs write 10 kB."""

Begin = Callable[[Manifest], None]
Locate = Callable[[str], Path]


def verify_archive(path: Path, on_progress: OnProgress) -> Manifest:
    """Read an archive from end to end; raises InputError in one sentence for whatever is wrong with it."""
    return _read(path, on_progress)


def unarchive(workspace: Workspace, path: Path, on_progress: OnProgress) -> tuple[RunDirectory, ...]:
    """Put the runs of an archive into a workspace; they appear, all at the end, as they were, and nothing starts.

    Raises InputError in one sentence for whatever is wrong with the archive, for a run that is there already, and where
    the disk has too little room; LovtError when the disk refuses.
    """
    folders: dict[str, Path] = {}
    with ExitStack() as stack:

        def begin(manifest: Manifest) -> None:
            _check_new(workspace, manifest)
            _check_fits(workspace, manifest)
            for run in manifest.runs:
                folders[run.id] = stack.enter_context(publish_folder(workspace.runs / run.id))

        def locate(name: str) -> Path:
            run_id, _, inner = name.partition("/")
            return folders[run_id] / inner

        manifest = _read(path, on_progress, begin, locate)
        with holding(workspace.queue_lock):
            _check_new(workspace, manifest)
            stack.close()
    return tuple(RunDirectory(workspace.runs / run.id) for run in manifest.runs)


def _check_new(workspace: Workspace, manifest: Manifest) -> None:
    for run in manifest.runs:
        if os.path.lexists(workspace.runs / run.id):
            raise InputError(f"there is a run {run.id} in {workspace.path} already: lovt rm {run.id} makes room for it")


def _check_fits(workspace: Workspace, manifest: Manifest) -> None:
    free = shutil.disk_usage(workspace.runs).free
    if manifest.num_bytes > free:
        raise InputError(
            f"the archive holds {format_size(manifest.num_bytes)}, the disk of {workspace.path} has "
            f"{format_size(free)} left: lovt gc makes room"
        )


def _read(path: Path, on_progress: OnProgress, begin: Begin | None = None, locate: Locate | None = None) -> Manifest:
    """Check the whole archive; `begin` sees its manifest first, and files go where `locate` says, else nowhere."""
    with _open(path) as tar:
        with _explaining(path):
            manifest = _read_manifest(tar, path)
        if begin is not None:
            begin(manifest)
        expected = manifest.find_members()
        meter = Meter("reading", manifest.num_bytes, on_progress)
        while (member := _next(tar, path)) is not None:
            _check_kind(member, path)
            entry = expected.pop(member.name, None)
            if entry is None:
                raise InputError(f"{path}: {member.name!r} is not in its manifest, or is there twice")
            _take(tar, member, entry, _Target(path, meter, locate and locate(member.name)))
        if expected:
            raise InputError(f"{path} is damaged or cut short: {len(expected)} of its files are missing")
        _check_end(tar, path)
    return manifest


@contextmanager
def _open(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot open the archive {path}: {error.strerror}") from error
    with file:
        with _explaining(path):
            tar = _open_tar(file)
        with tar:
            yield tar


def _open_tar(file: BinaryIO) -> tarfile.TarFile:
    """Compressed with gzip or not, nothing else."""
    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return tarfile.open(fileobj=file, mode="r:gz" if magic == GZIP_MAGIC else "r:")


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """What is wrong with the bytes of an archive, as one sentence."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError) as error:
        raise InputError(f"{path} is no archive of runs, or is damaged or cut short: {error}") from error


def _next(tar: tarfile.TarFile, path: Path) -> tarfile.TarInfo | None:
    with _explaining(path):
        return tar.next()


def _read_manifest(tar: tarfile.TarFile, path: Path) -> Manifest:
    member = tar.next()
    if member is None or member.name != MANIFEST:
        raise InputError(f"{path} is no archive of runs: its first member is not {MANIFEST}")
    _check_kind(member, path)
    if member.size > MAX_BYTES:
        raise InputError(f"{path}: its manifest has {member.size} bytes, more than {MAX_BYTES}")
    return parse_manifest(_open_member(tar, member).read(), str(path))


def _check_kind(member: tarfile.TarInfo, path: Path) -> None:
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        what = "a link" if member.islnk() or member.issym() else "no plain file"
        raise InputError(f"{path}: {member.name!r} is {what}: archives of runs hold plain files only")


def _open_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name!r} has no content")
    return content


class _Target:
    """Where the content of a member goes; sums it up."""

    def __init__(self, archive: Path, meter: Meter, path: Path | None) -> None:
        self.archive = archive
        self.path = path
        self._meter = meter
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def chunks(self, content: IO[bytes]) -> Iterator[bytes]:
        while True:
            with _explaining(self.archive):
                chunk = content.read(CHUNK)
            if not chunk:
                return
            self._digest.update(chunk)
            self._meter.add(len(chunk))
            yield chunk


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, entry: ArchivedFile, target: _Target) -> None:
    """Compare a member with its entry, writing it where it has to go."""
    if member.size != entry.size:
        raise InputError(f"{target.archive}: {member.name!r} has {member.size} bytes instead of {entry.size}")
    with _explaining(target.archive):
        content = _open_member(tar, member)
    if target.path is None:
        for _ in target.chunks(content):
            pass
    else:
        _write(target.path, target.chunks(content), float(member.mtime))
    if target.sha256 != entry.sha256:
        raise InputError(f"{target.archive}: {member.name!r} is damaged: its checksum differs from the manifest's")


def _write(path: Path, chunks: Iterator[bytes], modified: float) -> None:
    _make_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
    with suppress(ValueError, OverflowError, OSError):  # a date that no file can have
        modified = min(modified, time.time())
        os.utime(path, (modified, modified))


def _make_folder(path: Path) -> None:
    """With the folders above it, each private to the user."""
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(mode=0o700)


def _check_end(tar: tarfile.TarFile, path: Path) -> None:
    """A tar file ends in zeros up to a whole record; what is missing there may be missing elsewhere next time."""
    with _explaining(path):
        tail = tar.fileobj.read(MAX_TAIL_BYTES + 1)
        size = tar.fileobj.tell()
    if size % tarfile.RECORDSIZE or len(tail) > MAX_TAIL_BYTES or tail.strip(b"\0"):
        raise InputError(f"{path} is damaged or cut short: its end is not that of an archive")
