"""Which checkpoints go: never a best one, never the last one, never anything of a run at work."""

import itertools
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.config.training import TrainingConfig
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import encode_line
from lovt_core.runs.locks import take_lock
from lovt_core.runs.space.cleaning.checkpoints import (
    Saved,
    find_checkpoint_garbage,
    find_superseded,
    read_saved,
    remove_checkpoints,
)
from lovt_core.runs.space.sizes import Scale
from tests.core.runs.conftest import selftest
from tests.core.runs.made_runs import (
    CHECKPOINT_BYTES,
    STATE_BYTES,
    checkpoint_folders,
    describe_saved,
    make_run,
    put_checkpoint,
    put_state,
)

NAMES = ("5-a1", "10-a1", "15-a1", "12-a2")
saved_events = st.lists(st.builds(Saved, st.sampled_from(NAMES), st.just(True), st.booleans()), max_size=8)
folders_there = st.sets(st.sampled_from([*NAMES, *(f"{name}.state" for name in NAMES), ".x.1-ab.tmp", "notes"]))


@settings(max_examples=2000, deadline=None)
@given(folders_there, saved_events, st.integers(1, 4), st.booleans())
def test_never_a_best_never_the_last(folders, saved, keep_last, drops_states):
    found = find_superseded(folders, saved, keep_last, drops_states=drops_states)
    bests = {event.name for event in saved if event.is_best}
    last = saved[-1].name if saved else None
    assert not bests & set(found.weights)
    assert last not in found.weights
    assert set(found.weights) | set(found.states) <= folders
    if last is None or last not in folders:
        assert (found.weights, found.states) == ((), ())
    if not drops_states:
        kept = {f"{name}.state" for name in (*bests, last)}
        assert not kept & set(found.states)
    assert all("tmp" not in name and name != "notes" for name in (*found.weights, *found.states))


@settings(max_examples=500, deadline=None)
@given(saved_events.filter(len), st.integers(1, 4))
def test_as_many_of_the_newest_stay_as_asked(saved, keep_last):
    announced = list(dict.fromkeys(event.name for event in reversed(saved)))
    bests = {event.name for event in saved if event.is_best}
    found = find_superseded(set(NAMES), saved, keep_last, drops_states=False)
    assert set(found.weights) == set(NAMES) - set(announced[:keep_last]) - bests


def test_all_ways_in_which_four_saves_can_go():
    """Exhaustive: each save best or not, each folder there or not."""
    for flags in itertools.product((False, True), repeat=8):
        bests, there = flags[:4], flags[4:]
        saved = [Saved(name, True, is_best) for name, is_best in zip(NAMES, bests, strict=True)]
        folders = {name for name, is_there in zip(NAMES, there, strict=True) if is_there}
        found = find_superseded(folders, saved, 1, drops_states=True)
        removable = {event.name for event in saved[:-1] if not event.is_best} & folders
        assert set(found.weights) == (removable if NAMES[-1] in folders else set())


def found_names(run: RunDirectory, keep_last: int = 1) -> list[tuple[str, str]]:
    return [(item.kind, item.path.name) for item in find_checkpoint_garbage(run, keep_last, Scale())]


def remove_all(run: RunDirectory, keep_last: int = 1) -> None:
    remove_checkpoints(run, {item.path.name for item in find_checkpoint_garbage(run, keep_last, Scale())}, keep_last)


THREE = [("5-a1", False), ("10-a1", True), ("15-a1", False)]


@pytest.mark.parametrize("state", ["failed", "stopped", "interrupted", "lost", "pruned"])
def test_a_run_that_ended_early_keeps_last_and_best_with_their_state(workspace, state):
    run = make_run(workspace, state, THREE)
    items = list(find_checkpoint_garbage(run, 1, Scale()))
    assert [(item.path.name, item.num_bytes) for item in items] == [
        ("5-a1", CHECKPOINT_BYTES),
        ("5-a1.state", STATE_BYTES),
    ]
    remove_all(run)
    assert checkpoint_folders(run) == ["10-a1", "10-a1.state", "15-a1", "15-a1.state"]
    assert found_names(run) == []


def test_a_finished_run_keeps_its_weights_alone(workspace):
    run = make_run(workspace, "finished", THREE)
    remove_all(run)
    assert checkpoint_folders(run) == ["10-a1", "15-a1"]


def test_a_finished_run_that_is_to_be_extended_keeps_state(workspace):
    experiment = selftest().model_copy(update={"training": TrainingConfig(keep_state=True)})
    run = make_run(workspace, "finished", THREE, experiment)
    remove_all(run)
    assert checkpoint_folders(run) == ["10-a1", "10-a1.state", "15-a1", "15-a1.state"]


