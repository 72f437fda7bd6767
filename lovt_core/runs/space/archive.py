"""Run directories as one file with a checksum for each file (manifest.py)."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from lovt_core import __version__
from lovt_core.errors import InputError, LovtError, RecordError
from lovt_core.files import sync_folder, temporary_sibling
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.space.manifest import FORMAT, MANIFEST, ArchivedFile, ArchivedRun, Manifest
from lovt_core.runs.space.trash import check_idle
from lovt_core.runs.state import read_state
from lovt_core.values import Progress

CHUNK: Final = 4 * 2**20
COMPRESSION: Final = 6
MEGABYTE: Final = 10**6

OnProgress = Callable[[Progress], None]


def write_archive(
    runs: Sequence[RunDirectory], out: Path, on_progress: OnProgress, *, compress: bool = False
) -> Manifest:
    """Write an archive of runs to `out`, replacing it, all or nothing; locks and half-written files are left out.

    Raises InputError for a run that is active or holds links, RecordError for one that changes meanwhile, LovtError
    when the disk is full or refuses.
    """
    runs = list({run.id: run for run in runs}.values())
    for run in runs:
        check_idle(run)
    attempts = [read_state(run).attempt for run in runs]
    try:
        manifest = _describe(runs, on_progress)
        temporary = temporary_sibling(out)
        try:
            _write(temporary, runs, manifest, on_progress, compress=compress)
            for run, attempt in zip(runs, attempts, strict=True):
                if read_state(run).attempt != attempt:
                    raise RecordError(f"run {run.id} was resumed while it was archived: stop it and archive it again")
            temporary.replace(out)
            sync_folder(out.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise LovtError(f"cannot write {out}: {error.strerror or error}") from error
    return manifest


def list_files(run: RunDirectory) -> Iterator[Path]:
    """The files of a run that an archive holds, sorted; raises InputError for links and whatever else is no file."""
    for path in sorted(run.path.rglob("*")):
        is_temporary = any(part.startswith(".") and part.endswith(".tmp") for part in path.relative_to(run.path).parts)
        if is_temporary or (path.parent == run.path and path.suffix == ".lock"):
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise InputError(f"run {run.id} holds {path}, which is no plain file: an archive can hold nothing else")
        if path.is_file():
            yield path


def _describe(runs: Sequence[RunDirectory], on_progress: OnProgress) -> Manifest:
    """Checksums of all files."""
    paths = [(run, path) for run in runs for path in list_files(run)]
    total = sum(path.stat().st_size for _, path in paths)
    meter = Meter("checksums", total, on_progress)
    files: dict[str, list[ArchivedFile]] = {run.id: [] for run in runs}
    for run, path in paths:
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                meter.add(len(chunk))
        name = path.relative_to(run.path).as_posix()
        files[run.id].append(ArchivedFile(path=name, size=size, sha256=digest.hexdigest()))
    return Manifest(
        format=FORMAT,
        version=__version__,
        runs=tuple(ArchivedRun(id=run_id, files=tuple(found)) for run_id, found in files.items()),
    )


def _write(
    temporary: Path, runs: Sequence[RunDirectory], manifest: Manifest, on_progress: OnProgress, *, compress: bool
) -> None:
    meter = Meter("writing", manifest.num_bytes, on_progress)
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with _open_tar(file, compress=compress) as tar:
            content = manifest.model_dump_json(indent=1).encode()
            tar.addfile(_describe_member(MANIFEST, len(content), 0.0), io.BytesIO(content))
            for run, archived in zip(runs, manifest.runs, strict=True):
                for entry in archived.files:
                    _add(tar, run, entry, meter)
        file.flush()
        os.fsync(file.fileno())


def _open_tar(file: IO[bytes], *, compress: bool) -> tarfile.TarFile:
    if compress:
        return tarfile.open(fileobj=file, mode="w:gz", compresslevel=COMPRESSION, format=tarfile.PAX_FORMAT)
    return tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)


def _describe_member(name: str, size: int, modified: float) -> tarfile.TarInfo:
    """Nothing of the user or the machine."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    member.mtime = int(modified)
    return member


def _add(tar: tarfile.TarFile, run: RunDirectory, entry: ArchivedFile, meter: "Meter") -> None:
    path = run.path / entry.path
    with path.open("rb") as file:
        stat = os.fstat(file.fileno())
        source = _Watched(file, meter)
        member = _describe_member(f"{run.id}/{entry.path}", entry.size, stat.st_mtime)
        if stat.st_size == entry.size:
            tar.addfile(member, source)
        if stat.st_size != entry.size or source.sha256 != entry.sha256:
            raise RecordError(f"{path} has changed while it was archived: try again when nothing writes to it")


class _Watched(io.RawIOBase):
    """A file that sums up what is read from it."""

    def __init__(self, file: IO[bytes], meter: "Meter") -> None:
        super().__init__()
        self._file = file
        self._meter = meter
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of all that was read."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._digest.update(content)
        self._meter.add(len(content))
        return content


class Meter:
    """Tells how many of so many megabytes are done, each megabyte once."""

    def __init__(self, note: str, total: int, on_progress: OnProgress) -> None:
        self._note = note
        self._total = total
        self._on_progress = on_progress
        self._done = 0

    def add(self, count: int) -> None:
        """So many bytes more."""
        before, self._done = self._done, self._done + count
        if before // MEGABYTE != self._done // MEGABYTE:
            done, total = self._done // MEGABYTE, max(self._done, self._total) // MEGABYTE
            self._on_progress(Progress(done, total, "MB", self._note))
