"""Whether anything in a run directory has changed, without opening a file: of thousands of runs, few have."""

import os
from pathlib import Path


def list_names(runs: Path) -> list[str]:
    """Names in the folder of run directories that may be runs."""
    with os.scandir(runs) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(".")]


def read_change_time(runs: Path) -> int:
    """When a run directory last came or went, in nanoseconds."""
    return runs.stat().st_mtime_ns


def take_stamp(runs: str, run_id: str, num_attempts: int) -> str:
    """Size and inode of a run's control and event files: another text when one was written, cut or replaced."""
    folder = f"{runs}/{run_id}"
    parts = [_describe(f"{folder}/control.jsonl")]
    parts += [_describe(f"{folder}/events-{attempt}.jsonl") for attempt in range(1, num_attempts + 1)]
    return " ".join(parts)


def _describe(path: str) -> str:
    try:
        stat = os.stat(path)  # noqa: PTH116, of thousands of files
    except FileNotFoundError:
        return "-"
    return f"{stat.st_size}:{stat.st_ino}"
