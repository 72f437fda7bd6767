"""Full disks, two preparations at once, kills: nothing half-published, nothing lost, the next one works."""

import errno
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from lovt_core import files
from lovt_core.data.checksums import verify
from lovt_core.data.preparation import prepare as prepare_module
from lovt_core.data.preparation import unfinished, version_writer
from lovt_core.data.prepared import open_prepared
from lovt_core.data.versions import find_versions
from lovt_core.errors import DataError, InputError, LovtError
from tests.core.data.factories import prepare_quietly, rural_stem, write_rural

PROJECT = Path(__file__).parents[4]
MOMENTS = ("decoding", "meta", "publishing", "current")


@pytest.fixture
def source(tmp_path):
    return write_rural(tmp_path / "download", 8)


def leftovers(root):
    return [path for path in (root / "covid-rural").iterdir() if path.name.endswith(".tmp")]


def assert_untouched(root, before):
    """The version that was current before is current, whole, and alone."""
    assert leftovers(root) == []
    assert [folder.name for folder in find_versions(root, "covid-rural")] == [before.path.name]
    assert open_prepared(root, "covid-rural", 32).fingerprint == before.fingerprint
    assert verify(before.path) == ()


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (version_writer._HashedFile, "write"),
        (version_writer.np, "save"),
        (version_writer, "compute_file_sha256"),
        (prepare_module, "write_meta"),
        (files, "_move"),
    ],
    ids=["pixels", "arrays", "checksums", "meta", "publishing"],
)
def test_full_disk_leaves_what_was_there(source, root, monkeypatch, owner, name):
    before = prepare_quietly("covid-rural", source, root)
    write_rural(source, 2, first=8)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, no_space)
        with pytest.raises(LovtError, match=r"cannot write .*: No space left on device") as caught:
            prepare_quietly("covid-rural", source, root)
    assert caught.value.exit_code == 1
    assert_untouched(root, before)
    assert len(prepare_quietly("covid-rural", source, root).samples) == 10


