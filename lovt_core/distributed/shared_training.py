"""A training as the worker sees it, while several processes share its work: still a generator of values."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lovt_core.config.training import check_sharing
from lovt_core.distributed.channel import Receiving
from lovt_core.distributed.job import Failure, Job, Trained, find_failure, write_job
from lovt_core.errors import LovtError
from lovt_core.runs.causes import Cause
from lovt_core.runs.launchers.slurm_job import HELD_SIGNALS
from lovt_core.values import Value, Workplace

END_SECONDS = 60.0
"""How long processes that have nothing more to say may take to end."""


class RankError(LovtError):
    """A process of a shared training failed; the message is its own."""

    def __init__(self, message: str, exit_code: int = 1, cause: Cause = "exit") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.cause = cause


def count_processes(experiment: Trained, place: Workplace) -> int:
    """How many processes share a training: one for each GPU that was handed down, on the CPU as the settings say."""
    if place.device == "cpu":
        return experiment.training.cpu_processes
    return max(1, len([part for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]))


def train_on_several(experiment: Trained, place: Workplace, num_ranks: int) -> Iterator[Value]:
    """What the experiment's workload yields, computed by `num_ranks` processes of this machine.

    Raises ConfigError where they cannot share the work equally, and RankError with the message of the one that fails.
    All of them end when the generator is closed, and when this process dies.
    """
    check_sharing(experiment.training, num_ranks)
    with tempfile.TemporaryDirectory(prefix="lovt-ranks-") as folder:
        scratch = Path(folder)
        write_job(scratch, Job(experiment, replace(place, num_ranks=num_ranks)))
        end, theirs = socket.socketpair()
        with end, _start_agent(scratch, num_ranks, theirs) as agent:
            try:
                yield from _receive(Receiving(end), place)
                agent.wait()  # it has its end of the line until it ends
            finally:
                end.close()
                _end(agent)
        if agent.returncode != 0:
            raise _explain(find_failure(scratch, num_ranks), agent.returncode)


def _start_agent(scratch: Path, num_ranks: int, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Start torchrun, which inherits that HELD_SIGNALS are held back, and so do the processes that it starts.

    Slurm announces an end to all processes of a job: the worker alone decides, and lets them save before.
    """
    command = [sys.executable, "-m", "lovt_core.distributed.agent", str(scratch), str(num_ranks)]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    try:
        with theirs:
            return subprocess.Popen(command, stdin=theirs.fileno())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _receive(receiving: Receiving, place: Workplace) -> Iterator[Value]:
    while True:
        try:
            value = receiving.read()
        except EOFError:
            return
        if value is not None:
            yield value
        try:
            receiving.answer(place.stop_requested())
        except ConnectionError:
            return


def _end(agent: subprocess.Popen[bytes]) -> None:
    """Wait for it; its processes see that the line is closed and leave by themselves."""
    try:
        agent.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()


def _explain(failure: Failure | None, code: int) -> RankError:
    if failure is None:
        return RankError(f"the processes of the training ended without a word (exit code {code}); see the run's log")
    error = RankError(failure.error, failure.exit_code, failure.cause)
    error.add_note(f"In process {failure.rank} of the training:\n{failure.trace}")
    return error
