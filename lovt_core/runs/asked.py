"""What was asked of an attempt while it is at work: by `control.jsonl`, and by signals."""

import signal
import time
from collections.abc import Callable
from types import FrameType

from lovt_core.errors import RecordError
from lovt_core.runs.control import ControlRecord, read_control
from lovt_core.runs.directory import RunDirectory
from lovt_core.values import EndReason

CONTROL_SECONDS = 2.0


class Requests:
    """What was asked of this attempt: SIGTERM, or a stop in `control.jsonl`, read every two seconds."""

    def __init__(self, run: RunDirectory, attempt: int, find_reason: Callable[[], str] = str) -> None:
        """`find_reason` says of a SIGTERM who wants the run ended; nothing where nobody does."""
        self._run = run
        self._attempt = attempt
        self._find_reason = find_reason
        self._terminated: signal.Signals | None = None
        self._reason: str | None = None
        self._read_at = 0.0
        self._stop: ControlRecord | None = None

    def on_terminate(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler of SIGTERM, and of SIGUSR2, by which Slurm announces a time limit."""
        self._terminated = signal.Signals(signum)

    def explain(self) -> dict[str, str]:
        """What the last word says of an end that was asked for elsewhere."""
        if self._stop is not None:
            reason = str(self._stop.details.get("reason", "user"))
            return {} if reason == "user" else {"error": reason}
        return {"error": self._reason} if self._reason else {}

    def asked(self) -> EndReason | None:
        """Why to end, or None. A stop somebody asked for wins over a SIGTERM that nobody here asked for."""
        now = time.monotonic()
        if not self._stop and (self._terminated or now - self._read_at >= CONTROL_SECONDS):
            self._read_at = now
            if not self._run.control.exists():
                raise RecordError(f"{self._run.path} was removed while its run was at work")
            stops = (item for item in read_control(self._run.control) if item.operation == "stop")
            self._stop = next((item for item in stops if item.attempt == self._attempt), None)
        if self._stop:
            return self._find_end()
        if self._terminated is None:
            return None
        if self._reason is None:
            self._reason = self._find_reason() if self._terminated == signal.SIGTERM else ""
        return "stopped" if self._reason else "interrupted"

    def _find_end(self) -> EndReason:
        return "pruned" if self._stop is not None and self._stop.details.get("end") == "pruned" else "stopped"
