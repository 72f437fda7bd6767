"""All kinds of what can go together."""

from lovt_core.runs.space.cleaning.clean import remove_garbage
from lovt_core.runs.space.cleaning.garbage import GARBAGE_KINDS, CleaningOptions
from lovt_core.runs.space.trash import list_trash, restore_run, trash_runs
from tests.core.runs.made_runs import checkpoint_folders, make_run
from tests.core.runs.space.cleaning.looking import OLD, age, find, prepare, remove


def fill(workspace):
    gone = make_run(workspace)
    trash_runs(workspace, [gone])
    run = make_run(workspace, "finished", [("5-a1", False), ("10-a1", True), ("15-a1", False)])
    prepare(workspace.prepared_root)
    (workspace.path / "features" / ("f" * 32)).mkdir(parents=True)
    (workspace.runs / ".x.1-ab.tmp").mkdir()
    age(workspace.runs / ".x.1-ab.tmp")
    return run, gone


def test_everything_at_once_and_then_nothing(workspace):
    run, gone = fill(workspace)
    findings = find(workspace)
    assert list(dict.fromkeys(item.kind for item in findings.garbage)) == list(GARBAGE_KINDS)
    before = sum(path.stat().st_size for path in workspace.path.rglob("*") if path.is_file())
    removed, failures = remove(workspace)
    after = sum(path.stat().st_size for path in workspace.path.rglob("*") if path.is_file())
    assert failures == ()
    assert {gone.id, "5-a1", "15-a1.state", OLD, "f" * 32, ".x.1-ab.tmp"} <= set(removed)
    assert before - after >= findings.num_bytes  # and the trash's note
    assert checkpoint_folders(run) == ["10-a1", "15-a1"]
    assert find(workspace).garbage == ()


def test_looking_changes_nothing(workspace):
    fill(workspace)
    names = {path for path in workspace.path.rglob("*") if not path.name.endswith(".lock")}
    find(workspace)
    assert {path for path in workspace.path.rglob("*") if not path.name.endswith(".lock")} == names


def test_only_the_kinds_that_were_asked_for(workspace):
    fill(workspace)
    for kind in GARBAGE_KINDS:
        assert {item.kind for item in find(workspace, kind).garbage} == {kind}


def test_a_run_brought_back_meanwhile_stays(workspace):
    _, gone = fill(workspace)
    findings = find(workspace, "trash")
    restore_run(workspace, list_trash(workspace)[0])
    assert remove_garbage(workspace, findings.garbage, CleaningOptions(), lambda item: None) == ()
    assert (gone.path / "experiment.yaml").exists()


def test_what_refuses_is_told_and_the_rest_goes(workspace, monkeypatch):
    fill(workspace)

    def refuse(run, names, keep_last):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("lovt_core.runs.space.cleaning.clean.remove_checkpoints", refuse)
    removed, (failure,) = remove(workspace)
    assert failure.startswith("cannot remove ")
    assert failure.endswith("Read-only file system")
    assert OLD in removed
