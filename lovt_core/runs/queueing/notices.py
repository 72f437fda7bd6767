"""The user's own command when a run has ended: an argument list, never a shell string."""

import json
import subprocess
from collections.abc import Sequence

from lovt_core.config.settings import PLACEHOLDERS
from lovt_core.runs.control import read_control, read_labels
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import encode_number, read_lines
from lovt_core.runs.queueing.endings import read_last_lines
from lovt_core.runs.records import is_smaller_better
from lovt_core.runs.state import RunState

SHOWN = "val/loss"


def describe_end(run: RunDirectory, state: RunState) -> dict[str, object]:
    """The whole story of an ended run, JSON values only."""
    best = _find_best(run, state.attempt)
    text = f"{run.id} {state.state}" + (f": {state.detail.splitlines()[0]}" if state.detail else "")
    if SHOWN in best:
        text += f", best {SHOWN} {best[SHOWN]}"
    name = read_labels(read_control(run.control)).name or run.name
    facts = {"id": run.id, "name": name, "state": state.state, "cause": state.cause, "detail": state.detail}
    return {**facts, "text": text, "best": best, "log": read_last_lines(run.log), "path": str(run.path)}


def start_notice(command: Sequence[str], story: dict[str, object]) -> "subprocess.Popen[bytes]":
    """Start the command with its placeholders filled in and the story as JSON on stdin; raises OSError.

    It is not waited for; the caller keeps the process so that it is reaped.
    """
    known = {key: str(story[key]) for key in PLACEHOLDERS}
    arguments = [_fill(part, known) for part in command]
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(story).encode()[:60_000] + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # it does not read
    return process


def _fill(part: str, known: dict[str, str]) -> str:
    for key, value in known.items():
        part = part.replace("{" + key + "}", value)
    return part


def _find_best(run: RunDirectory, attempts: int) -> dict[str, float | str]:
    best: dict[str, float] = {}
    for attempt in range(1, attempts + 1):
        for line in read_lines(run.events(attempt)):
            for name, value in line.get("values", {}).items() if line.get("event") == "metrics" else ():
                if name.startswith("val/") and not isinstance(value, str):
                    better = min if is_smaller_better(name) else max
                    best[name] = better(best.get(name, value), value)
    return {name: encode_number(value) for name, value in best.items()}
