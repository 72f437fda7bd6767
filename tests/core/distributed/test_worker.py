"""A run whose worker shares it: the record is that of any run."""

from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import read_lines
from lovt_core.runs.queueing.requests import queue_run
from tests.core.distributed.places import build_selftest
from tests.core.runs.conftest import wait_for_state, workspace

__all__ = ["workspace"]


def test_a_shared_run_finishes_and_leaves_what_any_run_leaves(workspace):
    run: RunDirectory = queue_run(workspace, build_selftest(epochs=2))
    wait_for_state(run, "finished")
    events = read_lines(run.events(1))
    assert [event["step"] for event in events if event["event"] == "metrics"] == [1, 2, 2, 3, 4, 4]
    saved = [event for event in events if event["event"] == "saved"]
    assert saved[-1]["bytes"]["weights"] > 0
    assert (run.checkpoints / saved[-1]["checkpoint"]).is_dir()


def test_a_shared_run_fails_with_the_word_of_a_process(workspace):
    run = queue_run(workspace, build_selftest(fail_at_step=2))
    wait_for_state(run, "failed")
    (failed,) = [event for event in read_lines(run.events(1)) if event["event"] == "failed"]
    assert failed["error"].startswith("the loss is nan at step 2")
    assert (failed["exit_code"], failed["cause"]) == (1, "diverged")
    assert "of the training:" in failed["traceback"]
