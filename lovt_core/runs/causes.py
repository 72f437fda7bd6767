"""Why an attempt ended badly, in one word a program can act on and one sentence a person can."""

import errno
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lovt_core.errors import InputError, NoCheckpointError, TrainingError

Cause = Literal[
    "",  # it did not end badly
    "input",  # what the user gave is wrong
    "checkpoints",  # none that is whole is left to go on from
    "diverged",  # a loss or gradient that is not finite
    "gpu-memory",  # the GPU's memory did not suffice
    "cuda",  # another error of the GPU or its driver
    "memory",  # the host's memory did not suffice, and Python could say so
    "oom-killer",  # it did not, and the kernel killed the worker
    "disk",  # the disk is full
    "error",  # any other exception
    "killed",  # a signal from outside
    "exit",  # an exit code without a last word: a crash in native code, or a library that called exit
    "lost",  # nobody was there to see how it ended
    "start",  # the worker could not be started
]


def find_cause(error: BaseException) -> Cause:
    """What kind of failure an exception is, looking at what it was raised from too.

    One that tells of another process's failure knows that one's `cause`.
    """
    told: Cause | None = getattr(error, "cause", None)
    if told is not None:
        return told
    chain = [error]
    while (before := chain[-1].__cause__ or chain[-1].__context__) is not None and before not in chain:
        chain.append(before)
    if getattr(error, "exit_code", 1) == InputError.exit_code:
        return "input"
    if isinstance(error, NoCheckpointError):
        return "checkpoints"
    fallback: Cause = "diverged" if isinstance(error, TrainingError) else "error"
    return next((cause for each in chain if (cause := _classify(each)) is not None), fallback)


def _classify(error: BaseException) -> Cause | None:
    """What the machine lacked; torch's exceptions by their names, for torch is not imported here."""
    name, text = type(error).__name__, str(error)
    if name == "OutOfMemoryError":
        return "gpu-memory"
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "memory"
    if name == "AcceleratorError" or any(word in text for word in ("CUDA error", "cuDNN error", "CUBLAS_STATUS")):
        return "cuda"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    return None


VMSTAT = Path("/proc/vmstat")


@dataclass(frozen=True)
class Exit:
    """How a worker without a last word ended, as its `exited` record tells."""

    cause: Cause
    sentence: str


def read_oom_kills() -> int:
    """How many processes the kernel has killed for memory since boot; 0 where it does not say (proc(5) vmstat)."""
    try:
        for line in VMSTAT.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0


def describe_code(code: int | None, *, oom_killed: bool) -> dict[str, Any]:
    """Details of an `exited` record: a child's return code (negative: its signal), None where it was not ours."""
    if code is None:
        return {"unknown": True}
    if code < 0:
        name = signal.Signals(-code).name
        return {"signal": name, "oom": True} if name == "SIGKILL" and oom_killed else {"signal": name}
    return {"code": code}


def explain_exit(details: Mapping[str, Any]) -> Exit:
    """What an `exited` record says."""
    if details.get("error"):
        return Exit("start", str(details["error"]))
    if details.get("oom"):
        return Exit("oom-killer", "the kernel ended the worker because the memory was full (out-of-memory killer)")
    if details.get("signal"):
        return Exit("killed", f"the worker was killed by signal {details['signal']}")
    if details.get("unknown"):
        return Exit("lost", "the worker died without a last word, exit status unknown")
    return Exit("exit", f"the worker exited with code {details.get('code')} without a last word")
