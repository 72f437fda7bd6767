"""The user's own command when a run has ended: an argument list, never a shell string."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from lovt_core.config.metrics import find_direction
from lovt_core.config.settings import PLACEHOLDERS
from lovt_core.errors import RecordError
from lovt_core.runs.control import read_control, read_labels
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import encode_number, read_lines
from lovt_core.runs.queueing.endings import read_last_lines
from lovt_core.runs.records import find_headline
from lovt_core.runs.state import RunState


def describe_end(run: RunDirectory, state: RunState) -> dict[str, object]:
    """The whole story of an ended run, JSON values only."""
    best, latest = _find_values(run, state.attempt)
    text = f"{run.id} {state.state}" + (f": {state.detail.splitlines()[0]}" if state.detail else "")
    headline = find_headline(_read_document(run), best, latest)
    if headline is not None:
        text += f", {headline.label} {headline.value}"
    name = read_labels(read_control(run.control)).name or run.name
    facts = {"id": run.id, "name": name, "state": state.state, "cause": state.cause, "detail": state.detail}
    written = {key: encode_number(value) for key, value in best.items()}
    return {**facts, "text": text, "best": written, "log": read_last_lines(run.log), "path": str(run.path)}


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


def _read_document(run: RunDirectory) -> dict[str, Any]:
    try:
        return run.document()
    except RecordError:
        return {}


def _find_values(run: RunDirectory, attempts: int) -> tuple[dict[str, float], dict[str, float]]:
    """Best and newest value of each metric of the validation."""
    best: dict[str, float] = {}
    latest: dict[str, float] = {}
    for attempt in range(1, attempts + 1):
        for line in read_lines(run.events(attempt)):
            for name, value in line.get("values", {}).items() if line.get("event") == "metrics" else ():
                if name.startswith("val/") and not isinstance(value, str):
                    latest[name] = value
                    if (direction := find_direction(name)) is not None:
                        better = min if direction == "min" else max
                        best[name] = better(best.get(name, value), value)
    return best, latest