def test_keep_state_told_to_a_later_attempt_counts(workspace):
    run = make_run(workspace, "finished", THREE)
    append_control(run.control, record("queued", 2, settings={"training.keep_state": True}), record("launch", 2))
    run.events(2).write_bytes(encode_line({"t": 1.0, "event": "finished"}))
    assert "states" not in {kind for kind, name in found_names(run) if name != "5-a1.state"}


def test_more_of_the_newest_stay_when_asked(workspace):
    saved = [(f"{step}-a1", step == 2) for step in range(1, 7)]
    run = make_run(workspace, "stopped", saved)
    assert [name for kind, name in found_names(run, 3) if kind == "checkpoints"] == ["1-a1", "3-a1"]
    assert found_names(run, 100) == []


@pytest.mark.parametrize("state", ["queued", "launched", "running"])
def test_nothing_of_an_active_run(workspace, state):
    run = make_run(workspace, "queued" if state == "queued" else "lost", THREE)
    lock = None
    if state != "queued":
        lock = take_lock(run.worker_lock)
    if state == "launched":
        run.events(1).unlink()
    assert found_names(run) == []
    remove_checkpoints(run, {"5-a1", "10-a1"}, 1)
    assert len(checkpoint_folders(run)) == 6
    if lock is not None:
        os.close(lock)


def test_nothing_of_a_run_whose_worker_is_still_ending(workspace):
    run = make_run(workspace, "finished", THREE)
    lock = take_lock(run.worker_lock)
    assert found_names(run) == []
    os.close(lock)
    assert found_names(run) != []


def test_nothing_of_a_lost_run_of_another_machine(workspace):
    run = make_run(workspace, "lost", THREE)
    origin = json.loads((run.path / "origin.json").read_text())
    (run.path / "origin.json").write_text(json.dumps({**origin, "machine": "another"}))
    assert found_names(run) == []


def test_what_changed_since_the_look_decides(workspace):
    run = make_run(workspace, "finished", THREE)
    wanted = {item.path.name for item in find_checkpoint_garbage(run, 1, Scale())}
    append_control(run.control, record("queued", 2))
    remove_checkpoints(run, wanted, 1)
    assert len(checkpoint_folders(run)) == 6


def test_only_what_was_shown_goes(workspace):
    run = make_run(workspace, "finished", THREE)
    remove_checkpoints(run, {"5-a1"}, 1)
    assert "5-a1" not in checkpoint_folders(run)
    assert len(checkpoint_folders(run)) == 5


def test_a_checkpoint_of_which_no_event_tells(workspace):
    """Killed between the folder and the event: a resumed run begins from the one before."""
    run = make_run(workspace, "lost", [("5-a1", True), ("10-a1", False)])
    put_checkpoint(run, "15-a1")
    put_state(run, "20-a1")
    assert found_names(run) == [("checkpoints", "15-a1"), ("states", "15-a1.state"), ("states", "20-a1.state")]
    unknown = make_run(workspace, "lost")
    put_checkpoint(unknown, "5-a1")
    put_checkpoint(unknown, "10-a1")
    assert found_names(unknown) == []  # no event tells of anything: nobody knows


def test_links_among_checkpoints_are_left_alone(workspace, tmp_path):
    run = make_run(workspace, "finished", THREE)
    outside = tmp_path / "1-a1"
    run.checkpoints.joinpath("5-a1").rename(outside)
    run.checkpoints.joinpath("5-a1").symlink_to(outside)
    remove_all(run)
    assert (outside / "model.safetensors").exists()
    moved = tmp_path / "checkpoints"
    run.checkpoints.rename(moved)
    run.checkpoints.symlink_to(moved)
    assert found_names(run) == []


def test_damaged_runs_are_left_alone(workspace):
    run = make_run(workspace, "finished", THREE)
    (run.path / "experiment.yaml").write_text("nothing: here")
    assert found_names(run) == []


def test_saved_events_among_others(tmp_path):
    lines = [
        {"event": "metrics", "values": {"saved": 1}},
        describe_saved("1-a1", False),
        {"event": "alarm", "message": 'a "saved" one'},
        {"event": "saved"},
        describe_saved("2-a1", True),
    ]
    path = tmp_path / "events-1.jsonl"
    path.write_bytes(b"".join(encode_line(line) for line in lines) + b'{"event":"saved","checkpoint"')
    assert list(read_saved(path)) == [Saved("1-a1", True, False), Saved("2-a1", True, True)]
    assert list(read_saved(tmp_path / "events-2.jsonl")) == []


def test_a_kill_in_the_midst_leaves_leftovers_and_no_half_checkpoint(workspace, monkeypatch):
    run = make_run(workspace, "finished", THREE)

    def die(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("lovt_core.runs.space.cleaning.checkpoints.delete", die)
    with pytest.raises(KeyboardInterrupt):
        remove_all(run)
    whole = [name for name in checkpoint_folders(run) if not name.endswith(".tmp")]
    assert whole == ["10-a1", "15-a1"]
    assert all(name.startswith(".") for name in checkpoint_folders(run) if name not in whole)
