"""A launch that would fill the disk, by the sizes of runs before it, is refused with the figures."""

from collections import namedtuple

import pytest

from lovt_core.config.evaluation import FeatureCacheConfig
from lovt_core.config.training import TrainingConfig
from lovt_core.errors import InputError
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.lines import encode_line
from lovt_core.runs.space.room import check_room, measure_largest
from lovt_core.runs.space.trash import trash_runs
from tests.core.runs.conftest import selftest
from tests.core.runs.made_runs import (
    CHECKPOINT_BYTES,
    STATE_BYTES,
    describe_saved,
    evaluation,
    make_run,
    pretraining,
    put_checkpoint,
)

DiskUsage = namedtuple("DiskUsage", "total used free")
PEAK = 3 * (CHECKPOINT_BYTES + STATE_BYTES)
LEFT = 2 * CHECKPOINT_BYTES


@pytest.fixture
def room(workspace, monkeypatch):
    """Whether an experiment fits into so many free bytes; the message where it does not."""

    def check(experiment, free, keep_free=0, **options):
        monkeypatch.setattr("shutil.disk_usage", lambda path: DiskUsage(10**9, 0, free))
        index = Index(workspace)
        try:
            index.sync()
            check_room(workspace, experiment, index.runs(), keep_free, **options)
        except InputError as error:
            return str(error)
        finally:
            index.close()
            monkeypatch.undo()
        return ""

    return check


def test_unknown_sizes_are_not_checked(workspace, room):
    assert room(selftest(), 0) == ""
    make_run(workspace, "queued", experiment=selftest())
    make_run(workspace, "finished", [("10-a1", True)], pretraining())
    assert room(selftest(), 0) == ""
    assert room(evaluation(), 0) == ""


def test_three_of_the_largest_checkpoint_must_fit(workspace, room):
    make_run(workspace, "stopped", [("10-a1", True)], selftest())
    big = make_run(workspace, "failed", [("10-a1", True)], selftest())
    put_checkpoint(big, "20-a1")
    (big.checkpoints / "20-a1" / "model.safetensors").write_bytes(bytes(2000))
    need = 3 * (2000 + STATE_BYTES)
    assert room(selftest(), need) == ""
    message = room(selftest(), need - 1)
    assert "has 15.0 kB free, of which 0 B are kept free; this needs up to 15.0 kB (3 checkpoints of 5.00 kB" in message
    assert room(selftest(), need + 500, 500) == ""
    assert room(selftest(), need + 499, 500) != ""
    trash_runs(workspace, [big])
    assert room(selftest(), PEAK) == ""


def test_only_the_same_models_tell_a_size(workspace, room):
    make_run(workspace, "stopped", [("10-a1", True)], pretraining())
    assert room(pretraining(), PEAK - 1) != ""
    assert room(pretraining(seed=3, data="openi"), PEAK - 1) != ""
    method = pretraining().method
    other_encoder = method.model_copy(update={"image_encoder": method.image_encoder.model_copy(update={"stride": 16})})
    assert room(pretraining(method=other_encoder), 0) == ""
    other_weights = method.image_encoder.model_copy(update={"weights": "random"})
    assert room(pretraining(method=method.model_copy(update={"image_encoder": other_weights})), PEAK - 1) != ""
    assert room(selftest(), 0) == ""


def test_state_that_is_gone_is_known_from_the_events(workspace, room):
    run = make_run(workspace, "finished", [("10-a1", True)], selftest())
    for path in run.checkpoints.glob("*.state"):
        (path / "optimiser.safetensors").unlink()
        path.rmdir()
    assert room(selftest(), 3 * CHECKPOINT_BYTES) == ""
    saved = {**describe_saved("10-a1", True), "bytes": {"weights": CHECKPOINT_BYTES, "state": 7000}}
    lines = [{"event": "started"}, saved, {"event": "finished"}]
    run.events(1).write_bytes(b"".join(encode_line({"t": 1.0, **line}) for line in lines))
    assert measure_largest(run, 1).state == 7000
    assert room(selftest(), 3 * (CHECKPOINT_BYTES + 7000) - 1) != ""
    assert room(selftest(), 3 * (CHECKPOINT_BYTES + 7000)) == ""


def test_runs_that_wait_or_work_take_theirs_too(workspace, room):
    make_run(workspace, "stopped", [("10-a1", True)], selftest())
    for _ in range(3):
        make_run(workspace, "queued", experiment=selftest())
    assert room(selftest(), PEAK + 3 * LEFT) == ""
    message = room(selftest(), PEAK + 3 * LEFT - 1)
    assert "runs that are queued or at work will take 6.00 kB more: make room (lovt du, lovt gc)" in message
    kept = selftest().model_copy(update={"training": TrainingConfig(keep_state=True)})
    make_run(workspace, "queued", experiment=kept)
    full = 2 * (CHECKPOINT_BYTES + STATE_BYTES)
    assert room(selftest(), PEAK + 3 * LEFT + full) == ""
    assert room(selftest(), PEAK + 3 * LEFT + full - 1) != ""


def test_repetitions_count(workspace, room):
    make_run(workspace, "stopped", [("10-a1", True)], selftest())
    assert room(selftest(), PEAK + 4 * LEFT, count=5) == ""
    assert "what 4 more leave behind" in room(selftest(), PEAK + 4 * LEFT - 1, count=5)


def test_an_evaluation_may_fill_its_feature_cache(workspace, room):
    cached = evaluation(cache=FeatureCacheConfig(disk_gb=0.001))
    assert room(cached, 10**6) == ""
    assert "1.00 MB of features" in room(cached, 10**6 - 1)
    entry = workspace.path / "features" / ("a" * 32)
    entry.mkdir(parents=True)
    (entry / "stride-32.bin").write_bytes(bytes(400_000))
    assert room(cached, 600_000) == ""
    assert room(cached, 599_999) != ""


def test_features_of_queued_evaluations_are_counted_once_for_all(workspace, room):
    make_run(workspace, "stopped", [("10-a1", True)], selftest())
    for _ in range(2):
        make_run(workspace, "queued", experiment=evaluation(cache=FeatureCacheConfig(disk_gb=0.001)))
    assert room(selftest(), PEAK + 10**6) == ""
    assert room(selftest(), PEAK + 10**6 - 1) != ""