def test_full_disk_while_the_version_is_made_current(source, root, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(LovtError, match="No space left on device"):
            prepare_quietly("covid-rural", source, root)
    with pytest.raises(DataError, match="is not prepared"):
        open_prepared(root, "covid-rural", 32)
    assert prepare_quietly("covid-rural", source, root).meta.num_samples == 8


def test_limit_of_file_size(source, root, monkeypatch):
    """The kernel refuses to write on in the middle of the pixels, as a quota does."""
    before = prepare_quietly("covid-rural", source, root)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        with pytest.raises(LovtError, match=r"cannot write prepared data in .*: File too large") as caught:
            prepare_quietly("covid-rural", source, root, size=64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert caught.value.exit_code == 1
    assert_untouched(root, before)


@contextmanager
def small_disk(folder, size):
    """A file system of that many bytes in memory; skips where mounting is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # memory maps may still be open


def test_really_full_disk(source, tmp_path):
    with small_disk(tmp_path / "disk", 256 * 1024) as root:
        before = prepare_quietly("covid-rural", source, root)
        with pytest.raises(LovtError, match=r"cannot write prepared data in .*: No space left on device") as caught:
            prepare_quietly("covid-rural", source, root, size=256)
        assert caught.value.exit_code == 1
        assert_untouched(root, before)
        assert prepare_quietly("covid-rural", source, root, size=40).num_images == 8


def test_folder_that_cannot_be_written(source, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LovtError, match=r"cannot prepare in .*: Not a directory") as caught:
        prepare_quietly("covid-rural", source, tmp_path / "file")
    assert caught.value.exit_code == 1


@contextmanager
def other_preparation(source, root, moment):
    """Another process that prepares and waits at the moment."""
    command = [sys.executable, "-m", "tests.core.data.preparation.interrupted_prepare", str(source), str(root), moment]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "waiting\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_second_preparation_at_once_is_refused(source, root, moment):
    with other_preparation(source, root, moment) as other:
        with pytest.raises(InputError) as caught:
            prepare_quietly("covid-rural", source, root)
        assert caught.value.exit_code == 2
        assert str(caught.value) == (
            f"covid-rural is being prepared in {root / 'covid-rural'} by another command (process {other.pid}): "
            "wait until it ends"
        )
        told, _ = other.communicate("\n" * 100)
        assert other.returncode == 0
    data = prepare_quietly("covid-rural", source, root)
    assert data.fingerprint in told
    assert leftovers(root) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_leaves_nothing_half_published(source, root, moment):
    before = prepare_quietly("covid-rural", source, root)
    write_rural(source, 2, first=8)
    with other_preparation(source, root, moment) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert open_prepared(root, "covid-rural", 32).fingerprint == before.fingerprint
    assert all(verify(folder) == () for folder in find_versions(root, "covid-rural"))
    after = prepare_quietly("covid-rural", source, root)
    assert after.meta.num_samples == 10
    assert open_prepared(root, "covid-rural", 32).fingerprint == after.fingerprint
    assert leftovers(root) == []
    assert len(find_versions(root, "covid-rural")) == 2


def test_different_data_sets_are_prepared_side_by_side(source, root, tmp_path):
    from tests.core.data.factories import write_chestxray

    with other_preparation(source, root, "decoding"):
        assert prepare_quietly("covid-chestxray", write_chestxray(tmp_path / "pairs"), root).num_images == 6


def interrupt_after(count):
    def interrupt(progress):
        if progress.done == count:
            raise KeyboardInterrupt

    return interrupt


def count_decoded(monkeypatch):
    """Ids of the items that are decoded from now on."""
    decoded = []
    original = unfinished.decode_item

    def decode(recipe, item):
        decoded.append(item.id)
        return original(recipe, item)

    monkeypatch.setattr(unfinished, "decode_item", decode)
    return decoded


def test_ctrl_c_publishes_nothing_and_the_next_one_goes_on(source, root, monkeypatch):
    options = prepare_module.PrepareOptions(size=32, workers=1)
    with pytest.raises(KeyboardInterrupt):
        prepare_module.prepare("covid-rural", source, root, options, interrupt_after(5))
    assert find_versions(root, "covid-rural") == []
    decoded = count_decoded(monkeypatch)
    data = prepare_quietly("covid-rural", source, root)
    assert decoded == [rural_stem(number) for number in (5, 6, 7)]
    assert sorted(path.name for path in (root / "covid-rural").iterdir()) == [
        ".prepare.lock",
        data.path.name,
        "current.json",
    ]
    assert prepare_quietly("covid-rural", source, root.parent / "anew").fingerprint == data.fingerprint


def test_the_one_that_got_farthest_is_gone_on_with(source, root, monkeypatch):
    options = prepare_module.PrepareOptions(size=32, workers=1)
    for count in (6, 2):
        with pytest.raises(KeyboardInterrupt):
            prepare_module.prepare("covid-rural", source, root, options, interrupt_after(count))
    decoded = count_decoded(monkeypatch)
    prepare_quietly("covid-rural", source, root)
    assert decoded == [rural_stem(number) for number in (6, 7)]


def test_images_that_are_added_or_changed_are_decoded_and_no_others(source, root, monkeypatch):
    prepare_quietly("covid-rural", source, root)
    write_rural(source, 2, first=8)
    (source / "pngs_masks" / f"{rural_stem(3)}.png").touch()
    decoded = count_decoded(monkeypatch)
    data = prepare_quietly("covid-rural", source, root)
    assert decoded == [rural_stem(number) for number in (3, 8, 9)]
    assert verify(data.path) == ()
    prepare_quietly("covid-rural", source, root, size=40)
    assert len(decoded) == 13


@pytest.mark.parametrize("file", ["images.bin", "masks.bin", "journal.jsonl"])
def test_decoded_bytes_that_were_lost_are_decoded_again(source, root, file):
    """As after a power failure: the journal is on disk, what it tells of is not (or the reverse)."""
    options = prepare_module.PrepareOptions(size=32, workers=1)
    with pytest.raises(KeyboardInterrupt):
        prepare_module.prepare("covid-rural", source, root, options, interrupt_after(5))
    (building,) = (root / "covid-rural").glob(".building-*")
    path = building / file
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    data = prepare_quietly("covid-rural", source, root)
    assert prepare_quietly("covid-rural", source, root.parent / "anew").fingerprint == data.fingerprint


def test_all_problems_are_told_at_once(source, root, monkeypatch):
    """Those that the file names show, and those that only decoding finds; what was decoded is kept for the next try."""
    (source / "pngs_masks" / f"{rural_stem(0)}.png").unlink()
    (source / "jpgs" / f"{rural_stem(1)}.jpg").write_bytes(b"")
    (source / "jpgs" / f"{rural_stem(2)}.jpg").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        prepare_quietly("covid-rural", source, root)
    assert str(caught.value).splitlines()[0] == "covid-rural: 3 files or rows of the download cannot be used:"
    for number in (0, 1, 2):
        assert rural_stem(number) in str(caught.value)
    assert find_versions(root, "covid-rural") == []
    decoded = count_decoded(monkeypatch)
    data = prepare_quietly("covid-rural", source, root, skip_bad=True)
    assert sorted(decoded) == [rural_stem(1), rural_stem(2)]
    assert len(data.meta.skipped) == 3
