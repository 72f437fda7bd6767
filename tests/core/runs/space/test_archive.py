"""Archives come back to the byte, and whatever is wrong with one is told in a sentence before anything appears."""

import gzip
import io
import json
import os
import shutil
import tarfile
import time
from contextlib import suppress

import pytest

from lovt_core.errors import InputError, LovtError, RecordError
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.locks import is_locked, take_lock
from lovt_core.runs.queueing.requests import ensure_scheduler, request_stop, request_take
from lovt_core.runs.space.archive import write_archive
from lovt_core.runs.space.manifest import MANIFEST
from lovt_core.runs.space.unarchive import unarchive, verify_archive
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import find_workspace
from tests.core.runs.conftest import selftest, wait_for_state, wait_until
from tests.core.runs.made_runs import files_of, make_run

ID = "20260101-000000-small-abcd"


def silent(progress):
    """Nobody looks."""


@pytest.fixture
def run(workspace):
    made = make_run(workspace, "finished", [("10-a1", True), ("20-a1", False)])
    made.log.write_text("a line\n")
    (made.artifacts / "deep" / "er").mkdir(parents=True)
    (made.artifacts / "deep" / "er" / "bild é.png").write_bytes(bytes(range(256)) * 5000)
    return made


@pytest.fixture
def elsewhere(tmp_path):
    return find_workspace(tmp_path / "elsewhere")


@pytest.mark.parametrize("compress", [False, True])
def test_there_and_back(run, elsewhere, tmp_path, compress):
    before = files_of(run.path)
    (run.path / ".x.1-ab.tmp").write_text("half")
    out = tmp_path / "run.tar"
    manifest = write_archive([run, run], out, silent, compress=compress)
    assert manifest.num_bytes == sum(map(len, before.values()))
    assert out.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".*.tmp"))
    with tarfile.open(out, "r:gz" if compress else "r:") as tar:
        names = tar.getnames()
        document = json.loads(tar.extractfile(MANIFEST).read())
    assert names[0] == MANIFEST
    assert set(names[1:]) == {f"{run.id}/{name}" for name in before}
    assert (document["format"], document["runs"][0]["id"]) == (1, run.id)

    assert verify_archive(out, silent) == manifest
    assert unarchive(elsewhere, out, silent) == (RunDirectory(elsewhere.runs / run.id),)
    back = elsewhere.runs / run.id
    assert files_of(back) == before
    assert (back / "log.txt").stat().st_mtime == int(run.log.stat().st_mtime)
    assert {path.stat().st_mode & 0o077 for path in (back, *back.rglob("*"))} == {0}


def test_several_runs_in_one_file_and_progress(workspace, run, elsewhere, tmp_path):
    other = make_run(workspace, "failed")
    (other.path / "big").write_bytes(bytes(3_000_000))
    told = []
    write_archive([run, other], tmp_path / "two.tar", told.append)
    assert {progress.note for progress in told} == {"checksums", "writing"}
    assert told[-1].done == told[-1].total
    assert {restored.id for restored in unarchive(elsewhere, tmp_path / "two.tar", silent)} == {run.id, other.id}
    assert len(list_runs(elsewhere)) == 2


def test_active_runs_links_and_changing_files_are_refused(workspace, run, tmp_path, monkeypatch):
    out = tmp_path / "x.tar"
    with pytest.raises(InputError, match="is queued: stop it first"):
        write_archive([make_run(workspace, "queued")], out, silent)
    lock = take_lock(run.worker_lock)
    with pytest.raises(InputError, match="still ending"):
        write_archive([run], out, silent)
    os.close(lock)

    def log_grows(progress):
        if progress.note == "writing":
            run.log.write_text("another text, as long or not")

    with pytest.raises(RecordError, match=r"log\.txt has changed while it was archived"):
        write_archive([run], out, log_grows)

    def is_resumed(progress):
        append_control(run.control, record("queued", 2), record("cancel", 2))

    run.log.unlink()
    with pytest.raises(RecordError, match=r"has changed|was resumed"):
        write_archive([run], out, is_resumed)
    (run.artifacts / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="link, which is no plain file"):
        write_archive([make_run(workspace), run], out, silent)
    assert not out.exists()
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_full_disk_leaves_the_old_file(run, tmp_path, monkeypatch):
    out = tmp_path / "x.tar"
    out.write_text("old")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(LovtError, match=r"cannot write .*x\.tar: No space left on device"):
        write_archive([run], out, silent)
    assert [path.name for path in tmp_path.glob("*.tar")] == ["x.tar"]
    assert out.read_text() == "old"
    assert not list(tmp_path.glob(".*.tmp"))


