"""A workspace whose runs go to the single-node Slurm that `make test-slurm` has started, and words for its programs."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm_jobs import JOBS
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import is_locked
from lovt_core.runs.queueing.requests import queue_run
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.terms import SLURM, Terms
from lovt_core.runs.workspace import Workspace, find_workspace
from tests.core.runs.conftest import selftest, tail, wait_until

if not os.environ.get("LOVT_TEST_SLURM"):
    collect_ignore_glob = ["test_*.py"]

SETTINGS = "slurm: {gres: , time_minutes: 30, save_seconds: 60}\n"
ON_SLURM = Terms(launcher=SLURM)
JOB_SECONDS = 180.0
"""More than any of these jobs needs: a worker starts in five seconds, in twenty when both cores are busy."""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A fresh workspace with a space and an umlaut in its path; no scheduler lives in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    place = find_workspace(tmp_path / "läb book" / "lovt-workspace")
    place.settings.write_text(SETTINGS)
    JOBS.forget()
    yield place
    wait_until(lambda: not is_locked(place.scheduler_lock), "the scheduler to leave", 60)


@pytest.fixture(autouse=True)
def _no_jobs_left():
    """Every test begins with an empty cluster."""
    yield
    for job in slurm("squeue", "--me", "--noheader", "--format=%i").split():
        slurm("scancel", "--signal=KILL", f"{job}.0", check=False)
        slurm("scancel", job, check=False)
    wait_until(lambda: not slurm("squeue", "--me", "--noheader", "--format=%i"), "the cluster to be empty")


def slurm(*command: str, check: bool = True) -> str:
    """What a Slurm program says."""
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and answer.returncode:
        pytest.fail(f"{' '.join(command)}: {answer.stderr}")
    return answer.stdout.strip()


def job_state(job: str) -> str:
    """Slurm's word for a job."""
    return slurm("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")


def find_launch_details(run: RunDirectory, attempt: int = 1) -> dict[str, str]:
    """What the one record says by which an attempt was handed in."""
    (launch,) = (each for each in read_control(run.control) if (each.operation, each.attempt) == ("launch", attempt))
    return launch.details


def find_job(run: RunDirectory, attempt: int = 1) -> str:
    """Id of an attempt's job, which is named after it."""
    details = find_launch_details(run, attempt)
    assert details["name"] == f"{run.id}.a{attempt}"
    return details["job"]


def queue(workspace: Workspace, seconds_per_step: float = 0.0, epochs: int = 2, **options: object) -> RunDirectory:
    """Hand a selftest to Slurm."""
    return queue_run(workspace, selftest(seconds_per_step, epochs, **options), ON_SLURM)


def wait_for(run: RunDirectory, *states: str) -> RunState:
    """Wait until a run is in one of the states; its worker has left if that is an end."""

    def reached() -> bool:
        state = read_state(run)
        return state.state in states and (state.is_active or not state.lock_held)

    wait_until(reached, lambda: f"{run.id}: {read_state(run)}\n{tail(run.control)}\n{tail(run.log)}", JOB_SECONDS)
    return read_state(run)


def count(run: RunDirectory, event: str, attempt: int = 1) -> int:
    """Events of a kind."""
    return sum(line["event"] == event for line in read_lines(run.events(attempt)))


def wait_for_steps(run: RunDirectory, steps: int = 4, attempt: int = 1) -> None:
    """Wait until an attempt has made so many steps."""
    wait_until(
        lambda: count(run, "metrics", attempt) >= steps, lambda: f"steps of {run.id}: {tail(run.log)}", JOB_SECONDS
    )


def losses(run: RunDirectory) -> dict[int, float]:
    """Training loss by step; of a step that several attempts made, the last counts."""
    found = {}
    for attempt in range(1, read_state(run).attempt + 1):
        for line in read_lines(run.events(attempt)):
            if line["event"] == "metrics" and "train/loss" in line["values"]:
                found[line["step"]] = line["values"]["train/loss"]
    return found


@pytest.fixture(scope="session")
def undisturbed_losses(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[int, float]]:
    """The curve of a selftest of so many epochs on which nothing has fallen: computed here, without Slurm."""
    from lovt_core.selftest import selftest as compute
    from lovt_core.values import Metrics, Workplace

    def curve(epochs: int) -> dict[int, float]:
        folder = tmp_path_factory.mktemp("undisturbed")
        place = Workplace(
            *(folder, folder / "checkpoints", folder / "artifacts", 1, "cpu"), lambda: None, lambda text, which: None
        )
        values = [each for each in compute(selftest(epochs=epochs), place) if isinstance(each, Metrics)]
        return {each.step: each.values["train/loss"] for each in values if "train/loss" in each.values}

    return curve
