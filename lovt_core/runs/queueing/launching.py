"""Starting queued runs: who is next, where there is a place, and the launch itself."""

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from lovt_core.config.experiment import asked_device
from lovt_core.config.settings import Settings
from lovt_core.errors import LovtError
from lovt_core.runs.control import append_control, deciding, read_control, read_labels, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.gpus import Gpu
from lovt_core.runs.launchers.local import start_worker
from lovt_core.runs.launchers.slurm import hand_over
from lovt_core.runs.locks import take_lock
from lovt_core.runs.queueing.endings import cancel_hopeless, record_end
from lovt_core.runs.queueing.placement import Host, Place, Waits, choose_place
from lovt_core.runs.queueing.retrying import default_retry
from lovt_core.runs.queueing.slots import CPU, Holder, TakenSlot, list_held, placing, take_slot
from lovt_core.runs.queueing.waiting import Blocked, find_block
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.terms import SLURM, Terms, read_terms
from lovt_core.runs.workspace import Workspace

WORKER_LOCK_SECONDS = 0.05
"""A probe holds the lock for an instant; a dying worker keeps it longer, and is looked at again in the next round."""


@dataclass(frozen=True)
class Candidate:
    """A queued run as it was read last."""

    run: RunDirectory
    attempt: int
    device: str
    """`auto`, `cpu` or `cuda`."""
    terms: Terms
    priority: int
    stamp: tuple[int, int]
    """Size and time of its control file then."""

    def is_current(self) -> bool:
        """Whether nothing was asked of the run since."""
        return _stamp(self.run.control) == self.stamp


def find_candidate(run: RunDirectory, state: RunState) -> Candidate:
    """A queued run, read in full."""
    stamp = _stamp(run.control)
    control = read_control(run.control)
    terms = read_terms(control)
    priority = read_labels(control).priority
    return Candidate(run, state.attempt, asked_device(run.experiment()), terms, priority, stamp)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (-1, -1)
    return (stat.st_size, stat.st_mtime_ns)


@dataclass
class Outcome:
    """What one round of starting has led to."""

    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    is_stuck: bool = True
    """Whether all that waits, waits for a person, or for another one that does."""


@dataclass(frozen=True)
class Launcher:
    """One round of starting what can start."""

    workspace: Workspace
    settings: Settings
    read_gpus: Callable[[], tuple[Gpu, ...]]
    is_paused: bool = False

    def start(self, candidates: Sequence[Candidate]) -> Outcome:
        """Start the candidates that have a place, first ones first; smaller ones may pass those that must wait."""
        outcome = Outcome(waits=dict.fromkeys((each.run.id for each in candidates), ""))
        for candidate in candidates:
            if candidate.terms.launcher == SLURM and not self.is_paused:
                self._hand_over(candidate, outcome)
        here = [each for each in candidates if each.terms.launcher != SLURM or self.is_paused]
        ready = [each for each in here if self._is_ready(each, outcome)]
        if self.is_paused:
            outcome.waits.update({each.run.id: "the queue is paused: lovt queue resume" for each in ready})
        elif ready:
            outcome.is_stuck = False
            with placing():
                self._start_ready(ready, outcome)
        return outcome

    def _is_ready(self, candidate: Candidate, outcome: Outcome) -> bool:
        block = find_block(self.workspace, candidate.terms.after, default_retry(self.settings))
        if block is not None:
            self._note_block(candidate, block, outcome)
        return block is None

    def _note_block(self, candidate: Candidate, block: Blocked, outcome: Outcome) -> None:
        outcome.is_stuck &= block.is_stuck or block.behind in outcome.waits
        outcome.waits[candidate.run.id] = block.reason
        if block.is_hopeless:
            outcome.messages.append(f"{candidate.run.id}: cancelled: {block.reason}")
            with suppress(LovtError):
                cancel_hopeless(candidate.run, candidate.attempt, block.reason)

    def _hand_over(self, candidate: Candidate, outcome: Outcome) -> None:
        """Give a run to Slurm; what Slurm refuses waits for somebody who changes the settings."""
        try:
            block = hand_over(self.workspace, candidate.run, candidate.attempt)
        except (LovtError, OSError) as error:
            outcome.waits[candidate.run.id] = str(error)
            outcome.messages.append(f"{candidate.run.id}: {error}")
            return
        if block is None:
            outcome.waits.pop(candidate.run.id)
            outcome.is_stuck = False
        else:
            self._note_block(candidate, block, outcome)

    def _start_ready(self, ready: Sequence[Candidate], outcome: Outcome) -> None:
        """The caller holds the right to place."""
        gpus = self.read_gpus()
        devices = (CPU, *(gpu.uuid for gpu in gpus))
        host = Host(gpus, list_held(devices), self.settings, workspace=str(self.workspace.path))
        for candidate in ready:
            place = choose_place(candidate.device, candidate.terms, host)
            if isinstance(place, Waits):
                outcome.waits[candidate.run.id] = place.reason
                continue
            try:
                child = launch(candidate, place, self.workspace)
            except (LovtError, OSError) as error:
                outcome.messages.append(f"{candidate.run.id}: {error}")
                continue
            if child is not None:
                outcome.children[candidate.run.id] = child
                host = replace(host, held=list_held(devices))


def launch(candidate: Candidate, place: Place, workspace: Workspace) -> "subprocess.Popen[bytes] | None":
    """Locks first, then `launch n`, then the worker, then our copies are closed: no gap and no timer.

    None where the run is not to be started any more, or its last worker is still ending.
    """
    run = candidate.run
    lock = take_lock(run.worker_lock, WORKER_LOCK_SECONDS)
    if lock is None:
        return None
    taken: list[TakenSlot] = []
    try:
        holder = Holder(run.id, str(workspace.path), place.memory)
        if not _take_slots(place, holder, taken):
            return None
        with deciding(run.path):
            now = read_state(run)
            if (now.state, now.attempt) != ("queued", candidate.attempt):
                return None
            append_launch(run, candidate.attempt, place)
        descriptors = (lock, *(slot.descriptor for slot in taken))
        child = start_worker(run, candidate.attempt, descriptors, {"CUDA_VISIBLE_DEVICES": place.visible})
        for slot in taken:
            slot.write(replace(holder, pid=child.pid))
        return child
    except OSError as error:
        failure = {"error": f"the worker could not be started: {error.strerror}"}
    finally:
        os.close(lock)
        for slot in taken:
            slot.release()
    record_end(run, candidate.attempt, failure)
    return None


def _take_slots(place: Place, holder: Holder, taken: list[TakenSlot]) -> bool:
    """Take a slot on each device of a place, adding to `taken`; whether all could be had."""
    for device in place.devices:
        if (slot := take_slot(device, place.title)) is None:
            return False
        taken.append(slot)
        slot.write(holder)
    return True


def append_launch(run: RunDirectory, attempt: int, place: Place) -> None:
    """Say that an attempt is being started; the caller holds the worker's lock, the slots' and control's."""
    details = {"launcher": "local", "slot": ",".join(place.devices), "title": place.title, "scheduler": os.getpid()}
    append_control(run.control, record("launch", attempt, **details))