def test_an_unarchived_run_is_listed_and_starts_only_when_taken(workspace, elsewhere, tmp_path):
    """So does a copied directory, even that of a queued run."""
    run = make_run(workspace, "stopped", experiment=selftest(epochs=1))
    write_archive([run], tmp_path / "run.tar", silent)
    (unarchived,) = unarchive(elsewhere, tmp_path / "run.tar", silent)
    copied = RunDirectory(elsewhere.runs / f"{run.id[:-4]}0000")
    shutil.copytree(make_run(workspace, "queued", experiment=selftest(epochs=1)).path, copied.path)
    index = Index(elsewhere)
    try:
        index.sync()
        states = {row.id: row.state for row in index.runs()}
    finally:
        index.close()
    assert states == {unarchived.id: "stopped", copied.id: "queued"}
    ensure_scheduler(elsewhere)
    wait_until(lambda: not is_locked(elsewhere.scheduler_lock), "the scheduler to find nothing to do", 30)
    assert read_state(copied).state == "queued"
    request_take(elsewhere, copied)
    wait_for_state(copied, "finished")
    wait_until(lambda: not is_locked(elsewhere.scheduler_lock), "the scheduler to leave", 30)
    for queued in list_runs(workspace):
        if read_state(queued).is_active:
            request_stop(queued)


def test_a_run_that_is_there_is_never_touched(workspace, run, tmp_path):
    write_archive([run], tmp_path / "run.tar", silent)
    before = files_of(run.path)
    with pytest.raises(InputError, match=f"there is a run {run.id} in .* already"):
        unarchive(workspace, tmp_path / "run.tar", silent)
    assert files_of(run.path) == before


def refused(workspace, path, match):
    """Both ways of reading refuse it, and nothing is left in the workspace."""
    with pytest.raises(InputError, match=match) as caught:
        unarchive(workspace, path, silent)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert list(workspace.runs.iterdir()) == []
    with pytest.raises(InputError, match=match):
        verify_archive(path, silent)


