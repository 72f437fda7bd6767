"""Which checkpoint of a run another one may begin from."""

from pathlib import Path

from lovt_core.errors import InputError
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import read_lines
from lovt_core.runs.state import read_state


def find_saved(run: RunDirectory, which: str) -> Path:
    """Folder of a run's `best` or `last` checkpoint; raises InputError saying why there is none."""
    mark = f"is_{which}"
    state = read_state(run)
    for attempt in range(state.attempt, 0, -1):
        for line in reversed(read_lines(run.events(attempt))):
            folder = run.checkpoints / str(line.get("checkpoint"))
            if line.get("event") == "saved" and line.get(mark) and folder.is_dir():
                return folder
    remedy = "wait until it has saved one" if state.is_active else "name another run"
    raise InputError(f"run {run.id} is {state.state} and has no {which} checkpoint: {remedy}")
