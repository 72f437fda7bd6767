"""In which state a run is: a pure function of its control records, its lock and its events.

    queued -> launched -> running -> finished | failed | stopped | pruned | interrupted
       \\-> cancelled                     running, lock free -> lost

The state is that of the largest attempt n: its worker's last word; else what control says of its end; else whether
the lock is held. Never time stamps, never an order across files. `read_state` reads control, then the lock, then the
events: a lock found free after `launch n` was seen means that the worker has written all it will ever write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lovt_core.runs.control import ControlRecord, read_control
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.events import LAST_WORDS
from lovt_core.runs.lines import complete_lines
from lovt_core.runs.locks import is_locked

State = Literal[
    "queued", "launched", "running", "finished", "failed", "stopped", "pruned", "interrupted", "cancelled", "lost"
]
ACTIVE: tuple[State, ...] = ("queued", "launched", "running")
RESUMABLE: tuple[State, ...] = ("stopped", "interrupted", "failed", "lost")
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
    stop_asked: bool = False
    """A stop or kill of this attempt was asked for and is not carried out yet."""
    lock_held: bool = False
    exit_recorded: bool = False
    """Whether the scheduler has written down how the worker of this attempt ended."""

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

    @property
    def attempt(self) -> int:
        """The largest attempt queued."""
        return max((item.attempt for item in self.control if item.operation == "queued"), default=1)

    def find(self, operation: str) -> ControlRecord | None:
        """The newest record of `operation` for the largest attempt."""
        attempt = self.attempt
        found = [item for item in self.control if item.operation == operation and item.attempt == attempt]
        return found[-1] if found else None


def compute_state(evidence: Evidence) -> RunState:
    """The state that the evidence proves."""
    attempt = evidence.attempt
    asked = evidence.find("stop") is not None or evidence.find("kill") is not None
    word = evidence.last_word
    if word is not None:
        return RunState(word["event"], attempt, str(word.get("error", "")), lock_held=evidence.lock_held)
    if evidence.find("cancel"):
        return RunState("cancelled", attempt)
    if exited := evidence.find("exited"):
        return _after_exit(evidence, exited, asked)
    if not evidence.find("launch"):
        return RunState("stopped", attempt) if asked else RunState("queued", attempt)
    if not evidence.has_events:
        detail = "" if evidence.lock_held else "the worker died before its first event"
        return RunState("launched", attempt, detail, asked, evidence.lock_held)
    if evidence.lock_held:
        return RunState("running", attempt, stop_asked=asked, lock_held=True)
    return RunState("lost", attempt, "the worker died without a last word")


def _after_exit(evidence: Evidence, exited: ControlRecord, asked: bool) -> RunState:
    how = describe_exit(exited.details)
    if asked:
        return RunState("stopped", evidence.attempt, how)
    if exited.details.get("unknown") and evidence.has_events:
        return RunState("lost", evidence.attempt, how, exit_recorded=True)
    return RunState("failed", evidence.attempt, how)


def describe_exit(details: dict[str, Any]) -> str:
    """One line on how a worker ended that left no last word."""
    if details.get("error"):
        return str(details["error"])
    if details.get("signal"):
        return f"the worker was killed by signal {details['signal']}"
    if details.get("unknown"):
        return "the worker died without a last word, exit status unknown"
    return f"the worker exited with code {details.get('code')} without a last word"


def read_evidence(run: RunDirectory) -> Evidence:
    """Evidence from the files, in the order that makes it conclusive."""
    control = read_control(run.control)
    attempt = Evidence(control, False, False, None).attempt
    lock_held = is_locked(run.worker_lock)
    path = run.events(attempt)
    return Evidence(control, lock_held, path.exists(), read_last_word(path))


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
