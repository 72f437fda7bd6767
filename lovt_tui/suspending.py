"""Suspending the dashboard, as a shell suspends what it has started."""

import os
import signal

NOT_HERE = "no shell could wake the dashboard here: q leaves it, and runs go on"


def is_job() -> bool:
    """Whether a shell with job control has started this process: whoever leads a session would sleep for ever."""
    return hasattr(os, "getsid") and os.getpgrp() != os.getsid(0)


def suspend_job() -> None:
    """Stop this process and those around it (`uv run`, a script), so that the shell is told; `fg` goes on."""
    os.killpg(os.getpgrp(), signal.SIGTSTP)
