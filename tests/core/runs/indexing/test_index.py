"""The index takes each line in exactly once, whoever reads, and is built again when it is gone or damaged."""

import json
import math
import shutil
import threading
from array import array

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.errors import InputError, RecordError
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import encode_value
from lovt_core.runs.indexing.columns import find_column
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.terms import Terms
from lovt_core.values import Alarm, Metrics, Note, Result
from tests.core.runs.worker_lines import log, start


def test_points_states_and_best_values(workspace):
    run = create_run(workspace, SelftestExperiment(name="first"))
    index = Index(workspace)
    assert index.sync()
    assert index.runs()[0].state == "queued"
    writer = start(run)
    for step, loss in ((1, 3.0), (2, math.nan), (3, 2.0), (4, math.inf)):
        log(writer, step, train_loss=loss, val_loss=loss)
    index.sync()
    row = index.run("first")
    assert row.state == "lost"  # nobody holds the worker's lock
    assert (row.done, row.total, row.slot) == (4, 100, "CPU")
    assert row.best == {"val/loss": 2.0}
    assert row.latest["train/loss"] == math.inf
    curve = index.curve(run.id, "train/loss")
    assert list(curve.steps) == [1, 2, 3, 4]
    assert math.isnan(curve.values[1])
    assert not index.sync()
    writer.write_last_word("finished")
    assert index.sync()
    assert index.run(run.id).state == "finished"
    assert not index.sync()
    index.close()
    writer.close()


