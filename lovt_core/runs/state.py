"""In which state a run is: a pure function of its control records, its lock and its events.

    queued -> launched -> running -> finished | failed | stopped | pruned | interrupted
       \\-> cancelled                     running, lock free -> lost

The state is that of the largest attempt n: its worker's last word; else what control says of its end; else whether
the lock is held. Never time stamps, never an order across files. `read_state` reads control, then the lock, then the
events: a lock found free after `launch n` was seen means that the worker has written all it will ever write.

A worker that Slurm starts takes the lock itself, and on another machine: while the lock is free, squeue's answer tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lovt_core.runs.causes import Cause, explain_exit
from lovt_core.runs.control import ControlRecord, read_control
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.events import LAST_WORDS
from lovt_core.runs.launchers.slurm_endings import CANCELLED, explain_end, name_end
from lovt_core.runs.launchers.slurm_jobs import JOBS, JobView
from lovt_core.runs.lines import complete_lines
from lovt_core.runs.locks import is_locked
from lovt_core.runs.states import ACTIVE, State
from lovt_core.runs.terms import SLURM

MAX_DEATHS_BEFORE_START = 3
TAIL_BYTES = 65_536
"""More than the longest last word, whose traceback is cut."""


@dataclass(frozen=True)
class RunState:
    """State of a run and what is valid in it."""

    state: State
    attempt: int
    detail: str = ""
    """Why: the error of a failed run, the signal of a killed one."""
    cause: Cause = ""
    """The same in one word, where the run ended badly."""
    stop_asked: bool = False
    """A stop or kill of this attempt was asked for and is not carried out yet."""
    lock_held: bool = False
    """Whether its worker lives, or is still to: its lock is held, or Slurm has its job."""
    exit_recorded: bool = False
    """Whether it is known how the worker of this attempt ended: the scheduler has written it down, or Slurm says so."""
    told_by_slurm: bool = False
    """Whether only Slurm says so, which will forget it."""

    @property
    def is_active(self) -> bool:
        """Whether anything is still to happen by itself."""
        return self.state in ACTIVE


@dataclass(frozen=True)
class Evidence:
    """All that the state of the largest attempt depends on."""

    control: Sequence[ControlRecord]
    lock_held: bool
    has_events: bool
    last_word: dict[str, Any] | None
    job: JobView | None = None
    """What Slurm says, where the largest attempt is one of its jobs and nothing else tells how it is."""

    @property
    def attempt(self) -> int:
        """The largest attempt queued."""
        return max((item.attempt for item in self.control if item.operation == "queued"), default=1)

    def find(self, operation: str) -> ControlRecord | None:
        """The newest record of `operation` for the largest attempt."""
        attempt = self.attempt
        found = [item for item in self.control if item.operation == operation and item.attempt == attempt]
        return found[-1] if found else None

    def find_take_after(self, launch: ControlRecord) -> bool:
        """Whether the run was made another machine's own after that."""
        last = max(index for index, item in enumerate(self.control) if item is launch)
        return any(item.operation == "take" for item in self.control[last + 1 :])


def compute_state(evidence: Evidence) -> RunState:
    """The state that the evidence proves."""
    attempt = evidence.attempt
    asked = evidence.find("stop") is not None or evidence.find("kill") is not None
    word = evidence.last_word
    if word is not None:
        cause: Cause = word.get("cause", "error") if word["event"] == "failed" else ""
        return RunState(word["event"], attempt, str(word.get("error", "")), cause, lock_held=evidence.lock_held)
    if cancel := evidence.find("cancel"):
        return RunState("cancelled", attempt, _tell(cancel))
    if exited := evidence.find("exited"):
        return _after_exit(evidence, exited.details, asked)
    if not evidence.find("launch"):
        stop = evidence.find("stop")
        return RunState(_end(stop), attempt, _tell(stop) if stop else "") if asked else RunState("queued", attempt)
    if evidence.job is not None:
        return _on_slurm(evidence, evidence.job, asked)
    if not evidence.has_events:
        detail = "" if evidence.lock_held else "the worker died before its first event"
        return RunState("launched", attempt, detail, "", asked, evidence.lock_held)
    if evidence.lock_held:
        return RunState("running", attempt, stop_asked=asked, lock_held=True)
    return RunState("lost", attempt, "the worker died without a last word", "lost", asked)


def _tell(request: ControlRecord) -> str:
    """Why something was asked for; that a person did so says nothing new."""
    reason = str(request.details.get("reason", ""))
    return "" if reason == "user" else reason


def _end(stop: ControlRecord | None) -> State:
    return "pruned" if stop is not None and stop.details.get("end") == "pruned" else "stopped"


def _after_exit(evidence: Evidence, details: Mapping[str, Any], asked: bool) -> RunState:
    how = explain_end(details) if "slurm" in details else explain_exit(details)
    if asked or details.get("slurm") == CANCELLED:
        stop = evidence.find("stop")
        detail = (_tell(stop) if stop else "") or how.sentence
        return RunState(_end(stop), evidence.attempt, detail, exit_recorded=True)
    is_lost = how.cause == "lost" and evidence.has_events
    return RunState("lost" if is_lost else "failed", evidence.attempt, how.sentence, how.cause, exit_recorded=True)


def _on_slurm(evidence: Evidence, job: JobView, asked: bool) -> RunState:
    """The state of an attempt whose lock is free, by what Slurm says of its job."""
    if job.phase == "ended":
        word = name_end(job.job, job.state, has_begun=evidence.has_events)
        ended = _after_exit(evidence, {"job": job.job, "slurm": word}, asked)
        never_started = ended.state == "stopped" and evidence.attempt == 1 and not evidence.has_events
        return replace(ended, state="cancelled" if never_started else ended.state, told_by_slurm=True)
    state: State = "running" if evidence.has_events else "launched"
    return RunState(state, evidence.attempt, job.sentence, "", asked, lock_held=True)


def read_evidence(run: RunDirectory) -> Evidence:
    """Evidence from the files, in the order that makes it conclusive."""
    control = read_control(run.control)
    evidence = _read_worker(run, control)
    job = _ask_slurm(evidence)
    if job is not None and job.phase == "ended":
        evidence = _read_worker(run, control)  # it may have begun and ended since: now its files say all they ever will
        job = None if evidence.lock_held else job
    return replace(evidence, job=job)


def _read_worker(run: RunDirectory, control: Sequence[ControlRecord]) -> Evidence:
    attempt = Evidence(control, False, False, None).attempt
    lock_held = is_locked(run.worker_lock)
    path = run.events(attempt)
    return Evidence(control, lock_held, path.exists(), read_last_word(path))


def _ask_slurm(evidence: Evidence) -> JobView | None:
    """Only where the attempt is a job of Slurm's, and nothing else tells how it is."""
    launch = evidence.find("launch")
    if launch is None or launch.details.get("launcher") != SLURM:
        return None
    if evidence.lock_held or evidence.last_word or evidence.find("exited") or evidence.find("cancel"):
        return None
    if evidence.find_take_after(launch):
        return JobView("ended", str(launch.details.get("job")))  # a copy, whose job is that of the original
    return JOBS.look_up(str(launch.details.get("job")), str(launch.details.get("name")), launch.time)


def read_last_word(path: Path) -> dict[str, Any] | None:
    """The last word in an event file, which is the last line or there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = complete_lines(file.read())[0]
    except FileNotFoundError:
        return None
    return lines[-1] if lines and lines[-1].get("event") in LAST_WORDS else None


def read_state(run: RunDirectory) -> RunState:
    """State of a run, read from its directory now."""
    return compute_state(read_evidence(run))
