"""What Slurm says of jobs, and what it is told about them: squeue, scontrol, sacct, scancel as argument lists.

squeue is asked once for all jobs of the user, and its answer serves for some seconds: reading the states of thousands
of runs costs one call. Runs that are not Slurm's never come here.
"""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from lovt_core.errors import LovtError

ANSWER_SECONDS = 3.0
"""How long an answer of squeue serves."""
REFUSAL_SECONDS = 15.0
"""How long squeue is left in peace after it could not answer."""
COMMAND_SECONDS = 30.0
CLOCK_SECONDS = 300.0
"""Clocks of a cluster differ by less: munge, by which its machines know each other, refuses more."""
ENDED = frozenset(
    (
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"),
        *("REVOKED", "SPECIAL_EXIT", "TIMEOUT"),
    )
)
"""States of a job that has ended (squeue(1), job state codes)."""
FORMAT = "%i|%T|%N|%E|%r|%j"
"""Id, state, nodes, dependencies, reason, name: the name comes last, for it may hold any character."""
_FIELD = re.compile(r"(?:^|\s)([A-Za-z/:]+)=(\S*)")

Phase = Literal["waits", "runs", "ended", "unknown"]


@dataclass(frozen=True)
class Job:
    """A job as squeue lists it."""

    id: str
    """`12`, or `12_3` in an array."""
    state: str
    nodes: str
    dependency: str
    reason: str
    name: str

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more, or ever will."""
        return self.state in ENDED


@dataclass(frozen=True)
class JobView:
    """What a reader of a run's state needs of its job."""

    phase: Phase
    job: str
    state: str = ""
    """Slurm's word."""
    sentence: str = ""


@dataclass(frozen=True)
class JobEnd:
    """A job as scontrol or sacct tells of it alone; empty where nobody knows it any more."""

    state: str = ""
    exit_code: str = ""
    """`code:signal`."""
    reason: str = ""
    is_preempted: bool = False
    may_requeue: bool = False
    """Whether Slurm may start it again, which only an administrator can have allowed."""

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody has used scancel, also while its worker still saves: no limit, no preemption, no requeue."""
        is_ending = self.state in ("CANCELLED", "COMPLETING") and self.reason in ("", "None")
        return is_ending and not self.is_preempted and not self.may_requeue

    @property
    def has_ended(self) -> bool:
        """Whether it is over; a job that nobody knows is."""
        return not self.state or self.state in ENDED


@dataclass(frozen=True)
class Answer:
    """One answer of squeue."""

    asked: float
    """When it was asked, on the monotonic clock of this process."""
    asked_at: float
    """The same in Unix seconds."""
    jobs: Mapping[str, Job] = field(default_factory=dict)
    problem: str = ""
    """Why there is none."""


class JobList:
    """The user's jobs, as squeue said at most some seconds ago. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answer: Answer | None = None
        self._first_seen: dict[tuple[str, str], float] = {}

    def read(self, max_age: float = ANSWER_SECONDS) -> Answer:
        """The last answer, or a new one if that is older; one without jobs says in `problem` what is wrong."""
        with self._lock:
            last = self._answer
            serves = max(max_age, REFUSAL_SECONDS if last is not None and last.problem and max_age else 0.0)
            if last is None or time.monotonic() - last.asked >= serves:
                self._answer = last = ask_squeue()
            return last

    def forget(self) -> None:
        """Ask anew next time: something was just handed in or taken back."""
        with self._lock:
            self._answer = None

    def look_up(self, job: str, name: str, handed_in: float) -> JobView:
        """A job of that id and name. One that is not listed has ended, unless it may be younger than the answer.

        `handed_in`: Unix seconds, by the clock of whoever did it.
        """
        first_seen = self._first_seen.setdefault((job, name), time.monotonic())
        answer = self.read()
        if answer.problem:
            return JobView("unknown", job, sentence=f"job {job}: {answer.problem}")
        found = answer.jobs.get(job)
        if found is not None and found.name == name:
            return view(found)
        if answer.asked > first_seen or handed_in < answer.asked_at - CLOCK_SECONDS:
            return JobView("ended", job)
        return JobView("unknown", job, sentence=f"job {job} has just been handed to Slurm, or has just ended")


