"""Preparing data in the background: a process of its own that goes on when the dashboard is left, and can be stopped.

`<workspace>/preparing/<data set>.json` holds how far the last preparation of a data set is, `.lock` beside it is held
while it works, `.log` has what else its process said. `data_prepare_job.py` is the program.
"""

import functools
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lovt_core.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from lovt_core.runs.workspace import Workspace

START_SECONDS: Final = 30.0
"""A process that has not taken its lock by then has died before it could say a word."""
LOG_BYTES: Final = 4096

State = Literal["starting", "reading", "decoding", "prepared", "refused", "stopped", "lost"]
"""`lost`: the process ended without a last word."""
WORKING: Final = ("starting", "reading", "decoding")


@dataclass(frozen=True)
class Order:
    """What to prepare, and how (the options of `lovt data prepare`)."""

    name: str
    source: str
    """Folder of the download."""
    size: int | None = None
    splits: str | None = None
    skip_bad: bool = False
    workers: int | None = None


@dataclass(frozen=True)
class Preparation:
    """How far one preparation is."""

    order: Order
    state: State
    started: float
    """Unix seconds."""
    process: int = 0
    done: int = 0
    total: int | None = None
    note: str = ""
    seconds_left: float | None = None
    message: str = ""
    """What came of it; several lines where files cannot be used."""

    @property
    def is_working(self) -> bool:
        """Whether its process is alive."""
        return self.state in WORKING


@dataclass(frozen=True)
class PreparationFiles:
    """Where the last preparation of a data set is recorded."""

    record: Path
    lock: Path
    log: Path


def preparation_files(workspace: "Workspace", name: str) -> PreparationFiles:
    """Paths; none need exist."""
    folder = workspace.path / "preparing"
    return PreparationFiles(*(folder / f"{name}.{ending}" for ending in ("json", "lock", "log")))


def write_preparation(files: PreparationFiles, preparation: Preparation) -> None:
    """Replace the record."""
    from lovt_core.files import write_text_atomic

    write_text_atomic(files.record, json.dumps(asdict(preparation)) + "\n")


def read_preparation(files: PreparationFiles, now: float) -> Preparation | None:
    """The last preparation; None where there was none, or its record is damaged. `now` in Unix seconds."""
    from lovt_core.runs.locks import is_locked

    try:
        found = _parse(files.record.read_bytes())
        if not found.is_working or is_locked(files.lock):
            return found
        if found.state == "starting" and now - found.started < START_SECONDS:
            return found
        found = _parse(files.record.read_bytes())  # it may have ended in between
    except (OSError, ValueError):
        return None
    return found if not found.is_working else replace(found, state="lost", message=_explain_loss(files.log))


def start_preparation(workspace: "Workspace", order: Order) -> None:
    """Start preparing. Raises InputError where that cannot be right, or the set is being prepared already."""
    from lovt_core.runs.detached import start_detached
    from lovt_core.runs.locks import is_locked

    files = preparation_files(workspace, order.name)
    order = check_order(order)
    if is_locked(files.lock):
        raise InputError(f"{order.name} is being prepared already: wait until it ends, or stop it")
    try:
        files.record.parent.mkdir(mode=0o700, exist_ok=True)
        files.log.write_bytes(b"")
    except OSError as error:
        raise InputError(f"cannot write {error.filename}: {error.strerror}; use lovt data prepare") from error
    write_preparation(files, Preparation(order, "starting", time.time()))
    start_detached("lovt_tui.datasets.prepare_job", str(workspace.path), order.name, log=files.log)


def check_order(order: Order) -> Order:
    """The order with whole paths; raises LovtError for an unknown set, a folder that is none, a bad split or number."""
    from lovt_core.config.split_names import is_split_name
    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.preparation.prepare import MAX_SIZE, MIN_SIZE
    from lovt_core.data.split_choice import read_choice

    find_data_set(order.name)
    source = Path(order.source).expanduser().resolve()
    if not order.source or not source.is_dir():
        raise InputError(f"'{order.source}' is no folder: name the folder of the download")
    if order.size is not None and not MIN_SIZE <= order.size <= MAX_SIZE:
        raise InputError(f"size {order.size} cannot be prepared: {MIN_SIZE} to {MAX_SIZE} pixels")
    if order.workers is not None and order.workers < 1:
        raise InputError(f"{order.workers} workers cannot work: at least 1 is needed")
    splits = order.splits
    if splits is not None:
        read_choice(splits)
        splits = splits if is_split_name(splits) else str(Path(splits).expanduser().resolve())
    return replace(order, source=str(source), splits=splits)


def stop_preparation(workspace: "Workspace", name: str) -> str:
    """Ask a preparation to end; what is decoded is kept. Raises InputError where none is at work."""
    from lovt_core.runs.locks import is_locked

    files = preparation_files(workspace, name)
    found = read_preparation(files, time.time())
    if found is None or not found.is_working or not found.process or not is_locked(files.lock):
        raise InputError(f"{name} is not being prepared here")
    os.kill(found.process, signal.SIGINT)
    return f"{name}: stopping; what is decoded is kept, and preparing it again goes on from there"


def _parse(text: bytes) -> Preparation:
    """A record; fields that this version does not know are ignored. Raises ValueError for a damaged one."""
    return _adapter().validate_json(text)


@functools.cache
def _adapter() -> "TypeAdapter[Preparation]":
    from pydantic import TypeAdapter

    return TypeAdapter(Preparation)


def _explain_loss(log: Path) -> str:
    """The last line of what the process said."""
    try:
        said = log.read_bytes()[-LOG_BYTES:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        said = []
    reason = f": {said[-1]}" if said else " (killed, or the machine was started again)"
    return f"the process ended without a last word{reason}; what is decoded is kept, prepare again to go on"
