"""Every byte of a workspace is counted once, under what it is."""

import os
import shutil

import pytest

from lovt_core.runs.space.sizes import Scale, format_size, measure_checkpoint, measure_run
from lovt_core.runs.space.trash import trash_runs
from lovt_core.runs.space.usage import measure_workspace
from tests.core.runs.made_runs import CHECKPOINT_BYTES, STATE_BYTES, make_run, put_checkpoint


def put(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))


def all_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def test_a_run_by_kind(workspace):
    run = make_run(workspace, "finished", [("10-a1", True), ("20-a1", False)])
    put(run.log, 70)
    put(run.events(2), 500)
    put(run.artifacts / "deep" / "picture.png", 9)
    put(run.checkpoints / ".30-a1.1-ab.tmp" / "model.safetensors", 11)
    usage = measure_run(run, Scale())
    assert usage.bytes["weights"] == 2 * CHECKPOINT_BYTES
    assert usage.bytes["state"] == 2 * STATE_BYTES
    assert usage.bytes["events"] == 500 + run.events(1).stat().st_size
    assert (usage.bytes["log"], usage.bytes["artifacts"]) == (70, 9)
    assert usage.total == all_bytes(run.path)
    assert measure_checkpoint(run, "10-a1") == {"weights": CHECKPOINT_BYTES, "state": STATE_BYTES}
    assert measure_checkpoint(run, "99-a1") == {"weights": 0, "state": 0}


def test_hard_links_count_once_and_links_are_not_followed(workspace, tmp_path):
    first, second = make_run(workspace), make_run(workspace)
    put(first.artifacts / "big", 5000)
    second.artifacts.mkdir()
    os.link(first.artifacts / "big", second.artifacts / "big")
    put(tmp_path / "elsewhere" / "huge", 10**6)
    (second.artifacts / "link").symlink_to(tmp_path / "elsewhere")
    (second.path / "checkpoints").symlink_to(tmp_path / "elsewhere")
    scale = Scale()
    total = measure_run(first, scale).bytes["artifacts"] + measure_run(second, scale).bytes["artifacts"]
    assert 5000 < total < 5000 + 200  # the file once, and the link itself
    assert measure_run(second, Scale()).total < 10**6
    assert scale.weigh(tmp_path / "nothing") == 0


def test_a_workspace_adds_up(workspace):
    big, small, gone = (make_run(workspace) for _ in range(3))
    put_checkpoint(big, "10-a1")
    trash_runs(workspace, [gone])
    put(workspace.path / "features" / ("a" * 32) / "stride-32.bin", 700)
    put(workspace.path / "data" / "covid-rural" / "224-aaaaaaaa" / "meta.json", 300)
    put(workspace.path / "data" / "covid-rural" / "224-bbbbbbbb" / "meta.json", 200)
    put(workspace.path / "data" / "covid-rural" / ".building-224-1" / "images.bin", 60)
    (workspace.path / "data" / "covid-rural" / "current.json").write_text('{"224": "224-bbbbbbbb"}')
    put(workspace.path / "index.db", 40)
    put(workspace.path / "sweeps.db", 20)
    put(workspace.runs / ".half.1-ab.tmp" / "experiment.yaml", 5)
    usage = measure_workspace(workspace)
    assert usage.runs[0].id == big.id
    assert {run.id for run in usage.runs} == {big.id, small.id}
    assert (usage.features, usage.index) == (700, 40)
    assert usage.trash == all_bytes(workspace.path / "trash")
    versions = [(each.version, each.num_bytes, each.is_current) for each in usage.prepared]
    assert versions == [("224-aaaaaaaa", 300, False), ("224-bbbbbbbb", 200, True), ("(other)", 60, False)]
    current = (workspace.path / "data" / "covid-rural" / "current.json").stat().st_size
    assert usage.total == all_bytes(workspace.path) - current
    assert usage.other >= 25


def test_prepared_data_elsewhere_is_counted_too(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "shared"))
    put(tmp_path / "shared" / "siim" / "224-cccccccc" / "meta.json", 123)
    (tmp_path / "shared" / "siim" / "current.json").write_text("broken")
    (only,) = measure_workspace(workspace).prepared
    assert (only.data_set, only.version, only.num_bytes, only.is_current) == ("siim", "224-cccccccc", 123, False)


def test_what_cannot_be_read_or_vanishes_weighs_nothing(workspace, monkeypatch):
    run = make_run(workspace)
    shutil.rmtree(run.path)
    assert measure_run(run, Scale()).total == 0


SIZES = {0: "0 B", 999: "999 B", 1000: "1.00 kB", 12_345: "12.3 kB", 999_499: "999 kB", 999_500: "1.00 MB"}
LARGE = {1.65e9: "1.65 GB", 123_456_789: "123 MB", 9.996e12: "10.0 TB", 5e18: "5000 PB"}


@pytest.mark.parametrize(("num_bytes", "text"), [*SIZES.items(), *LARGE.items()])
def test_sizes_as_text(num_bytes, text):
    assert format_size(num_bytes) == text