def test_a_resumed_attempt_cuts_the_earlier_one(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    for step in (1, 2, 3, 4):
        log(writer, step, train_loss=float(step))
    writer.close()
    writer = start(run, 2)
    for step in (3, 4, 5):
        log(writer, step, train_loss=10.0 * step)
    writer.write_last_word("finished")
    writer.close()
    index = Index(workspace)
    index.sync()
    curve = index.curve(run.id, "train/loss")
    assert list(curve.steps) == [1, 2, 3, 4, 5]
    assert list(curve.values) == [1.0, 2.0, 30.0, 40.0, 50.0]
    index.close()


def test_an_attempt_that_begins_with_a_validation_leaves_the_last_step_of_the_earlier_one(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    for step in (1, 2):
        log(writer, step, train_loss=float(step))
    writer.close()
    writer = start(run, 2)
    log(writer, 2, val_loss=7.0)
    log(writer, 3, train_loss=3.0)
    writer.close()
    index = Index(workspace)
    index.sync()
    assert list(index.curve(run.id, "train/loss").steps) == [1, 2, 3]
    assert list(index.curve(run.id, "val/loss").steps) == [2]
    index.close()


def test_torn_line_then_the_rest(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    path = run.events(1)
    index = Index(workspace)
    with path.open("ab") as file:
        file.write(b'{"t":1,"event":"metrics","step":1,"values":{"tr')
    index.sync()
    assert index.metric_names(run.id) == []
    assert not index.sync()  # the same torn end is no news
    with path.open("ab") as file:
        file.write(b'ain/loss":5.0}}\n')
    assert index.sync()
    assert list(index.curve(run.id, "train/loss").values) == [5.0]
    index.close()
    writer.close()


def test_a_replaced_file_is_taken_in_anew(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    log(writer, 1, train_loss=1.0)
    log(writer, 2, train_loss=1.0)
    index = Index(workspace)
    index.sync()
    path = run.events(1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))
    index.sync()
    assert list(index.curve(run.id, "train/loss").steps) == [1]
    index.close()
    writer.close()


def test_deleted_runs_go_and_damaged_ones_are_named(workspace):
    run = create_run(workspace, SelftestExperiment(name="gone"))
    broken = create_run(workspace, SelftestExperiment(name="broken"))
    (broken.path / "experiment.yaml").write_text("kind: selftest\nname: [broken\n")
    index = Index(workspace)
    index.sync()
    assert [row.name for row in index.runs()] == ["gone"]
    assert "experiment.yaml: not valid YAML" in index.broken[broken.id]
    for path in sorted(run.path.rglob("*"), reverse=True):
        path.unlink()
    run.path.rmdir()
    index.sync()
    assert index.runs() == []
    index.close()


def test_an_experiment_that_is_not_valid_any_more_is_still_shown(workspace):
    old = create_run(workspace, SelftestExperiment(name="old"))
    (old.path / "experiment.yaml").write_text("kind: selftest\nname: old\nwidht: 3\n")
    index = Index(workspace)
    index.sync()
    assert [(row.name, row.experiment["widht"]) for row in index.runs()] == [("old", 3)]
    index.close()
    with pytest.raises(RecordError, match="widht: unknown key"):
        old.experiment()


def test_labels_group_cause_and_seed(workspace):
    run = create_run(workspace, SelftestExperiment(name="first", seed=7), Terms(priority=2, group="g1"))
    index = Index(workspace)
    index.sync()
    row = index.run(run.id)
    assert (row.name, row.tags, row.remark, row.priority, row.group, row.seed) == ("first", (), "", 2, "g1", 7)
    append_control(
        run.control,
        record("name", 1, name="renamed"),
        record("tags", 1, tags=["tau", "new"]),
        record("note", 1, note="looks good"),
        record("priority", 1, priority=5),
    )
    assert index.sync()
    row = index.run(run.id)
    assert (row.name, row.tags, row.remark, row.priority) == ("renamed", ("tau", "new"), "looks good", 5)
    writer = start(run)
    writer.write_last_word("failed", {"error": "no memory", "cause": "gpu-memory"})
    writer.close()
    index.sync()
    assert (index.run(run.id).state, index.run(run.id).cause) == ("failed", "gpu-memory")
    index.close()


def test_an_experiment_that_a_later_attempt_changes_is_read_again(workspace):
    run = create_run(workspace, SelftestExperiment())
    start(run).write_last_word("finished")
    index = Index(workspace)
    index.sync()
    assert index.run(run.id).experiment["training"]["max_epochs"] != 77
    append_control(run.control, record("queued", 2, settings={"training.max_epochs": 77}))
    index.sync()
    assert index.run(run.id).experiment["training"]["max_epochs"] == 77
    index.close()


def test_system_samples_are_points_and_move_no_progress(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    log(writer, 5, train_loss=1.0)
    writer.write("system", {"step": 0, "values": {"system/cpu_percent": 80.0}})
    writer.close()
    writer = start(run, 2)
    writer.write("system", {"step": 0, "values": {"system/cpu_percent": 10.0}})
    log(writer, 6, train_loss=2.0)
    writer.write("system", {"step": 6, "values": {"system/cpu_percent": 90.0}})
    writer.close()
    index = Index(workspace)
    index.sync()
    row = index.run(run.id)
    assert (row.done, row.epoch, row.latest["system/cpu_percent"]) == (6, 0.6, 90.0)
    assert list(index.curve(run.id, "train/loss").steps) == [5, 6]
    curve = index.curve(run.id, "system/cpu_percent")
    assert (list(curve.steps), list(curve.values)) == ([0, 6], [80.0, 90.0])
    index.close()


def test_only_runs_that_changed_are_read_again(workspace):
    first, second = (create_run(workspace, SelftestExperiment(name=name)) for name in ("first", "second"))
    index = Index(workspace)
    index.sync()
    before = {row.id: row for row in index.runs()}
    append_control(second.control, record("note", 1, note="new"))
    index.sync()
    after = {row.id: row for row in index.runs()}
    assert after[first.id] is before[first.id]
    assert after[second.id].remark == "new"
    assert [row.id for row in index.runs(1)] == [index.runs()[0].id]
    assert index.count() == 2
    index.close()


def test_lines_that_say_nothing_harm_no_others(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    garbled = (
        '{"t":1,"event":"metrics","step":null,"values":{"train/loss":1}}',
        '{"t":1,"event":"metrics","step":2,"values":[1]}',
        '{"t":NaN,"event":"metrics","step":2,"values":{"train/loss":1}}',
        '{"t":1,"event":"metrics","step":2,"epoch":1e999,"values":{"train/loss":1}}',
        '{"t":1,"event":"metrics","step":3,"values":{"train/loss":"high","train/rate":0.1}}',
        '{"event":"alarm","message":"no time"}',
        '{"t":1,"event":"progress","done":"half","total":2}',
        "[1, 2]",
        "not json",
        "\x00\x01",
    )
    with run.events(1).open("a") as file:
        file.write("\n".join(garbled) + "\n")
    log(writer, 4, train_loss=4.0)
    index = Index(workspace)
    index.sync()
    assert index.broken == {}
    assert list(index.curve(run.id, "train/loss").steps) == [4]
    assert list(index.curve(run.id, "train/rate").steps) == [3]
    assert [event.kind for event in index.events(run.id)] == ["started"]
    index.close()
    writer.close()


def test_a_run_has_the_alarms_that_hold_also_after_its_end(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    index = Index(workspace)

    def say(*values):
        for value in values:
            writer.write(*encode_value(value))
        index.sync()
        return [alarm.message for alarm in index.run(run.id).alarms]

    assert say(Note("split of the download")) == []
    assert say(Alarm("slow"), Alarm("flat", "collapse of image/std"), Alarm("low", "collapse of report/std")) == [
        "slow", "flat", "low"
    ]  # fmt: skip
    assert say(Alarm("slow"), Note("by the way")) == ["slow", "flat", "low"]
    assert say(Note("over", ends="collapse of image/std")) == ["slow", "low"]
    writer.write("alarm", {"message": "split, as an older version said it"})
    writer.write_last_word("finished")
    writer.close()
    index.sync()
    assert [alarm.message for alarm in index.run(run.id).alarms] == ["slow", "low"]
    index.close()


def test_garbage_and_deletion_cost_nothing(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    log(writer, 1, train_loss=1.0)
    writer.write(*encode_value(Result({"type": "replicate", "value": 0.5})))
    index = Index(workspace)
    index.sync()
    index.close()
    workspace.index.write_bytes(b"garbage" * 4096)
    index = Index(workspace)
    index.sync()
    assert list(index.curve(run.id, "train/loss").values) == [1.0]
    assert index.results()[0].data == {"type": "replicate", "value": 0.5}
    index.close()
    writer.close()


def test_eight_readers_take_each_line_in_once(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    stop = threading.Event()
    failures = []

    def read():
        index = Index(workspace)
        try:
            while not stop.is_set():
                index.sync()
        except Exception as error:
            failures.append(error)
        finally:
            index.close()

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for step in range(1, 201):
        log(writer, step, train_loss=float(step))
        if step % 20 == 0:
            writer.write("alarm", {"message": str(step)})
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    index = Index(workspace)
    index.sync()
    assert index.curve(run.id, "train/loss").steps == array("q", range(1, 201))
    alarms = [json.loads(event.data["message"]) for event in index.events(run.id, "alarm")]
    assert alarms == list(range(20, 201, 20))
    index.close()
    writer.close()


def test_only_metrics_with_a_direction_have_a_best_value(workspace):
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    for step, value in ((1, 0.25), (2, 0.75), (3, 0.5)):
        names = ("val/retrieval/top1_image_to_report", "val/image/std", "val/global/image_to_report")
        writer.write(*encode_value(Metrics(step, 1.0, dict.fromkeys(names, value))))
    index = Index(workspace)
    index.sync()
    row = index.run(run.id)
    assert row.best == {"val/retrieval/top1_image_to_report": 0.75, "val/global/image_to_report": 0.25}
    assert row.latest["val/image/std"] == 0.5
    with pytest.raises(InputError, match=r"val/image/std has no best value.* its newest is latest.val/image/std"):
        find_column("best.val/image/std", [row])
    index.close()
    writer.close()


def test_a_look_at_the_active_runs_alone(workspace):
    ended, active = (create_run(workspace, SelftestExperiment(name=name)) for name in ("ended", "active"))
    append_control(ended.control, record("cancel", 1, reason="user"))
    index = Index(workspace)
    assert index.sync_active()  # nothing was looked at before: all of them
    assert {row.state for row in index.runs()} == {"cancelled", "queued"}
    append_control(ended.control, record("tags", 1, tags=["late"]))
    append_control(active.control, record("tags", 1, tags=["now"]))
    assert index.sync_active()
    assert (index.run("active").tags, index.run("ended").tags) == (("now",), ())
    assert not index.sync_active()
    create_run(workspace, SelftestExperiment(name="newcomer"))
    assert index.sync_active()  # a directory came: all of them
    assert index.run("newcomer").state == "queued"
    assert index.run("ended").tags == ("late",)
    shutil.rmtree(active.path)
    assert index.sync_active()
    assert {row.name for row in index.runs()} == {"ended", "newcomer"}
    index.close()


def test_a_run_that_another_reader_found_active_is_looked_at(workspace):
    run = create_run(workspace, SelftestExperiment(name="ended"))
    append_control(run.control, record("cancel", 1, reason="user"))
    index, other = Index(workspace), Index(workspace)
    index.sync()
    assert not index.sync_active()
    append_control(run.control, record("queued", 2, reason="user"))
    assert not index.sync_active()
    other.sync()
    assert other.run("ended").state == "queued"
    append_control(run.control, record("tags", 2, tags=["now"]))
    assert index.sync_active()
    assert index.run("ended").tags == ("now",)
    index.close()
    other.close()