@pytest.mark.parametrize("compress", [False, True])
def test_damage_at_any_place_is_found(run, elsewhere, tmp_path, compress):
    whole = tmp_path / "run.tar"
    write_archive([run], whole, silent, compress=compress)
    content = whole.read_bytes()
    broken = tmp_path / "broken.tar"
    for cut in (0, 1, 100, 512, 700, 5000, len(content) // 2, len(content) - 600, len(content) - 1):
        broken.write_bytes(content[:cut])
        refused(elsewhere, broken, r"broken\.tar")
    for place in range(4 if compress else 0, len(content) - 10_240, len(content) // 40):
        changed = bytearray(content)
        changed[place] ^= 0x5A
        broken.write_bytes(changed)
        with suppress(InputError):  # a bit may carry nothing: an owner, a date, the version in the manifest
            unarchive(elsewhere, broken, silent)
            assert files_of(elsewhere.runs / run.id) == files_of(run.path)
            shutil.rmtree(elsewhere.runs / run.id)
        assert list(elsewhere.runs.iterdir()) == []


def test_files_that_are_no_archives(elsewhere, tmp_path):
    refused(elsewhere, tmp_path / "nothing.tar", "cannot open the archive .*: No such file")
    refused(elsewhere, tmp_path, "cannot open the archive .*: Is a directory")
    text = tmp_path / "text"
    text.write_text("a text" * 1000)
    refused(elsewhere, text, "is no archive of runs")
    text.write_bytes(gzip.compress(b"a text" * 1000))
    refused(elsewhere, text, "is no archive of runs")


def build(path, members, manifest=None, listed=None):
    """A tar of `(name or TarInfo, content)` after a manifest that tells the truth about `listed` (default: all)."""
    import hashlib

    listed = members if listed is None else listed
    files = [
        {"path": name.partition("/")[2], "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in listed
    ]
    document = {"format": 1, "version": "0", "runs": [{"id": ID, "files": files}], **(manifest or {})}
    with tarfile.open(path, "w") as tar:
        for name, content in [(MANIFEST, json.dumps(document).encode()), *members]:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


GOOD = (f"{ID}/experiment.yaml", b"kind: selftest\n")


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_what_a_hostile_archive_may_hold(elsewhere, tmp_path):
    path = tmp_path / "evil.tar"
    refused(elsewhere, build(path, [GOOD, ("../evil", b"x")], listed=[GOOD]), "'../evil' is not in its manifest")
    refused(elsewhere, build(path, [GOOD, ("/etc/evil", b"x")], listed=[GOOD]), "'/etc/evil' is not in its manifest")
    refused(elsewhere, build(path, [GOOD, GOOD], listed=[GOOD]), "is not in its manifest, or is there twice")
    refused(elsewhere, build(path, [GOOD], listed=[GOOD, (f"{ID}/b", b"")]), "1 of its files are missing")
    for kind, what in ((tarfile.SYMTYPE, "a link"), (tarfile.LNKTYPE, "a link"), (tarfile.FIFOTYPE, "no plain file")):
        bad = (link(f"{ID}/artifacts", "/etc", kind), b"")
        refused(elsewhere, build(path, [GOOD, bad], listed=[GOOD]), f"artifacts' is {what}")
    refused(elsewhere, build(path, [(link(GOOD[0], "/etc/passwd"), b"")], listed=[GOOD]), "is a link")
    refused(elsewhere, build(path, [(f"{ID}/a", b"xy")], listed=[(f"{ID}/a", b"x")]), "has 2 bytes instead of 1")
    refused(elsewhere, build(path, [(f"{ID}/a", b"y")], listed=[(f"{ID}/a", b"x")]), "checksum differs")


@pytest.mark.parametrize("inner", ["../evil", "/etc/evil", "a/../../evil", "a//b", "./a", "a\\b", "a\x00b", "a\nb", ""])
def test_paths_that_lead_out_are_refused_in_the_manifest(elsewhere, tmp_path, inner):
    manifest = {"runs": [{"id": ID, "files": [{"path": inner, "size": 0, "sha256": "0" * 64}]}]}
    refused(elsewhere, build(tmp_path / "x.tar", [], manifest), "its manifest is damaged: .* is no plain path")


def test_manifests_that_are_wrong(elsewhere, tmp_path):
    path = tmp_path / "x.tar"
    entry = {"path": "a", "size": 0, "sha256": "0" * 64}
    for run_id in ("../x", "20260101-000000-../../x-abcd", "runs", "/etc"):
        refused(elsewhere, build(path, [], {"runs": [{"id": run_id, "files": []}]}), "is no id of a run")
    refused(elsewhere, build(path, [], {"runs": [{"id": ID, "files": [entry, entry]}]}), "is listed twice")
    both = [entry, {**entry, "path": "a/b"}]
    refused(elsewhere, build(path, [], {"runs": [{"id": ID, "files": both}]}), "is listed as a file and as a folder")
    refused(elsewhere, build(path, [], {"runs": []}), "its manifest is damaged: runs: ")
    refused(elsewhere, build(path, [], {"format": 2}), "is an archive of format 2, this version reads 1: update lovt")
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("first"), io.BytesIO())
    refused(elsewhere, path, r"its first member is not MANIFEST\.json")
    huge = {"runs": [{"id": ID, "files": [{**entry, "size": 10**15}]}]}
    with pytest.raises(InputError, match=r"the archive holds 1\.00 PB, the disk of .* has .* left"):
        unarchive(elsewhere, build(path, [], huge), silent)


def test_what_follows_the_end_is_refused(run, elsewhere, tmp_path):
    path = tmp_path / "run.tar"
    write_archive([run], path, silent)
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * 10_240)
    refused(elsewhere, path, "its end is not that of an archive")
    path.write_bytes(whole + bytes(2 * 2**20 // 10_240 * 10_240))
    refused(elsewhere, path, "its end is not that of an archive")


def test_a_reader_that_is_killed_leaves_no_run(run, elsewhere, tmp_path):
    path = tmp_path / "run.tar"
    write_archive([run], path, silent)

    def die(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unarchive(elsewhere, path, die)
    assert list(elsewhere.runs.iterdir()) == []


def test_dates_that_no_file_can_have(elsewhere, tmp_path):
    member = tarfile.TarInfo(GOOD[0])
    member.mtime = 1e18
    member.pax_headers = {"mtime": "1e18"}
    unarchive(elsewhere, build(tmp_path / "x.tar", [(member, GOOD[1])], listed=[GOOD]), silent)
    assert (elsewhere.runs / GOOD[0]).stat().st_mtime <= time.time() + 10