def can_ask() -> bool:
    """Whether Slurm's programs are on this machine."""
    return shutil.which("squeue") is not None


def view(job: Job) -> JobView:
    """A listed job in the words of a run's state."""
    if job.has_ended:
        return JobView("ended", job.id, job.state)
    if job.nodes:
        return JobView("runs", job.id, job.state, f"in Slurm: job {job.id}, {job.state} on {job.nodes}")
    return JobView("waits", job.id, job.state, f"waits in Slurm: job {job.id}, {job.state} ({job.reason})")


JOBS = JobList()
"""This process's view."""


def ask_squeue() -> Answer:
    """One call of squeue for all jobs of the user, the ended ones that Slurm still remembers too."""
    asked, asked_at = time.monotonic(), time.time()
    try:
        text = run_slurm("squeue", "--me", "--noheader", "--array", "--states=all", f"--format={FORMAT}")
    except LovtError as error:
        return Answer(asked, asked_at, problem=str(error))
    jobs = [Job(*line.split("|", 5)) for line in text.splitlines() if line.count("|") >= 5]
    return Answer(asked, asked_at, {job.id: job for job in jobs})


def ask_job(job: str, name: str, seconds: float = COMMAND_SECONDS) -> JobEnd:
    """What Slurm knows of one job now: its controller, else its accounting, else nothing (a job long gone).

    Raises LovtError where the controller cannot be asked, or not within `seconds`: nothing is known then.
    """
    try:
        facts = dict(_FIELD.findall(run_slurm("scontrol", "--oneliner", "show", "job", job, seconds=seconds)))
    except LovtError as error:
        if "Invalid job id" not in str(error):
            raise
        return _ask_accounting(job, name)
    if facts.get("JobName") != name:
        return _ask_accounting(job, name)
    preempted = facts.get("PreemptTime", "None") != "None" or facts.get("JobState") == "PREEMPTED"
    may_requeue = facts.get("Requeue") == "1"
    return JobEnd(facts.get("JobState", ""), facts.get("ExitCode", ""), facts.get("Reason", ""), preempted, may_requeue)


def _ask_accounting(job: str, name: str) -> JobEnd:
    """As far as the cluster keeps accounts."""
    fields = "--format=State,ExitCode,JobName%200"
    try:
        text = run_slurm("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={job}", fields)
    except LovtError:
        return JobEnd()
    for line in text.splitlines():
        state, _, rest = line.partition("|")
        exit_code, _, found = rest.partition("|")
        if found == name and state:
            return JobEnd(state.split()[0], exit_code)  # `CANCELLED by 1000`
    return JobEnd()


def cancel_job(job: str, name: str, *, at_once: bool = False) -> None:
    """Take a job back, if its name says that it is ours; `at_once`: its worker is killed, without time to save.

    Raises LovtError where Slurm refuses. A job that has ended is left alone.
    """
    if ask_job(job, name).has_ended:
        return
    if at_once:
        with suppress(LovtError):  # it may be leaving
            run_slurm("scancel", "--signal=KILL", f"{job}.0")  # to the whole job, SIGKILL would be a SIGTERM first
    run_slurm("scancel", "--quiet", job)
    JOBS.forget()


def run_slurm(program: str, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """What a Slurm program answers; raises LovtError with its own words, or when it is not there."""
    path = shutil.which(program)
    if path is None:
        raise LovtError(f"there is no {program} on this machine, Slurm cannot be asked here")
    try:
        answer = subprocess.run(
            [path, *arguments], capture_output=True, text=True, errors="replace", timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LovtError(f"{program} has not answered for {seconds:.0f} seconds") from error
    except OSError as error:
        raise LovtError(f"{program} cannot be started: {error.strerror}") from error
    if answer.returncode:
        raise LovtError(complaint(answer.stderr) or f"{program} ended with code {answer.returncode}")
    return answer.stdout


def complaint(text: str) -> str:
    """The last line that a Slurm program has written to stderr, without its own name before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^\w+( error)?: (error: |fatal: )?", "", lines[-1]) if lines else ""


def say_dependency(jobs: Sequence[str]) -> str:
    """Slurm's spelling of: when these have all finished well."""
    return f"afterok:{':'.join(jobs)}" if jobs else ""
