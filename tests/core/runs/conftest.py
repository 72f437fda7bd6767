"""A workspace of its own for each test, and waiting for what detached processes do."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lovt_core.config.experiment import SelftestConfig, SelftestExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.locks import is_locked
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.workspace import Workspace, find_workspace

WAIT_SECONDS = 120.0


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A fresh workspace whose slots are not those of the machine; its scheduler has left at the end of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    place = find_workspace(tmp_path / "lovt-workspace")
    yield place
    wait_until(lambda: not is_locked(place.scheduler_lock), "the scheduler to leave", 60)


def wait_until(condition: Callable[[], bool], what: str | Callable[[], str], seconds: float = WAIT_SECONDS) -> None:
    """Look until the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s for {what if isinstance(what, str) else what()}")
        time.sleep(0.05)


def wait_for_state(run: RunDirectory, *states: str) -> RunState:
    """Wait until the run is in one of the states, and its lock free if that is an end."""

    def reached() -> bool:
        state = read_state(run)
        return state.state in states and (state.is_active or not state.lock_held)

    def describe() -> str:
        records = tail(run.control)
        return f"{run.id} to be {' or '.join(states)}: it is {read_state(run)}\n{records}\nlog: {tail(run.log)}"

    wait_until(reached, describe)
    return read_state(run)


def tail(path: Path) -> str:
    """The end of a text file."""
    return path.read_text()[-2000:] if path.exists() else ""


def selftest(seconds_per_step: float = 0.0, epochs: int = 2, **options: object) -> SelftestExperiment:
    """Eight steps an epoch."""
    return SelftestExperiment(
        selftest=SelftestConfig(seconds_per_step=seconds_per_step, **options),
        training=TrainingConfig(
            batch_size=8, accumulate=1, max_epochs=epochs, precision="fp32", device="cpu", checkpoint_every_steps=3
        ),
    )


def is_process(pid: int) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
