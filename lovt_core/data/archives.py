"""Reading text files straight out of `.zip`, `.tar`, `.tar.gz` and `.tgz` archives: nothing is written to disk.

Archives come from strangers. Members that would lie outside the archive's folder, links and devices, encrypted and huge
members are refused, and so is an archive that is damaged or cut short.
"""

import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path, PureWindowsPath
from typing import IO, Self

from lovt_core.errors import DataError

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
MAX_MEMBER_BYTES = 4 << 20
"""Reports have a few kilobytes; what is larger by far is no report."""
_BLOCK_BYTES = 1 << 20

_DAMAGE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError),
    *(EOFError, struct.error, ValueError, OverflowError, NotImplementedError),
)
"""What the readers of the standard library raise for bytes that are no archive."""

Member = tuple[str, bytes]


def iterate_members(
    path: Path, suffix: str, wanted: Callable[[str], bool] = lambda name: True
) -> Generator[Member, None, None]:
    """Name and content of every file in the archive whose name ends in `suffix` and is `wanted`, in archive order.

    Names are relative, with `/` between folders. One member is in memory at a time; those not asked for are not
    unpacked. A name may occur more than once. Raises DataError, naming archive and member: archive missing or damaged,
    a name that leads out of the archive's folder, a link, device or encrypted member, one above MAX_MEMBER_BYTES.
    """
    read = _iterate_zip if path.name.lower().endswith(".zip") else _iterate_tar
    try:
        yield from read(path, lambda name: name.endswith(suffix) and wanted(name))
    except FileNotFoundError as error:
        raise DataError(f"{path}: the archive is missing") from error
    except _DAMAGE as error:
        raise DataError(f"{path}: damaged archive ({str(error) or type(error).__name__}); download it again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _iterate_zip(path: Path, wanted: Callable[[str], bool]) -> Generator[Member, None, None]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()[::-1]
        archive.filelist.clear()
        archive.NameToInfo.clear()  # a directory of 200,000 members has 130 MB: let go of what has been read
        while members:
            member = members.pop()
            name = _check_name(path, member.filename)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{path}: the member {name!r} is a link or device: only files are read")
            if member.is_dir() or not wanted(name):
                continue
            if member.flag_bits & 0x1:
                raise DataError(f"{path}: the member {name!r} is encrypted: unlock the archive first")
            _check_size(path, name, member.file_size)
            with archive.open(member) as file:
                yield name, _read(path, name, file, member.file_size)


class _StrictTarInfo(tarfile.TarInfo):
    """A header that is damaged is an error; by itself the reader takes it for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # unknown to the type stubs
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


def _iterate_tar(path: Path, wanted: Callable[[str], bool]) -> Generator[Member, None, None]:
    zipped = path.name.lower().endswith((".tgz", ".gz"))
    with (
        closing(gzip.open(path) if zipped else path.open("rb")) as file,
        tarfile.open(fileobj=file, mode="r|", tarinfo=_StrictTarInfo) as archive,
    ):
        for member in archive:
            name = _check_name(path, member.name)
            if not (member.isreg() or member.isdir()):
                raise DataError(f"{path}: the member {name!r} is a link or device: only files are read")
            content = archive.extractfile(member) if member.isreg() and wanted(name) else None
            if content is not None:
                _check_size(path, name, member.size)
                yield name, _read(path, name, content, member.size)
        while file.read(_BLOCK_BYTES):
            pass  # the checksum of the whole archive is at its very end


def _check_name(path: Path, name: str) -> str:
    if not name:
        raise zipfile.BadZipFile("a member has no name")
    checked = PureWindowsPath(name)  # the stricter one: knows drives and both slashes
    if checked.anchor or ".." in checked.parts:
        raise DataError(f"{path}: the member {name!r} leads out of the archive's folder")
    return checked.as_posix()


def _check_size(path: Path, name: str, size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        limit = MAX_MEMBER_BYTES >> 20
        raise DataError(f"{path}: the member {name!r} has {size} bytes: at most {limit} MiB are read as text")


def _read(path: Path, name: str, file: IO[bytes], size: int) -> bytes:
    """Exactly `size` bytes: an archive may say one size and hold another."""
    content = file.read(size + 1)
    if len(content) != size:
        raise DataError(f"{path}: damaged archive (the member {name!r} has another size than said); download it again")
    return content
