"""The state machine on every kind of evidence."""

import itertools

import pytest

from lovt_core.runs.control import record
from lovt_core.runs.state import Evidence, compute_state

Q1, L1, Q2, L2 = record("queued", 1), record("launch", 1), record("queued", 2), record("launch", 2)
FINISHED = {"event": "finished"}


def evidence(*control, lock=False, events=False, word=None):
    return Evidence(control, lock, events or word is not None, word)


@pytest.mark.parametrize(
    ("given", "state", "attempt"),
    [
        (evidence(Q1), "queued", 1),
        (evidence(Q1, lock=True), "queued", 1),
        (evidence(Q1, record("cancel", 1)), "cancelled", 1),
        (evidence(Q1, L1, lock=True), "launched", 1),
        (evidence(Q1, L1), "launched", 1),
        (evidence(Q1, L1, lock=True, events=True), "running", 1),
        (evidence(Q1, L1, events=True), "lost", 1),
        (evidence(Q1, L1, word=FINISHED), "finished", 1),
        (evidence(Q1, L1, lock=True, word=FINISHED), "finished", 1),
        (evidence(Q1, L1, record("exited", 1, code=3)), "failed", 1),
        (evidence(Q1, L1, record("exited", 1, signal="SIGKILL"), events=True), "failed", 1),
        (evidence(Q1, L1, record("exited", 1, unknown=True), events=True), "lost", 1),
        (evidence(Q1, L1, record("exited", 1, unknown=True)), "failed", 1),
        (evidence(Q1, L1, record("kill", 1), record("exited", 1, signal="SIGKILL"), events=True), "stopped", 1),
        (evidence(Q1, L1, record("exited", 1, code=3), word=FINISHED), "finished", 1),
        (evidence(Q1, L1, Q2), "queued", 2),
        (evidence(Q1, L1, Q2, record("stop", 2)), "stopped", 2),
        (evidence(Q1, L1, Q2, record("stop", 1)), "queued", 2),
        (evidence(Q1, L1, Q2, L2, lock=True, events=True), "running", 2),
    ],
)
def test_state(given, state, attempt):
    found = compute_state(given)
    assert (found.state, found.attempt) == (state, attempt)


@pytest.mark.parametrize("lock", [False, True])
def test_stop_is_pending_until_the_worker_answers(lock):
    running = compute_state(evidence(Q1, L1, record("stop", 1), lock=True, events=lock))
    assert running.state == ("running" if lock else "launched")
    assert running.stop_asked
    answered = compute_state(evidence(Q1, L1, record("stop", 1), word={"event": "stopped"}))
    assert (answered.state, answered.stop_asked) == ("stopped", False)


def test_time_stamps_and_the_order_of_other_attempts_do_not_matter():
    records = [Q1, L1, record("exited", 1, code=1), Q2]
    states = {compute_state(evidence(*order)).state for order in itertools.permutations(records)}
    assert states == {"queued"}


def test_an_error_is_carried():
    word = {"event": "failed", "error": "CUDA out of memory"}
    assert compute_state(evidence(Q1, L1, word=word)).detail == "CUDA out of memory"
    killed = compute_state(evidence(Q1, L1, record("exited", 1, signal="SIGKILL"), events=True))
    assert killed.detail == "the worker was killed by signal SIGKILL"
