"""Archives of strangers: read in order, never unpacked to disk, refused where they are hostile or damaged."""

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from lovt_core.data import archives
from lovt_core.data.archives import MAX_MEMBER_BYTES, iterate_members
from lovt_core.errors import DataError

FILES = {"b/2.txt": b"second", "a/1.txt": b"first", "a/readme.md": b"not asked for", "a/empty.txt": b""}
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def write_tar(path: Path, files: dict[str, bytes], *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in members:
            archive.addfile(member)
    return path


def write(path: Path, files: dict[str, bytes]) -> Path:
    return write_zip(path, files) if path.suffix == ".zip" else write_tar(path, files)


def read(path: Path, suffix: str = ".txt") -> list[tuple[str, bytes]]:
    return list(iterate_members(path, suffix))


@pytest.fixture(params=archives.ARCHIVE_SUFFIXES)
def suffix(request):
    return request.param


def test_members_come_in_archive_order(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", FILES)
    assert read(path) == [("b/2.txt", b"second"), ("a/1.txt", b"first"), ("a/empty.txt", b"")]
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_wanted_is_not_read(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", FILES | {"huge.txt": bytes(MAX_MEMBER_BYTES + 1)})
    members = iterate_members(path, ".txt", lambda name: name.startswith("a/"))
    assert [name for name, _ in members] == ["a/1.txt", "a/empty.txt"]


def test_reading_may_stop_early(tmp_path, suffix):
    members = iterate_members(write(tmp_path / f"a{suffix}", FILES), ".txt")
    assert next(members) == ("b/2.txt", b"second")
    members.close()


def test_a_leading_dot_and_folders_are_no_matter(tmp_path):
    folder = tarfile.TarInfo("./a.txt")
    folder.type = tarfile.DIRTYPE
    assert read(write_tar(tmp_path / "a.tgz", {"./b/1.txt": b"x"}, folder)) == [("b/1.txt", b"x")]
    assert read(write_zip(tmp_path / "a.zip", {"./b/1.txt": b"x", "c.txt/": b""})) == [("b/1.txt", b"x")]


@pytest.mark.parametrize("name", ["../x.txt", "a/../../x.txt", "/x.txt", "a\\..\\x.txt", "C:\\x.txt", "../x.md"])
def test_names_that_lead_out_are_refused(tmp_path, suffix, name):
    with pytest.raises(DataError, match=r"leads out of the archive's folder\Z"):
        read(write(tmp_path / f"a{suffix}", {name: b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_of_a_tar_are_refused(tmp_path, kind):
    member = tarfile.TarInfo("a.txt")
    member.type, member.linkname = kind, "/etc/hostname"
    with pytest.raises(DataError, match=r"'a\.txt' is a link or device"):
        read(write_tar(tmp_path / "a.tgz", {}, member))


def test_links_of_a_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        member = zipfile.ZipInfo("a.txt")
        member.create_system, member.external_attr = 3, 0o120777 << 16
        archive.writestr(member, "/etc/hostname")
    with pytest.raises(DataError, match="is a link or device"):
        read(tmp_path / "a.zip")


def test_encrypted_members_are_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.txt": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"'a\.txt' is encrypted"):
        read(path)


def test_bombs_are_refused(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", {"a.txt": bytes(MAX_MEMBER_BYTES + 1)})
    with pytest.raises(DataError, match=r"'a\.txt' has 4194305 bytes: at most 4 MiB are read"):
        read(path)


def test_a_size_that_lies_is_noticed(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.txt": bytes(5000)})
    content = path.read_bytes()
    path.write_bytes(content.replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    with pytest.raises(DataError, match="damaged archive"):
        read(path)


@pytest.mark.parametrize("size", [0, 1, 700, -700, -1])
def test_archives_that_are_cut_short_are_refused(tmp_path, suffix, size):
    content = random.Random(0).randbytes(3000)
    path = write(tmp_path / f"a{suffix}", {f"{number}.txt": content for number in range(9)})
    if path.suffix == ".tar":
        path.write_bytes(path.read_bytes().rstrip(b"\0"))  # what follows the last member is padding
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=rf"a{suffix}: damaged archive \(.+\); download it again\Z"):
        read(path)


def test_a_flipped_byte_is_noticed(tmp_path):
    content = random.Random(0).randbytes(3000)
    for suffix in (".zip", ".tgz"):
        path = write(tmp_path / f"a{suffix}", {f"{number}.txt": content for number in range(9)})
        whole = path.read_bytes()
        for position in range(len(whole) // 3, len(whole) // 2, 41):
            path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
            with pytest.raises(DataError):
                read(path)


def test_a_damaged_header_does_not_end_a_tar_silently(tmp_path):
    path = write_tar(tmp_path / "a.tar", {"1.txt": b"x", "2.txt": b"y"})
    content = bytearray(path.read_bytes())
    content[1024 + 3] ^= 1
    (tmp_path / "a.tgz").write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(DataError, match="damaged archive"):
        read(tmp_path / "a.tgz")


def test_no_archive_at_all(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(DataError, match="the archive is missing"):
        read(path)
    path.write_bytes(b"<html>Forbidden</html>" * 100)
    with pytest.raises(DataError, match="damaged archive"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read(path)


def test_real_reports(data_folder):
    members = read(data_folder / "nlmcxr" / "NLMCXR_reports.tgz", ".xml")
    assert len(members) == 3955
    assert members[0][0] == "ecgen-radiology/1.xml"
    assert all(content.startswith(b"<?xml") for _, content in members)
