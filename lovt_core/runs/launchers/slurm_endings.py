"""How a worker ended that Slurm has started, as far as Slurm can tell."""

import signal
from collections.abc import Mapping
from typing import Any

from lovt_core.runs.causes import Cause, Exit
from lovt_core.runs.launchers.slurm_jobs import JobEnd

CANCELLED = "CANCELLED"
"""Somebody has used scancel: no failure, and nothing to try again."""
WORDS: dict[str, tuple[Cause, str]] = {
    "OUT_OF_MEMORY": ("oom-killer", "the memory that Slurm had granted was full"),
    "NODE_FAIL": ("lost", "the node failed"),
    "BOOT_FAIL": ("lost", "the node did not boot"),
    "TIMEOUT": ("killed", "the time limit was reached before the worker had saved"),
    "DEADLINE": ("killed", "Slurm's deadline was reached before the worker had saved"),
    "PREEMPTED": ("killed", "the job was preempted before the worker had saved"),
    CANCELLED: ("killed", "the job was cancelled in Slurm"),
    "REQUEUED": ("killed", "Slurm has put the job back into its queue, which ended its worker"),
    "SUPERSEDED": ("lost", "another job had taken its place"),
}
"""Cause and sentence of an end that Slurm has a word for."""
SIGNAL_BASE = 128
"""A shell's exit code for a program that a signal ended is so much above the signal's number."""


def name_end(job: str, state: str, *, has_begun: bool) -> str:
    """Slurm's word for an end. It forgets at once a task of an array that was cancelled while it waited."""
    return CANCELLED if not state and not has_begun and "_" in job else state


def describe_end(job: str, end: JobEnd) -> dict[str, Any]:
    """Details of an `exited` record."""
    return {"job": job, "slurm": end.state, **({"exit": end.exit_code} if end.exit_code else {})}


def explain_end(details: Mapping[str, Any]) -> Exit:
    """What the `exited` record of a Slurm job says."""
    where = f"(Slurm job {details.get('job')}, {details.get('slurm') or 'gone'})"
    if (known := WORDS.get(str(details.get("slurm")))) is not None:
        return Exit(known[0], f"{known[1]} {where}")
    code, _, number = str(details.get("exit", "")).partition(":")
    if not code.isdigit() and details.get("slurm"):
        return Exit("exit", f"the worker ended without a last word {where}")
    if not code.isdigit():
        return Exit("lost", f"the worker died without a last word, exit status unknown {where}")
    number = number if number.isdigit() and int(number) else str(max(0, int(code) - SIGNAL_BASE))
    if int(number):
        return Exit("killed", f"the worker was killed by signal {_name_signal(int(number))} {where}")
    return Exit("exit", f"the worker exited with code {code} without a last word {where}")


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
