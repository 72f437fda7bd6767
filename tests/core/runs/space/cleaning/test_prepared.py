"""Superseded versions of prepared data go, unless a run needs them."""

import json
import os

import pytest

from lovt_core.config.data import PairedDataConfig
from lovt_core.data.preparation.lock import preparation_lock
from lovt_core.errors import RecordError
from lovt_core.runs.locks import take_lock
from lovt_core.runs.space.cleaning.prepared import remove_version
from tests.core.runs.made_runs import evaluation, make_run, pretraining, put_checkpoint
from tests.core.runs.space.cleaning.looking import NEW, OLD, find, prepare, remove


def test_a_superseded_version_goes_the_current_ones_stay(workspace):
    folder = prepare(workspace.prepared_root)
    (folder / "512-cccccccc").mkdir()
    (folder / "512-cccccccc" / "meta.json").write_text("{}")
    (folder / "current.json").write_text(json.dumps({"224": NEW, "512": "512-cccccccc"}))
    (item,) = find(workspace, "prepared").garbage
    assert (item.path.name, item.num_bytes) == (OLD, 102)
    assert remove(workspace, "prepared") == ([OLD], ())
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    assert names == [NEW, "512-cccccccc", "current.json"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_runs_that_name_the_data_set_keep_its_versions(workspace, state):
    prepare(workspace.prepared_root)
    prepare(workspace.prepared_root, "siim")
    run = make_run(workspace, "queued" if state == "queued" else "lost", experiment=evaluation(task="covid-linear"))
    lock = take_lock(run.worker_lock) if state == "running" else None
    findings = find(workspace, "prepared")
    assert [item.path.parent.name for item in findings.garbage] == ["siim"]
    assert findings.notes == (f"covid-rural/{OLD} stays: run {run.id} is {state} and may read it",)
    if lock is not None:
        os.close(lock)


def test_a_queued_pre_training_keeps_its_data_and_what_it_leaves_out(workspace):
    for name in ("covid-chestxray", "siim", "rsna"):
        prepare(workspace.prepared_root, name)
    data = {"name": "covid-chestxray", "exclude_overlap_with": ("siim",)}
    make_run(workspace, "queued", experiment=pretraining().model_copy(update={"data": PairedDataConfig(**data)}))
    assert [item.path.parent.name for item in find(workspace, "prepared").garbage] == ["rsna"]


def test_a_run_that_can_be_resumed_keeps_the_version_it_began_with(workspace):
    prepare(workspace.prepared_root, "covid-chestxray", versions=(OLD, "224-dddddddd", NEW))
    run = make_run(workspace, "stopped", experiment=pretraining())
    describe = {"data": {"name": "covid-chestxray", "fingerprint": "aaaaaaaa" * 8}}
    put_checkpoint(run, "10-a1", describe)
    findings = find(workspace, "prepared")
    assert [item.path.name for item in findings.garbage] == ["224-dddddddd"]
    assert "could be resumed" in findings.notes[0]


def test_what_a_finished_run_was_trained_on_goes_with_a_word(workspace):
    prepare(workspace.prepared_root, "covid-chestxray")
    run = make_run(workspace, experiment=pretraining())
    put_checkpoint(run, "10-a1", {"data": {"name": "covid-chestxray", "fingerprint": "aaaaaaaa" * 8}})
    (item,) = find(workspace, "prepared").garbage
    assert f"evaluations of run {run.id} cannot say" in item.reason
    prepare(workspace.prepared_root)
    make_run(workspace, "queued", experiment=evaluation(run.id))
    assert find(workspace, "prepared").garbage == ()


def test_data_of_several_workspaces_stays_unless_asked_for(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "shared"))
    prepare(tmp_path / "shared")
    findings = find(workspace, "prepared")
    assert findings.garbage == ()
    assert "runs of other workspaces may read them (--shared" in findings.notes[0]
    assert remove(workspace, "prepared", shared_prepared=True) == ([OLD], ())


def test_a_link_to_data_elsewhere_is_not_followed(workspace, tmp_path):
    prepare(tmp_path / "elsewhere")
    workspace.prepared_root.symlink_to(tmp_path / "elsewhere")
    assert find(workspace, "prepared").garbage == ()
    workspace.prepared_root.unlink()
    workspace.prepared_root.mkdir()
    (workspace.prepared_root / "covid-rural").symlink_to(tmp_path / "elsewhere" / "covid-rural")
    assert find(workspace, "prepared").garbage == ()


def test_a_damaged_list_of_current_versions_keeps_all(workspace):
    (prepare(workspace.prepared_root) / "current.json").write_text("[")
    findings = find(workspace, "prepared")
    assert findings.garbage == ()
    assert "versions of covid-rural stay: cannot read" in findings.notes[0]


def test_what_changed_since_the_look_decides(workspace):
    folder = prepare(workspace.prepared_root)
    (item,) = find(workspace, "prepared").garbage
    (folder / "current.json").write_text(json.dumps({"224": OLD}))
    with pytest.raises(RecordError, match="has become current"):
        remove_version(workspace, item.path)
    (folder / "current.json").write_text(json.dumps({"224": NEW}))
    make_run(workspace, "queued", experiment=evaluation())
    with pytest.raises(RecordError, match="is queued and may read it"):
        remove_version(workspace, item.path)
    assert (item.path / "images.bin").exists()


def test_a_preparation_at_work_is_not_disturbed(workspace):
    folder = prepare(workspace.prepared_root)
    with preparation_lock(folder):
        removed, (failure,) = remove(workspace, "prepared")
    assert removed == []
    assert "is being prepared" in failure
